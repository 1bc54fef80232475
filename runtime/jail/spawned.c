/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/spawned.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "devices/core/fmt.h"
#include "runtime/util/clock.h"
#include "runtime/util/oci_log.h"
#include "runtime/util/signal_names.h"

/* More than a healthy process writes at any level, and at most 90 MB a day */
#define LINES_PER_S 2
#define LINES_BURST 200

/* One a second for each device, and a whole socket full after its reader stood still */
#define WAITS_PER_S BOOT_DEVICES_MAX
#define WAITS_BURST 256

void spawned_init(struct spawned *p)
{
	*p = (struct spawned){.jailed = {0, -1}, .control = -1, .log = -1};
	bucket_init(&p->lines, LINES_PER_S, LINES_BURST);
	bucket_init(&p->waits, WAITS_PER_S, WAITS_BURST);
}

void spawned_done(struct spawned *p)
{
	cleanup_close_fd(&p->jailed.pidfd);
	cleanup_close_fd(&p->control);
	cleanup_close_fd(&p->log);
	spawned_init(p);
}

bool spawned_reap(struct spawned *p)
{
	siginfo_t info = {0};

	if (!p->jailed.pid)
		return true;
	if (waitid(P_PIDFD, (id_t)p->jailed.pidfd, &info, WEXITED | WNOHANG) < 0 ||
	    info.si_pid == 0)
		return false;
	p->was = p->jailed.pid;
	p->jailed.pid = 0;
	p->left = info.si_code == CLD_EXITED;
	p->status = info.si_status;
	return true;
}

void spawned_describe(const struct spawned *p, char *ret, size_t size)
{
	char name[24], call[REFUSED_CALL_BYTES];

	signal_name(p->status, name, sizeof(name));
	if (p->left)
		fmt_into(ret, size, "exited with code %d", p->status);
	else if (p->unruly)
		fmt_into(ret, size, "killed because it broke the rules of its control socket");
	else if (p->status == SIGSYS && !p->refused)
		fmt_into(ret, size, "killed by its seccomp policy (SIGSYS)");
	else if (p->status == SIGSYS) {
		refused_call_describe(&p->call, call, sizeof(call));
		fmt_into(ret, size, "killed by its seccomp policy (SIGSYS): pid %d, %s", p->was,
			 call);
	} else
		fmt_into(ret, size, "killed by %s", name);
}

static void spawned_parse(struct spawned *p, char *said, struct spawned_line *ret)
{
	static const char letters[] = "EWID"; /* by enum log_level */
	char call[REFUSED_CALL_BYTES];
	const char *at = *said && said[1] == ' ' ? strchr(letters, *said) : NULL;

	said[strcspn(said, "\n")] = '\0';
	(void)fmt_printable(said);
	if (refused_call_parse(said, &p->call)) {
		p->refused = true;
		ret->level = LOG_LEVEL_WARN;
		refused_call_describe(&p->call, call, sizeof(call));
		fmt_into(ret->text, sizeof(ret->text), "its policy refuses %s", call);
		return;
	}
	ret->level = at ? (enum log_level)(at - letters) : LOG_LEVEL_WARN;
	fmt_into(ret->text, sizeof(ret->text), "%s", at ? said + 2 : said);
}

enum spawned_said spawned_read(struct spawned *p, bool last, struct spawned_line *ret,
			       uint64_t *ret_at_ns)
{
	const uint64_t at_ns = last ? 0 : bucket_ready_ns(&p->lines, clock_ns());
	char said[LOG_LINE_BYTES + 1];
	ssize_t n;

	if (p->log < 0)
		return SPAWNED_NOTHING;
	if (at_ns > 0) {
		*ret_at_ns = at_ns;
		return SPAWNED_LATER;
	}
	/* The rest of a longer packet is lost. */
	n = read(p->log, said, LOG_LINE_BYTES);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return SPAWNED_NOTHING;
	if (n <= 0)
		return SPAWNED_END;
	bucket_spend(&p->lines, 1);
	said[n] = '\0';
	spawned_parse(p, said, ret);
	return SPAWNED_LINE;
}
