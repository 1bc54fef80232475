/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Listening on a path where an earlier process may have left a socket, or on an inherited socket
 */
#ifndef VMRUN_RUNTIME_UTIL_LISTEN_H
#define VMRUN_RUNTIME_UTIL_LISTEN_H

#include <sys/types.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * struct listener - A listening socket, non-blocking
 * @fd:		-1 = none
 * @path:	Borrowed; NULL for an inherited one
 * @dev, @ino:	The identity of our socket at @path
 */
struct listener {
	int fd;
	const char *path;
	dev_t dev;
	ino_t ino;
};

/**
 * listen_at() - Make a socket at @path
 * @path:	Borrowed until listen_done()
 * @type:	SOCK_STREAM or SOCK_SEQPACKET
 *
 * Removes a socket of the caller that refuses connections, and nothing else.
 * Syscalls: socket bind listen connect newfstatat rename link unlink nanosleep
 */
MUST_CHECK int listen_at(const char *path, int type, struct listener *ret, struct err *err);

/**
 * listen_inherit() - Take over a stream socket of this program's caller, which listens
 * @fd:		The caller's to choose: it is checked. Owned on success
 *
 * Nothing is removed at the end: the path is the caller's.
 * Syscalls: getsockopt fcntl
 */
MUST_CHECK int listen_inherit(int fd, struct listener *ret, struct err *err);

/** listen_done() - Close the socket, and remove it if it is still at its path; safe without one */
void listen_done(struct listener *l);

#endif
