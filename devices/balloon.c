/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio-balloon: memory that the guest gives back to the host (virtio 1.3 section 5.5)
 *
 * The host asks for a balloon of so many pages in the configuration space; the driver takes pages from its
 * guest and sends their numbers on the inflate queue, and on the deflate queue when it wants them back.
 * Besides, it reports ranges that happen to be free, and its statistics.
 *
 * Pages that are given up or reported are removed from the file behind guest RAM (MADV_REMOVE), which has
 * them leave every process that maps it. The page is a zero page when it is touched next, so deflating takes
 * no work here, and a driver that gives up what it still uses, its rings included, harms only itself.
 *
 * Numbers of pages are the driver's and hostile: gmem judges them. A driver counts its queues by the
 * features it took, as Linux does, or by the numbers in the specification: here queue 2 is that of the
 * statistics if they were negotiated, and all behind are for reports.
 */
#include <errno.h>
#include <linux/virtio_balloon.h>
#include <string.h>
#include <sys/mman.h>

#include "devices/core/device.h"

#define BALLOON_QUEUES	    5
#define BALLOON_INFLATE	    0
#define BALLOON_DEFLATE	    1
#define BALLOON_STATS	    2 /* if negotiated */
#define BALLOON_PAGE	    (1ULL << VIRTIO_BALLOON_PFN_SHIFT)
#define BALLOON_NUMBERS	    1024U      /* page numbers copied at once */
#define BALLOON_NUMBERS_MAX (1U << 16) /* of one request; Linux sends 256 */
#define BALLOON_PIECES_MAX  64U	       /* of one report; Linux sends 32 */
#define BALLOON_STATS_MAX   64U	       /* numbers of one set of statistics */
#define BALLOON_TURN_PAGES  (1U << 14) /* of one turn: 64 MiB, then others have theirs */

/**
 * struct balloon - State of one device
 * @config:	The configuration space: the target is ours, actual size and poison are the driver's
 * @poison_told: The driver has said what its free pages are filled with
 * @holds:	@held is the head of a chain of the driver's, which it fills with new statistics when it
 *		gets it back
 * @stats:	The last ones
 * @turn_pages:	Given up in this turn
 * @number:	Page numbers of the request at hand
 */
struct balloon {
	struct virtio_balloon_config config;
	bool poison_told;
	bool holds;
	uint16_t held;
	struct balloon_stats {
		uint64_t updates, known;
		uint64_t value[CTL_BALLOON_STATS_NR];
	} stats;
	uint64_t turn_pages;
	uint32_t number[BALLOON_NUMBERS];
	struct vq_chain chain;
	struct log_limit limit;
};

/**
 * balloon_punch() - Give whole pages of guest RAM back to the host
 * @b:		For the log; counts the pages
 * @at:		From gmem or a chain. What does not cover a page stays
 *
 * Where the host does not take them, they stay too, and a line in the log says so.
 * Context: locked
 * Syscalls: madvise
 */
static void balloon_punch(struct balloon *b, const struct iovec *at)
{
	const uint64_t start = (uint64_t)(uintptr_t)at->iov_base;
	const uint64_t head = -start & (BALLOON_PAGE - 1);
	uint64_t bytes;

	if (at->iov_len < head)
		return;
	bytes = (at->iov_len - head) & ~(BALLOON_PAGE - 1);
	if (bytes == 0)
		return;
	b->turn_pages += bytes / BALLOON_PAGE;
	if (madvise((uint8_t *)at->iov_base + head, bytes, MADV_REMOVE) < 0)
		log_limited(&b->limit, LOG_LEVEL_WARN,
			    "balloon: the host does not take pages back: %s", err_describe(errno));
}

/* ---- inflating: page numbers, of which neighbours go together ------------------------------ */

/** struct balloon_run - Pages [@first, @first + @nr), in guest RAM */
struct balloon_run {
	uint64_t first, nr;
};

static void balloon_give_up(struct device *d, struct balloon_run *run)
{
	struct iovec iov[GMEM_REGIONS_MAX];
	unsigned int n = gmem_iov(&d->mem, run->first * BALLOON_PAGE, run->nr * BALLOON_PAGE, iov,
				  GMEM_REGIONS_MAX);

	for (unsigned int i = 0; i < n; i++)
		balloon_punch(d->state, &iov[i]);
	run->nr = 0;
}

/* Adds a page to the run at either end, or begins another; false if it is no RAM */
static bool balloon_add(struct device *d, struct balloon_run *run, uint32_t page)
{
	if (!gmem_ptr(&d->mem, page * BALLOON_PAGE, BALLOON_PAGE))
		return false;
	if (run->nr > 0 && page == run->first + run->nr) {
		run->nr++;
	} else if (run->nr > 0 && page + 1ULL == run->first) {
		run->first = page;
		run->nr++;
	} else {
		balloon_give_up(d, run);
		*run = (struct balloon_run){page, 1};
	}
	return true;
}

