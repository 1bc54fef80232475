/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The host's end of vsock, where the kernel carries it (AF_VSOCK, vhost-vsock)
 */
#ifndef VMRUN_RUNTIME_UTIL_VSOCK_SOCKET_H
#define VMRUN_RUNTIME_UTIL_VSOCK_SOCKET_H

#include "devices/core/base.h"

/**
 * vsock_socket_connect() - Begin to connect to a stream socket of a guest, without waiting
 * @ret_own:	The host's port
 *
 * The fd is writable once the guest has accepted, and has an error if it does not.
 * Syscalls: socket connect getsockname close
 * Return: an fd, the caller's, non-blocking, or -errno
 */
MUST_CHECK int vsock_socket_connect(uint32_t cid, uint32_t port, uint32_t *ret_own);

/**
 * vsock_socket_listen() - Listen on a port of the host's, at which guests arrive, but not the host's own programs
 *
 * Syscalls: socket bind listen close
 * Return: an fd, the caller's, non-blocking, or -errno: -EADDRINUSE for another program's port
 */
MUST_CHECK int vsock_socket_listen(uint32_t port);

/**
 * vsock_socket_accept() - Accept a connection, if there is one and it comes from the guest @cid
 *
 * One from another guest is closed.
 * Syscalls: accept4 close
 * Return: an fd, the caller's, non-blocking, or -errno: -EAGAIN when there is none, -ECONNABORTED for another's
 */
MUST_CHECK int vsock_socket_accept(int listener, uint32_t cid);

#endif
