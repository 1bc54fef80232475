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
 * struct vu_channel - Both ends; -1 before the first vu_channel_open()
 * @ours:	What is heard
 * @theirs:	Kept for the next connection: the filter lets the VMM make no socket
 */
struct vu_channel {
	int ours, theirs;
};

/**
 * vu_channel_open() - Give the back-end its end, if it supports one; the first time, create the channel
 *
 * What an earlier back-end sent, and was not heard, is dropped.
 * Syscalls: socketpair fcntl sendto sendmsg poll recvfrom recvmsg read close
 * Return: 0, also if BACKEND_REQ and CONFIG were not agreed on; or -errno
 */
MUST_CHECK int vu_channel_open(struct vu_channel *ch, struct vu_conn *c, struct err *err);

/** vu_channel_hear() - backend_ops.hear, on our end @fd.  Syscalls: recvmsg sendto close */
MUST_CHECK int vu_channel_hear(const struct vu_conn *c, int fd, bool *ret_changed, struct err *err);

#endif
