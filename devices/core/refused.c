/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/refused.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "devices/core/log.h"

static unsigned int refused_programs = 1;

static void refused_args(const ucontext_t *c, uint64_t ret[LOG_REFUSED_ARGS])
{
#if defined(__x86_64__)
	static const int registers[LOG_REFUSED_ARGS] = {REG_RDI, REG_RSI, REG_RDX,
							REG_R10, REG_R8,  REG_R9};

	for (unsigned int i = 0; i < LOG_REFUSED_ARGS; i++)
		ret[i] = (uint64_t)c->uc_mcontext.gregs[registers[i]];
#elif defined(__aarch64__)
	for (unsigned int i = 0; i < LOG_REFUSED_ARGS; i++)
		ret[i] = c->uc_mcontext.regs[i];
#else
	const unsigned long *registers = &c->uc_mcontext.arm_r0;

	for (unsigned int i = 0; i < LOG_REFUSED_ARGS; i++)
		ret[i] = registers[i];
#endif
}

static void refused_on_call(int sig UNUSED, siginfo_t *info, void *context)
{
	const int nr = info->si_syscall;
	uint64_t a[LOG_REFUSED_ARGS];

	refused_args(context, a);
	log_refused(refused_programs, (unsigned int)nr, a);
	/* A filter that allows this call by now would be another filter. */
	for (;;)
		syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int refused_watch(struct err *err)
{
	const struct sigaction act = {.sa_sigaction = refused_on_call, .sa_flags = SA_SIGINFO};
	sigset_t sigsys;

	/* A trap whose signal is blocked kills without a word. */
	sigemptyset(&sigsys);
	sigaddset(&sigsys, SIGSYS);
	if (sigaction(SIGSYS, &act, NULL) < 0 || sigprocmask(SIG_UNBLOCK, &sigsys, NULL) < 0)
		return err_set(err, errno, "SIGSYS");
	return 0;
}

void refused_by(unsigned int programs)
{
	refused_programs = programs;
}
