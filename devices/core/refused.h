/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The last words of a process that makes a system call which its policy refuses
 *
 * The policies trap such a call: it is not made, and the kernel runs a handler. That writes the call to the log,
 * and makes it again. The signal is blocked then, so the kernel kills the process, as it would have at first. A
 * process in enemy hands can at most spoil the words.
 */
#ifndef VMRUN_DEVICES_CORE_REFUSED_H
#define VMRUN_DEVICES_CORE_REFUSED_H

#include "devices/core/err.h"

/**
 * refused_watch() - From here on, write refused calls to the log
 *
 * Threads that were made before with the signal blocked die without a word.
 * Context: setup, before the filter
 * Syscalls: rt_sigaction rt_sigprocmask
 */
MUST_CHECK int refused_watch(struct err *err);

/** refused_by() - From here on, @programs programs judge the calls; 1 at first */
void refused_by(unsigned int programs);

#endif
