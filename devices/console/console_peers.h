/* SPDX-License-Identifier: BSD-3-Clause */
/** DOC: Input: from the source and from attached users into the guest's buffers */
#ifndef VMRUN_DEVICES_CONSOLE_CONSOLE_PEERS_H
#define VMRUN_DEVICES_CONSOLE_CONSOLE_PEERS_H

#include "devices/console/console_state.h"

/**
 * console_peers_attach() - Give a user's socket to a port
 * @fd:		Taken over on success; a stream socket
 * @port:	Below settings.nr_ports
 * @ticket:	By which the supervisor knows the user; 0: by none
 *
 * It gets the history first; a user of the last process what it has not had yet.
 * Context: locked
 * Syscalls: fstat epoll_ctl ppoll sendto close
 * Return: 0; -EBUSY when CONSOLE_PEERS_MAX are attached; else -errno
 */
MUST_CHECK int console_peers_attach(struct device *d, int fd, unsigned int port, uint64_t ticket,
				    struct err *err);

/**
 * console_peers_input() - Pass on what users typed, as far as the guest has room
 * @port:	Below settings.nr_ports
 *
 * Context: locked
 * Syscalls: ppoll read recvmsg write close epoll_ctl
 */
void console_peers_input(struct device *d, unsigned int port);

#endif
