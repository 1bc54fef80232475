/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Which process is to blame
 *
 * When one process of a VM ends, the others notice by their sockets and end too, and the supervisor may see
 * the consequence before the reason. So before it takes a death for the cause:
 *
 *   - it reads the last words of the VMM (CTL_ENDED): a guest that ended explains everything after it
 *   - a process that died by a signal explains those that exited
 *   - a device that exited is only doubted; the VMM's death has DOUBT_NS to show up and explain it
 *   - a device that the VMM cannot work with has as long to die of something that says more
 *
 * A device that does not answer the VMM may wait for the host: for a stalled disk, a frozen file system, a
 * network file system whose server is away. The guest waits with it, as for a real disk. So each second that
 * the VMM waits, the supervisor asks the kernel what the device does. It takes a device for broken that did
 * not sleep on its resources LATE_MAX times in a row.
 */
#include "runtime/supervisor/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/jail/jail.h"
#include "runtime/supervisor/agent.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/child.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/failure.h"
#include "runtime/supervisor/lines.h"
#include "runtime/supervisor/others.h"
#include "runtime/supervisor/programs.h"
#include "runtime/supervisor/vsock.h"
#include "runtime/util/process.h"

#define DOUBT_NS     200000000ULL
#define LATE_MS	     1000			/* VU_LATE_MS of the VMM */
#define LATE_NS	     (LATE_MS / 2 * 1000000ULL) /* what comes faster was held up, or is a lie */
#define LATE_MAX     5
#define LATE_TOLD_NS 60000000000ULL
#define MESSAGES_MAX 64 /* of one process in one go */
#define PHASES_MAX   64 /* of one process in all */

/* ---- the verdict ---- */

static void watch_blame(struct supervisor *s, const struct spawned *p)
{
	const bool accuser = supervisor_is_vmm(s, p) && s->accused[0];
	enum end_cause cause = supervisor_is_vmm(s, p) && !accuser ? END_VMM_KILLED
								   : END_DEVICE_KILLED;
	const char *when = s->stage < STAGE_CREATED && !p->ready ? " before it was ready" : "";
	char how[SPAWNED_HOW_BYTES], oom[128] = "";
	struct err err;

	if (s->stage >= STAGE_ENDING)
		return;
	programs_describe(&s->launch->program[p - s->proc], p, how, sizeof(how));
	/* Before that the launcher looks, because it also sees when this process is killed. */
	if (s->stage >= STAGE_CREATED && cgroup_describe_oom(s->cgroup, oom, sizeof(oom)))
		cause = END_OOM_KILLED;
	if (accuser)
		err_text(&err, EIO, "%s%s", s->accused, oom);
	else
		err_text(&err, EIO, "%s: %s%s%s%s", p->name, how, when, failure_spent(s, p), oom);
	if (s->stage < STAGE_CREATED) {
		end_failed(s, &err);
	} else {
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
		end_vm(s, cause, err.msg, false);
	}
}

void watch_deadline(struct supervisor *s)
{
	if (s->stage >= STAGE_ENDING) {
		end_late(s);
		return;
	}
	s->deadline_ns = 0;
	watch_blame(s, &s->proc[s->doubt]);
}

/* ---- control sockets ---- */

static void watch_on_ready(struct supervisor *s, struct spawned *p, const struct ctl_msg *m UNUSED)
{
	p->ready = true;
	if (s->stage >= STAGE_CREATED)
		s->restart_ns = clock_ns();
	phases_add(s->phases, p->name, "ready", clock_ns());
}

static void watch_accuse(struct supervisor *s, const char *text)
{
	struct err err;

	fmt_into(s->accused, sizeof(s->accused), "%s",
		 others_name(s->launch->plan, text, &err) ? err.msg : text);
	if (!s->deadline_ns) {
		s->doubt = 0;
		s->deadline_ns = clock_ns() + DOUBT_NS;
	}
}

static void watch_on_failed(struct supervisor *s, struct spawned *p, const struct ctl_msg *m)
{
	static const char accused[] = "device ";
	struct err err;

	/* What it says of a device may be how it saw that device die. */
	if (supervisor_is_vmm(s, p) && strncmp(m->text, accused, sizeof(accused) - 1) == 0) {
		watch_accuse(s, m->text);
		return;
	}
	(void)child_failure(m, &err);
	if (s->stage >= STAGE_CREATED) { /* it was started again; its death comes next */
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s: %s", p->name, err.msg);
		return;
	}
	err_wrap(&err, "%s", p->name);
	end_failed(s, &err);
}

static void watch_on_phase(struct supervisor *s, struct spawned *p, const struct ctl_msg *m)
{
	phases_add(s->phases, p->name, m->text, m->arg);
}

