/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Terminals, pipes and sockets of the caller
 *
 * The caller shares their file descriptions, and so O_NONBLOCK, which must not be set on them.
 */
#ifndef VMRUN_RUNTIME_UTIL_STREAM_H
#define VMRUN_RUNTIME_UTIL_STREAM_H

#include "devices/core/base.h"

/**
 * stream_own() - Open a terminal or pipe again, non-blocking, with a file description of our own
 *
 * Another reader or writer may be faster, and a process that waits answers nothing else.
 * Syscalls: fcntl fstat openat
 * Return: the fd; -1 if that fails, and for other files
 */
int stream_own(int fd);

/**
 * stream_put() - Write at most PIPE_BUF bytes, without waiting for a reader
 * @fd:		Blocking or not, of any kind; waits for a disk
 *
 * Context: SIGPIPE may have its default action
 * Syscalls: sendto poll write
 * Return: the number of bytes written; 0 = none now
 */
size_t stream_put(int fd, const void *buf, size_t len);

/** stream_is_disk() - Whether it is a regular file, where O_NONBLOCK has no effect */
bool stream_is_disk(int fd);

/**
 * stream_put_apart() - As stream_put(), for a disk that may stand still: another process writes
 * @writer:	A pidfd of the process that still writes; 0 = none, at first
 *
 * Waits 0.1 s at most, which is long for a disk that works. Takes nothing while a process still writes.
 * Context: one thread
 * Syscalls: clone pidfd_open poll waitid close
 */
size_t stream_put_apart(int fd, const void *buf, size_t len, int *writer);

#endif
