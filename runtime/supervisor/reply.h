/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a supervisor says to a client of its control socket
 *
 * It never waits for one: a client that has left, or does not read, loses its answer.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_REPLY_H
#define VMRUN_RUNTIME_SUPERVISOR_REPLY_H

#include "devices/core/ctl.h"
#include "runtime/util/oci_log.h"

/** reply_warn() - Send a warning to the log, and to the client that waits on @fd; -1: none waits */
void reply_warn(struct oci_log *log, int fd, const char *text);

/** reply_begun() - Tell a client that what it asked for has begun; @fd stays open for more */
void reply_begun(struct oci_log *log, int fd);

/** reply_give() - Tell a client how its request went, and close @fd.  @value may be NULL */
void reply_give(struct oci_log *log, int fd, const struct err *err,
		const uint64_t value[CTL_VALUES]);

#endif
