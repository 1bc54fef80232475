/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Any sequence of a guest's register accesses must leave virtio-pci in a state that makes sense
 *
 * The input is a list of steps of eight bytes: what, width, offset (16 bits), value (32 bits). Between
 * the guest's accesses the other side acts as well: eventfds are signalled, the back-end fails, the
 * main loop runs. The back-end checks what it is started with; after each step the transport's state
 * is compared with what KVM and the back-end received.
 * Covers: vmm/virtio/virtio_pci.c vmm/virtio/common_cfg.c vmm/virtio/msix.c vmm/virtio/pci.c
 */
#include <linux/virtio_pci.h>
#include <string.h>
#include <sys/mman.h>

#include "devices/core/log.h"
#include "tests/support/fake_vm.h"
#include "tests/support/stub_backend.h"
#include "vmm/virtio/virtio_pci.h"

#define WINDOW	    0xd0000000U
#define RAM_BYTES   0x10000U
#define STEPS_MAX   4096

#define ACKNOWLEDGE VIRTIO_CONFIG_S_ACKNOWLEDGE
#define DRIVER	    VIRTIO_CONFIG_S_DRIVER
#define FEATURES_OK VIRTIO_CONFIG_S_FEATURES_OK
#define DRIVER_OK   VIRTIO_CONFIG_S_DRIVER_OK

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct step {
	uint8_t what, width;
	uint16_t off;
	uint32_t value;
};

enum what {
	MMIO_READ,
	MMIO_WRITE,
	COMMON_WRITE, /* a field of the common configuration by number, at its own width */
	CONFIG_READ,
	CONFIG_WRITE,
	SIGNAL,
	BACKEND_FAILS,
	LOOP,
	WHATS,
};

static struct bus bus;
static struct pci pci;
static struct vm vm;
static struct gmem mem;
static struct stub_backend stub;
static struct virtio_pci v;
static struct loop loop;
static unsigned int hook_calls;

static void on_failed(void *arg UNUSED, const char *device UNUSED, const struct err *why)
{
	vr_assert(why->code != 0 && why->msg[0]);
	hook_calls++;
}

/* What outlives an input: memory and eventfds */
static void setup_once(void)
{
	int fd;

	if (mem.nr)
		return;
	log_init(-1, LOG_LEVEL_ERROR);
	fd = memfd_create("ram", MFD_CLOEXEC);
	vr_assert(fd >= 0 && ftruncate(fd, RAM_BYTES) == 0);
	vr_assert(gmem_map(&mem, fd, 0, 0, RAM_BYTES, 0, &(struct err){0}) == 0);
	close(fd);
	stub_init(&stub, &mem);
}

static void setup(void)
{
	static const struct virtio_pci_args args = {&stub.be, &pci, &vm, &mem};
	struct backend be;

	setup_once();
	be = stub.be;
	for (unsigned int i = 0; i < STUB_QUEUES; i++) {
		int fds[] = {be.kick_fd[i], be.call_fd[i], be.err_fd[i]};
		eventfd_t count;

		for (unsigned int n = 0; n < ARRAY_SIZE(fds); n++)
			(void)!eventfd_read(fds[n], &count);
	}
	stub = (struct stub_backend){.be = be, .mem = &mem};
	fake_vm = (struct fake_vm){0};
	vm = (struct vm){0};
	hook_calls = 0;
	bus_init(&bus);
	vr_assert(loop_init(&loop, &(struct err){0}) == 0);
	pci_init(&pci, &bus, WINDOW, 0x100000);
	vr_assert(virtio_pci_init(&v, &args, &(struct err){0}) == 0);
	v.hook.fn = on_failed;
	vr_assert(virtio_pci_watch(&v, &loop, &(struct err){0}) == 0);
}

/* Reads of any width overwrite their buffer: this finds an access that does not. */
static void mmio(bool write, uint32_t off, uint64_t value, unsigned int len)
{
	bus_access(&bus, BUS_MMIO, write, (uint64_t)v.fn.bar[VIRTIO_PCI_BAR].addr + off, &value,
		   len);
}

static void config(bool write, const struct step *s)
{
	static const unsigned int widths[] = {1, 2, 4};
	unsigned int len = widths[s->width % ARRAY_SIZE(widths)];
	uint32_t value = s->value;

	pci_config_access(&pci, write, (s->off >> 8 & 1) << 3, s->off & 0xff & ~(len - 1), &value,
			  len);
}

