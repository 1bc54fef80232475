/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The user's terminal as the console of a VM
 *
 * `run` and `console` switch it to raw mode, read it, and pass the keys on through a pipe (to the serial port)
 * or a socket (to a virtio console). Ctrl-A x ends the VM, Ctrl-A d leaves it alone, and Ctrl-A twice is one
 * Ctrl-A.
 *
 * Only a process in the foreground may do either: in the background it would be stopped, or take the
 * shell's keys. So the terminal is taken when it can be, given back before a stop, and taken again.
 */
#ifndef VMRUN_CMD_VMRUN_TERMINAL_H
#define VMRUN_CMD_VMRUN_TERMINAL_H

#include <termios.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

#define TERMINAL_KEYS 512 /* bytes of one read of the terminal, with what an escape may add */

/**
 * struct terminal - Zeroed: not in use
 * @used:	Standard input is a terminal, and this its state
 * @raw:	It is in raw mode and read by this process now
 * @escaped:	The last key was Ctrl-A
 * @rd, @wr:	The pipe, or @wr alone the socket; @rd is the VM's standard input
 * @keys:	Typed and not passed on yet, @nr_keys of them; a pipe that is full loses them
 * @before:	Its mode before
 */
struct terminal {
	bool used;
	bool raw;
	bool escaped;
	int rd;
	int wr;
	char keys[TERMINAL_KEYS];
	size_t nr_keys;
	struct termios before;
};

/** enum terminal_wish - What the user wants: GONE has hung up, QUIT wants the VM to end, LEAVE wants it to go on */
enum terminal_wish { TERMINAL_STAY, TERMINAL_GONE, TERMINAL_QUIT, TERMINAL_LEAVE };

/** terminal_open() - Make the pipe if standard input is a terminal; t->rd is -1 when not */
MUST_CHECK int terminal_open(struct terminal *t, struct err *err);

/**
 * terminal_take() - Switch to raw mode, if in the foreground
 *
 * Once the VM is there, and again whenever the foreground may have changed. SIGTTIN is ignored from then on.
 */
void terminal_take(struct terminal *t);

/** terminal_give_back() - As it was before; nothing in the background */
void terminal_give_back(struct terminal *t);

/** terminal_read() - Read keys into @t->keys, when t->raw and there are some; those there before are gone */
MUST_CHECK enum terminal_wish terminal_read(struct terminal *t);

/** terminal_pump() - Read keys and pass them on through the pipe, likewise */
MUST_CHECK enum terminal_wish terminal_pump(struct terminal *t);

/** terminal_close() - Give the terminal back and close the pipe; safe on a zeroed or closed one */
void terminal_close(struct terminal *t);

#endif
