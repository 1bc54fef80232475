/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/console.h"

#include <errno.h>
#include <fcntl.h>
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

/* ---- users, who outlive the console's process ---- */

static void console_forget(struct supervisor *s, struct console_user *u)
{
	loop_del(&s->loop, u->fd);
	close(u->fd);
	*u = (struct console_user){.ticket = 0};
}

static void console_user_left(void *arg, int fd, uint32_t events UNUSED)
{
	struct supervisor *s = arg;

	for (unsigned int i = 0; i < SUPERVISOR_USERS; i++)
		if (s->user[i].ticket && s->user[i].fd == fd)
			console_forget(s, &s->user[i]);
}

/* Keeps a user's socket; its ticket, 0 where that is not needed, or no more than an error */
static int console_remember(struct supervisor *s, const char *port, int client, int fd,
			    uint64_t *ret_ticket, struct err *err)
{
	struct console_user *u = s->user;
	cleanup_fd int own = -1;
	int rc;

	*ret_ticket = 0;
	if (!plan_console_returns(s->launch->plan))
		return 0;
	while (u < s->user + SUPERVISOR_USERS && u->ticket)
		u++;
	if (u == s->user + SUPERVISOR_USERS)
		return err_text(err, EBUSY, "%u users are attached: there is room for no more",
				SUPERVISOR_USERS);
	own = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (own < 0)
		return err_set(err, errno, "a user of the console");
	rc = loop_add(&s->loop, own, 0, console_user_left, s, err);
	if (rc < 0)
		return rc;
	*u = (struct console_user){
		.ticket = ++s->last_ticket, .client = client, .fd = TAKE_FD(own)};
	fmt_into(u->port, sizeof(u->port), "%s", port);
	*ret_ticket = u->ticket;
	return 0;
}

/* The console has answered a new user */
static void console_attached(struct supervisor *s, unsigned int i, int client,
			     const struct ctl_msg *answer, const struct err *err)
{
	for (unsigned int n = 0; n < SUPERVISOR_USERS; n++) {
		struct console_user *u = &s->user[n];

		if (!u->ticket || u->client != client)
			continue;
		u->client = -1;
		if (err->code)
			console_forget(s, u);
	}
	ask_reply(s, i, client, answer, err);
}

/* What this process asked for itself: a refusal is a line in the log */
static void console_answered(struct supervisor *s, unsigned int i, int client UNUSED,
			     const struct ctl_msg *answer UNUSED, const struct err *err)
{
	if (err->code)
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s: %s", s->proc[i].name, err->msg);
}

static void console_user_message(struct ctl_msg *m, const char *port, uint64_t ticket)
{
	*m = (struct ctl_msg){.type = CTL_CONSOLE_ATTACH, .arg = ticket};
	fmt_into(m->text, sizeof(m->text), "%s", port);
}

int console_attach(struct supervisor *s, const struct request *q, int client, int fd,
		   struct err *err)
{
	const struct ask_then then = {console_attached, client};
	struct ctl_msg m;
	struct stat st;
	uint64_t ticket;
	int rc;

	if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
		return err_text(err, EINVAL, "what is to be attached is not a socket");
	rc = console_remember(s, q->name, client, fd, &ticket, err);
	if (rc < 0)
		return rc;
	console_user_message(&m, q->name, ticket);
	rc = console_ask(s, &m, fd, &then, err);
	for (unsigned int i = 0; rc < 0 && i < SUPERVISOR_USERS; i++)
		if (ticket && s->user[i].ticket == ticket)
			console_forget(s, &s->user[i]);
	return rc;
}

int console_attach_again(struct supervisor *s, unsigned int i, struct err *err)
{
	const struct ask_then then = {console_answered, -1};
	struct ctl_msg m;
	int rc = 0;

	if (i != plan_console_of(s->launch->plan))
		return 0;
	for (unsigned int n = 0; rc == 0 && n < SUPERVISOR_USERS; n++) {
		if (!s->user[n].ticket)
			continue;
		console_user_message(&m, s->user[n].port, s->user[n].ticket);
		rc = ask_process(s, i, &m, s->user[n].fd, &then, err);
	}
	return rc;
}

/* ---- size and log file ---- */

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
	if (rc < 0) {
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
		return true;
	}
	/* It is also that of a console which is started again. */
	if (!s->assets)
		return true;
	close(s->assets->proc[i].fd[BOOT_FD_RES + 2]);
	s->assets->proc[i].fd[BOOT_FD_RES + 2] = TAKE_FD(fd);
	return true;
}

void console_take_terminal(const struct supervisor *s)
{
	/* Fails for what is no terminal, and for one that is another session's, whose size no signal tells. */
	if (s->launch->plan->terminal && ioctl(s->drain.sink[0], TIOCSCTTY, 0) < 0)
		return;
}

void console_terminal_changed(struct supervisor *s)
{
	const struct ask_then then = {console_answered, -1};
	struct ctl_msg m = {.type = CTL_CONSOLE_SIZE};
	struct winsize size;
	struct err err;

	if (!s->launch->plan->terminal || plan_console_of(s->launch->plan) == 0 ||
	    ioctl(s->drain.sink[0], TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		return;
	m.arg = (uint64_t)size.ws_col << 16 | size.ws_row;
	console_note_size(s, m.arg);
	if (console_ask(s, &m, -1, &then, &err) < 0)
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
}
