/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Several stand-alone devices under one process
 *
 * Each has a supervisor of its own (standalone.h), a child of this process, so that none can hold up or take along
 * another.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_SEVERAL_H
#define VMRUN_RUNTIME_SUPERVISOR_SEVERAL_H

#include "devices/core/base.h"
#include "devices/core/err.h"

#define SEVERAL_MAX 32

/**
 * several_run() - Run each in a child until all have ended
 * @nr:		Up to SEVERAL_MAX
 * @run:	Called in the child; reports its own failure, and ends at SIGTERM
 *
 * A child that ends by itself leaves the others alone. SIGTERM, SIGINT and SIGHUP end all, and so does the death of
 * this process.
 * Return: 0 when all ended after a signal, or -errno with how many did not
 */
MUST_CHECK int several_run(unsigned int nr, int (*run)(void *arg, unsigned int i), void *arg,
			   struct err *err);

#endif
