/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The supervisor's part of vsock: the sockets of a VM, and connections for others
 *
 * bridge.h has what happens to the sockets.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_VSOCK_H
#define VMRUN_RUNTIME_SUPERVISOR_VSOCK_H

#include "runtime/supervisor/supervisor.h"

/** vsock_open() - Make the VM's sockets and put them on file; 0 also for a VM without vsock */
MUST_CHECK int vsock_open(struct supervisor *s, struct err *err);

/** vsock_close() - Remove them; safe without any */
void vsock_close(struct supervisor *s);

/**
 * vsock_connect() - Connect to a port of the guest, with any fd as the host's end
 * @in, @out:	What the guest receives is read from @in, what it sends is written to @out: one socket or pty for
 *		both, two pipes, or one pipe and -1. Borrowed: the device gets duplicates. They must not block
 * @then:	When the device has taken them, or has not: "done" hears why. The guest has not accepted then; where
 *		it does not, the ends are closed
 *
 * Return: 0 or -errno; -EOPNOTSUPP when the VM has no vsock device, or the kernel carries its connections
 */
MUST_CHECK int vsock_connect(struct supervisor *s, uint32_t port, int in, int out,
			     const struct ask_then *then, struct err *err);

/**
 * vsock_end() - End connections that vsock_connect() began, whatever the guest says
 * @port:	Of the guest
 * @host:	The host's port of each, as the device answered, @nr of them; 0: none
 * @then:	When the host's ends are closed, or have to take no more than what the guest has sent
 */
MUST_CHECK int vsock_end(struct supervisor *s, uint32_t port, const uint32_t *host, unsigned int nr,
			 const struct ask_then *then, struct err *err);

/**
 * vsock_silent() - A container's device does not answer: the VM ends
 *
 * It keeps the files of callers, and with them those that read what they write; and it carries the guest's control connection.
 */
void vsock_silent(struct supervisor *s);

/** vsock_may_ask() - Whether CTL_VSOCK_ASK from @p is legal */
bool vsock_may_ask(const struct supervisor *s, const struct spawned *p);

/** vsock_asked() - CTL_VSOCK_ASK, of which vsock_may_ask() */
void vsock_asked(struct supervisor *s, struct spawned *p, const struct ctl_msg *m);

/** vsock_at_ns() - When vsock_late() is due; 0: never */
uint64_t vsock_at_ns(const struct supervisor *s);

void vsock_late(struct supervisor *s);

#endif
