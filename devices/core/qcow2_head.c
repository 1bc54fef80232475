/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/qcow2_head.h"

#include <errno.h>
#include <string.h>

#define HEAD_MAGIC    0x514649fbU /* "QFI\xfb" */
#define HEAD_V2_BYTES 72U
#define HEAD_V3_BYTES 104U

/* Offsets of fields */
enum {
	AT_VERSION = 4,
	AT_BACKING = 8,
	AT_BACKING_BYTES = 16,
	AT_CLUSTER_BITS = 20,
	AT_BYTES = 24,
	AT_CRYPT = 32,
	AT_L1_ENTRIES = 36,
	AT_L1 = 40,
	AT_REFS = QCOW2_AT_REFS,
	AT_REFS_CLUSTERS = 56,
	AT_SNAPSHOTS = 60,
	AT_INCOMPATIBLE = QCOW2_AT_INCOMPATIBLE,
	AT_COMPATIBLE = 80,
	AT_AUTOCLEAR = 88,
	AT_REFCOUNT_ORDER = 96,
	AT_HEAD_BYTES = 100,
};

/* Incompatible features */
#define F_CORRUPT     (1ULL << 1)
#define F_DATA_FILE   (1ULL << 2)
#define F_COMPRESSION (1ULL << 3)
#define F_EXTENDED_L2 (1ULL << 4)

/* Compatible features */
#define F_LAZY (1ULL << 0)

/* Extensions of the head */
#define EXT_END		   0U
#define EXT_BACKING_FORMAT 0xe2792acaU
#define EXT_BITMAPS	   0x23852875U

/**
 * struct qcow2_source - The bytes at hand
 * @bytes:	Of @buf
 * @end:	Where the first cluster or @buf ends: nothing beyond belongs to the head
 */
struct qcow2_source {
	const uint8_t *buf;
	size_t bytes, end;
	uint64_t file_bytes;
};

static uint32_t qcow2_be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static int qcow2_head_version(const struct qcow2_source *s, struct qcow2_head *h, struct err *err)
{
	if (s->bytes < HEAD_V2_BYTES || qcow2_be32(s->buf) != HEAD_MAGIC)
		return err_text(err, EINVAL, "is not a qcow2 image");
	h->version = qcow2_be32(s->buf + AT_VERSION);
	if (h->version != 2 && h->version != 3)
		return err_text(err, EINVAL, "qcow2 of version %u: only 2 and 3 are supported",
				h->version);
	if (h->version == 3 && s->bytes < HEAD_V3_BYTES)
		return err_text(err, EINVAL, "is too short for a qcow2 image");
	h->cluster_bits = qcow2_be32(s->buf + AT_CLUSTER_BITS);
	if (h->cluster_bits < QCOW2_CLUSTER_MIN || h->cluster_bits > QCOW2_CLUSTER_MAX)
		return err_text(err, EINVAL, "clusters of 2^%u bytes: 2^%d to 2^%d are supported",
				h->cluster_bits, QCOW2_CLUSTER_MIN, QCOW2_CLUSTER_MAX);
	h->refcount_order = h->version == 2 ? 4 : qcow2_be32(s->buf + AT_REFCOUNT_ORDER);
	if (h->refcount_order > 6)
		return err_text(err, EINVAL, "refcounts of 2^%u bits: at most 64 bits are possible",
				h->refcount_order);
	return 0;
}

static int qcow2_head_features(const struct qcow2_source *s, struct qcow2_head *h, struct err *err)
{
	const uint32_t crypt = qcow2_be32(s->buf + AT_CRYPT);
	const uint64_t f = h->version == 2 ? 0 : qcow2_be64(s->buf + AT_INCOMPATIBLE);
	const uint64_t known = QCOW2_F_DIRTY | F_CORRUPT | F_DATA_FILE | F_COMPRESSION |
			       F_EXTENDED_L2;

	if (crypt)
		return err_text(err, EINVAL, "encrypted images are not supported");
	if (f & F_DATA_FILE)
		return err_text(err, EINVAL, "images with an external data file are not supported");
	if (f & F_COMPRESSION)
		return err_text(err, EINVAL, "compression other than zlib is not supported");
	if (f & F_EXTENDED_L2)
		return err_text(err, EINVAL, "images with extended L2 entries are not supported");
	if (f & ~known)
		return err_text(err, EINVAL, "unknown incompatible features 0x%lx", f & ~known);
	h->lazy = h->version == 3 && qcow2_be64(s->buf + AT_COMPATIBLE) & F_LAZY;
	h->dirty = f & QCOW2_F_DIRTY;
	if (h->dirty && h->lazy)
		h->why_readonly = "was not closed after its last use: run qemu-img check -r all";
	else if (f & F_CORRUPT)
		h->why_readonly = "is marked as corrupt: run qemu-img check -r all";
	else if (qcow2_be32(s->buf + AT_SNAPSHOTS) > 0)
		h->why_readonly = "has internal snapshots, beside which vmrun cannot write";
	else if (h->version == 3 && qcow2_be64(s->buf + AT_AUTOCLEAR) != 0)
		h->why_readonly = "has persistent bitmaps, which vmrun cannot keep up to date";
	return 0;
}

/* A table has whole clusters of its own, inside the file and behind the head. */
static int qcow2_head_table(const struct qcow2_source *s, const struct qcow2_head *h,
			    const char *what, const uint64_t range[2], struct err *err)
{
	const uint64_t cluster = 1ULL << h->cluster_bits;

	if (range[0] % cluster != 0 || range[0] < cluster)
		return err_text(err, EINVAL, "the %s is at 0x%lx, where none can be", what,
				range[0]);
	if (range[1] == 0 || range[1] > s->file_bytes || range[0] > s->file_bytes - range[1])
		return err_text(err, EINVAL, "the %s is not inside the file", what);
	return 0;
}