/* Carries a request out; false if the driver names a page that is no RAM */
static bool balloon_inflate(struct device *d)
{
	struct balloon *b = d->state;
	struct balloon_run run = {0, 0};
	unsigned int left = BALLOON_NUMBERS_MAX;
	size_t n;

	while (left > 0 &&
	       (n = vq_read(&b->chain, b->number, sizeof(b->number)) / sizeof(uint32_t)) > 0) {
		for (size_t i = 0; i < n; i++) {
			if (!balloon_add(d, &run, b->number[i]))
				return false;
		}
		left -= BALLOON_NUMBERS;
	}
	balloon_give_up(d, &run);
	return true;
}

/* ---- reports of free pages ----------------------------------------------------------------- */

/* A guest whose free pages hold a pattern would find zeros in them. */
static bool balloon_may_clear(const struct device *d)
{
	const struct balloon *b = d->state;

	return !(d->acked & 1ULL << VIRTIO_BALLOON_F_PAGE_POISON) ||
	       (b->poison_told && b->config.poison_val == 0);
}

static void balloon_take_report(struct device *d)
{
	struct balloon *b = d->state;
	struct iovec iov[BALLOON_PIECES_MAX];
	unsigned int n = vq_iov(&b->chain, VQ_WRITABLE, vq_left(&b->chain, VQ_WRITABLE), iov,
				BALLOON_PIECES_MAX);

	for (unsigned int i = 0; i < n && balloon_may_clear(d); i++)
		balloon_punch(b, &iov[i]);
}

/* ---- statistics ---------------------------------------------------------------------------- */

static void balloon_give_back_stats(struct device *d)
{
	struct balloon *b = d->state;

	if (!b->holds)
		return;
	b->holds = false;
	vq_fill_head(&d->vq[BALLOON_STATS], b->held, 0);
	vq_publish(&d->vq[BALLOON_STATS]);
}

/* The driver sends a chain when it starts, and another each time it gets one back. One is kept. */
static void balloon_take_stats(struct device *d)
{
	struct balloon *b = d->state;
	struct balloon_stats s = {.updates = b->stats.updates + 1};
	struct virtio_balloon_stat one;

	balloon_give_back_stats(d);
	b->held = b->chain.head;
	b->holds = true;
	for (unsigned int i = 0; i < BALLOON_STATS_MAX; i++) {
		if (vq_read(&b->chain, &one, sizeof(one)) != sizeof(one))
			break;
		if (one.tag >= CTL_BALLOON_STATS_NR) /* of a younger driver */
			continue;
		s.value[one.tag] = one.val;
		s.known |= 1ULL << one.tag;
	}
	b->stats = s;
}

/* ---- queues -------------------------------------------------------------------------------- */

static bool balloon_serve(struct device *d, unsigned int q)
{
	struct balloon *b = d->state;

	if (q == BALLOON_STATS && d->acked & 1ULL << VIRTIO_BALLOON_F_STATS_VQ) {
		balloon_take_stats(d);
		return true;
	}
	if (q == BALLOON_INFLATE && !balloon_inflate(d)) {
		device_broken(d, q, "page outside guest memory");
		return false;
	}
	if (q > BALLOON_DEFLATE && !(d->acked & 1ULL << VIRTIO_BALLOON_F_REPORTING)) {
		device_broken(d, q, "queue that was not negotiated");
		return false;
	}
	if (q > BALLOON_DEFLATE)
		balloon_take_report(d);
	vq_push(&d->vq[q], &b->chain);
	return true;
}

static void balloon_queue(struct device *d, unsigned int q)
{
	struct balloon *b = d->state;
	unsigned int budget = DEVICE_BATCH;
	enum vq_result rc = VQ_CHAIN;

	b->turn_pages = 0;
	while (budget-- > 0 && b->turn_pages < BALLOON_TURN_PAGES &&
	       (rc = vq_pop(&d->vq[q], &b->chain)) == VQ_CHAIN) {
		if (!balloon_serve(d, q))
			return;
	}
	device_end_turn(d, q, rc);
}

/* A ring that goes on later pops the same chain again */
static void balloon_stop(struct device *d, unsigned int q)
{
	struct balloon *b = d->state;

	if (q != BALLOON_STATS || !b->holds)
		return;
	b->holds = false;
	vq_unpop(&d->vq[q], b->held);
}

/* ---- configuration space ------------------------------------------------------------------- */

/* Whether [@off, @off + @len) lies in a field of @bytes at @at */
static bool balloon_in(uint32_t off, uint32_t len, size_t at, size_t bytes)
{
	return off >= at && off - at <= bytes && len <= bytes - (off - at);
}

