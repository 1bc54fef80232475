/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Standard input and output at one end of a socket, a virtio console at the other
 *
 * Bytes go through this process between the user and the device, in no other. A user on a terminal has raw mode
 * and the keys of terminal.h; what comes from a pipe or file is passed on as it is.
 */
#ifndef VMRUN_CMD_VMRUN_ATTACH_H
#define VMRUN_CMD_VMRUN_ATTACH_H

#include <poll.h>

#include "cmd/vmrun/terminal.h"

/**
 * struct attach - Zeroed but for @sock, -1: not in use
 * @sock:	This process's end; owned
 * @on_terminal: Standard input is one
 * @at:		How many of @terminal.keys were passed on
 * @input_ended: No more input will come
 */
struct attach {
	int sock;
	bool on_terminal;
	size_t at;
	bool input_ended;
	struct terminal terminal;
};

enum attach_slot { ATTACH_STDIN, ATTACH_SOCK, ATTACH_SLOTS };

/** attach_open() - Make the socket pair; *@ret_fd is the device's end, the caller's */
MUST_CHECK int attach_open(struct attach *a, int *ret_fd, struct err *err);

/** attach_poll() - What to wait for */
void attach_poll(const struct attach *a, struct pollfd p[ATTACH_SLOTS]);

/**
 * attach_serve() - Pass on what has come, after poll()
 *
 * Return: TERMINAL_GONE when the device has closed its end too
 */
MUST_CHECK enum terminal_wish attach_serve(struct attach *a, const struct pollfd p[ATTACH_SLOTS]);

/** attach_finish() - Show what the device has sent before it closed its end */
void attach_finish(struct attach *a);

/** attach_size() - The size of the user's terminal as a request has it; 0: not known */
uint64_t attach_size(void);

/** attach_close() - Give the terminal back and close the socket; safe to call twice */
void attach_close(struct attach *a);

#endif
