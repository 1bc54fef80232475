/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Files: looked at before they are opened, and small ones read
 *
 * Opening a file can have effects: it waits on a FIFO, makes a terminal of /dev/ptmx, rewinds a tape, arms a
 * watchdog. So file_look() makes an fd without effects (O_PATH), the caller checks what it is, and
 * file_reopen() opens that same file, without another look at the path.
 */
#ifndef VMRUN_RUNTIME_UTIL_FILE_H
#define VMRUN_RUNTIME_UTIL_FILE_H

#include <sys/stat.h>

#include "devices/core/base.h"

/**
 * file_look() - Find a file without opening it
 * @dir:	Where a relative @path begins; AT_FDCWD for the current directory
 * @flags:	O_NOFOLLOW: find a symbolic link at the end of @path itself.  O_DIRECTORY
 * @ret_st:	Its status; untouched on failure
 *
 * Syscalls: openat fstat close
 * Return: an O_PATH fd, the caller's, or -errno
 */
MUST_CHECK int file_look(int dir, const char *path, int flags, struct stat *ret_st);

/**
 * file_look_inside() - Find a file below a directory whose contents are not trusted
 * @root:	Where every path begins and no link or ".." leads out of; magic links of /proc are refused
 * @path:	"" for @root itself
 * @flags:	As file_look()'s
 *
 * Syscalls: openat2
 * Return: an O_PATH fd, the caller's, or -errno
 */
MUST_CHECK int file_look_inside(int root, const char *path, int flags);

/**
 * file_reopen() - Open the file that file_look() found
 * @flags:	As for open(); O_CLOEXEC and O_NOCTTY are added
 *
 * Needs /proc, and the same permissions as opening the file by its path.
 * Syscalls: openat
 * Return: an fd, the caller's, or -errno
 */
MUST_CHECK int file_reopen(int path_fd, int flags);

/**
 * file_read() - Read a small text file, such as those of /proc, /sys and cgroups
 * @dir:	Where a relative @path begins; AT_FDCWD for the current directory
 * @ret:	The first @size - 1 bytes, terminated; "" on failure
 *
 * Syscalls: openat read close
 * Return: the number of bytes read, or -errno
 */
ssize_t file_read(int dir, const char *path, char *ret, size_t size);

/**
 * file_read_all() - Read a text file of unknown length, such as /proc/self/mountinfo
 * @ret:	Terminated, the caller's to free(); untouched on failure
 *
 * Syscalls: openat read close
 * Return: 0 or -errno
 */
MUST_CHECK int file_read_all(const char *path, char **ret);

#endif
