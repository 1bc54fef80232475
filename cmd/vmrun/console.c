/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "cmd/vmrun/attach.h"
#include "cmd/vmrun/vmrun.h"
#include "devices/core/fmt.h"
#include "runtime/state/state_dir.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/signals.h"

#define CONSOLE_LOOK_MS 1000

struct console_options {
	const char *port;
};

static const struct option_spec options[] = {
	{"port", 0, OPTION_STRING, "NAME", "a named port instead of the terminal at hvc0",
	 offsetof(struct console_options, port), NULL},
	{.name = NULL},
};

/**
 * struct console - A user at a VM's console
 * @dir:	Its state directory
 * @sized:	The terminal's size is the console's
 */
struct console {
	int dir;
	int signal_fd;
	bool sized;
	struct attach attach;
};

static void console_done(struct console *c)
{
	attach_close(&c->attach);
	cleanup_close_fd(&c->dir);
	signals_release(c->signal_fd);
}
#define cleanup_console __attribute__((cleanup(console_done)))

/* The size of the terminal that was attached or resized last is the guest's. */
static int console_send_size(const struct console *c, struct err *err)
{
	const struct request q = {.op = REQUEST_CONSOLE_SIZE, .value = attach_size()};

	return c->sized && q.value ? client_ask(c->dir, &q, -1, NULL, NULL, err) : 0;
}

static int console_attach_to(struct console *c, const char *port, struct err *err)
{
	struct request q = {.op = REQUEST_CONSOLE};
	cleanup_fd int theirs = -1;
	int rc;

	fmt_into(q.name, sizeof(q.name), "%s", port ? port : "");
	rc = attach_open(&c->attach, &theirs, err);
	if (rc == 0)
		rc = client_ask(c->dir, &q, theirs, NULL, NULL, err);
	c->sized = !port && c->attach.on_terminal;
	return rc == 0 ? console_send_size(c, err) : rc;
}

/* The signal that ends this program; 0: it goes on */
static int console_on_signal(struct console *c)
{
	struct signalfd_siginfo info;
	struct err ignored;

	if (read(c->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	switch (info.ssi_signo) {
	case SIGWINCH: (void)!console_send_size(c, &ignored); return 0;
	case SIGTSTP:
		terminal_give_back(&c->attach.terminal);
		(void)raise(SIGSTOP);
		return 0;
	case SIGCONT: return 0;
	default: return (int)info.ssi_signo;
	}
}

/* Until the user leaves, a signal comes or the VM ends */
static int console_serve(struct console *c, int *ret_code, struct err *err)
{
	enum terminal_wish wish = TERMINAL_STAY;
	struct terminal *t = &c->attach.terminal;
	int sig = 0;

	while (wish == TERMINAL_STAY && sig == 0) {
		struct pollfd p[ATTACH_SLOTS + 1] = {
			[ATTACH_SLOTS] = {.fd = c->signal_fd, .events = POLLIN}};
		bool background;

		if (c->attach.on_terminal && !t->raw)
			terminal_take(t);
		background = c->attach.on_terminal && !t->raw;
		attach_poll(&c->attach, p);
		if (poll(p, ARRAY_SIZE(p), background ? CONSOLE_LOOK_MS : -1) < 0 && errno != EINTR)
			return err_set(err, errno, "poll");
		if (p[ATTACH_SLOTS].revents)
			sig = console_on_signal(c);
		wish = attach_serve(&c->attach, p);
	}
	*ret_code = sig ? 128 + sig : 0;
	return wish == TERMINAL_QUIT ? client_ask_op(c->dir, REQUEST_KILL, SIGKILL, NULL, err) : 0;
}

static int console(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	static const int caught[] = {SIGINT,  SIGTERM, SIGHUP,	SIGQUIT,  SIGTSTP, SIGCONT,
				     SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, 0};
	const struct console_options *o = a->opt;
	cleanup_console struct console c = {
		.dir = -1,
		.signal_fd = -1,
		.attach = {.sock = -1, .terminal = {.rd = -1, .wr = -1}}};
	int rc;

	if (o->port && strlen(o->port) >= CONSOLE_NAME_BYTES)
		return vmrun_usage(v, err_text(err, EINVAL, "--port: a name has at most %d bytes",
					       CONSOLE_NAME_BYTES - 1));
	rc = state_open(v->root, a->arg[0], &c.dir, err);
	if (rc < 0)
		return rc;
	signal(SIGPIPE, SIG_IGN);
	c.signal_fd = signals_catch(caught, err);
	if (c.signal_fd < 0)
		return c.signal_fd;
	rc = console_attach_to(&c, o->port, err);
	return rc == 0 ? console_serve(&c, &v->exit_code, err) : rc;
}

const struct verb verb_console = {
	.name = "console",
	.synopsis = "[--port NAME] ID",
	.summary = "Attach to a VM's virtio console: its last 64 KiB, then both ways; Ctrl-A d "
		   "detaches, "
		   "Ctrl-A x ends the VM",
	.options = options,
	.opt_bytes = sizeof(struct console_options),
	.min_args = 1,
	.max_args = 1,
	.of_vm = true,
	.run = console,
};
