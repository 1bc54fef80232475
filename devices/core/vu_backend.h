/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vhost-user back-end: serves one front-end with one device
 *
 * A ring is stopped until SET_VRING_KICK and from GET_VRING_BASE on. Its size, addresses and base may
 * change only while it is stopped; at SET_VRING_KICK they are translated, checked and frozen. A
 * started ring is processed while it is enabled. A request that fails is answered where the front-end
 * asked for an answer (REPLY_ACK), and otherwise ends the connection, as does one that breaks its
 * rule (vu_msg.h).
 *
 * A front-end that agreed on BACKEND_REQ and CONFIG, and handed over a channel, receives a message when
 * the configuration space changes (device_config_changed()). The back-end asks for no answer and never
 * reads from that channel.
 */
#ifndef VMRUN_DEVICES_CORE_VU_BACKEND_H
#define VMRUN_DEVICES_CORE_VU_BACKEND_H

#include "devices/core/vu_ring.h"

/**
 * vu_backend_init() - Watch @sock in the device's loop and serve it
 * @b:		Overwritten whole
 * @dev:	Initialised; its rings, memory and queue fds belong to the connection from here on
 * @sock:	Connected stream socket; borrowed until vu_backend_done()
 *
 * When the front-end goes away, or breaks a rule, the device is reset and the loop stopped.
 * Context: setup; everything after it runs from the loop
 * Syscalls: epoll_ctl; later recvmsg sendto
 * read write mmap munmap fstat close epoll_ctl
 * Return: 0 or -errno
 */
MUST_CHECK int vu_backend_init(struct vu_backend *b, struct device *dev, int sock, struct err *err);

/**
 * vu_backend_done() - Stop every ring, reset the device, give back what the front-end sent
 * @b:		Safe on a zeroed struct, and to call twice
 *
 * Afterwards the device is ready for another connection, unless its memory is settled.
 * Context: any
 * Syscalls: epoll_ctl close munmap
 */
void vu_backend_done(struct vu_backend *b);

#endif
