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

/*
 * Reads one frame into the window and behind it the spill; *ret_direct is the window's share.
 * Syscalls: readv
 */
static ssize_t vnet_rx_read(struct vnet_rx *rx, const struct vnet_guess *g, int fd,
			    struct vnet_in *in, uint64_t *ret_direct)
{
	unsigned int nr = vq_window_iov(&in->window, rx->mergeable ? g->expect : 1, rx->iov,
					VQ_IOV_MAX - 1, ret_direct);

	rx->iov[nr++] = (struct iovec){in->spill, sizeof(in->spill)};
	return readv(fd, rx->iov, (int)nr);
}

/* Gives the driver a frame of @len bytes, which are all where they belong */
static void vnet_rx_deliver(const struct vnet_rx *rx, struct vq *q, struct vq_window *w,
			    uint64_t len)
{
	const uint16_t nr = (uint16_t)vq_window_chains(w, len);
	const uint8_t no_flags = 0;

	vq_window_write(w, offsetof(struct virtio_net_hdr_v1, num_buffers), &nr, sizeof(nr));
	if (!rx->guest_csum)
		vq_window_write(w, offsetof(struct virtio_net_hdr_v1, flags), &no_flags, 1);
	vq_window_use(w, q, len);
	vq_publish(q);
}

/* Gives the driver the frame in hand, once it has room for it; one that never will have is lost */
static enum vnet_step vnet_rx_go_on(const struct vnet_rx *rx, struct vq *q, struct vnet_in *in)
{
	struct vq_window *w = &in->window;
	const enum vq_result rc = vq_window_collect(w, q, in->held, VNET_HDR);

	if (rc == VQ_BROKEN)
		return VNET_RING_BROKEN;
	if (w->room >= in->held) {
		vq_window_write(w, in->direct, in->spill, (size_t)(in->held - in->direct));
		vnet_rx_deliver(rx, q, w, in->held);
	} else if (rc == VQ_EMPTY && w->nr < q->size) {
		return VNET_RING_DRY;
	}
	in->held = 0;
	return VNET_MORE;
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

/* Makes sure of a buffer, and of room for what probably comes if the driver has as much */
static enum vnet_step vnet_rx_prepare(const struct vnet_rx *rx, const struct vnet_guess *g,
				      struct vq *q, struct vq_window *w)
{
	if (vq_window_collect(w, q, rx->mergeable ? g->expect : 1, VNET_HDR) == VQ_BROKEN)
		return VNET_RING_BROKEN;
	return w->nr > 0 ? VNET_MORE : VNET_RING_DRY;
}

enum vnet_step vnet_rx_frame(struct vnet_rx *rx, struct vnet_guess *g, int fd, struct vq *q,
			     struct vnet_in *in, uint64_t *ret_bytes)
{
	enum vnet_step step = in->held ? vnet_rx_go_on(rx, q, in) : VNET_MORE;
	uint64_t direct;
	ssize_t rc;

	if (step == VNET_MORE)
		step = vnet_rx_prepare(rx, g, q, &in->window);
	if (step != VNET_MORE)
		return step;
	rc = vnet_rx_read(rx, g, fd, in, &direct);
	if (rc < 0 && errno == EAGAIN)
		return VNET_TAP_EMPTY;
	if (rc == 0 || (rc < 0 && errno == EBADFD))
		return VNET_GONE;
	if (rc < (ssize_t)VNET_HDR)
		return VNET_MORE;
	*ret_bytes = (uint64_t)rc;
	vnet_rx_learn(rx, g, (uint64_t)rc);
	if ((uint64_t)rc <= direct) {
		vnet_rx_deliver(rx, q, &in->window, (uint64_t)rc);
		return VNET_MORE;
	}
	if (!rx->mergeable || (uint64_t)rc == direct + sizeof(in->spill))
		return VNET_MORE;
	in->held = (uint64_t)rc;
	in->direct = direct;
	return vnet_rx_go_on(rx, q, in);
}

void vnet_rx_put_back(struct vnet_in *in, struct vq *q)
{
	vq_window_put_back(&in->window, q);
	in->held = 0;
}

enum vnet_step vnet_rx_put(const struct vnet_rx *rx, struct vq *q, struct vnet_in *in,
			   const void *frame, size_t len)
{
	static const struct virtio_net_hdr_v1 none;
	const uint64_t all = VNET_HDR + len;
	struct vq_window *w = &in->window;

	if (in->held)
		return VNET_RING_DRY;
	if (vq_window_collect(w, q, rx->mergeable ? all : 1, VNET_HDR) == VQ_BROKEN)
		return VNET_RING_BROKEN;
	if (w->nr == 0 || (rx->mergeable ? w->room : vq_window_first(w)) < all)
		return VNET_RING_DRY;
	vq_window_write(w, 0, &none, VNET_HDR);
	vq_window_write(w, VNET_HDR, frame, len);
	vnet_rx_deliver(rx, q, w, all);
	return VNET_MORE;
}
