/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What is at the source of a bind, before anything is shared
 */
#ifndef VMRUN_RUNTIME_HOST_SHARE_LOOK_H
#define VMRUN_RUNTIME_HOST_SHARE_LOOK_H

#include "devices/core/base.h"
#include "runtime/plan/plan_types.h"

/**
 * share_look_at() - As struct plan_host has it
 *
 * Syscalls: newfstatat statfs
 * Return: 0 or -errno
 */
MUST_CHECK int share_look_at(const char *path, struct plan_look *ret);

#endif
