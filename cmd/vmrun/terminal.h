/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The user's terminal as the console of a VM in the foreground
 *
 * The serial device cannot read the terminal itself: it is in another session. So `run` switches the
 * terminal to raw mode, reads it, and passes the keys on through a pipe; Ctrl-A x ends the VM, and
 * Ctrl-A twice is one Ctrl-A.
 */
#ifndef VMRUN_CMD_VMRUN_TERMINAL_H
#define VMRUN_CMD_VMRUN_TERMINAL_H

#include <termios.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * struct terminal - Zeroed: not in use
 * @rd, @wr:	The pipe; @rd is the VM's standard input
 * @escaped:	The last key was Ctrl-A
 */
struct terminal {
	bool raw;
	bool escaped;
	int rd;
	int wr;
	struct termios before;
};

/** terminal_open() - Make the pipe if standard input is a terminal; t->rd is -1 when not */
MUST_CHECK int terminal_open(struct terminal *t, struct err *err);

/** terminal_raw() - Switch to raw mode, once the VM is there */
void terminal_raw(struct terminal *t);

/** terminal_pump() - Pass keys on: false when the user wants the VM to end */
bool terminal_pump(struct terminal *t);

/** terminal_close() - Restore the terminal and close the pipe; safe on a zeroed or closed one */
void terminal_close(struct terminal *t);

#endif
