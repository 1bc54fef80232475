/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/aml.h"

#include <string.h>

enum {
	OP_ZERO = 0x00,
	OP_ONE = 0x01,
	OP_NAME = 0x08,
	OP_BYTE = 0x0a,
	OP_WORD = 0x0b,
	OP_DWORD = 0x0c,
	OP_STRING = 0x0d,
	OP_QWORD = 0x0e,
	OP_SCOPE = 0x10,
	OP_BUFFER = 0x11,
	OP_PACKAGE = 0x12,
	OP_METHOD = 0x14,
	OP_EXT = 0x5b,
	OP_NOTIFY = 0x86,
	OP_EXT_DEVICE = 0x82,
};

#define METHOD_SERIALIZED 0x08
#define RES_IO		  0x47 /* small descriptors: tag and length in one byte */
#define RES_IRQ		  0x22
#define RES_END		  0x79
#define RES_DWORD	  0x87 /* large ones: tag, then two bytes of length */
#define RES_WORD	  0x88
#define RES_TYPE_MEM	  0
#define RES_TYPE_IO	  1
#define RES_TYPE_BUS	  2
#define RES_FIXED	  0x0c /* minimum and maximum fixed, positive decode, producer */
#define RES_IO_RANGE	  0x03 /* ISA and other addresses */
#define RES_MEM_RW	  0x01 /* not cacheable */
#define CRS_BYTES_MAX	  256

void aml_init(struct aml *a, uint8_t *buf, size_t room)
{
	*a = (struct aml){.buf = buf, .room = room};
}

static void aml_bytes(struct aml *a, const void *p, size_t n)
{
	if (n > a->room - a->bytes) {
		a->full = true;
		return;
	}
	memcpy(a->buf + a->bytes, p, n);
	a->bytes += n;
}

static void aml_byte(struct aml *a, uint8_t byte)
{
	aml_bytes(a, &byte, 1);
}

/* The @n low bytes of @value, little endian as all of ACPI */
static void aml_le(struct aml *a, uint64_t value, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		aml_byte(a, (uint8_t)(value >> (8 * i)));
}

size_t aml_scope(struct aml *a, const char *path)
{
	size_t mark;

	aml_byte(a, OP_SCOPE);
	mark = a->bytes;
	aml_bytes(a, path, strlen(path));
	return mark;
}

size_t aml_device(struct aml *a, const char *name)
{
	size_t mark;

	aml_byte(a, OP_EXT);
	aml_byte(a, OP_EXT_DEVICE);
	mark = a->bytes;
	aml_bytes(a, name, strlen(name));
	return mark;
}

size_t aml_method(struct aml *a, const char *name, uint8_t nr_args)
{
	size_t mark;

	aml_byte(a, OP_METHOD);
	mark = a->bytes;
	aml_bytes(a, name, strlen(name));
	aml_byte(a, (uint8_t)(nr_args | METHOD_SERIALIZED));
	return mark;
}

void aml_notify(struct aml *a, const char *path, uint8_t value)
{
	aml_byte(a, OP_NOTIFY);
	aml_bytes(a, path, strlen(path));
	aml_int(a, value);
}

size_t aml_package(struct aml *a, uint8_t nr)
{
	size_t mark;

	aml_byte(a, OP_PACKAGE);
	mark = a->bytes;
	aml_byte(a, nr);
	return mark;
}

/* PkgLength counts itself: 6 bits in one byte, or 4 bits and 8 more in each byte that follows. */
void aml_close(struct aml *a, size_t mark)
{
	size_t inside = a->bytes - mark;
	unsigned int extra = 0;
	size_t length = inside + 1;
	uint8_t head[4];

	while (length >= (extra == 0 ? 1U << 6 : 1U << (4 + 8 * extra)))
		length = inside + 1 + ++extra;
	vr_assert(extra < sizeof(head));
	head[0] = (uint8_t)(extra == 0 ? length : extra << 6 | (length & 0xf));
	for (unsigned int i = 1; i <= extra; i++)
		head[i] = (uint8_t)(length >> (4 + 8 * (i - 1)));
	aml_bytes(a, head, extra + 1); /* makes room, or sets @full */
	if (a->full)
		return;
	memmove(a->buf + mark + extra + 1, a->buf + mark, inside);
	memcpy(a->buf + mark, head, extra + 1);
}

