/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: New limits, from the command line or a file, merged into those of a config.json
 */
#ifndef VMRUN_CMD_VMRUN_UPDATE_RESOURCES_H
#define VMRUN_CMD_VMRUN_UPDATE_RESOURCES_H

#include <json-c/json.h>

#include "devices/core/err.h"

/** enum update_flag - Options that are a limit each */
enum update_flag {
	UPDATE_MEMORY,
	UPDATE_MEMORY_RESERVATION,
	UPDATE_MEMORY_SWAP,
	UPDATE_CPU_SHARE,
	UPDATE_CPU_QUOTA,
	UPDATE_CPU_PERIOD,
	UPDATE_CPU_BURST,
	UPDATE_CPU_IDLE,
	UPDATE_CPU_RT_PERIOD,
	UPDATE_CPU_RT_RUNTIME,
	UPDATE_CPUSET_CPUS,
	UPDATE_CPUSET_MEMS,
	UPDATE_PIDS_LIMIT,
	UPDATE_BLKIO_WEIGHT,
	UPDATE_FLAGS
};

/**
 * update_read() - Read OCI's resources
 * @file:	"-": standard input
 *
 * Return: 0 with *@ret the caller's; -EINVAL when that is no object
 */
MUST_CHECK int update_read(const char *file, struct json_object **ret, struct err *err);

/**
 * update_from_flags() - Make them of options
 * @flag:	By enum update_flag; NULL: not given
 *
 * Return: 0 with *@ret the caller's; -EINVAL when no number is where one should be, or no option is given
 */
MUST_CHECK int update_from_flags(const char *const flag[UPDATE_FLAGS], struct json_object **ret,
				 struct err *err);

/**
 * update_merge() - Put what they ask for into /linux/resources of @config
 *
 * 0 and "" ask for nothing, as callers mean it: they fill in whole structs. Only of cpu/idle it is a value.
 */
void update_merge(struct json_object *config, struct json_object *resources);

#endif