static int qcow2_head_tables(const struct qcow2_source *s, struct qcow2_head *h, struct err *err)
{
	const uint32_t table_bits = h->cluster_bits + h->cluster_bits - 3;
	const uint64_t needed = (h->bytes >> table_bits) + (h->bytes % (1ULL << table_bits) > 0);
	uint64_t l1[2] = {h->l1_off, h->l1_entries * 8ULL};
	uint64_t refs[2] = {h->refs_off, (uint64_t)h->refs_clusters << h->cluster_bits};
	int rc;

	if (l1[1] > QCOW2_L1_BYTES_MAX)
		return err_text(err, EINVAL, "its L1 table has more than %u bytes",
				QCOW2_L1_BYTES_MAX);
	if (refs[1] > QCOW2_REFS_BYTES_MAX)
		return err_text(err, EINVAL, "its refcount table has more than %u bytes",
				QCOW2_REFS_BYTES_MAX);
	if (h->l1_entries < needed)
		return err_text(err, EINVAL,
				"its L1 table has %u entries, too few for a disk of %lu bytes",
				h->l1_entries, h->bytes);
	rc = qcow2_head_table(s, h, "L1 table", l1, err);
	if (rc == 0)
		rc = qcow2_head_table(s, h, "refcount table", refs, err);
	if (rc == 0 && l1[0] < refs[0] + refs[1] && refs[0] < l1[0] + l1[1])
		return err_text(err, EINVAL, "the L1 table and the refcount table overlap");
	return rc;
}

static int qcow2_head_sizes(const struct qcow2_source *s, struct qcow2_head *h, struct err *err)
{
	h->bytes = qcow2_be64(s->buf + AT_BYTES);
	h->l1_off = qcow2_be64(s->buf + AT_L1);
	h->l1_entries = qcow2_be32(s->buf + AT_L1_ENTRIES);
	h->refs_off = qcow2_be64(s->buf + AT_REFS);
	h->refs_clusters = qcow2_be32(s->buf + AT_REFS_CLUSTERS);
	if (h->bytes == 0 || h->bytes > INT64_MAX)
		return err_text(err, EINVAL, "a disk cannot have %lu bytes", h->bytes);
	if (h->bytes % 512 != 0)
		return err_text(err, EINVAL, "its size, %lu bytes, is not a multiple of 512",
				h->bytes);
	return qcow2_head_tables(s, h, err);
}

/* Extensions lie between the fields and the backing file's name. */
static int qcow2_head_extensions(const struct qcow2_source *s, size_t from, size_t to,
				 struct qcow2_head *h, struct err *err)
{
	while (from <= to && to - from >= 8) {
		const uint32_t type = qcow2_be32(s->buf + from);
		const uint32_t len = qcow2_be32(s->buf + from + 4);
		const uint8_t *text = s->buf + from + 8;

		if (type == EXT_END)
			return 0;
		if (len > to - from - 8)
			return err_text(err, EINVAL, "a header extension ends behind the header");
		if (type == EXT_BACKING_FORMAT) {
			if (len >= sizeof(h->backing_format) || memchr(text, 0, len))
				return err_text(err, EINVAL,
						"the format of its backing file has no valid name");
			memcpy(h->backing_format, text, len);
		} else if (type == EXT_BITMAPS && !h->why_readonly) {
			h->why_readonly = "has persistent bitmaps, which vmrun cannot keep up to "
					  "date";
		}
		from += 8 + (((size_t)len + 7) & ~(size_t)7);
	}
	return 0;
}

static int qcow2_head_backing(const struct qcow2_source *s, struct qcow2_head *h, struct err *err)
{
	const uint64_t off = qcow2_be64(s->buf + AT_BACKING);
	const uint32_t len = qcow2_be32(s->buf + AT_BACKING_BYTES);
	const uint32_t fields = h->version == 2 ? HEAD_V2_BYTES
						: qcow2_be32(s->buf + AT_HEAD_BYTES);

	if ((h->version == 3 && fields < HEAD_V3_BYTES) || fields > s->end)
		return err_text(err, EINVAL, "a qcow2 header cannot have %u bytes", fields);
	if (off == 0)
		return qcow2_head_extensions(s, fields, s->end, h, err);
	if (len == 0 || len >= sizeof(h->backing) || off < fields || off > s->end ||
	    len > s->end - off)
		return err_text(err, EINVAL, "the name of its backing file is not in the header");
	if (memchr(s->buf + off, 0, len))
		return err_text(err, EINVAL, "the name of its backing file has a zero byte");
	memcpy(h->backing, s->buf + off, len);
	return qcow2_head_extensions(s, fields, (size_t)off, h, err);
}

int qcow2_head_parse(const uint8_t *buf, size_t bytes, uint64_t file_bytes, struct qcow2_head *ret,
		     struct err *err)
{
	static int (*const steps[])(const struct qcow2_source *, struct qcow2_head *,
				    struct err *) = {
		qcow2_head_features,
		qcow2_head_sizes,
		qcow2_head_backing,
	};
	struct qcow2_source s = {.buf = buf, .bytes = bytes, .file_bytes = file_bytes};
	struct qcow2_head h = {0};
	int rc = qcow2_head_version(&s, &h, err);

	if (rc < 0)
		return rc;
	s.end = bytes < 1ULL << h.cluster_bits ? bytes : (size_t)1 << h.cluster_bits;
	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(steps); i++)
		rc = steps[i](&s, &h, err);
	if (rc == 0)
		*ret = h;
	return rc;
}
