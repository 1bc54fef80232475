/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Messages that a vhost-user back-end sends on its own
 *
 * They come on a second stream socket (SET_BACKEND_REQ_FD). We understand one: the configuration space has
 * changed. Anything else violates the protocol, also half a message. Our end is non-blocking: nothing here
 * waits for the other process.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_CHANNEL_H
#define VMRUN_VMM_VIRTIO_VU_CHANNEL_H

#include "vmm/virtio/vu_conn.h"

/**
 * vu_channel_open() - Create the channel and send its other end, if the back-end supports it
 * @ret_fd:	Our end, owned by the caller; untouched unless BACKEND_REQ and CONFIG are agreed on
 *
 * Context: setup
 * Syscalls: socketpair fcntl sendto sendmsg poll recvmsg read close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_channel_open(struct vu_conn *c, int *ret_fd, struct err *err);

/** vu_channel_hear() - backend_ops.hear, for the channel @fd.  Syscalls: recvmsg sendto close */
MUST_CHECK int vu_channel_hear(const struct vu_conn *c, int fd, bool *ret_changed, struct err *err);

#endif
