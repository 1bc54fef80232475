/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Signals by number and by name
 */
#ifndef VMRUN_RUNTIME_UTIL_SIGNAL_NAMES_H
#define VMRUN_RUNTIME_UTIL_SIGNAL_NAMES_H

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * signal_parse() - "15", "TERM", "SIGTERM", "sigterm", "RTMIN+3"
 *
 * Return: 0 to 64, or -EINVAL with a message
 */
MUST_CHECK int signal_parse(const char *text, struct err *err);

/** signal_name() - "SIGTERM", or "signal 40" for one without a name */
void signal_name(int sig, char *ret, size_t size);

/**
 * signal_default() - Give a signal its default action, even one that libc keeps for itself
 *
 * posix_spawn() leaves libc's own signals ignored in the programs it starts, and so does make. If the kernel
 * refuses, nothing is lost.
 * Context: any
 * Syscalls: rt_sigaction
 */
void signal_default(int sig);

#endif
