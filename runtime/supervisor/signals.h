/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What signals mean to a VM, and reading them from an fd
 *
 * One table for `vmrun kill ID SIGNAL` and for signals sent to the supervisor's pid itself, as conmon and
 * others do.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_SIGNALS_H
#define VMRUN_RUNTIME_SUPERVISOR_SIGNALS_H

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * enum signal_action - What a signal does
 */
enum signal_action {
	SIGNAL_NONE,	     /* has no meaning for a VM: kill says so, the supervisor ignores it */
	SIGNAL_CHECK,	     /* signal 0: asks only whether there is a VM */
	SIGNAL_HARMLESS,     /* accepted, without effect */
	SIGNAL_POWER_BUTTON, /* orderly shutdown */
	SIGNAL_CTRL_ALT_DEL, /* orderly reboot, which ends the VM */
	SIGNAL_KILL,	     /* everything dies at once */
};

enum signal_action signals_action(int sig);

/**
 * signals_catch() - Read these signals from an fd from now on, except those that the caller ignores
 * @sig:	0 after the last one
 *
 * A blocked signal would arrive even when it is ignored, as SIGHUP is under nohup.
 * Syscalls: rt_sigaction rt_sigprocmask signalfd4
 * Return: the fd, non-blocking, or -errno
 */
MUST_CHECK int signals_catch(const int *sig, struct err *err);

/**
 * signals_catch_most() - Likewise all that a program can catch, but those that are about the caller alone: CHLD, PIPE and URG
 * @but:	And these; 0 after the last one
 *
 * Syscalls: rt_sigaction rt_sigprocmask signalfd4
 * Return: as signals_catch()
 */
MUST_CHECK int signals_catch_most(const int *but, struct err *err);

/** signals_release() - Close @fd; the signals that it held back arrive. Safe on -1 */
void signals_release(int fd);

#endif
