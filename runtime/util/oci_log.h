/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The --log file, as runc writes it and containerd and podman read it
 *
 * Each line is one appended write: several processes share the file. At the default level it gets only the
 * error that ends a command, because podman takes the whole file for one JSON object.
 *
 * No process waits for a log. Lines without room at its reader or on its disk are lost and counted, and a line
 * of its own reports the number before the next line.
 */
#ifndef VMRUN_RUNTIME_UTIL_OCI_LOG_H
#define VMRUN_RUNTIME_UTIL_OCI_LOG_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/core/log.h"

/**
 * struct oci_log - An open log
 * @fd:		Owned; -1 drops everything
 * @json:	JSON objects instead of runc's text
 * @plain:	Just "vmrun: text", for a terminal
 * @max:	Lines above this level are dropped
 * @disk:	A disk may stand still: another process writes each line, @writer (stream.h)
 * @torn:	Only part of the last line was written
 * @lost:	Lines lost since the last one that was written
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
 * oci_log_open() - Open @path for appending; makes a missing file, and does not wait for the reader of a FIFO
 *
 * Syscalls: openat fcntl
 */
MUST_CHECK int oci_log_open(const char *path, bool json, enum log_level max, struct oci_log *ret,
			    struct err *err);

/** oci_log_stderr() - Log plain lines to a duplicate of standard error.  Syscalls: openat fcntl */
void oci_log_stderr(enum log_level max, struct oci_log *ret);

void oci_log_close(struct oci_log *o);

/**
 * oci_log_write() - Write one line or lose it; waits only for a disk, 0.1 s each time it stands still
 *
 * Syscalls: sendto poll write, and those of stream_put_apart()
 */
void oci_log_write(struct oci_log *o, enum log_level level, const char *fmt, ...) PRINTF(3, 4);

/** oci_log_flush() - Report lost lines, if there is room by now */
void oci_log_flush(struct oci_log *o);

/** oci_log_escape() - Escape @text for a JSON string, cut to @size between two characters */
void oci_log_escape(const char *text, char *ret, size_t size);

/** oci_log_level() - Parse "error", "warning" (or "warn"), "info" or "debug"; -EINVAL for others */
MUST_CHECK int oci_log_level(const char *name, enum log_level *ret);

#endif
