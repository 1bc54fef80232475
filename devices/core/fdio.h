/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Whole reads and writes, and fds over sockets
 */
#ifndef VMRUN_DEVICES_CORE_FDIO_H
#define VMRUN_DEVICES_CORE_FDIO_H

#include <sys/types.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

#define FDIO_FDS_MAX 16

/**
 * fd_read_full() - Read exactly @len bytes, going on after EINTR and short reads
 * @fd:		Borrowed; blocking
 * @buf:	Filled from the front, also when it fails half way
 *
 * Context: any
 * Syscalls: read
 * Return: 0; -EPIPE when the peer closed before the first byte; -EPROTO when it closed later; else
 * -errno
 */
MUST_CHECK int fd_read_full(int fd, void *buf, size_t len);

/**
 * fd_pread_full() - As fd_read_full() at a file offset; -ENODATA when the file ends first
 * @fd:		Borrowed
 * @buf:	Filled from the front, also when it fails half way
 * @off:	Where in the file
 *
 * Context: setup
 * Syscalls: pread64
 * Return: 0; -ENODATA when the file ends first; -EOVERFLOW when @off + @len is no file offset; else
 * -errno
 */
MUST_CHECK int fd_pread_full(int fd, void *buf, size_t len, uint64_t off);

/**
 * fd_write_full() - Write exactly @len bytes (MSG_NOSIGNAL where it is a socket); 0 or -errno
 * @fd:		Borrowed; blocking. A socket whose peer is gone gives -EPIPE, never SIGPIPE
 *
 * Context: any
 * Syscalls: sendto; write where @fd is no socket
 * Return: 0 or -errno
 */
MUST_CHECK int fd_write_full(int fd, const void *buf, size_t len);

/**
 * fd_send() - Send one message with fds attached
 * @sock:	AF_UNIX socket; blocking
 * @buf:	The message, at least one byte: fds do not travel alone
 * @fds:	Borrowed; the peer gets duplicates. May be NULL when there are none
 * @nr_fds:	0 to FDIO_FDS_MAX
 *
 * On a stream socket the whole of @buf is sent, the fds with its first byte. Without fds it makes the
 * call that cannot carry any: the policies of devices allow no other.
 * Context: any
 * Syscalls: sendto; sendmsg where there are fds
 * Return: 0 or -errno
 */
MUST_CHECK int fd_send(int sock, const void *buf, size_t len, const int *fds, unsigned int nr_fds);

/**
 * fd_try_send() - Send one small message, whole or not at all, without waiting
 * @sock:	Borrowed; blocking or not. One whose peer is gone gives -EPIPE, never SIGPIPE
 * @len:	Its size, a few hundred bytes at most: the kernel does not split those
 *
 * Context: any
 * Syscalls: sendto
 * Return: 0; -EAGAIN when there is no room for it; -EMSGSIZE when only a part of it was taken, which
 * makes the peer unusable; else -errno
 */
MUST_CHECK int fd_try_send(int sock, const void *buf, size_t len);

/**
 * fd_try_send_fd() - As fd_try_send(), with an fd; the supervisor's side
 * @fd:		Borrowed; the peer gets a duplicate
 *
 * Context: any
 * Syscalls: sendmsg
 * Return: as fd_try_send()
 */
MUST_CHECK int fd_try_send_fd(int sock, const void *buf, size_t len, int fd);

/**
 * fd_recv() - Receive at most @len bytes and the fds that came with them
 * @sock:	AF_UNIX socket
 * @buf:	Where to; its contents are undefined after a failure
 * @len:	Room in it
 * @ret_fds:	Array of FDIO_FDS_MAX; the first *@ret_nr_fds become the caller's, O_CLOEXEC
 * @ret_nr_fds:	How many came; 0 when the peer closed
 *
 * One recvmsg. A datagram longer than @len, or more than FDIO_FDS_MAX fds, fails with -EMSGSIZE and closes
 * every fd received. EINTR is retried.
 * Context: any
 * Syscalls: recvmsg close
 * Return: number of bytes (0 = peer closed) or -errno
 */
MUST_CHECK ssize_t fd_recv(int sock, void *buf, size_t len, int ret_fds[FDIO_FDS_MAX],
			   unsigned int *ret_nr_fds);

/**
 * fd_recv_plain() - Receive one datagram that brings no fds
 * @sock:	AF_UNIX socket
 * @buf:	Where to; its contents are undefined after a failure
 * @len:	Room in it
 *
 * Fds find no room and stay the kernel's: to close a file may mean to wait for its disk, and the peer may
 * be jailed. EINTR is retried.
 * Context: any
 * Syscalls: recvmsg
 * Return: number of bytes, at least 1; -EPIPE when the peer closed; -EPROTO for a longer datagram or one with
 * fds; else -errno
 */
MUST_CHECK ssize_t fd_recv_plain(int sock, void *buf, size_t len);

#endif
