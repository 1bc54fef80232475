/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/pause.h"

#include <errno.h>

#include "vmm/virtio/virtio_pause.h"

static int pause_answer(struct machine *m, int rc, const struct err *err)
{
	struct ctl_msg msg = {0};

	return ctl_answer(m->control, &msg, rc, err);
}

static bool pause_is_complete(struct machine *m)
{
	for (unsigned int i = 0; i < m->nr_virtio; i++)
		if (!virtio_pause_is_quiet(&m->virtio[i].pci))
			return false;
	return true;
}

static int pause_check(struct machine *m)
{
	bool complete;

	pthread_mutex_lock(&m->bus.lock);
	complete = pause_is_complete(m);
	pthread_mutex_unlock(&m->bus.lock);
	if (m->pause != MACHINE_PAUSING || !complete)
		return 0;
	m->pause = MACHINE_PAUSED;
	return pause_answer(m, 0, NULL);
}

/* If the answer fails the supervisor is gone: the loop will notice. */
static void pause_on_quiet(void *machine)
{
	(void)!pause_check(machine);
}

int pause_begin(struct machine *m)
{
	struct err err;

	if (!vcpus_pause(&m->vcpus)) {
		err_text(&err, EBUSY, "a vCPU waits for a device");
		return pause_answer(m, -EBUSY, &err);
	}
	m->pause = MACHINE_PAUSING;
	m->device_quiet = pause_on_quiet;
	pthread_mutex_lock(&m->bus.lock);
	for (unsigned int i = 0; i < m->nr_virtio; i++)
		virtio_pause_begin(&m->virtio[i].pci);
	pthread_mutex_unlock(&m->bus.lock);
	arch_pause(m->platform);
	return pause_check(m);
}

int pause_end(struct machine *m, struct ctl_msg *msg)
{
	struct err err;
	int rc = 0;

	/* The pause failed, and its answer came too late for the supervisor, which gave up. */
	if (m->pause == MACHINE_NOT_PAUSED)
		return ctl_answer(m->control, msg, 0, NULL);
	if (m->pause == MACHINE_PAUSING) {
		err_text(&err, ECANCELED, "the pause was given up");
		rc = pause_answer(m, -ECANCELED, &err);
	}
	m->pause = MACHINE_NOT_PAUSED;
	arch_resume(m->platform);
	pthread_mutex_lock(&m->bus.lock);
	arch_generation(m->platform, msg->value);
	for (unsigned int i = 0; i < m->nr_virtio; i++)
		virtio_pause_end(&m->virtio[i].pci);
	pthread_mutex_unlock(&m->bus.lock);
	vcpus_resume(&m->vcpus);
	return rc < 0 ? rc : ctl_answer(m->control, msg, 0, NULL);
}
