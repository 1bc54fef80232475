/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A program that is run in a container by exec: the client's side of REQUEST_EXEC (client.h)
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_CLIENT_EXEC_H
#define VMRUN_RUNTIME_SUPERVISOR_CLIENT_EXEC_H

#include "devices/core/agent_msg.h"
#include "runtime/supervisor/client.h"

#define CLIENT_EXEC_FAILED                                                                         \
	255 /* the status to exit with if the program does not run, and it is not known why */
#define CLIENT_EXEC_LOST 137 /* if it ran, and its container is gone */

/**
 * struct client_exec - Zeroed but for @sock, -1: not begun
 * @sock:	Not blocking; owned
 * @started:	The program runs, or did
 * @ended:	It does not any more
 * @status:	To exit with, once @ended or after an error
 * @failed:	After an error: what the guest said of it; its code 0: it was not asked
 */
struct client_exec {
	int sock;
	bool started, ended;
	int status;
	struct agent_msg failed;
};

/**
 * client_exec_begin() - Ask for it
 * @dir:	State directory
 * @files:	By enum request_file; borrowed
 * @how:	REQUEST_EXEC_*; with REQUEST_EXEC_TERMINAL @files has a description and a terminal
 *
 * Syscalls: socket setsockopt connect getsockopt sendmsg fcntl
 * Return: 0 with ret->sock to wait for; -ESRCH when there is no supervisor
 */
MUST_CHECK int client_exec_begin(int dir, const int files[REQUEST_FILES], uint32_t how,
				 struct client_exec *ret, struct err *err);

/**
 * client_exec_hear() - Read one reply, when there is one
 * @warn:	Receives warnings; may be NULL
 *
 * Syscalls: recvfrom
 * Return: 0; or why the program does not run
 */
MUST_CHECK int client_exec_hear(struct client_exec *e, const struct warn_to *warn, struct err *err);

/** client_exec_signal() - Pass a signal on, 1 to 64.  Syscalls: sendto */
void client_exec_signal(const struct client_exec *e, int sig);

/** client_exec_size() - Tell the size of the terminal.  Syscalls: sendto */
void client_exec_size(const struct client_exec *e, uint16_t cols, uint16_t rows);

/** client_exec_done() - Close the connection, which kills a program that still runs; safe to call twice */
void client_exec_done(struct client_exec *e);

#endif
