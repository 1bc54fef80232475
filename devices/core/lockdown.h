/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The last stage of the jail, carried out by the jailed program itself
 *
 * The runtime has built namespaces, empty root, limits and capabilities before exec (runtime/jail/jail.c).
 * Two steps are left. lockdown_files() comes before the program makes threads, which inherit it; lockdown()
 * comes when all is set up. After it there is no allocation, stdio, strerror or path lookup. A device of vmrun's
 * own VMM then receives its memory, and lockdown_later() takes from it the calls that needed.
 */
#ifndef VMRUN_DEVICES_CORE_LOCKDOWN_H
#define VMRUN_DEVICES_CORE_LOCKDOWN_H

#include "devices/core/boot.h"

/**
 * lockdown_files() - Landlock: no file, TCP port or abstract socket can be reached
 * @filter:	Checked by boot_check_*; with BOOT_FILTER_NONE nothing is done at all
 * @beneath:	A directory below which files can be; -1: none
 *
 * What is open stays. It binds the calling thread and those it makes from here on. no_new_privs must be set
 * already. A kernel without Landlock is no error.
 * Context: setup
 * Syscalls: prctl landlock_create_ruleset landlock_add_rule landlock_restrict_self close
 * Return: 0 or -errno
 */
MUST_CHECK int lockdown_files(const struct boot_filter *filter, int beneath, struct err *err);

/**
 * lockdown() - seccomp, for all threads of the process (TSYNC)
 * @filter:	Likewise; what it refuses kills the process, which says so first (refused.h)
 *
 * no_new_privs must be set already; a missing one is an error, as is any thread that cannot be
 * synchronised. After a failure the process may be half locked down: it must report that and exit.
 * Context: setup, the last call of it
 * Syscalls: prctl rt_sigaction rt_sigprocmask seccomp
 * Return: 0 or -errno
 */
MUST_CHECK int lockdown(const struct boot_filter *filter, struct err *err);

/**
 * lockdown_later() - The second program, if there is one, for all threads
 * @filter:	As lockdown() got it
 *
 * From here on the kernel asks both programs, and makes a call that both allow. After a failure the process must
 * exit.
 * Context: locked
 * Syscalls: seccomp
 * Return: 0 or -errno
 */
MUST_CHECK int lockdown_later(const struct boot_filter *filter, struct err *err);

#endif
