/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What signals mean to a VM
 *
 * One table for `vmrun kill ID SIGNAL` and for signals sent to the supervisor's pid itself, which is
 * how conmon and others do it.
 */
#ifndef VMRUN_RUNTIME_UTIL_SIGNAL_NAMES_H
#define VMRUN_RUNTIME_UTIL_SIGNAL_NAMES_H

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * enum signal_action - What is done
 */
enum signal_action {
	SIGNAL_NONE,  /* nothing a VM could do about it: kill says so, the supervisor ignores it */
	SIGNAL_CHECK, /* signal 0: only whether there is a VM */
	SIGNAL_HARMLESS,     /* accepted, nothing is done */
	SIGNAL_POWER_BUTTON, /* orderly shutdown */
	SIGNAL_CTRL_ALT_DEL, /* orderly reboot, which ends the VM */
	SIGNAL_KILL,	     /* everything dies at once */
};

/**
 * signal_parse() - "15", "TERM", "SIGTERM", "sigterm", "RTMIN+3"
 *
 * Return: 0 to 64, or -EINVAL with a message
 */
MUST_CHECK int signal_parse(const char *text, struct err *err);

enum signal_action signal_action(int sig);

/**
 * signal_catch() - Read these signals from an fd from now on, but for those the caller ignores
 * @sig:	0 behind the last one
 *
 * A signal that is blocked would arrive even when it is ignored, as nohup has SIGHUP.
 * Syscalls: rt_sigaction rt_sigprocmask signalfd4
 * Return: the fd, non-blocking, or -errno
 */
MUST_CHECK int signal_catch(const int *sig, struct err *err);

/**
 * signal_default() - Give a signal its default again, be it one that libc keeps for itself
 *
 * posix_spawn() leaves those ignored in what it starts, and so make in what it runs. No harm if the kernel refuses.
 * Context: any.  Syscalls: rt_sigaction
 */
void signal_default(int sig);

/** signal_release() - Close @fd; signals that it held back arrive. Safe on -1 */
void signal_release(int fd);

/** signal_name() - "SIGTERM", or "signal 40" for one without a name */
void signal_name(int sig, char *ret, size_t size);

#endif