static void common_write(const struct step *s)
{
	static const struct {
		uint8_t off, len;
	} fields[] = {
		{VIRTIO_PCI_COMMON_STATUS, 1},	 {VIRTIO_PCI_COMMON_GFSELECT, 4},
		{VIRTIO_PCI_COMMON_GF, 4},	 {VIRTIO_PCI_COMMON_MSIX, 2},
		{VIRTIO_PCI_COMMON_Q_SELECT, 2}, {VIRTIO_PCI_COMMON_Q_SIZE, 2},
		{VIRTIO_PCI_COMMON_Q_MSIX, 2},	 {VIRTIO_PCI_COMMON_Q_ENABLE, 2},
		{VIRTIO_PCI_COMMON_Q_DESCLO, 8}, {VIRTIO_PCI_COMMON_Q_AVAILLO, 8},
		{VIRTIO_PCI_COMMON_Q_USEDLO, 8}, {VIRTIO_PCI_COMMON_DFSELECT, 4},
	};
	unsigned int i = s->off % ARRAY_SIZE(fields);

	mmio(true, fields[i].off, s->value, fields[i].len);
}

static void signal_one(const struct step *s)
{
	unsigned int q = s->off % STUB_QUEUES;
	int fds[] = {stub.be.kick_fd[q], stub.be.call_fd[q], stub.be.err_fd[q]};

	vr_assert(eventfd_write(fds[s->width % ARRAY_SIZE(fds)], 1) == 0);
}

static void run_step(const struct step *s)
{
	static const unsigned int widths[] = {1, 2, 4, 8};
	unsigned int len = widths[s->width % ARRAY_SIZE(widths)];

	switch ((enum what)(s->what % WHATS)) {
	case MMIO_READ: mmio(false, s->off & 0x3fff, s->value, len); break;
	case MMIO_WRITE:
		mmio(true, s->off & 0x3fff, s->value | (uint64_t)(s->what >> 4) << 32, len);
		break;
	case COMMON_WRITE: common_write(s); break;
	case CONFIG_READ: config(false, s); break;
	case CONFIG_WRITE: config(true, s); break;
	case SIGNAL: signal_one(s); break;
	case BACKEND_FAILS: stub.fail = s->value % 7 == 0 ? -EPIPE : 0; break;
	case LOOP: vr_assert(loop_once(&loop, 0, &(struct err){0}) == 0); break;
	case WHATS: break;
	}
}

static void check_status(void)
{
	static const uint8_t order[] = {ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK};

	for (unsigned int i = 1; i < ARRAY_SIZE(order); i++)
		vr_assert(!(v.status & order[i]) || (v.status & order[i - 1]) || i == 1);
	vr_assert(!(v.status & FEATURES_OK) || (v.driver_features & ~stub.be.features) == 0);
	vr_assert(v.running == !!(v.status & DRIVER_OK));
	vr_assert(v.dead == stub.dead && hook_calls == stub.dead);
	vr_assert(v.dead || stub.running == v.running);
	vr_assert(pci_get(&v.fn, 0, 4) == 0x10421af4);
}

static void check_queues(void)
{
	const struct pci_bar *bar = &v.fn.bar[VIRTIO_PCI_BAR];

	for (unsigned int i = 0; i < STUB_QUEUES; i++) {
		const struct virtio_pci_queue *q = &v.queue[i];
		uint64_t at = fake_doorbell_of(stub.be.kick_fd[i]);

		if (at)
			vr_assert(v.running && q->enabled && bar->mapped &&
				  at == bar->addr + VIRTIO_PCI_NOTIFY_OFF + 4 * i);
		/* What the device was started with is what the registers still say. */
		if (v.running)
			vr_assert(stub.q[i].enabled == q->enabled && stub.q[i].size == q->size &&
				  stub.q[i].desc_gpa == q->desc_gpa &&
				  stub.q[i].avail_gpa == q->avail_gpa &&
				  stub.q[i].used_gpa == q->used_gpa);
	}
}

static void check_interrupts(void)
{
	for (unsigned int i = 0; i < v.msix.nr; i++) {
		const struct msix_source *s = &v.msix.source[i];
		unsigned int irq = fake_irq_of(s->fd);
		const struct msix_vector *vector;

		vr_assert(s->vector == MSIX_NO_VECTOR || s->vector < v.msix.nr);
		if (irq == 0)
			continue;
		vr_assert(s->vector < v.msix.nr);
		vector = &v.msix.vector[s->vector];
		vr_assert(v.msix.enabled && !v.msix.masked && !(vector->word[3] & 1));
		vr_assert((unsigned int)vector->irq == irq && vector->word[1] == 0);
		vr_assert(vector->word[0] >> 20 == 0xfee);
		vr_assert(vm.msi[irq - VM_IRQ_MSI].addr == vector->word[0] &&
			  vm.msi[irq - VM_IRQ_MSI].data == vector->word[2]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step s;

	setup();
	for (size_t n = 0; n < STEPS_MAX && (n + 1) * sizeof(s) <= size; n++) {
		memcpy(&s, data + n * sizeof(s), sizeof(s));
		run_step(&s);
		check_status();
		check_queues();
		check_interrupts();
	}
	virtio_pci_done(&v);
	loop_done(&loop);
	return 0;
}
