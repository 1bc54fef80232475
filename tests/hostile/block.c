/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A disk's process in enemy hands
 *
 * Linked in place of devices/block/block.c. When the guest has set the disk up it tries all that its policy
 * leaves it to make the image larger, or to fill the host's file system without that; and at last what
 * its policy does not leave it. It says in its log what came of each.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/virtio_blk.h>
#include <string.h>
#include <sys/uio.h>

#include "devices/core/device.h"
#include "devices/core/settings.h"

#define FAR (1LL << 40)

struct block {
	off_t bytes;
};

static uint8_t block_data[65536];

static void block_say(const char *what, long rc)
{
	log_warn("%s: %s", what, rc < 0 ? strerror(errno) : "done");
}

static long block_pwrite(off_t off)
{
	struct iovec iov = {.iov_base = block_data, .iov_len = sizeof(block_data)};

	return pwritev(BOOT_FD_RES, &iov, 1, off);
}

/* At the file's own position, which nothing can set: from the beginning for as long as it goes */
static long block_write_on(void)
{
	long rc;

	do
		rc = write(BOOT_FD_RES, block_data, sizeof(block_data));
	while (rc > 0);
	return rc;
}

static int block_start(struct device *d, uint64_t features UNUSED)
{
	const struct block *b = d->state;
	const int punch = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;

	memset(block_data, 0xee, sizeof(block_data));
	block_say("write at the end", block_pwrite(b->bytes));
	block_say("write far behind it", block_pwrite(FAR));
	block_say("write on and on", block_write_on());
	block_say("hole far behind it", fallocate(BOOT_FD_RES, punch, FAR, FAR));
	log_warn("and now for more");
	block_say("allocate behind it",
		  fallocate(BOOT_FD_RES, FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE, b->bytes,
			    64LL << 20));
	return 0;
}

static void block_queue(struct device *d UNUSED, unsigned int q UNUSED)
{
}

static int block_config(struct device *d UNUSED, bool write UNUSED, uint32_t off UNUSED, void *buf,
			uint32_t len)
{
	memset(buf, 0, len);
	return 0;
}

static int block_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct block *b = d->state;
	struct block_settings s;
	int rc;

	rc = boot_settings(rec, &s, sizeof(s), err);
	if (rc < 0)
		return rc;
	b->bytes = (off_t)s.capacity_bytes;
	d->nr_queues = 1;
	return 0;
}

const struct device_ops block_device = {
	.kind = &kind_table[KIND_BLOCK],
	.queue_max = VQ_SIZE_MAX,
	.state_size = sizeof(struct block),
	.init = block_init,
	.start = block_start,
	.queue = block_queue,
	.config = block_config,
};
