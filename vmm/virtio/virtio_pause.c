/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/virtio_pause.h"

#define VIRTIO_PAUSE_STEP_MS 2

/* Has the main loop look for the answer; v->loop is NULL in tests only */
static void virtio_pause_listen(struct virtio_pci *v, bool on)
{
	if (v->loop)
		(void)!loop_mod(v->loop, v->be->peer_fd, on ? EPOLLIN : 0);
}

/* A failure is fatal for the device, as everywhere: the hook ends the VM. */
static void virtio_pause_give_back(struct virtio_pci *v)
{
	struct err err = {0};

	v->pause_over = false;
	/* It was being reset: common_cfg.c goes on from here. */
	if (v->resetting)
		return;
	v->pause = VIRTIO_NOT_PAUSED;
	if (!v->dead && v->be->ops->resume(v->be, &err) < 0)
		virtio_pci_fail(v, &err);
}

/* One look for the device's answer, which may have been read already */
static void virtio_pause_step(struct virtio_pci *v, unsigned int waited_ms)
{
	struct err err = {0};
	const int rc = v->dead ? 0 : v->be->ops->stop(v->be, waited_ms, &err);

	if (rc < 0)
		virtio_pci_fail(v, &err);
	if (rc > 0)
		return;
	v->pause = VIRTIO_PAUSED;
	virtio_pause_listen(v, false);
	if (v->pause_over)
		virtio_pause_give_back(v);
}

void virtio_pause_begin(struct virtio_pci *v)
{
	/* A pause that was given up is taken up again. */
	v->pause_over = false;
	/* A reset under way takes the rings for good; this only waits for the device's answer. */
	if (v->pause != VIRTIO_NOT_PAUSED || v->dead || (!v->running && !v->resetting))
		return;
	v->pause = VIRTIO_PAUSING;
	virtio_pause_step(v, 0);
	if (v->pause == VIRTIO_PAUSING)
		virtio_pause_listen(v, true);
}

bool virtio_pause_is_quiet(const struct virtio_pci *v)
{
	return v->dead || v->pause != VIRTIO_PAUSING;
}

bool virtio_pause_go_on(struct virtio_pci *v)
{
	if (v->pause != VIRTIO_PAUSING) { /* a vCPU has read the answer */
		virtio_pause_listen(v, false);
		return false;
	}
	virtio_pause_step(v, 0);
	if (v->pause == VIRTIO_PAUSING) /* by a new connection, if the device has come back */
		virtio_pause_listen(v, true);
	return virtio_pause_is_quiet(v);
}

void virtio_pause_end(struct virtio_pci *v)
{
	if (v->pause == VIRTIO_PAUSED)
		virtio_pause_give_back(v);
	else
		v->pause_over = v->pause == VIRTIO_PAUSING;
}

void virtio_pause_wait(struct virtio_pci *v)
{
	unsigned int waited_ms = 0;

	/* During a reset the driver polls, and does not want its rings back. */
	while (v->pause == VIRTIO_PAUSING && !v->resetting) {
		virtio_pause_step(v, waited_ms);
		if (v->pause == VIRTIO_PAUSING)
			waited_ms = bus_wait(v->pci->bus, v->be->peer_fd, VIRTIO_PAUSE_STEP_MS)
					    ? 0
					    : VIRTIO_PAUSE_STEP_MS;
	}
}