static int balloon_config(struct device *d, bool write, uint32_t off, void *buf, uint32_t len)
{
	struct balloon *b = d->state;
	struct virtio_balloon_config c = b->config;
	const uint64_t ram_pages = gmem_bytes(&d->mem) / BALLOON_PAGE;
	const bool poison = balloon_in(off, len, offsetof(struct virtio_balloon_config, poison_val),
				       sizeof(c.poison_val));

	if (!write) {
		/* Stand-alone, the target is older than the memory. */
		if (ram_pages > 0 && c.num_pages > ram_pages)
			c.num_pages = (uint32_t)ram_pages;
		memcpy(buf, (const uint8_t *)&c + off, len);
		return 0;
	}
	if (!poison &&
	    !balloon_in(off, len, offsetof(struct virtio_balloon_config, actual), sizeof(c.actual)))
		return -EPERM;
	memcpy((uint8_t *)&b->config + off, buf, len);
	b->poison_told |= poison;
	return 0;
}

/* ---- requests of the supervisor ------------------------------------------------------------ */

static int balloon_set_target(struct device *d, uint64_t bytes, struct err *err)
{
	struct balloon *b = d->state;
	const uint64_t ram_bytes = gmem_bytes(&d->mem);

	if (bytes > ram_bytes)
		return err_text(err, EINVAL,
				"the balloon must be at most the guest's %lu bytes of RAM, not %lu",
				ram_bytes, bytes);
	if (bytes % BALLOON_PAGE != 0)
		return err_text(err, EINVAL,
				"the size of a balloon must be a multiple of %u bytes, is %lu",
				(unsigned int)BALLOON_PAGE, bytes);
	if (b->config.num_pages != bytes / BALLOON_PAGE) {
		b->config.num_pages = (uint32_t)(bytes / BALLOON_PAGE);
		device_config_changed(d);
	}
	return 0;
}

static void balloon_tell_stats(struct device *d, struct ctl_msg *m)
{
	const struct balloon *b = d->state;
	const bool answers = d->runs[BALLOON_STATS] && d->acked & 1ULL << VIRTIO_BALLOON_F_STATS_VQ;

	m->value[CTL_BALLOON_UPDATES] = b->stats.updates;
	m->value[CTL_BALLOON_KNOWN] = b->stats.known | (answers ? CTL_BALLOON_ANSWERS : 0);
	memcpy(&m->value[CTL_BALLOON_STAT], b->stats.value, sizeof(b->stats.value));
	if (answers && m->code == 1) {
		balloon_give_back_stats(d);
		device_signal(d, BALLOON_STATS);
	}
}

static int balloon_control(struct device *d, struct ctl_msg *m, int *fd UNUSED, struct err *err)
{
	const struct balloon *b = d->state;
	int rc = 0;

	if (m->type == CTL_BALLOON_STATS) {
		balloon_tell_stats(d, m);
		return 0;
	}
	if (m->type != CTL_BALLOON)
		return -EPROTO;
	if (m->code == CTL_BALLOON_SET)
		rc = balloon_set_target(d, m->arg, err);
	m->value[CTL_BALLOON_TARGET] = b->config.num_pages * BALLOON_PAGE;
	m->value[CTL_BALLOON_ACTUAL] = b->config.actual * BALLOON_PAGE;
	return rc;
}

/* ---- setting up ---------------------------------------------------------------------------- */

static int balloon_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct balloon *b = d->state;
	struct balloon_settings s;
	int rc = boot_settings(rec, &s, sizeof(s), err);

	if (rc < 0)
		return rc;
	if (rec->nr_res != 0 || rec->nr_queues > 1)
		return err_text(err, EINVAL, "%s: %u resources, %u queues", rec->name, rec->nr_res,
				rec->nr_queues);
	if (s.size_bytes / BALLOON_PAGE > UINT32_MAX || s.deflate_on_oom > 1)
		return err_text(err, EINVAL, "%s: a balloon cannot have %lu bytes", rec->name,
				s.size_bytes);
	b->config.num_pages = (uint32_t)(s.size_bytes / BALLOON_PAGE);
	d->nr_queues = BALLOON_QUEUES;
	d->features = d->ops->features;
	if (!s.deflate_on_oom)
		d->features &= ~(1ULL << VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
	return 0;
}

const struct device_ops balloon_device = {
	.kind = &kind_table[KIND_BALLOON],
	.queue_max = VQ_SIZE_MAX,
	.features = 1ULL << VIRTIO_BALLOON_F_STATS_VQ | 1ULL << VIRTIO_BALLOON_F_DEFLATE_ON_OOM |
		    1ULL << VIRTIO_BALLOON_F_PAGE_POISON | 1ULL << VIRTIO_BALLOON_F_REPORTING,
	.state_size = sizeof(struct balloon),
	.init = balloon_init,
	.queue = balloon_queue,
	.stop = balloon_stop,
	.config = balloon_config,
	.control = balloon_control,
};