void aml_name(struct aml *a, const char *name)
{
	aml_byte(a, OP_NAME);
	aml_bytes(a, name, strlen(name));
}

void aml_int(struct aml *a, uint64_t value)
{
	static const struct {
		uint64_t max;
		uint8_t op, bytes;
	} forms[] = {{0, OP_ZERO, 0},		{1, OP_ONE, 0},
		     {0xff, OP_BYTE, 1},	{0xffff, OP_WORD, 2},
		     {0xffffffff, OP_DWORD, 4}, {UINT64_MAX, OP_QWORD, 8}};
	unsigned int i = 0;

	while (value > forms[i].max)
		i++;
	aml_byte(a, forms[i].op);
	aml_le(a, value, forms[i].bytes);
}

void aml_string(struct aml *a, const char *text)
{
	aml_byte(a, OP_STRING);
	aml_bytes(a, text, strlen(text) + 1);
}

static unsigned int aml_hex_digit(char c)
{
	return c <= '9' ? (unsigned int)(c - '0') : (unsigned int)(c - 'A') + 10;
}

/* Three letters of five bits and four hex digits, most significant first (section 19.3.4) */
void aml_eisa_id(struct aml *a, const char *id)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < 3; i++)
		value = value << 5 | (id[i] & 0x1f);
	for (unsigned int i = 3; i < 7; i++)
		value = value << 4 | aml_hex_digit(id[i]);
	aml_byte(a, OP_DWORD);
	aml_le(a, __builtin_bswap32(value), 4);
}

/* Address space descriptor; numbers have @width bytes: granularity, first, last, offset, count */
static void aml_crs_window(struct aml *crs, const struct aml_res *r, uint8_t type, uint8_t flags,
			   unsigned int width)
{
	aml_byte(crs, width == 2 ? RES_WORD : RES_DWORD);
	aml_le(crs, 3 + 5 * width, 2);
	aml_byte(crs, type);
	aml_byte(crs, RES_FIXED);
	aml_byte(crs, flags);
	aml_le(crs, 0, width);
	aml_le(crs, r->base, width);
	aml_le(crs, r->base + (r->bytes - 1), width);
	aml_le(crs, 0, width);
	aml_le(crs, r->bytes, width);
}

static void aml_crs_add(struct aml *crs, const struct aml_res *r)
{
	switch (r->type) {
	case AML_IO:
		aml_byte(crs, RES_IO);
		aml_byte(crs, 1); /* all 16 bits are decoded */
		aml_le(crs, r->base, 2);
		aml_le(crs, r->base, 2);
		aml_byte(crs, 1);
		aml_byte(crs, (uint8_t)r->bytes);
		break;
	case AML_IRQ:
		aml_byte(crs, RES_IRQ);
		aml_le(crs, 1U << r->base, 2);
		break;
	case AML_BUS: aml_crs_window(crs, r, RES_TYPE_BUS, 0, 2); break;
	case AML_IO_WINDOW: aml_crs_window(crs, r, RES_TYPE_IO, RES_IO_RANGE, 2); break;
	case AML_MEM_WINDOW: aml_crs_window(crs, r, RES_TYPE_MEM, RES_MEM_RW, 4); break;
	}
}

void aml_crs(struct aml *a, const struct aml_res *res, size_t nr)
{
	uint8_t bytes[CRS_BYTES_MAX];
	struct aml crs;
	size_t mark;

	aml_init(&crs, bytes, sizeof(bytes));
	for (size_t i = 0; i < nr; i++)
		aml_crs_add(&crs, &res[i]);
	aml_byte(&crs, RES_END);
	aml_byte(&crs, 0); /* no checksum */
	a->full |= crs.full;
	aml_name(a, "_CRS");
	aml_byte(a, OP_BUFFER);
	mark = a->bytes;
	aml_int(a, crs.bytes);
	aml_bytes(a, bytes, crs.bytes);
	aml_close(a, mark);
}
