/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/gmem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define GMEM_PAGE 4096U /* smallest page of every architecture; the kernel may want larger ones */

/* Whether [a, a + a_bytes) and [b, b + b_bytes) meet; neither wraps */
static bool gmem_overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a < b ? b - a < a_bytes : a - b < b_bytes;
}

/* The checks of a region that need no file */
static int gmem_check(const struct gmem *m, const struct gmem_region *r, struct err *err)
{
	if (m->nr >= GMEM_REGIONS_MAX)
		return err_text(err, ENOSPC, "guest memory: more than %d regions",
				GMEM_REGIONS_MAX);
	if (r->bytes == 0 || r->bytes % GMEM_PAGE != 0 || r->gpa % GMEM_PAGE != 0)
		return err_text(
			err, EINVAL,
			"guest memory: region at 0x%lx of 0x%lx bytes is empty or unaligned",
			r->gpa, r->bytes);
	if (r->bytes - 1 > UINT64_MAX - r->gpa || r->bytes - 1 > UINT64_MAX - r->user_addr)
		return err_text(err, EINVAL,
				"guest memory: region at 0x%lx of 0x%lx bytes wraps around", r->gpa,
				r->bytes);
	for (unsigned int i = 0; i < m->nr; i++) {
		const struct gmem_region *o = &m->region[i];

		/* Two regions at one front-end address would make translation ambiguous. */
		if (gmem_overlap(o->gpa, o->bytes, r->gpa, r->bytes) ||
		    (o->user_addr != 0 && r->user_addr != 0 &&
		     gmem_overlap(o->user_addr, o->bytes, r->user_addr, r->bytes)))
			return err_text(err, EINVAL,
					"guest memory: regions at 0x%lx and 0x%lx overlap", o->gpa,
					r->gpa);
	}
	return 0;
}

static int gmem_check_file(int fd, uint64_t offset, uint64_t bytes, struct err *err)
{
	struct stat st;

	/* By number: glibc's fstat() is newfstatat, which takes a path as well. */
	if (syscall(SYS_fstat, fd, &st) < 0)
		return err_set(err, errno, "guest memory: fstat");
	if (offset % GMEM_PAGE != 0)
		return err_text(err, EINVAL, "guest memory: file offset 0x%lx is unaligned",
				offset);
	/* A mapping past the end of the file would be a SIGBUS for the guest to trigger. */
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || bytes > (uint64_t)st.st_size ||
	    offset > (uint64_t)st.st_size - bytes)
		return err_text(err, EINVAL,
				"guest memory: file ends before offset 0x%lx + 0x%lx bytes", offset,
				bytes);
	return 0;
}

int gmem_map(struct gmem *m, int fd, uint64_t offset, uint64_t gpa, uint64_t bytes,
	     uint64_t user_addr, struct err *err)
{
	struct gmem_region r = {.gpa = gpa, .bytes = bytes, .user_addr = user_addr};
	unsigned int at = 0;
	void *base;
	int rc;

	rc = gmem_check(m, &r, err);
	if (rc == 0)
		rc = gmem_check_file(fd, offset, bytes, err);
	if (rc < 0)
		return rc;
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
	if (base == MAP_FAILED)
		return err_set(err, errno, "guest memory: mmap of 0x%lx bytes", bytes);
	r.base = base;
	while (at < m->nr && m->region[at].gpa < gpa)
		at++;
	memmove(&m->region[at + 1], &m->region[at], (m->nr - at) * sizeof(r));
	m->region[at] = r;
	m->nr++;
	return 0;
}

void gmem_done(struct gmem *m)
{
	for (unsigned int i = 0; i < m->nr; i++)
		munmap(m->region[i].base, m->region[i].bytes);
	*m = (struct gmem){0};
}

uint64_t gmem_bytes(const struct gmem *m)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < m->nr; i++)
		sum += m->region[i].bytes;
	return sum;
}

/* The region @gpa lies in, and how far from its start; NULL when it is no RAM */
static const struct gmem_region *gmem_find(const struct gmem *m, uint64_t gpa, uint64_t *ret_off)
{
	for (unsigned int i = 0; i < m->nr; i++) {
		const struct gmem_region *r = &m->region[i];

		if (gpa >= r->gpa && gpa - r->gpa < r->bytes) {
			*ret_off = gpa - r->gpa;
			return r;
		}
	}
	return NULL;
}

void *gmem_ptr(const struct gmem *m, uint64_t gpa, uint64_t len)
{
	uint64_t off;
	const struct gmem_region *r = gmem_find(m, gpa, &off);

	if (!r || len == 0 || len > r->bytes - off)
		return NULL;
	return r->base + off;
}

bool gmem_user_to_gpa(const struct gmem *m, uint64_t user_addr, uint64_t len, uint64_t *ret_gpa)
{
	for (unsigned int i = 0; i < m->nr; i++) {
		const struct gmem_region *r = &m->region[i];
		uint64_t off = user_addr - r->user_addr;

		if (r->user_addr == 0 || user_addr < r->user_addr || off >= r->bytes)
			continue;
		if (len == 0 || len > r->bytes - off)
			return false;
		*ret_gpa = r->gpa + off;
		return true;
	}
	return false;
}

unsigned int gmem_iov(const struct gmem *m, uint64_t gpa, uint64_t len, struct iovec *ret_iov,
		      unsigned int max)
{
	unsigned int n = 0;

	while (len > 0) {
		uint64_t off, part;
		const struct gmem_region *r = gmem_find(m, gpa, &off);

		if (!r || n == max)
			return 0;
		part = r->bytes - off < len ? r->bytes - off : len;
		ret_iov[n].iov_base = r->base + off;
		ret_iov[n].iov_len = part;
		n++;
		len -= part;
		if (len > 0 && part > UINT64_MAX - gpa)
			return 0;
		gpa += part;
	}
	return n;
}

bool gmem_read(const struct gmem *m, uint64_t gpa, void *dst, size_t len)
{
	struct iovec iov[GMEM_REGIONS_MAX];
	unsigned int n = gmem_iov(m, gpa, len, iov, GMEM_REGIONS_MAX);
	size_t done = 0;

	for (unsigned int i = 0; i < n; i++) {
		memcpy((char *)dst + done, iov[i].iov_base, iov[i].iov_len);
		done += iov[i].iov_len;
	}
	return n > 0;
}

bool gmem_write(const struct gmem *m, uint64_t gpa, const void *src, size_t len)
{
	struct iovec iov[GMEM_REGIONS_MAX];
	unsigned int n = gmem_iov(m, gpa, len, iov, GMEM_REGIONS_MAX);
	size_t done = 0;

	for (unsigned int i = 0; i < n; i++) {
		memcpy(iov[i].iov_base, (const char *)src + done, iov[i].iov_len);
		done += iov[i].iov_len;
	}
	return n > 0;
}
