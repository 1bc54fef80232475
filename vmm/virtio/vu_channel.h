/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a vhost-user back-end says of its own accord
 *
 * A stream socket pair beside the connection (SET_BACKEND_REQ_FD), on which we only listen. One
 * request is understood: the configuration space has changed. Whatever else comes, half a message
 * included, breaks the protocol. Our end is non-blocking: nothing here waits for the other process.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_CHANNEL_H
#define VMRUN_VMM_VIRTIO_VU_CHANNEL_H

#include "vmm/virtio/vu_conn.h"

/**
 * vu_channel_open() - Make the channel and hand the other end over, if the back-end has a use for it
 * @ret_fd:	Our end, the caller's to close; untouched where BACKEND_REQ and CONFIG are not agreed on
 *
 * Context: setup.  Syscalls: socketpair fcntl sendto sendmsg poll recvmsg read close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_channel_open(struct vu_conn *c, int *ret_fd, struct err *err);

/** vu_channel_hear() - backend_ops.hear of the channel @fd of @c.  Syscalls: recvmsg sendto close */
MUST_CHECK int vu_channel_hear(const struct vu_conn *c, int fd, bool *ret_changed, struct err *err);

#endif
