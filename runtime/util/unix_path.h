/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Unix sockets at paths of any length
 *
 * An address has room for 107 bytes of a path. These functions go by /proc/self/fd: to the socket itself, or to the
 * directory where it shall be.
 */
#ifndef VMRUN_RUNTIME_UTIL_UNIX_PATH_H
#define VMRUN_RUNTIME_UTIL_UNIX_PATH_H

#include "devices/core/base.h"

/**
 * unix_connect() - Connect to the socket at @path, without waiting
 * @type:	SOCK_STREAM or SOCK_SEQPACKET
 * @flags:	O_NOFOLLOW: not by a symbolic link at the end of @path
 *
 * Syscalls: openat fstat socket connect close
 * Return: an fd, the caller's, non-blocking, or -errno: -ENOTSOCK for another kind of file, -ECONNREFUSED when no
 * process listens, -EAGAIN when the one that does has no room for us now
 */
MUST_CHECK int unix_connect(const char *path, int type, int flags);

/**
 * unix_bind() - Bind a socket to @path
 * @fd:		Borrowed
 *
 * Syscalls: openat bind renameat2 unlinkat close
 * Return: 0 or -errno, -EADDRINUSE if @path exists
 */
MUST_CHECK int unix_bind(int fd, const char *path);

#endif
