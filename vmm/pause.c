/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/pause.h"

#include <errno.h>
#include <string.h>

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

/* 1 + number of a device that still has rings; 0: none */
static uint64_t pause_late(const struct machine *m)
{
	const char *name = NULL;
	uint64_t nr = m->boot.nr_devices;

	for (unsigned int i = 0; i < m->nr_virtio; i++)
		if (!virtio_pause_is_quiet(&m->virtio[i].pci))
			name = m->virtio[i].pci.be->name;
	while (name && nr > 0 && strcmp(m->boot.device[nr - 1].name, name) != 0)
		nr--;
	return name ? nr : 0;
}

int pause_end(struct machine *m, struct ctl_msg *msg)
{
	struct ctl_msg answer = {0};
	struct err err;
	int rc = 0;

	/* The pause failed, and its answer came too late for the supervisor, which gave up. */
	if (m->pause == MACHINE_NOT_PAUSED)
		return ctl_answer(m->control, &answer, 0, NULL);
	if (m->pause == MACHINE_PAUSING) {
		err_text(&err, ECANCELED, "the pause was given up");
		rc = pause_answer(m, -ECANCELED, &err);
	}
	m->pause = MACHINE_NOT_PAUSED;
	arch_resume(m->platform);
	pthread_mutex_lock(&m->bus.lock);
	arch_generation(m->platform, msg->value);
	answer.value[0] = pause_late(m);
	for (unsigned int i = 0; i < m->nr_virtio; i++)
		virtio_pause_end(&m->virtio[i].pci);
	pthread_mutex_unlock(&m->bus.lock);
	/* A device did not take its rings: the VM is about to end. No vCPU changes the text now. */
	if (rc == 0 && __atomic_load_n(&m->end_taken, __ATOMIC_ACQUIRE) &&
	    m->end_cause == END_DEVICE_KILLED)
		rc = err_text(&err, EIO, "%s", m->end_text);
	vcpus_resume(&m->vcpus);
	return ctl_answer(m->control, &answer, rc, &err);
}