static void watch_on_ended(struct supervisor *s, struct spawned *p UNUSED, const struct ctl_msg *m)
{
	if (m->code == END_DEVICE_KILLED)
		watch_accuse(s, m->text);
	else {
		/* The guest's own reasons are its console's to tell; this one is not the guest's. */
		if (m->code == END_KVM_ERROR)
			oci_log_write(&s->log, LOG_LEVEL_ERROR, "%s", m->text);
		end_vm(s, (enum end_cause)m->code, m->text, false);
	}
}

/* The device of that name; 0, the VMM, if there is none */
static unsigned int watch_late_device(const struct supervisor *s, const char *name)
{
	unsigned int i = s->nr - 1;

	while (i > 0 && strcmp(s->proc[i].name, name) != 0)
		i--;
	return i;
}

/* Whether the VMM may report a wait, or a loss, for a device that exists */
static bool watch_wait_is_legal(const struct supervisor *s, struct spawned *p,
				const struct ctl_msg *m)
{
	const bool other = m->type == CTL_LOST && others_returns(s, m->text);

	if (m->type == CTL_LOST && !other && !failure_lost_is_legal(s, m))
		return false;
	if ((!other && watch_late_device(s, m->text) == 0) ||
	    bucket_ready_ns(&p->waits, clock_ns()) > 0)
		return false;
	bucket_spend(&p->waits, 1);
	return true;
}

static void watch_on_late(struct supervisor *s, struct spawned *p UNUSED, const struct ctl_msg *m)
{
	struct spawned *d = &s->proc[watch_late_device(s, m->text)];
	const uint64_t now = clock_ns();
	char text[64];
	bool waits;

	if (now - d->late_ns < LATE_NS)
		return;
	d->late_ns = now;
	waits = process_waits(d->jailed.pid, BOOT_FD_RES, d->nr_res);
	if (m->code <= LATE_MS) /* of this wait it is the first */
		d->late = 0;
	d->late = waits ? 0 : d->late + 1;
	if (waits && m->code >= LATE_MAX * LATE_MS && now >= d->tell_late_ns) {
		d->tell_late_ns = now + LATE_TOLD_NS;
		oci_log_write(&s->log, LOG_LEVEL_WARN,
			      "%s waits for the host's disk, and the guest with it", d->name);
	}
	if (d->late < LATE_MAX || s->accused[0])
		return;
	fmt_into(text, sizeof(text), "device %s: no answer in %u ms", d->name, d->late * LATE_MS);
	watch_accuse(s, text);
}

static void watch_on_lost(struct supervisor *s, struct spawned *p UNUSED, const struct ctl_msg *m)
{
	if (others_returns(s, m->text))
		others_lost(s, m);
	else
		failure_lost(s, m);
}

static void watch_vsock_asked(struct supervisor *s, struct spawned *p, const struct ctl_msg *m)
{
	if (agent_is_call(s, m))
		agent_called(s, m);
	else
		vsock_asked(s, p, m);
}

static void watch_done(struct supervisor *s, struct spawned *p, const struct ctl_msg *m)
{
	ask_answered(s, p, m);
}

/**
 * Which process may say what, when and how often: @from and @to bound the stage, both inclusive; @budget is for
 * the whole life of the process. An answer has none: it is as rare as its question.
 */
static const struct rule {
	void (*run)(struct supervisor *s, struct spawned *p, const struct ctl_msg *m);
	enum stage from, to;
	bool vmm_only;
	unsigned int budget;
} rules[CTL_TYPES] = {
	[CTL_READY] = {watch_on_ready, STAGE_CREATING, STAGE_RUNNING, false, 1},
	[CTL_FAILED] = {watch_on_failed, STAGE_CREATING, STAGE_RUNNING, false, 1},
	[CTL_PHASE] = {watch_on_phase, STAGE_CREATING, STAGE_OVER, true, PHASES_MAX},
	[CTL_ENDED] = {watch_on_ended, STAGE_CREATING, STAGE_RUNNING, true,
		       2}, /* an accusation, an end */
	[CTL_LOST] = {watch_on_lost, STAGE_CREATED, STAGE_RUNNING, true, UINT_MAX},
	[CTL_DONE] = {watch_done, STAGE_CREATED, STAGE_RUNNING, false, UINT_MAX},
	[CTL_VSOCK_ASK] = {watch_vsock_asked, STAGE_CREATED, STAGE_RUNNING, false,
			   UINT_MAX}, /* vsock_may_ask() */
	[CTL_LATE] = {watch_on_late, STAGE_CREATING, STAGE_RUNNING, true,
		      UINT_MAX}, /* watch_wait_is_legal() */
};

