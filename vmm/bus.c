/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/bus.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

static const char *const bus_space_name[] = {[BUS_PIO] = "port", [BUS_MMIO] = "mmio"};

void bus_init(struct bus *b)
{
	*b = (struct bus){.lock = PTHREAD_MUTEX_INITIALIZER};
}

/* The number of ranges that start at or below @addr: only the last of them can contain it. */
static unsigned int bus_upper(const struct bus *b, enum bus_space s, uint64_t addr)
{
	unsigned int lo = 0, hi = b->space[s].nr;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (b->space[s].range[mid].base <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int bus_add(struct bus *b, enum bus_space s, uint64_t base, uint64_t bytes,
	    void (*access)(void *, bool, uint64_t, void *, unsigned int), void *dev,
	    struct err *err)
{
	struct bus_range *range = b->space[s].range;
	unsigned int nr = b->space[s].nr, at = bus_upper(b, s, base);

	if (bytes == 0 || bytes - 1 > UINT64_MAX - base)
		return err_set(err, EINVAL, "%s range 0x%llx", bus_space_name[s],
			       (unsigned long long)base);
	if (nr == BUS_RANGES_MAX)
		return err_set(err, ENOSPC, "%s range 0x%llx", bus_space_name[s],
			       (unsigned long long)base);
	if ((at > 0 && base - range[at - 1].base < range[at - 1].bytes) ||
	    (at < nr && range[at].base - base < bytes))
		return err_set(err, EEXIST, "%s range 0x%llx overlaps another", bus_space_name[s],
			       (unsigned long long)base);
	memmove(&range[at + 1], &range[at], (nr - at) * sizeof(*range));
	range[at] = (struct bus_range){base, bytes, access, dev};
	b->space[s].nr++;
	return 0;
}

void bus_del(struct bus *b, enum bus_space s, uint64_t base)
{
	struct bus_range *range = b->space[s].range;
	unsigned int at = bus_upper(b, s, base);

	if (at == 0 || range[at - 1].base != base)
		return;
	memmove(&range[at - 1], &range[at], (b->space[s].nr - at) * sizeof(*range));
	b->space[s].nr--;
}

bool bus_wait(struct bus *b, int fd, unsigned int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	bool ready;

	pthread_mutex_unlock(&b->lock);
	ready = poll(&p, 1, (int)ms) > 0;
	pthread_mutex_lock(&b->lock);
	return ready;
}

void bus_access(struct bus *b, enum bus_space s, bool write, uint64_t addr, void *data,
		unsigned int len)
{
	const struct bus_range *r;
	unsigned int at;

	pthread_mutex_lock(&b->lock);
	at = bus_upper(b, s, addr);
	r = at > 0 ? &b->space[s].range[at - 1] : NULL;
	if (r && addr - r->base < r->bytes && len <= r->bytes - (addr - r->base))
		r->access(r->dev, write, addr - r->base, data, len);
	else if (!write)
		memset(data, 0xff, len);
	pthread_mutex_unlock(&b->lock);
}
