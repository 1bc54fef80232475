/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/vnet_rx.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <sys/uio.h>

#define VNET_HDR       sizeof(struct virtio_net_hdr_v1)
#define VNET_SMALL_RUN 16 /* small frames in a row before large ones are not expected any more */

_Static_assert(VNET_OVERHEAD == VNET_HDR + ETH_HLEN + 4, "what the header says");

void vnet_guess_reset(struct vnet_guess *g)
{
	*g = (struct vnet_guess){.expect = VNET_USUAL + VNET_OVERHEAD};
}

/* Makes sure of room for the frame that probably comes, and for the largest one if it comes */
static enum vnet_step vnet_rx_prepare(const struct vnet_rx *rx, struct vnet_guess *g, struct vq *q,
				      struct vq_window *w)
{
	enum vq_result rc = vq_window_collect(w, q, rx->mergeable ? g->expect : 1, VNET_HDR);
	uint64_t missing, each;

	if (rc == VQ_BROKEN)
		return VNET_RING_BROKEN;
	if (w->nr == 0)
		return VNET_RING_DRY;
	if (!rx->mergeable || w->room >= rx->frame_max)
		return VNET_MORE;
	missing = rx->frame_max - w->room;
	each = vq_window_first(w);
	if (missing / each < VQ_SIZE_MAX && vq_has(q, (unsigned int)(missing / each) + 1)) {
		g->hungry = false;
		return VNET_MORE;
	}
	rc = vq_window_collect(w, q, rx->frame_max, VNET_HDR);
	if (rc == VQ_EMPTY)
		return g->hungry ? VNET_MORE : VNET_RING_DRY;
	g->hungry = false;
	return rc == VQ_BROKEN ? VNET_RING_BROKEN : VNET_MORE;
}

/*
 * Reads one frame into the window and behind it the spill; *ret_direct is the window's share.
 * Syscalls: readv
 */
static ssize_t vnet_rx_read(struct vnet_rx *rx, const struct vnet_guess *g, int fd,
			    const struct vq_window *w, uint64_t *ret_direct)
{
	unsigned int nr = vq_window_iov(w, rx->mergeable ? g->expect : 1, rx->iov, VQ_IOV_MAX - 1,
					ret_direct);

	rx->iov[nr++] = (struct iovec){rx->spill, sizeof(rx->spill)};
	return readv(fd, rx->iov, (int)nr);
}

/* Gives the driver a frame of @len bytes, the first @direct of which are where they belong */
static void vnet_rx_deliver(const struct vnet_rx *rx, struct vq *q, struct vq_window *w,
			    uint64_t len, uint64_t direct)
{
	const uint16_t nr = (uint16_t)vq_window_chains(w, len);
	const uint8_t no_flags = 0;

	if (len > direct)
		vq_window_write(w, direct, rx->spill, (size_t)(len - direct));
	vq_window_write(w, offsetof(struct virtio_net_hdr_v1, num_buffers), &nr, sizeof(nr));
	if (!rx->guest_csum)
		vq_window_write(w, offsetof(struct virtio_net_hdr_v1, flags), &no_flags, 1);
	vq_window_use(w, q, len);
	vq_publish(q);
}

/* What a frame's size says about the next one's */
static void vnet_rx_learn(struct vnet_rx *rx, struct vnet_guess *g, uint64_t len)
{
	if (len > rx->frame_max)
		rx->frame_max = len;
	if (len > g->expect)
		g->expect = rx->frame_max;
	if (len > VNET_USUAL + VNET_OVERHEAD)
		g->small_run = 0;
	else if (++g->small_run >= VNET_SMALL_RUN)
		g->expect = VNET_USUAL + VNET_OVERHEAD;
}

enum vnet_step vnet_rx_frame(struct vnet_rx *rx, struct vnet_guess *g, int fd, struct vq *q,
			     struct vq_window *w, uint64_t *ret_bytes)
{
	enum vnet_step step = vnet_rx_prepare(rx, g, q, w);
	uint64_t direct, len;
	ssize_t rc;

	if (step != VNET_MORE)
		return step;
	rc = vnet_rx_read(rx, g, fd, w, &direct);
	if (rc < 0 && errno == EAGAIN)
		return VNET_TAP_EMPTY;
	if (rc == 0 || (rc < 0 && errno == EBADFD))
		return VNET_GONE;
	if (rc < (ssize_t)VNET_HDR)
		return VNET_MORE;
	len = (uint64_t)rc;
	*ret_bytes = len;
	vnet_rx_learn(rx, g, len);
	if (len > direct) {
		if (!rx->mergeable || len == direct + sizeof(rx->spill))
			return VNET_MORE;
		if (vq_window_collect(w, q, len, VNET_HDR) == VQ_BROKEN)
			return VNET_RING_BROKEN;
		if (w->room < len)
			return VNET_MORE;
	}
	vnet_rx_deliver(rx, q, w, len, direct);
	return VNET_MORE;
}

enum vnet_step vnet_rx_put(const struct vnet_rx *rx, struct vq *q, struct vq_window *w,
			   const void *frame, size_t len)
{
	static const struct virtio_net_hdr_v1 none;
	const uint64_t all = VNET_HDR + len;
	const enum vq_result rc = vq_window_collect(w, q, rx->mergeable ? all : 1, VNET_HDR);

	if (rc == VQ_BROKEN)
		return VNET_RING_BROKEN;
	if (w->nr == 0 || (rx->mergeable ? w->room : vq_window_first(w)) < all)
		return VNET_RING_DRY;
	vq_window_write(w, 0, &none, VNET_HDR);
	vq_window_write(w, VNET_HDR, frame, len);
	vnet_rx_deliver(rx, q, w, all, all);
	return VNET_MORE;
}
