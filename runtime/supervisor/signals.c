/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>

static const struct {
	int sig;
	enum signal_action action;
} signals_actions[] = {
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

enum signal_action signals_action(int sig)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(signals_actions); i++)
		if (signals_actions[i].sig == sig)
			return signals_actions[i].action;
	if (sig == SIGRTMIN + 3)
		return SIGNAL_POWER_BUTTON;
	if (sig == SIGRTMIN + 5)
		return SIGNAL_CTRL_ALT_DEL;
	return SIGNAL_NONE;
}

int signals_catch(const int *sig, struct err *err)
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

int signals_catch_most(const int *but, struct err *err)
{
	int caught[NSIG], nr = 0;

	for (int sig = 1; sig < NSIG; sig++) {
		const bool inner = sig > SIGSYS && sig < SIGRTMIN; /* libc's */
		const int *b = but;

		while (*b && *b != sig)
			b++;
		if (!*b && !inner && sig != SIGKILL && sig != SIGSTOP && sig != SIGCHLD &&
		    sig != SIGPIPE && sig != SIGURG)
			caught[nr++] = sig;
	}
	caught[nr] = 0;
	return signals_catch(caught, err);
}

void signals_release(int fd)
{
	sigset_t none;

	if (fd < 0)
		return;
	close(fd);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}
