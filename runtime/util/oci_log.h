/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The --log file, as runc writes it and containerd and podman read it
 *
 * One line, one write, appended: several processes share the file. At the default level nothing but
 * the error that ends a command goes there, because podman takes the whole file for one JSON object.
 *
 * Nobody waits for a log: what its reader or its disk has no room for is lost, counted, and told by a line
 * of its own before the next one that gets through.
 */
#ifndef VMRUN_RUNTIME_UTIL_OCI_LOG_H
#define VMRUN_RUNTIME_UTIL_OCI_LOG_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/core/log.h"

/**
 * struct oci_log - Where lines go
 * @fd:		Owned; -1 drops everything
 * @json:	JSON objects instead of runc's text
 * @plain:	Just "vmrun: text", for a terminal
 * @max:	Lines above this level are dropped
 * @disk:	A disk may stand still: each line is written by a process of its own, @writer (stream.h)
 * @torn:	The last line was taken in part only
 * @lost:	Lines since the last one that got through
 */
struct oci_log {
	int fd;
	bool json;
	bool plain;
	enum log_level max;
	bool disk;
	int writer;
	bool torn;
	unsigned int lost;
};

/**
 * oci_log_open() - Open @path for appending, making it if need be; a FIFO without a reader is no obstacle
 *
 * Syscalls: openat fcntl
 */
MUST_CHECK int oci_log_open(const char *path, bool json, enum log_level max, struct oci_log *ret,
			    struct err *err);

/** oci_log_stderr() - Plain lines on standard error, which stays the caller's.  Syscalls: openat fcntl */
void oci_log_stderr(enum log_level max, struct oci_log *ret);

void oci_log_close(struct oci_log *o);

/**
 * oci_log_write() - Write one line or lose it, without waiting but for a disk, 0.1 s each time it stalls
 *
 * Syscalls: sendto poll write, and stream_put_apart()'s
 */
void oci_log_write(struct oci_log *o, enum log_level level, const char *fmt, ...) PRINTF(3, 4);

/** oci_log_flush() - Tell of lines lost, if there is room by now */
void oci_log_flush(struct oci_log *o);

/** oci_log_escape() - @text as the inside of a JSON string, cut to @size at a character's border */
void oci_log_escape(const char *text, char *ret, size_t size);

/** oci_log_level() - "error", "warning" (or "warn"), "info", "debug"; -EINVAL for others */
MUST_CHECK int oci_log_level(const char *name, enum log_level *ret);

#endif
