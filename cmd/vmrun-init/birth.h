/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: New processes in the container's namespaces and cgroup
 *
 * All of them are children of this process, which therefore hears of their ends.
 */
#ifndef VMRUN_CMD_VMRUN_INIT_BIRTH_H
#define VMRUN_CMD_VMRUN_INIT_BIRTH_H

#include <sys/types.h>

#include "devices/core/base.h"

/**
 * birth_first() - As fork(), into new namespaces: the child is process 1 of the container
 * @cgroup:	fd of its cgroup's directory, -1: none
 *
 * Return: 0 in the child; its pid; -errno
 */
MUST_CHECK pid_t birth_first(int cgroup, int *ret_pidfd);

/**
 * birth_into() - As fork(); the child is in the container's PID namespace, and joins its others itself
 * @container:	pidfd of its first process
 * @own:	The PID namespace of this process
 *
 * Return: 0 in the child; its pid; -errno
 */
MUST_CHECK pid_t birth_into(int container, int own, int cgroup, int *ret_pidfd);

#endif
