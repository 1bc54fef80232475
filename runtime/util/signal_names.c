/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/signal_names.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "devices/core/fmt.h"

#define SIGNAL_MAX 64

static bool signal_parse_number(const char *text, int max, int *ret)
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
static bool signal_parse_realtime(const char *text, int *ret)
{
	int n = 0;

	if (strncasecmp(text, "RTMIN", 5) != 0)
		return false;
	text += 5;
	if (*text && (*text != '+' || !signal_parse_number(text + 1, SIGRTMAX - SIGRTMIN, &n)))
		return false;
	*ret = SIGRTMIN + n;
	return true;
}

int signal_parse(const char *text, struct err *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	int sig;

	if (signal_parse_number(text, SIGNAL_MAX, &sig) || signal_parse_realtime(name, &sig))
		return sig;
	for (sig = 1; sig < SIGRTMIN; sig++) {
		const char *abbrev = sigabbrev_np(sig);

		if (abbrev && strcasecmp(name, abbrev) == 0)
			return sig;
	}
	return err_text(err, EINVAL, "unknown signal '%s'", text);
}

void signal_default(int sig)
{
	/* As the kernel has it: handler, flags, restorer, mask. */
	const uint64_t none[4] = {0};

	(void)syscall(SYS_rt_sigaction, sig, none, NULL, sizeof(none[3]));
}

void signal_name(int sig, char *ret, size_t size)
{
	const char *abbrev = sigabbrev_np(sig);

	if (abbrev)
		fmt_into(ret, size, "SIG%s", abbrev);
	else
		fmt_into(ret, size, "signal %d", sig);
}
