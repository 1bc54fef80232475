/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The identity of a network namespace
 */
#ifndef VMRUN_RUNTIME_UTIL_NETNS_ID_H
#define VMRUN_RUNTIME_UTIL_NETNS_ID_H

#include "devices/core/base.h"

/** struct netns_id - Identifies a network namespace, independent of its path; @ino 0 = not known */
struct netns_id {
	uint64_t dev, ino;
};

#endif
