/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Standard input and output at one end, the master of a pty at the other: `exec -t` in the foreground
 *
 * A user's terminal is in raw mode meanwhile, so that every key reaches the program, Ctrl-C and Ctrl-Z too.
 */
#ifndef VMRUN_CMD_VMRUN_RELAY_H
#define VMRUN_CMD_VMRUN_RELAY_H

#include <poll.h>

#include "cmd/vmrun/terminal.h"

#define RELAY_KEYS 4096

/**
 * struct relay - Zeroed but for @master, -1: not in use
 * @master:	Not blocking; owned
 * @key:	Of standard input, [@at, @nr) not passed on yet
 * @input_ended: No more will come
 * @terminal:	For the mode of standard input
 */
struct relay {
	int master;
	size_t at, nr;
	bool input_ended;
	struct terminal terminal;
	char key[RELAY_KEYS];
};

enum relay_slot { RELAY_STDIN, RELAY_MASTER, RELAY_SLOTS };

/** relay_open() - Take @master over, and the user's terminal if there is one */
MUST_CHECK int relay_open(struct relay *r, int master, struct err *err);

/** relay_poll() - What to wait for */
void relay_poll(const struct relay *r, struct pollfd p[RELAY_SLOTS]);

/** relay_serve() - Pass on what has come, after poll() */
void relay_serve(struct relay *r, const struct pollfd p[RELAY_SLOTS]);

/** relay_resize() - Give the pty the size of the user's terminal; false if that is not known */
bool relay_resize(const struct relay *r, uint16_t *ret_cols, uint16_t *ret_rows);

/** relay_finish() - Show what is left, and give the terminal back; safe to call twice */
void relay_finish(struct relay *r);

#endif
