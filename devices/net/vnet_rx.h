/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Frames from a TAP into a ring of receive buffers (virtio 1.3 section 5.1.6.3)
 *
 * The length of a frame is known only after it was read from the TAP, and a frame may take several
 * buffers (MRG_RXBUF). So buffers are popped for the expected size. The excess of a larger frame spills
 * into private memory and is copied, and that size is expected next. A frame for which the driver has too
 * few buffers out stays in hand until there are more, and no other is read meanwhile: the rest waits in
 * the TAP's queue, and TCP does not lose what it would have to send again. The caller gives the frame up
 * when the wait was in vain.
 */
#ifndef VMRUN_DEVICES_NET_VNET_RX_H
#define VMRUN_DEVICES_NET_VNET_RX_H

#include "devices/core/vq_window.h"

#define VNET_LARGE    65562U /* the largest frame with offloads that we expect, header counted */
#define VNET_USUAL    1500U  /* MTU */
#define VNET_OVERHEAD (12U + 14U + 4U) /* virtio's header, Ethernet, VLAN tag */
#define VNET_SPILL    (VNET_LARGE + 4096U)

/** enum vnet_step - How moving a frame went; the first two leave the TAP to be waited for */
enum vnet_step { VNET_MORE, VNET_TAP_EMPTY, VNET_RING_DRY, VNET_RING_BROKEN, VNET_GONE };

/**
 * struct vnet_guess - What the next frame from one queue of a TAP is thought to be
 * @expect:	Bytes it probably takes, with its header
 * @small_run:	Frames in a row that took less
 */
struct vnet_guess {
	uint64_t expect;
	unsigned int small_run;
};

/**
 * struct vnet_in - What is on its way into one ring
 * @window:	Buffers to receive into
 * @held:	Bytes of the frame in hand, with its header; 0: none
 * @direct:	How many of them lie in the window already; the others in @spill
 */
struct vnet_in {
	struct vq_window window;
	uint64_t held, direct;
	uint8_t spill[VNET_SPILL];
};

/**
 * struct vnet_rx - What the driver accepted
 * @mergeable:	MRG_RXBUF
 * @guest_csum:	GUEST_CSUM
 * @frame_max:	Bytes of the largest frame to have room for, with its header
 */
struct vnet_rx {
	bool mergeable, guest_csum;
	uint64_t frame_max;
	struct iovec iov[VQ_IOV_MAX];
};

/**
 * vnet_guess_reset() - Expect what is usual
 * @g:		Overwritten
 *
 * Context: any
 * Syscalls: none
 */
void vnet_guess_reset(struct vnet_guess *g);

/**
 * vnet_rx_frame() - Move one frame from a TAP into a ring
 * @rx:		What the driver accepted
 * @g:		What is expected of this queue of the TAP
 * @fd:		Queue of a TAP, non-blocking, a struct virtio_net_hdr_v1 before each frame
 * @q:		Ready
 * @in:		The ring's
 * @ret_bytes:	What was taken from the TAP, header counted, though it may be lost; else untouched
 *
 * Begins with the frame in hand. A frame that can never have room, and one larger than any that a TAP
 * should hand out, is lost. What is delivered is published.
 * Context: locked
 * Syscalls: readv
 * Return: VNET_MORE when a frame was taken from the TAP; anything else says why there is no use in
 * trying again at once. VNET_RING_BROKEN: q->broken tells whether the ring's rules were broken, or a
 * buffer is smaller than a header
 */
MUST_CHECK enum vnet_step vnet_rx_frame(struct vnet_rx *rx, struct vnet_guess *g, int fd,
					struct vq *q, struct vnet_in *in, uint64_t *ret_bytes);

/**
 * vnet_rx_put_back() - Give the driver its buffers back; a frame in hand is lost
 * @q:		The ring they are of
 *
 * Context: locked
 * Syscalls: none
 */
void vnet_rx_put_back(struct vnet_in *in, struct vq *q);

/**
 * vnet_rx_put() - Give the driver a frame that does not come from the TAP
 * @frame:	@len bytes, without a header: all checksums are filled in
 *
 * Never waits for buffers.
 * Context: locked
 * Syscalls: none
 * Return: VNET_MORE; VNET_RING_DRY when there is no room, and the frame is lost; VNET_RING_BROKEN as
 * vnet_rx_frame()
 */
MUST_CHECK enum vnet_step vnet_rx_put(const struct vnet_rx *rx, struct vq *q, struct vnet_in *in,
				      const void *frame, size_t len);

#endif
