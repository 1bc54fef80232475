/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/control.h"

#include <errno.h>
#include <string.h>

#include "devices/core/log.h"
#include "vmm/pause.h"

/* A piece that does not continue the last one is a mistake of the supervisor. */
static int control_do_cmdline(struct machine *m, struct ctl_msg *msg)
{
	size_t len = msg->arg ? strlen(m->more_cmdline) : 0, bytes = strlen(msg->text);

	if (msg->arg != len || bytes >= sizeof(m->more_cmdline) - len)
		return -EPROTO;
	memcpy(m->more_cmdline + len, msg->text, bytes + 1);
	return 0;
}

/* The answer precedes CTL_ENDED: this thread sends both. */
static int control_do_start(struct machine *m, struct ctl_msg *msg)
{
	struct err err = {0};
	int rc;

	if (msg->arg == 0)
		m->more_cmdline[0] = '\0';
	if (msg->arg != strlen(m->more_cmdline))
		return -EPROTO;
	arch_generation(m->platform, msg->value);
	rc = machine_start(m, m->more_cmdline, msg->code, &err);
	return ctl_answer(m->control, msg, rc, &err);
}

static int control_do_power_button(struct machine *m, struct ctl_msg *msg UNUSED)
{
	pthread_mutex_lock(&m->bus.lock);
	arch_power_button(m->platform);
	pthread_mutex_unlock(&m->bus.lock);
	return 0;
}

static int control_do_ctrl_alt_del(struct machine *m, struct ctl_msg *msg UNUSED)
{
	pthread_mutex_lock(&m->bus.lock);
	arch_ctrl_alt_del(m->platform);
	pthread_mutex_unlock(&m->bus.lock);
	return 0;
}

static int control_do_pause(struct machine *m, struct ctl_msg *msg UNUSED)
{
	return m->pause == MACHINE_NOT_PAUSED ? pause_begin(m) : -EPROTO;
}

static int control_do_resume(struct machine *m, struct ctl_msg *msg)
{
	return pause_end(m, msg);
}

static int control_do_device(struct machine *m, struct ctl_msg *msg, int *fd)
{
	return machine_device_returns(m, msg->text, TAKE_FD(*fd), msg->arg);
}

#define BEFORE (1U << 0) /* the guest runs */
#define AFTER  (1U << 1)

/* What the supervisor may say, and when; @run_fd: the message brings a file, which it may take */
static const struct {
	int (*run)(struct machine *m, struct ctl_msg *msg);
	int (*run_fd)(struct machine *m, struct ctl_msg *msg, int *fd);
	unsigned int when;
} control_rules[CTL_TYPES] = {
	[CTL_CMDLINE] = {control_do_cmdline, NULL, BEFORE},
	[CTL_START] = {control_do_start, NULL, BEFORE},
	[CTL_POWER_BUTTON] = {control_do_power_button, NULL, AFTER},
	[CTL_CTRL_ALT_DEL] = {control_do_ctrl_alt_del, NULL, AFTER},
	[CTL_DEVICE] = {NULL, control_do_device, BEFORE | AFTER},
	[CTL_PAUSE] = {control_do_pause, NULL, AFTER},
	[CTL_RESUME] = {control_do_resume, NULL, AFTER},
};

/* Carries out a message: 0, or -EPROTO if it is out of place; or -errno */
static int control_run_message(struct machine *m, struct ctl_msg *msg, int *fd)
{
	vr_assert(msg->type < CTL_TYPES);
	if (control_rules[msg->type].when & (m->started ? AFTER : BEFORE)) {
		if (*fd < 0 && control_rules[msg->type].run)
			return control_rules[msg->type].run(m, msg);
		if (*fd >= 0 && control_rules[msg->type].run_fd)
			return control_rules[msg->type].run_fd(m, msg, fd);
	}
	log_err("control message %u is out of place", msg->type);
	return -EPROTO;
}

static void control_on_control(void *arg, int fd, uint32_t events UNUSED)
{
	struct machine *m = arg;
	cleanup_fd int file = -1;
	struct ctl_msg msg;
	int rc = ctl_recv_fd(fd, &msg, &file);

	if (rc == 1) {
		rc = control_run_message(m, &msg, &file);
		if (rc == 0)
			return;
	}
	m->control_rc = rc;
	loop_stop(&m->loop);
}

static void control_on_end(void *arg, int fd UNUSED, uint32_t events UNUSED)
{
	struct machine *m = arg;

	if (!vcpus_stop(&m->vcpus))
		log_warn("a vCPU is still waiting for a device");
	m->control_rc = ctl_send(m->control, CTL_ENDED, m->end_cause, 0, m->end_text);
	loop_stop(&m->loop);
}

int control_watch(struct machine *m, struct err *err)
{
	int rc = loop_add(&m->loop, m->control, EPOLLIN, control_on_control, m, err);

	return rc < 0 ? rc : loop_add(&m->loop, m->end_fd, EPOLLIN, control_on_end, m, err);
}

int control_run(struct machine *m, struct err *err)
{
	int rc = loop_run(&m->loop, err);

	/* What the guest printed before its end is not lost, however it ended. */
	if (m->has_serial)
		serial_port_finish(&m->serial);
	if (rc == 0 && m->control_rc < 0)
		rc = err_set(err, -m->control_rc, "control socket");
	return rc;
}
