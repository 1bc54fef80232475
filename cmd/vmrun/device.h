/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A stand-alone device from the command line, for `device` and `devices`
 */
#ifndef VMRUN_CMD_VMRUN_DEVICE_H
#define VMRUN_CMD_VMRUN_DEVICE_H

#include "cmd/vmrun/vmrun.h"
#include "runtime/supervisor/standalone.h"

/**
 * device_parse() - The options of `vmrun device TYPE` as words
 * @argv:	Borrowed by @ret; permuted
 *
 * Return: 0, or -EINVAL with one line that names the option
 */
MUST_CHECK int device_parse(const struct vmrun *v, const char *type, int argc, char **argv,
			    struct standalone *ret, struct err *err);

/** device_run() - Run it until a signal or its end; opens the log */
MUST_CHECK int device_run(const struct vmrun *v, const struct standalone *d, struct err *err);

#endif
