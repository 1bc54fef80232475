/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Terminals, pipes and sockets of the caller
 *
 * Their file descriptions are shared with it, and so is O_NONBLOCK, which must not be set on them.
 */
#ifndef VMRUN_RUNTIME_UTIL_STREAM_H
#define VMRUN_RUNTIME_UTIL_STREAM_H

#include "devices/core/base.h"

/**
 * stream_own() - A file description of our own for a terminal or pipe, non-blocking
 *
 * Another reader or writer of the caller's may be faster, and who waits for it then answers nobody.
 * Syscalls: fcntl fstat openat
 * Return: the fd; -1 where that cannot be had, and for other files
 */
int stream_own(int fd);

/**
 * stream_put() - Write what is at most PIPE_BUF long, without waiting for a reader
 * @fd:		Blocking or not, of any kind; a disk is waited for
 *
 * Context: SIGPIPE may be deadly.  Syscalls: sendto poll write
 * Return: how many bytes were taken; 0: none, now
 */
size_t stream_put(int fd, const void *buf, size_t len);

/** stream_is_disk() - Whether it is a regular file, which is waited for whatever O_NONBLOCK says */
bool stream_is_disk(int fd);

/**
 * stream_put_apart() - As stream_put() to a disk that may stand still: another process writes
 * @writer:	A pidfd of the one that has not come back yet; 0 at first, and when there is none
 *
 * Waits 0.1 s at most, which is long for a disk that works. While a writer is out nothing is taken.
 * Context: one thread.  Syscalls: clone pidfd_open poll waitid close
 */
size_t stream_put_apart(int fd, const void *buf, size_t len, int *writer);

#endif
