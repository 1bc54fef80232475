/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Formats of disk images, and their names
 */
#ifndef VMRUN_RUNTIME_UTIL_DISK_FORMAT_H
#define VMRUN_RUNTIME_UTIL_DISK_FORMAT_H

#include "devices/core/base.h"

/**
 * enum disk_format - What the user says that an image is
 * @DISK_UNSAID: Nothing: it is raw, unless it begins like another format
 */
enum disk_format { DISK_UNSAID, DISK_RAW, DISK_QCOW2, DISK_FORMATS };

extern const char *const disk_format_names[]; /* by enum disk_format, the first one empty; NULL-terminated */

/** disk_format_parse() - Find the format of that name, which is not empty; 0 or -EINVAL */
MUST_CHECK int disk_format_parse(const char *name, enum disk_format *ret);

#endif
