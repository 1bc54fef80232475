/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Starting a guest
 *
 *   netns mode: find the interfaces and join them (net.h)
 *   CTL_NET to each network device ---> CTL_DONE
 *   state.json: running
 *   CTL_CMDLINE to the VMM, pieces of what goes to the kernel's command line
 *   CTL_START to the VMM ---> CTL_DONE
 *   of a container: vmrun-init runs its process (agent.h)
 *   the answer to the client
 *
 * Nothing here waits: answers come by the loop, and the VM can end at any time. If a process refuses, the VM
 * stays created and can be started again. A process that says nothing (ask.h) ends the VM, because its state is
 * unknown. If a network device that returns dies with its question open, the start waits for the next process.
 */
#include "runtime/supervisor/start.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/net/cmdline.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/agent.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/failure.h"
#include "runtime/supervisor/nets.h"
#include "runtime/supervisor/pause.h"
#include "runtime/supervisor/reply.h"

static void start_refused(struct supervisor *s, const struct err *err)
{
	if (!s->start.failure.code)
		s->start.failure = *err;
}

static void start_answered(struct supervisor *s, unsigned int i, int client,
			   const struct ctl_msg *answer, const struct err *err);

static void start_ask(struct supervisor *s, unsigned int i, const struct ctl_msg *m, int fd)
{
	const struct ask_then then = {start_answered, -1};
	struct err err;
	const int rc = ask_process(s, i, m, fd, &then, &err);

	/* It has died, and that is not known yet, or it waits to be started again. */
	s->start.lost[i] = (rc == -EPIPE || rc == -ECONNRESET) && failure_returns(s, &s->proc[i]);
	if (rc < 0 && !s->start.lost[i])
		start_refused(s, &err);
	else
		s->start.open++;
}

static void start_ask_network(struct supervisor *s, unsigned int i)
{
	cleanup_fd int fd = -1;
	struct ctl_msg m;
	struct err err;
	const int rc = nets_message(s, i, &m, &fd, &err);

	if (rc < 0)
		start_refused(s, &err);
	else if (rc > 0)
		start_ask(s, i, &m, fd);
}

/* The command line in pieces that fit a message, then the start itself */
static void start_ask_vmm_with(struct supervisor *s, const char *cmdline)
{
	const size_t len = strlen(cmdline);
	struct ctl_msg m = {.type = CTL_START, .code = nets_hidden(s), .arg = len};
	char piece[sizeof(m.text)];
	struct err err;
	int rc = pause_new_generation(&m);

	for (size_t at = 0; rc == 0 && at < len; at += strlen(piece)) {
		fmt_into(piece, sizeof(piece), "%s", cmdline + at);
		rc = ctl_send(s->proc[0].control, CTL_CMDLINE, 0, at, piece);
	}
	if (rc == 0) {
		start_ask(s, 0, &m, -1);
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
	    state_save_status(s->dir, s->state, STATE_RUNNING, &err) < 0)
		start_refused(s, &err);
	else if (!s->launch->plan->pod)
		start_ask_vmm_with(s, cmdline);
}

/* The start is over: answer its client */
static void start_conclude(struct supervisor *s)
{
	const struct err failure = s->start.failure;
	const int client = s->start.client;
	struct err ignored;

	s->start = (struct starting){.client = -1};
	if (failure.code && s->state->status == STATE_RUNNING && s->stage < STAGE_RUNNING)
		(void)!state_save_status(s->dir, s->state, STATE_CREATED, &ignored);
	if (client >= 0) {
		reply_give(&s->log, client, &failure, NULL);
	} else if (failure.code) {
		oci_log_write(&s->log, LOG_LEVEL_ERROR, "%s", failure.msg);
		end_vm(s, END_VMM_KILLED, failure.msg, true);
	}
}

/* The container's process runs, or why it does not */
static void start_container_began(struct supervisor *s, const struct err *failure)
{
	if (failure->code)
		start_refused(s, failure);
	else
		view_complete(s->launch->plan, &s->view);
	if (s->start.under_way)
		start_conclude(s);
}

/* The guest runs. Its caller waits for the process of a container */
static void start_running(struct supervisor *s)
{
	struct err err;

	phases_mark(s->phases, "started");
	s->stage = STAGE_RUNNING;
	if (!s->agent) {
		start_conclude(s);
	} else if (agent_await(s, start_container_began, &err) < 0) {
		end_vm(s, END_INIT_LOST, err.msg, true);
		start_container_began(s, &err);
	}
}

/* All processes asked so far have answered */
static void start_go_on(struct supervisor *s)
{
	if (!s->start.failure.code && !s->start.vmm_asked)
		start_ask_vmm(s);
	if (s->start.open > 0)
		return;
	if (s->start.failure.code)
		start_conclude(s);
	else
		start_running(s);
}

/* The state of a process that says nothing is unknown: that is the end */
static void start_late(struct supervisor *s, unsigned int i)
{
	char text[64];

	fmt_into(text, sizeof(text), "%s: does not answer", s->proc[i].name);
	end_vm(s, i ? END_DEVICE_KILLED : END_VMM_KILLED, text, true);
	start_cut(s);
}

static void start_answered(struct supervisor *s, unsigned int i, int client UNUSED,
			   const struct ctl_msg *answer, const struct err *err)
{
	struct err refusal;

	if (!answer && err->code == ETIMEDOUT)
		start_late(s, i);
	/* A process that died is the end too, once it is known which one is to blame; or it returns. */
	s->start.lost[i] = !answer && err->code == ESRCH;
	if (!answer)
		return;
	s->start.open--;
	if (err->code) {
		err_text(&refusal, err->code, "%s%s%s", i ? s->proc[i].name : "", i ? ": " : "",
			 err->msg);
		start_refused(s, &refusal);
	}
	if (s->start.open == 0)
		start_go_on(s);
}

int start_begin(struct supervisor *s, int client, struct err *err)
{
	int rc;

	if (s->stage == STAGE_RUNNING)
		return err_text(err, EINVAL, "cannot start an already running container");
	if (s->stage != STAGE_CREATED)
		return err_text(err, EINVAL, "cannot start a container that has stopped");
	/* In runc's words, which callers look for. If the first start is refused, they may try again. */
	if (s->start.under_way)
		return err_text(err, EBUSY, "cannot start an already running container");
	if (s->launch->plan->container && !s->launch->plan->has_process)
		return err_text(err, EINVAL, "/process: required to start a container");
	rc = nets_join(s, client, err);
	if (rc < 0)
		return rc;
	s->start = (struct starting){.under_way = true, .client = client};
	for (unsigned int i = 1; i < s->nr; i++)
		start_ask_network(s, i);
	if (s->start.open == 0)
		start_go_on(s);
	return 0;
}

void start_again(struct supervisor *s, unsigned int i)
{
	if (!s->start.lost[i] || s->stage != STAGE_CREATED)
		return;
	s->start.lost[i] = false;
	s->start.open--;
	start_ask_network(s, i);
	if (s->start.open == 0)
		start_go_on(s);
}

void start_cut(struct supervisor *s)
{
	const int client = s->start.client;
	struct err err;

	s->start = (struct starting){.client = -1};
	if (client < 0)
		return;
	err_text(&err, ESRCH, "the container ended while it was started: %s", s->state->detail);
	reply_give(&s->log, client, &err, NULL);
}
