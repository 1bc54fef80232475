/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/virtio_pci_state.h"

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

/* The write fails if the counter is full, which is a signal as well. */
void virtio_pci_signal(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

bool virtio_pci_drain(int fd)
{
	uint64_t count;

	return fd >= 0 && read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

void virtio_pci_config_interrupt(struct virtio_pci *v)
{
	v->isr |= VIRTIO_PCI_ISR_CONFIG;
	virtio_pci_signal(v->config_fd);
}

static void virtio_pci_set_needs_reset(struct virtio_pci *v)
{
	v->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_pci_config_interrupt(v);
}

void virtio_pci_needs_reset(struct virtio_pci *v, const char *why)
{
	log_limited(&v->limit, LOG_LEVEL_WARN, "%s: guest: %s", v->be->name, why);
	virtio_pci_set_needs_reset(v);
}

void virtio_pci_fail(struct virtio_pci *v, const struct err *why)
{
	if (v->dead)
		return;
	v->dead = true;
	virtio_pci_set_needs_reset(v);
	if (v->hook.fn)
		v->hook.fn(v->hook.arg, v->be->name, why);
}

void virtio_pci_doorbells(struct virtio_pci *v)
{
	const struct pci_bar *bar = &v->fn.bar[VIRTIO_PCI_BAR];
	uint64_t at = bar->mapped && v->running && !v->dead ? bar->addr + VIRTIO_PCI_NOTIFY_OFF : 0;

	for (unsigned int i = 0; i < v->be->nr_queues; i++) {
		int fd = v->be->kick_fd[i];
		uint64_t off = (uint64_t)i * VIRTIO_PCI_NOTIFY_MULT;

		if (v->bound[i] && v->notify_at != at &&
		    vm_ioeventfd(v->vm, false, v->notify_at + off, fd) == 0)
			v->bound[i] = false;
		/* An unbound doorbell still works: virtio_pci.c handles its writes. */
		if (at && !v->bound[i] && v->queue[i].enabled)
			v->bound[i] = vm_ioeventfd(v->vm, true, at + off, fd) == 0;
	}
	v->notify_at = at;
}