static bool watch_legal(const struct supervisor *s, struct spawned *p, const struct ctl_msg *m)
{
	const struct rule *r = &rules[m->type]; /* ctl_recv() has checked the type */

	if (!r->run || s->stage < r->from || s->stage > r->to ||
	    (r->vmm_only && !supervisor_is_vmm(s, p)))
		return false;
	if (p->said[m->type] > r->budget || (m->type == CTL_DONE && !ask_is_open(s, p)))
		return false;
	if (m->type == CTL_READY || m->type == CTL_FAILED)
		return s->stage == STAGE_CREATING || failure_awaited(s, p);
	if (m->type == CTL_LATE || m->type == CTL_LOST)
		return watch_wait_is_legal(s, p, m);
	if (m->type == CTL_VSOCK_ASK)
		return vsock_may_ask(s, p);
	if (m->type != CTL_ENDED)
		return true;
	if (m->code == END_DEVICE_KILLED) /* devices can fail before the guest runs */
		return p->ready && m->text[0] && !s->accused[0];
	return s->stage == STAGE_RUNNING && m->code >= END_POWEROFF && m->code <= END_KVM_ERROR;
}

/* Whether there was a message, and it was legal */
static bool watch_read_message(struct supervisor *s, struct spawned *p)
{
	struct pollfd ready = {.fd = p->control, .events = POLLIN};
	struct ctl_msg m;
	int rc;

	if (p->control < 0 || poll(&ready, 1, 0) <= 0)
		return false;
	rc = child_hear(p, &m);
	if (rc == 1) {
		p->said[m.type]++;
		if (watch_legal(s, p, &m)) {
			rules[m.type].run(s, p, &m);
			return true;
		}
		/* After the end, ignore messages that crossed with it, but not endless ones. */
		if (s->stage >= STAGE_ENDING && p->said[m.type] <= PHASES_MAX)
			return true;
	}
	/* A process without a control socket cannot be asked to leave, so kill it. If its death closed the socket,
	 * the kill has no effect. */
	p->unruly = rc != 0;
	child_kill(p);
	end_dismiss(s, p);
	return false;
}

static void watch_drain_control(struct supervisor *s, struct spawned *p)
{
	unsigned int n = 0;

	while (n++ < MESSAGES_MAX && watch_read_message(s, p))
		;
}

static void watch_on_control(void *arg, int fd, uint32_t events UNUSED)
{
	struct supervisor *s = arg;
	struct spawned *p = supervisor_process(s, fd);

	(void)watch_read_message(s, p);
}

/* ---- deaths ---- */

static void watch_on_jail_error(void *arg, int fd, uint32_t events UNUSED)
{
	struct supervisor *s = arg;
	struct jail_error e;
	struct err err;
	const int rc = jail_read_error(fd, &e);

	if (rc == 1 && e.index < s->nr) {
		jail_describe(&e, &err);
		err_wrap(&err, "%s", s->proc[e.index].name);
		end_failed(s, &err);
	} else {
		loop_del(&s->loop, fd);
	}
}

/* By a signal; one that has not been started was not */
static bool watch_was_killed(struct spawned *p)
{
	return spawned_reap(p) && p->was && !p->left;
}

static void watch_judge(struct supervisor *s, struct spawned *p)
{
	watch_drain_control(s, &s->proc[0]);
	for (unsigned int i = 1; i < s->nr && s->stage < STAGE_ENDING; i++)
		if (watch_was_killed(&s->proc[i]) && !failure_returns(s, &s->proc[i]))
			watch_blame(s, &s->proc[i]);
	if (s->stage >= STAGE_ENDING)
		return;
	if (supervisor_is_vmm(s, p) || spawned_reap(&s->proc[0])) {
		/* After accusing a device the VMM leaves: that is not the cause. */
		if (!s->accused[0])
			watch_blame(s, &s->proc[0]);
	} else if (failure_returns(s, p)) {
		failure_note(s, p);
	} else if (!s->deadline_ns) {
		s->doubt = (int)(p - s->proc);
		s->deadline_ns = clock_ns() + DOUBT_NS;
	}
}

static void watch_on_exit_of(void *arg, int fd, uint32_t events UNUSED)
{
	struct supervisor *s = arg;
	struct spawned *p = supervisor_process(s, fd);

	if (!spawned_reap(p))
		return;
	loop_del(&s->loop, fd);
	phases_add(s->phases, p->name, "gone", clock_ns());
	watch_drain_control(s, p);
	ask_died(s, p);
	lines_last(s, p);
	/* The error of the jail says more than an exit code. */
	if (s->stage < STAGE_CREATED && s->error_fd >= 0)
		watch_on_jail_error(s, s->error_fd, 0);
	if (s->stage < STAGE_ENDING)
		watch_judge(s, p);
	if (s->stage >= STAGE_ENDING)
		end_check(s);
}

int watch_jails(struct supervisor *s, struct err *err)
{
	return loop_add(&s->loop, s->error_fd, EPOLLIN, watch_on_jail_error, s, err);
}

int watch_process(struct supervisor *s, unsigned int i, struct err *err)
{
	const struct spawned *p = &s->proc[i];
	int rc = loop_add(&s->loop, p->control, EPOLLIN, watch_on_control, s, err);

	if (rc == 0)
		rc = lines_watch(s, p, err);
	if (rc == 0)
		rc = loop_add(&s->loop, p->jailed.pidfd, EPOLLIN, watch_on_exit_of, s, err);
	return rc;
}
