/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Where the output of a port goes, and its input comes from
 *
 * A reader is a line (core/line.h) with a place in a port's history. The guest waits for the slowest of its
 * readers, so that a burst of output is not lost, but not for long: one that has made no room for
 * CONSOLE_STEP_BYTES in CONSOLE_PATIENCE_NS is late. The guest does not wait for a late reader, which loses what
 * it does not read in time, and a line in the log says so. It is late no more when it has read everything.
 */
#ifndef VMRUN_DEVICES_CONSOLE_CONSOLE_READER_H
#define VMRUN_DEVICES_CONSOLE_CONSOLE_READER_H

#include "devices/console/console_history.h"
#include "devices/core/line.h"
#include "devices/core/log.h"

#define CONSOLE_STEP_BYTES  4096U
#define CONSOLE_PATIENCE_NS 2000000000ULL

/** enum console_role - What a reader is: FREE is a place for one */
enum console_role {
	CONSOLE_FREE,
	CONSOLE_SINK, /* the VM's standard output, or the terminal of --console-socket */
	CONSOLE_LOG,  /* a file with a largest size */
	CONSOLE_PEER, /* attached: a socket, both ways */
};

/**
 * struct console_reader - One of them; zeroed: none
 * @line:	Its fd is owned in CONSOLE_PEER and CONSOLE_LOG. -1: a user whom the supervisor has not brought
 *		to this process yet
 * @port:	Which it reads
 * @ticket:	CONSOLE_PEER: by which the supervisor knows the user
 * @at:		The next byte of the port's history that it wants
 * @lost:	Bytes that it lost since it was last told
 * @left:	CONSOLE_LOG: how many bytes the file may still grow by
 * @from, @until, @file_bytes: Of the last write to a file: what it was to write, and the file's size before it
 * @late:	The guest does not wait for it
 * @full:	CONSOLE_LOG: a line has said so
 * @gone:	A socket that has hung up; what a peer typed may still wait for the guest
 * @limit:	Budget of log lines
 */
struct console_reader {
	enum console_role role;
	struct line line;
	unsigned int port;
	uint64_t ticket;
	uint64_t at;
	uint64_t lost;
	uint64_t left;
	uint64_t from, until, file_bytes;
	bool late;
	bool full;
	bool gone;
	struct log_limit limit;
};

/**
 * console_reader_flush() - Write what the reader takes now
 * @r:		Not CONSOLE_FREE
 * @h:		The history of its port
 *
 * Context: locked
 * Syscalls: ppoll write sendto clock_gettime
 */
void console_reader_flush(struct console_reader *r, const struct console_history *h);

/**
 * console_reader_room() - How many more bytes the guest may write before this reader loses some
 * @r:		One that is late, has hung up or is CONSOLE_FREE has all of CONSOLE_HISTORY_BYTES
 * @h:		The history of its port
 *
 * Context: locked
 * Syscalls: none
 * Return: 0 to CONSOLE_HISTORY_BYTES
 */
uint32_t console_reader_room(const struct console_reader *r, const struct console_history *h);

/**
 * console_reader_give_up() - From now on the reader is late, and a line in the log says so
 * @r:		Not CONSOLE_FREE
 *
 * Context: locked
 * Syscalls: write clock_gettime
 */
void console_reader_give_up(struct console_reader *r);

/**
 * console_reader_set_log() - Have a CONSOLE_LOG reader go on with this file
 * @fd:		Taken over on success; a regular file open for appending
 * @max_bytes:	The largest size that it may have
 *
 * Context: any
 * Syscalls: fstat close
 * Return: 0 or -errno
 */
MUST_CHECK int console_reader_set_log(struct console_reader *r, int fd, uint64_t max_bytes,
				      struct err *err);

/**
 * console_reader_resume() - Go on where the last process stopped, which may have died while it wrote
 * @r:		Has its line
 * @h:		The history of its port
 *
 * Context: any
 * Syscalls: none
 */
void console_reader_resume(struct console_reader *r, const struct console_history *h);

/**
 * console_reader_finish() - Write what is left, waiting for the line
 * @h:		The history of its port
 * @timeout:	How long to wait when the line takes nothing; NULL: for ever
 *
 * Context: locked
 * Syscalls: ppoll write sendto
 */
void console_reader_finish(struct console_reader *r, const struct console_history *h,
			   const struct timespec *timeout);

#endif
