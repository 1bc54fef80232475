/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A VM's console: users attach to it, its terminal changes its size, its log file is opened anew
 *
 * Of a user's terminal this process sees nothing: it hands the socket on, and bytes go between the user and the
 * device. Of a console that returns it keeps the socket open, for the next process, until the user has left. The terminal that --console-socket made is this process's controlling terminal, so that the kernel
 * reports a new size by SIGWINCH.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_CONSOLE_H
#define VMRUN_RUNTIME_SUPERVISOR_CONSOLE_H

#include "runtime/supervisor/client.h"
#include "runtime/supervisor/supervisor.h"

/**
 * console_attach() - Pass a user's socket on to the console, which answers later
 * @q:		REQUEST_CONSOLE
 * @client:	Receives the answer; the console's on success
 * @fd:		Borrowed
 *
 * Return: 0; -ENODEV when the VM has no virtio console; else as ask_process()
 */
MUST_CHECK int console_attach(struct supervisor *s, const struct request *q, int client, int fd,
			      struct err *err);

/**
 * console_attach_again() - Have a console that was started again go on with the users of the last process
 *
 * It gets their sockets in the order in which they came, before the VMM knows of it.
 */
MUST_CHECK int console_attach_again(struct supervisor *s, unsigned int i, struct err *err);

/** console_set_size() - Pass a size on, likewise; @q is REQUEST_CONSOLE_SIZE */
MUST_CHECK int console_set_size(struct supervisor *s, const struct request *q, int client,
				struct err *err);

/** console_reopen_log() - Open the console's log file anew: false when it has none */
bool console_reopen_log(struct supervisor *s);

/** console_take_terminal() - Have the kernel report the size of the VM's terminal, if it has one */
void console_take_terminal(const struct supervisor *s);

/** console_terminal_changed() - Tell the console the size of the VM's terminal, if it has both */
void console_terminal_changed(struct supervisor *s);

#endif
