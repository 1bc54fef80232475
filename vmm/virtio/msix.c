/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/msix.h"

#include <linux/pci_regs.h>
#include <poll.h>
#include <string.h>

#define MSIX_ENTRY_BYTES  16
#define MSIX_WORD_CONTROL 3
#define MSIX_ENTRY_MASKED 1U

int msix_init(struct msix *m, struct vm *vm, struct pci_function *fn, unsigned int nr,
	      const struct msix_where *where)
{
	vr_assert(nr >= 1 && nr <= MSIX_VECTORS_MAX);
	vr_assert(where->table % 8 == 0 && where->pba % 8 == 0 && where->bar < PCI_BARS_MAX);
	*m = (struct msix){.vm = vm, .fn = fn, .nr = nr};
	m->cap = pci_add_cap(fn, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	pci_put(fn, m->cap + PCI_MSIX_FLAGS, 2, nr - 1);
	pci_put(fn, m->cap + PCI_MSIX_TABLE, 4, where->table | where->bar);
	pci_put(fn, m->cap + PCI_MSIX_PBA, 4, where->pba | where->bar);
	fn->wmask[m->cap + PCI_MSIX_FLAGS + 1] = (PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) >>
						 8;
	for (unsigned int i = 0; i < nr; i++) {
		int irq = vm_msi_alloc(vm);

		if (irq < 0)
			return irq;
		m->vector[i] = (struct msix_vector){.word = {0, 0, 0, MSIX_ENTRY_MASKED},
						    .irq = irq};
		m->source[i] = (struct msix_source){-1, MSIX_NO_VECTOR, -1};
	}
	return 0;
}

void msix_set_source(struct msix *m, unsigned int i, int fd)
{
	vr_assert(i < m->nr);
	m->source[i].fd = fd;
}

static void msix_unbind(struct msix *m, struct msix_source *s)
{
	if (s->bound_irq < 0)
		return;
	/* Fails only if there is no such binding. */
	if (vm_irqfd(m->vm, false, (unsigned int)s->bound_irq, s->fd) == 0)
		s->bound_irq = -1;
}

/* Whether a vector can be delivered now. If so, sets its route; the function has got its slot by then. */
static bool msix_live(struct msix *m, struct msix_vector *v)
{
	uint64_t addr = (uint64_t)v->word[1] << 32 | v->word[0];

	if (!m->enabled || m->masked || (v->word[MSIX_WORD_CONTROL] & MSIX_ENTRY_MASKED))
		return false;
	if (addr - arch.msi.base >= arch.msi.bytes)
		return false;
	if (!v->routed)
		v->routed = vm_msi_route(m->vm, (unsigned int)v->irq, addr, v->word[2],
					 m->fn->slot << 3) == 0;
	return v->routed;
}

/* Binds or unbinds a source, depending on its vector. If it cannot be bound it stays pending, as if masked. */
static void msix_update(struct msix *m, struct msix_source *s)
{
	struct msix_vector *v = s->vector < m->nr ? &m->vector[s->vector] : NULL;

	if (s->fd < 0)
		return;
	if (!v || !msix_live(m, v)) {
		msix_unbind(m, s);
		return;
	}
	if (s->bound_irq == v->irq)
		return;
	msix_unbind(m, s);
	if (s->bound_irq < 0 && vm_irqfd(m->vm, true, (unsigned int)v->irq, s->fd) == 0)
		s->bound_irq = v->irq;
}

static void msix_update_all(struct msix *m)
{
	for (unsigned int i = 0; i < m->nr; i++)
		msix_update(m, &m->source[i]);
}

uint16_t msix_set_vector(struct msix *m, unsigned int i, uint16_t vector)
{
	vr_assert(i < m->nr);
	m->source[i].vector = vector < m->nr ? vector : MSIX_NO_VECTOR;
	msix_update(m, &m->source[i]);
	return m->source[i].vector;
}

void msix_config_written(struct msix *m, unsigned int off, unsigned int len)
{
	unsigned int at = m->cap + PCI_MSIX_FLAGS;
	uint32_t flags = pci_get(m->fn, at, 2);

	if (off >= at + 2 || off + len <= at)
		return;
	m->enabled = flags & PCI_MSIX_FLAGS_ENABLE;
	m->masked = flags & PCI_MSIX_FLAGS_MASKALL;
	msix_update_all(m);
}

static void msix_word_write(struct msix_vector *v, unsigned int w, uint32_t value)
{
	if (w == MSIX_WORD_CONTROL)
		value &= MSIX_ENTRY_MASKED;
	else if (v->word[w] != value)
		v->routed = false;
	v->word[w] = value;
}

void msix_table_access(struct msix *m, bool write, uint64_t off, void *data, unsigned int len)
{
	uint64_t i = off / MSIX_ENTRY_BYTES;
	struct msix_vector *v;

	if (i >= m->nr || (len != 4 && len != 8) || off % len != 0) {
		if (!write)
			memset(data, 0xff, len);
		return;
	}
	v = &m->vector[i];
	for (unsigned int done = 0; done < len; done += 4) {
		unsigned int w = (unsigned int)((off % MSIX_ENTRY_BYTES + done) / 4);
		uint32_t value = v->word[w];

		if (write) {
			memcpy(&value, (uint8_t *)data + done, 4);
			msix_word_write(v, w, value);
		} else {
			memcpy((uint8_t *)data + done, &value, 4);
		}
	}
	/* Only this vector's sources can change; the others cost a comparison each. */
	if (write)
		msix_update_all(m);
}

static bool msix_signalled(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return fd >= 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

void msix_pba_access(struct msix *m, bool write, uint64_t off, void *data, unsigned int len)
{
	uint64_t pending = 0;

	if (write)
		return;
	memset(data, 0xff, len);
	if ((len != 4 && len != 8) || off % len != 0 || off >= MSIX_PBA_BYTES)
		return;
	for (unsigned int i = 0; i < m->nr; i++) {
		const struct msix_source *s = &m->source[i];

		/* KVM delivers the signals of a bound eventfd, so they are not pending. */
		if (s->vector < m->nr && s->bound_irq < 0 && msix_signalled(s->fd))
			pending |= 1ULL << s->vector;
	}
	pending >>= off * 8;
	memcpy(data, &pending, len);
}

void msix_reset_sources(struct msix *m)
{
	for (unsigned int i = 0; i < m->nr; i++) {
		struct msix_source *s = &m->source[i];
		uint64_t count;

		s->vector = MSIX_NO_VECTOR;
		msix_unbind(m, s);
		/* The eventfd is non-blocking: without a signal this fails at once. */
		if (s->fd >= 0 && read(s->fd, &count, sizeof(count)) < 0)
			continue;
	}
}
