/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio-rng, a source of entropy (virtio 1.3 section 5.4)
 *
 * One queue. A chain is writable room, which the kernel's generator fills in place. The smallest
 * device there is: read it to learn what a device looks like.
 */
#include <errno.h>
#include <sys/random.h>

#include "devices/core/device.h"

/* A request gets no more than this: a driver that wants a gigabyte must not keep the loop */
#define RNG_REQUEST_MAX 65536U

/**
 * struct rng - State of one device
 * @chain:	The request at hand; here because it is large
 */
struct rng {
	struct vq_chain chain;
};

/**
 * rng_fill() - Fill a request as far as it is allowed to go
 * @c:		Its writable part; a driver that sent none gets an empty answer
 *
 * Context: locked
 * Syscalls: getrandom
 */
static void rng_fill(struct vq_chain *c)
{
	uint32_t left = RNG_REQUEST_MAX;
	struct iovec iov;

	while (vq_iov(c, VQ_WRITABLE, left, &iov, 1) == 1) {
		ssize_t n = getrandom(iov.iov_base, iov.iov_len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		vq_skip(c, VQ_WRITABLE, (uint64_t)n);
		left -= (uint32_t)n;
	}
}

static void rng_queue(struct device *d, unsigned int q)
{
	struct rng *r = d->state;
	unsigned int budget = DEVICE_BATCH;
	enum vq_result rc = VQ_CHAIN;

	while (budget-- > 0 && (rc = vq_pop(&d->vq[q], &r->chain)) == VQ_CHAIN) {
		rng_fill(&r->chain);
		vq_push(&d->vq[q], &r->chain);
	}
	device_end_turn(d, q, rc);
}

static int rng_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	if (rec->nr_res != 0 || rec->nr_queues > 1 || rec->settings_bytes != 0)
		return err_text(err, EINVAL, "%s: %u resources, %u queues, %u bytes of settings",
				rec->name, rec->nr_res, rec->nr_queues, rec->settings_bytes);
	d->nr_queues = 1;
	return 0;
}

const struct device_ops rng_device = {
	.kind = &kind_table[KIND_RNG],
	.queue_max = VQ_SIZE_MAX,
	.state_size = sizeof(struct rng),
	.init = rng_init,
	.queue = rng_queue,
};
