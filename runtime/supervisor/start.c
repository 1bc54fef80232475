/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Starting a guest
 *
 *   netns mode: find the interfaces and join them (net.h)
 *   CTL_NET to each network device ---> CTL_DONE
 *   state.json: running
 *   CTL_CMDLINE to the VMM, pieces of what goes to the kernel's command line
 *   CTL_START to the VMM ---> CTL_DONE
 *   the answer to the client
 *
 * Nothing here waits: answers come by the loop, and the VM can end at any time. If a process refuses, the VM
 * stays created and can be started again. A process that says nothing for START_NS ends the VM, because its
 * state is unknown.
 */
#include "runtime/supervisor/start.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/net/cmdline.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/nets.h"
#include "runtime/supervisor/reply.h"

#define START_NS 8000000000ULL /* less than the patience of client_ask() */

static unsigned int start_index_of(const struct supervisor *s, const struct spawned *p)
{
	return (unsigned int)(p - s->proc);
}

static bool start_waiting(const struct supervisor *s)
{
	for (unsigned int i = 0; i < s->nr; i++)
		if (s->start.asked[i])
			return true;
	return false;
}

static void start_refused(struct supervisor *s, const struct err *err)
{
	if (!s->start.failure.code)
		s->start.failure = *err;
}

static void start_ask(struct supervisor *s, unsigned int i, const struct ctl_msg *m)
{
	const int rc = ctl_send(s->proc[i].control, (enum ctl_type)m->type, m->code, m->arg,
				m->text);
	struct err err;

	if (rc < 0) {
		err_set(&err, -rc, "%s does not listen", s->proc[i].name);
		start_refused(s, &err);
		return;
	}
	s->start.asked[i] = true;
}

static void start_ask_networks(struct supervisor *s)
{
	for (unsigned int n = 0; n < s->state->nr_nets; n++) {
		const struct net_record *record = &s->state->net[n];
		const bool down = record->mode == NET_MODE_NETNS && !record->joined[0];
		const struct ctl_msg m = {.type = CTL_NET,
					  .code = record->mtu | (down ? CTL_NET_DOWN : 0),
					  .arg = ctl_mac(record->mac)};

		for (unsigned int i = 1; i < s->nr; i++)
			if (strcmp(s->proc[i].name, record->device) == 0)
				start_ask(s, i, &m);
	}
}

static int start_put_on_file(struct supervisor *s, enum state_status status, struct err *err)
{
	const enum state_status before = s->state->status;
	int rc;

	s->state->status = status;
	rc = state_save(s->dir, s->state, err);
	if (rc < 0)
		s->state->status = before;
	return rc;
}

/* The command line in pieces that fit a message, then the start itself */
static void start_ask_vmm_with(struct supervisor *s, const char *cmdline)
{
	const size_t len = strlen(cmdline);
	struct ctl_msg m = {.type = CTL_START, .arg = len};
	char piece[sizeof(m.text)];
	struct err err;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < len; at += strlen(piece)) {
		fmt_into(piece, sizeof(piece), "%s", cmdline + at);
		rc = ctl_send(s->proc[0].control, CTL_CMDLINE, 0, at, piece);
	}
	if (rc == 0) {
		start_ask(s, 0, &m);
		return;
	}
	err_set(&err, -rc, "%s does not listen", s->proc[0].name);
	start_refused(s, &err);
}

static void start_ask_vmm(struct supervisor *s)
{
	char cmdline[BOOT_CMDLINE_MAX];
	struct net_guest guest;
	struct err err;

	net_guest_of(s->launch->plan, &guest);
	s->start.vmm_asked = true;
	/* Recorded first: a start that fails, on a full disk for example, then has no effect. */
	if (net_cmdline(s->state->net, s->state->nr_nets, &guest, cmdline, &err) < 0 ||
	    start_put_on_file(s, STATE_RUNNING, &err) < 0)
		start_refused(s, &err);
	else
		start_ask_vmm_with(s, cmdline);
}

/* The start is over: answer its client */
static void start_conclude(struct supervisor *s)
{
	const struct err failure = s->start.failure;
	const int client = s->start.client;
	struct err ignored;

	s->start = (struct starting){.client = -1};
	if (failure.code && s->state->status == STATE_RUNNING)
		(void)!start_put_on_file(s, STATE_CREATED, &ignored);
	if (client >= 0) {
		reply_give(&s->log, client, &failure);
	} else if (failure.code) {
		oci_log_write(&s->log, LOG_LEVEL_ERROR, "%s", failure.msg);
		end_vm(s, END_VMM_KILLED, failure.msg, true);
	}
}

static void start_running(struct supervisor *s)
{
	phases_mark(s->phases, "started");
	s->stage = STAGE_RUNNING;
	start_conclude(s);
}

/* All processes asked so far have answered */
static void start_go_on(struct supervisor *s)
{
	if (!s->start.failure.code && !s->start.vmm_asked)
		start_ask_vmm(s);
	if (start_waiting(s))
		return;
	if (s->start.failure.code)
		start_conclude(s);
	else
		start_running(s);
}

int start_begin(struct supervisor *s, int client, struct err *err)
{
	int rc;

	if (s->stage == STAGE_RUNNING)
		return err_text(err, EINVAL, "cannot start an already running container");
	if (s->stage != STAGE_CREATED)
		return err_text(err, EINVAL, "cannot start a container that has stopped");
	/* In runc's words, which callers look for. If the first start is refused, they may try again. */
	if (s->start.deadline_ns)
		return err_text(err, EBUSY, "cannot start an already running container");
	rc = nets_join(s, client, err);
	if (rc < 0)
		return rc;
	s->start = (struct starting){.client = client, .deadline_ns = clock_ns() + START_NS};
	start_ask_networks(s);
	if (!start_waiting(s))
		start_go_on(s);
	return 0;
}

bool start_asked(const struct supervisor *s, const struct spawned *p)
{
	return s->start.asked[start_index_of(s, p)];
}

void start_answered(struct supervisor *s, const struct spawned *p, const struct ctl_msg *m)
{
	const unsigned int i = start_index_of(s, p);
	const int code = m->code < 4096 ? (int)m->code : EIO;
	struct err err;

	s->start.asked[i] = false;
	if (code) {
		err_text(&err, code, "%s%s%s", i ? p->name : "", i ? ": " : "", m->text);
		start_refused(s, &err);
	}
	if (!start_waiting(s))
		start_go_on(s);
}

void start_late(struct supervisor *s)
{
	char text[64];
	unsigned int i = 0;

	while (!s->start.asked[i])
		i++;
	fmt_into(text, sizeof(text), "%s: does not answer", s->proc[i].name);
	end_vm(s, i ? END_DEVICE_KILLED : END_VMM_KILLED, text, true);
	start_cut(s);
}

void start_cut(struct supervisor *s)
{
	const int client = s->start.client;
	struct err err;

	s->start = (struct starting){.client = -1};
	if (client < 0)
		return;
	err_text(&err, ESRCH, "the container ended while it was started: %s", s->state->detail);
	reply_give(&s->log, client, &err);
}
