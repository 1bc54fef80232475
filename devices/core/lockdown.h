/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The last stage of the jail, carried out by the jailed program itself
 *
 * The runtime has built namespaces, empty root, limits and capabilities before exec (runtime/jail/jail.c).
 * The rest has to wait for the program's own set-up: Landlock deny-all where the kernel has it, then the
 * seccomp program. After lockdown() there is no allocation, stdio, strerror or path lookup.
 */
#ifndef VMRUN_DEVICES_CORE_LOCKDOWN_H
#define VMRUN_DEVICES_CORE_LOCKDOWN_H

#include "devices/core/boot.h"

/**
 * lockdown() - Landlock, then seccomp for all threads of the process (TSYNC)
 * @filter:	Checked by boot_check_*; its default action kills the process
 *
 * no_new_privs must be set already; a missing one is an error, as is any thread that cannot be
 * synchronised. A kernel without Landlock is no error.
 * Landlock binds the calling thread and those it makes from here on, seccomp all there are. After a
 * failure the process may be half locked down: it must report that and exit.
 * Context: setup, the last call of it
 * Syscalls: landlock_create_ruleset landlock_restrict_self prctl
 * seccomp close
 * Return: 0 or -errno
 */
MUST_CHECK int lockdown(const struct boot_filter *filter, struct err *err);

#endif
