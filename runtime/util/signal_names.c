/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/signal_names.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "devices/core/fmt.h"

#define SIGNAL_MAX 64

static const struct {
	int sig;
	enum signal_action action;
} actions[] = {
	{0, SIGNAL_CHECK},
	{SIGTERM, SIGNAL_POWER_BUTTON},
	{SIGPWR, SIGNAL_POWER_BUTTON},
	{SIGHUP, SIGNAL_POWER_BUTTON},
	{SIGINT, SIGNAL_CTRL_ALT_DEL},
	{SIGKILL, SIGNAL_KILL},
	{SIGQUIT, SIGNAL_KILL},
	{SIGCHLD, SIGNAL_HARMLESS},
	{SIGPIPE, SIGNAL_HARMLESS},
	{SIGURG, SIGNAL_HARMLESS},
	{SIGWINCH, SIGNAL_HARMLESS},
	{SIGCONT, SIGNAL_HARMLESS},
};

static bool parse_number(const char *text, int max, int *ret)
{
	char *end;
	long n;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || *end || n > max)
		return false;
	*ret = (int)n;
	return true;
}

/* systemd's way to tell an init to halt (RTMIN+3) or reboot (RTMIN+5), used as a stop signal. */
static bool parse_realtime(const char *text, int *ret)
{
	int n = 0;

	if (strncasecmp(text, "RTMIN", 5) != 0)
		return false;
	text += 5;
	if (*text && (*text != '+' || !parse_number(text + 1, SIGRTMAX - SIGRTMIN, &n)))
		return false;
	*ret = SIGRTMIN + n;
	return true;
}

int signal_parse(const char *text, struct err *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	int sig;

	if (parse_number(text, SIGNAL_MAX, &sig) || parse_realtime(name, &sig))
		return sig;
	for (sig = 1; sig < SIGRTMIN; sig++) {
		const char *abbrev = sigabbrev_np(sig);

		if (abbrev && strcasecmp(name, abbrev) == 0)
			return sig;
	}
	return err_text(err, EINVAL, "unknown signal '%s'", text);
}

enum signal_action signal_action(int sig)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (actions[i].sig == sig)
			return actions[i].action;
	if (sig == SIGRTMIN + 3)
		return SIGNAL_POWER_BUTTON;
	if (sig == SIGRTMIN + 5)
		return SIGNAL_CTRL_ALT_DEL;
	return SIGNAL_NONE;
}

int signal_catch(const int *sig, struct err *err)
{
	cleanup_fd int fd = -1;
	struct sigaction was;
	sigset_t set;

	sigemptyset(&set);
	for (; *sig; sig++)
		if (sigaction(*sig, NULL, &was) == 0 && was.sa_handler != SIG_IGN)
			sigaddset(&set, *sig);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set(err, errno, "signals");
	return TAKE_FD(fd);
}

void signal_default(int sig)
{
	/* As the kernel has it: handler, flags, restorer, mask. */
	const uint64_t none[4] = {0};

	(void)syscall(SYS_rt_sigaction, sig, none, NULL, sizeof(none[3]));
}

void signal_release(int fd)
{
	sigset_t none;

	if (fd < 0)
		return;
	close(fd);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void signal_name(int sig, char *ret, size_t size)
{
	const char *abbrev = sigabbrev_np(sig);

	if (abbrev)
		fmt_into(ret, size, "SIG%s", abbrev);
	else
		fmt_into(ret, size, "signal %d", sig);
}
