/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The mounts of a container: which the guest makes of its own, and which need a source of the host
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_MOUNT_H
#define VMRUN_RUNTIME_PLAN_PLAN_MOUNT_H

#include "runtime/plan/plan_device.h"

/**
 * struct plan_mount - An element of /mounts, decided
 * @destination, @source, @type, @data: For AGENT_MOUNT; borrowed from the bundle or from this struct
 * @head:	Likewise
 * @share:	A bind: the path of the host to share as @name, and whether read-only; NULL: none
 * @layers:	As struct plan_source's
 */
struct plan_mount {
	const char *destination, *source, *type, *data;
	struct agent_mount head;
	const char *share, *layers;
	bool readonly;
	char name[16];
	char text[PATH_MAX];
	char size[64];
};

/**
 * plan_mount_decide() - Decide what becomes of /mounts/@i
 *
 * Return: 0; -EINVAL for a source that a guest cannot have, with its pointer
 */
MUST_CHECK int plan_mount_decide(const struct plan_build *bd, unsigned int i,
				 struct plan_mount *ret);

#endif
