/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Listening on a path that an earlier process may have left its socket at
 */
#ifndef VMRUN_RUNTIME_UTIL_LISTEN_H
#define VMRUN_RUNTIME_UTIL_LISTEN_H

#include <sys/types.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * struct listener - A listening socket, non-blocking
 * @fd:		-1: there is none
 * @path:	Borrowed
 * @dev, @ino:	What is at @path while it is ours
 */
struct listener {
	int fd;
	const char *path;
	dev_t dev;
	ino_t ino;
};

/**
 * listen_at() - Make a stream socket at @path
 * @path:	Stays with the caller until listen_done()
 *
 * A socket of the caller's that refuses connections is taken away; nothing else ever is.
 * Syscalls: socket bind listen connect newfstatat rename link unlink nanosleep
 */
MUST_CHECK int listen_at(const char *path, struct listener *ret, struct err *err);

/** listen_done() - Close it, and remove it if it is still the one at its path; safe without one */
void listen_done(struct listener *l);

#endif
