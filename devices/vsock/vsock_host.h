/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The host's end of a connection, and the connection's life
 */
#ifndef VMRUN_DEVICES_VSOCK_VSOCK_HOST_H
#define VMRUN_DEVICES_VSOCK_VSOCK_HOST_H

#include "devices/vsock/vsock_state.h"

/** vsock_host_begin() - Take a place; the oldest one that only drains gives way. NULL: all are taken */
struct vsock_conn *vsock_host_begin(struct vsock *v, uint32_t guest_port, uint32_t host_port,
				    bool seqpacket);

/**
 * vsock_host_over() - The guest has done with the connection: it drains, or is gone
 *
 * Context: locked
 * Syscalls: epoll_ctl close
 */
void vsock_host_over(struct vsock *v, struct vsock_conn *c);

/**
 * vsock_host_abort() - Reset the connection: the guest hears a RST, the host's end is closed
 *
 * Context: locked
 * Syscalls: epoll_ctl close
 */
void vsock_host_abort(struct vsock *v, struct vsock_conn *c);

/**
 * vsock_host_drop() - Close the host's end and free the place; the guest hears nothing
 *
 * Context: locked
 * Syscalls: epoll_ctl close
 */
void vsock_host_drop(struct vsock *v, struct vsock_conn *c);

/**
 * vsock_host_attach() - Give a connection its host's end
 * @in, @out:	Become the connection's, also on failure. Non-blocking; -1: there is no such direction
 *
 * Context: locked
 * Syscalls: epoll_ctl
 * Return: 0 or -errno of epoll
 */
MUST_CHECK int vsock_host_attach(struct vsock *v, struct vsock_conn *c, int in, int out);

/**
 * vsock_host_read() - Read towards the guest
 * @iov:	Room for no more than the guest takes
 * @ret_end:	Whether a message ends behind these bytes
 *
 * Where the host's end is over, says so to the guest.
 * Context: locked
 * Syscalls: readv recvmsg read epoll_ctl close
 * Return: bytes read; 0 when there are none now; < 0 when the guest cannot take what comes next
 */
MUST_CHECK ssize_t vsock_host_read(struct vsock *v, struct vsock_conn *c, const struct iovec *iov,
				   unsigned int nr, bool *ret_end);

/**
 * vsock_host_write() - Write @len bytes of a chain, or keep what is not taken
 * @len:	Within the guest's credit
 * @end:	A message ends behind them
 *
 * Context: locked
 * Syscalls: writev shutdown epoll_ctl close
 */
void vsock_host_write(struct vsock *v, struct vsock_conn *c, struct vq_chain *from, uint32_t len,
		      bool end);

/**
 * vsock_host_flush() - Write what is held, as far as it is taken; then end what is due to end
 *
 * A connection that has drained is free afterwards.
 * Context: locked
 * Syscalls: writev shutdown epoll_ctl close
 */
void vsock_host_flush(struct vsock *v, struct vsock_conn *c);

/**
 * vsock_host_greet() - The guest has accepted: "OK <host port>" to the host's end if it expects that
 *
 * Context: locked
 * Syscalls: write
 * Return: false when it does not take the line
 */
MUST_CHECK bool vsock_host_greet(struct vsock_conn *c);

/**
 * vsock_host_stop() - The guest receives no more: stop reading
 *
 * Context: locked
 * Syscalls: shutdown epoll_ctl close
 */
void vsock_host_stop(struct vsock *v, struct vsock_conn *c);

/**
 * vsock_host_event() - An fd is ready
 * @is_out:	It is the one for writing only
 *
 * Context: locked
 * Syscalls: writev shutdown epoll_ctl close
 */
void vsock_host_event(struct vsock *v, struct vsock_conn *c, bool is_out, uint32_t events);

/**
 * vsock_host_close() - Close both directions
 *
 * Context: locked
 * Syscalls: epoll_ctl close
 */
void vsock_host_close(struct vsock *v, struct vsock_conn *c);

#endif
