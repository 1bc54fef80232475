/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the guest sent and the host's end does not take yet
 *
 * A ring of bytes. For seqpacket a bit for each byte says whether a message ends behind it, so a buffer of
 * the size that the guest was promised holds every mix of messages. Empty messages look like none:
 * they are dropped, as Linux drops them.
 */
#ifndef VMRUN_DEVICES_VSOCK_VSOCK_BUF_H
#define VMRUN_DEVICES_VSOCK_VSOCK_BUF_H

#include <sys/uio.h>

#include "devices/core/virtqueue.h"

/**
 * struct vsock_buf - One ring of bytes
 * @data:	@cap bytes
 * @ends:	@cap bits, all zero where no byte is held; NULL for a stream
 * @cap:	A multiple of 8
 * @at:		The first byte held
 * @nr:		How many are held
 */
struct vsock_buf {
	uint8_t *data;
	uint8_t *ends;
	uint32_t cap, at, nr;
};

/**
 * vsock_buf_add() - Take the next @len bytes of a chain
 * @len:	At most what is free (vr_assert), and what the chain has
 */
void vsock_buf_add(struct vsock_buf *b, struct vq_chain *c, uint32_t len);

/** vsock_buf_end() - A message ends here; one without bytes is forgotten */
void vsock_buf_end(struct vsock_buf *b);

/** vsock_buf_message() - Bytes of the first message that is complete; 0: there is none */
uint32_t vsock_buf_message(const struct vsock_buf *b);

/** vsock_buf_iov() - Where the first @len bytes are (of those held); how many of the two pieces were filled */
unsigned int vsock_buf_iov(const struct vsock_buf *b, uint32_t len, struct iovec iov[2]);

/** vsock_buf_drop() - Forget the first @len bytes, of those held */
void vsock_buf_drop(struct vsock_buf *b, uint32_t len);

#endif
