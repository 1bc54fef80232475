/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a console leaves to its next process
 *
 * It lies in memory that the supervisor holds, where one process after the other maps it; without such memory it
 * dies with its process. A process may die between any two instructions. What it stored is there, in the order in
 * which it stored it, so each step below is right wherever it ends:
 *
 *   output   console_kept_port.began is the history's end before a chain is popped. A chain that is answered again
 *	      goes on behind the bytes that are in the history already
 *   input    typed: read into @data, then written into a chain, noted in @next, pushed. A chain that is not answered
 *	      again was pushed. A read that was not noted is found by the bytes 0xff that it did not replace, which
 *	      no text has
 *   readers  a write to a file is noted before and after; if only before, the file's size tells how far it came.
 *	      What was being written to a pipe, terminal or socket is written again: at most 4 KiB come twice
 *   messages of multiport are obeyed before they are pushed, and those to the guest are forgotten after that: each
 *	      may come twice, which changes nothing
 *
 * The last process may have been in enemy hands: console_kept_open() believes nothing.
 */
#ifndef VMRUN_DEVICES_CONSOLE_CONSOLE_KEPT_H
#define VMRUN_DEVICES_CONSOLE_CONSOLE_KEPT_H

#include "devices/console/console_reader.h"
#include "devices/core/settings.h"

#define CONSOLE_PEERS_MAX   8
#define CONSOLE_READERS_MAX (2 + CONSOLE_PEERS_MAX) /* the sink, the log, and the peers */
#define CONSOLE_READER_SINK 0
#define CONSOLE_READER_LOG  1
#define CONSOLE_INPUT_BYTES 4096U /* of one line in one go */
#define CONSOLE_TYPED_NONE  0xff  /* what a byte of input is before it was read */

/* What was stored before is there if the process dies later: only the compiler could change that order. */
#define CONSOLE_KEPT_ORDER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/**
 * struct console_typed - Input on its way from a line to the guest: bytes [@at, @nr) of @data
 * @next:	What @at will be when the chain at hand has been pushed; 0: there is none
 * @reading:	A read of up to so many bytes is under way; 0: none is
 */
struct console_typed {
	uint32_t at, nr;
	uint32_t next;
	uint32_t reading;
	uint8_t data[CONSOLE_INPUT_BYTES];
};

/**
 * struct console_kept_port - Of one port
 * @tell:	CONSOLE_TELL_*: the messages that it owes the guest
 * @known:	1: the guest has said that it knows the port
 * @open:	1: the guest takes input
 * @began:	The history's end when the chain at hand was popped
 */
struct console_kept_port {
	uint32_t tell;
	uint32_t known;
	uint32_t open;
	uint64_t began;
	struct console_typed typed;
	struct console_history history;
};

/** struct console_kept - Zeroed: new; @version tells that it is in use */
struct console_kept {
	uint32_t version;
	struct console_reader reader[CONSOLE_READERS_MAX];
	struct console_kept_port port[CONSOLE_PORTS_MAX];
};

_Static_assert(sizeof(struct console_kept) <= CONSOLE_KEPT_BYTES, "room for all of it");

/**
 * console_kept_open() - Map it, and find out how far the last process came
 * @fd:		Borrowed; a sealed file of CONSOLE_KEPT_BYTES. -1: memory of this process alone
 * @nr_ports:	1 to CONSOLE_PORTS_MAX
 *
 * Readers have no line yet; those of users wait for console_peers_attach().
 * Context: setup
 * Syscalls: fstat mmap
 * Return: 0 or -errno
 */
MUST_CHECK int console_kept_open(int fd, unsigned int nr_ports, struct console_kept **ret,
				 struct err *err);

/**
 * console_kept_close() - Unmap it; safe on NULL
 *
 * Context: setup that fails; a process that serves ends with it
 * Syscalls: munmap
 */
void console_kept_close(struct console_kept *k);

#endif
