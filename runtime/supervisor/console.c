/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/console.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include "devices/core/fmt.h"
#include "runtime/plan/plan_console.h"
#include "runtime/supervisor/ask.h"

static int console_ask(struct supervisor *s, const struct ctl_msg *m, int fd,
		       const struct ask_then *then, struct err *err)
{
	const unsigned int i = plan_console_of(s->launch->plan);

	if (i == 0)
		return err_text(err, ENODEV,
				"the VM has no virtio console: its config.json lists none");
	return ask_process(s, i, m, fd, then, err);
}

int console_attach(struct supervisor *s, const struct request *q, int client, int fd,
		   struct err *err)
{
	const struct ask_then then = {ask_reply, client};
	struct ctl_msg m = {.type = CTL_CONSOLE_ATTACH};
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
		return err_text(err, EINVAL, "what is to be attached is not a socket");
	fmt_into(m.text, sizeof(m.text), "%s", q->name);
	return console_ask(s, &m, fd, &then, err);
}

/* A size is also that of a console which is started again. */
static void console_note_size(struct supervisor *s, uint64_t size)
{
	plan_console_set_size(s->launch->plan, (uint16_t)(size >> 16), (uint16_t)size);
}

int console_set_size(struct supervisor *s, const struct request *q, int client, struct err *err)
{
	const struct ctl_msg m = {.type = CTL_CONSOLE_SIZE, .arg = q->value};
	const struct ask_then then = {ask_reply, client};

	if (q->value >> 32)
		return err_text(err, EINVAL, "the size of the terminal is out of range");
	console_note_size(s, q->value);
	return console_ask(s, &m, -1, &then, err);
}

/* What this process asked for itself: a refusal is a line in the log */
static void console_answered(struct supervisor *s, unsigned int i, int client UNUSED,
			     const struct ctl_msg *answer UNUSED, const struct err *err)
{
	if (err->code)
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s: %s", s->proc[i].name, err->msg);
}

bool console_reopen_log(struct supervisor *s)
{
	const struct ctl_msg m = {.type = CTL_CONSOLE_LOG};
	const struct ask_then then = {console_answered, -1};
	const unsigned int i = plan_console_of(s->launch->plan);
	const struct plan_fd *log = &s->launch->plan->proc[i].fd[BOOT_FD_RES + 2];
	cleanup_fd int fd = -1;
	struct err err;
	int rc;

	if (i == 0 || log->source != PLAN_FD_FILE)
		return false;
	rc = assets_open_file(log, &fd, NULL, &err);
	if (rc == 0)
		rc = console_ask(s, &m, fd, &then, &err);
	if (rc < 0)
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
	return true;
}

void console_take_terminal(const struct supervisor *s)
{
	/* Fails for what is no terminal, and for one that is another session's, whose size no signal tells. */
	if (s->launch->plan->terminal && ioctl(s->drain.console, TIOCSCTTY, 0) < 0)
		return;
}

void console_terminal_changed(struct supervisor *s)
{
	const struct ask_then then = {console_answered, -1};
	struct ctl_msg m = {.type = CTL_CONSOLE_SIZE};
	struct winsize size;
	struct err err;

	if (!s->launch->plan->terminal || plan_console_of(s->launch->plan) == 0 ||
	    ioctl(s->drain.console, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		return;
	m.arg = (uint64_t)size.ws_col << 16 | size.ws_row;
	console_note_size(s, m.arg);
	if (console_ask(s, &m, -1, &then, &err) < 0)
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
}
