/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/fmt.h"

#include <string.h>
#include <sys/types.h>

/* Where output goes; what does not fit is dropped */
struct fmt_out {
	char *buf;
	size_t room; /* bytes @buf takes beside the terminator */
	size_t len;
};

/* One conversion, as far as it has been read */
struct fmt_spec {
	bool zero;
	bool have_precision;
	unsigned int width;
	size_t precision;
	int length; /* -2 hh, -1 h, 0, 1 l or z, 2 ll */
};

static void fmt_put(struct fmt_out *o, char c)
{
	if (o->len < o->room)
		o->buf[o->len++] = c;
}

static void fmt_put_text(struct fmt_out *o, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fmt_put(o, s[i]);
}

/* Sign and zeros, or spaces and sign, then digits: what printf does with a width */
static void fmt_put_number(struct fmt_out *o, const struct fmt_spec *s, uint64_t v,
			   unsigned int base, bool negative)
{
	char digits[20]; /* of 2^64 - 1 in decimal */
	unsigned int n = 0, used;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0);
	used = n + negative;
	for (unsigned int i = used; !s->zero && i < s->width; i++)
		fmt_put(o, ' ');
	if (negative)
		fmt_put(o, '-');
	for (unsigned int i = used; s->zero && i < s->width; i++)
		fmt_put(o, '0');
	while (n > 0)
		fmt_put(o, digits[--n]);
}

/* The next argument as the caller passed it: what is narrower than int came as int */
#define FMT_ARG_SIGNED(s, ap)                                                                      \
	((s)->length == 2   ? va_arg(ap, long long)                                                \
	 : (s)->length == 1 ? va_arg(ap, long)                                                     \
			    : va_arg(ap, int))
#define FMT_ARG_UNSIGNED(s, ap)                                                                    \
	((s)->length == 2   ? va_arg(ap, unsigned long long)                                       \
	 : (s)->length == 1 ? va_arg(ap, unsigned long)                                            \
			    : va_arg(ap, unsigned int))

static void fmt_put_signed(struct fmt_out *o, const struct fmt_spec *s, long long v)
{
	if (s->length == -1)
		v = (short)v;
	if (s->length == -2)
		v = (signed char)v;
	/* Negated as unsigned: the most negative value has no positive twin. */
	fmt_put_number(o, s, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, v < 0);
}

static void fmt_put_unsigned(struct fmt_out *o, const struct fmt_spec *s, unsigned long long v,
			     unsigned int base)
{
	if (s->length == -1)
		v = (unsigned short)v;
	if (s->length == -2)
		v = (unsigned char)v;
	fmt_put_number(o, s, v, base, false);
}

static void fmt_put_string(struct fmt_out *o, const struct fmt_spec *s, const char *text)
{
	if (!text)
		text = "(null)";
	fmt_put_text(o, text, s->have_precision ? strnlen(text, s->precision) : strlen(text));
}

static void fmt_put_pointer(struct fmt_out *o, const void *p)
{
	const struct fmt_spec plain = {0};

	fmt_put_text(o, "0x", 2);
	fmt_put_number(o, &plain, (uintptr_t)p, 16, false);
}

/* Reads flags, width and length; leaves *@at on the conversion character. ".*" is the caller's. */
static void fmt_read_spec(const char **at, struct fmt_spec *s)
{
	const char *f = *at;

	*s = (struct fmt_spec){0};
	for (; *f == '0'; f++)
		s->zero = true;
	for (; *f >= '0' && *f <= '9'; f++) {
		s->width = s->width * 10 + (unsigned int)(*f - '0');
		vr_assert(s->width <= 64); /* columns of a message, not of a report */
	}
	if (f[0] == '.' && f[1] == '*') {
		s->have_precision = true;
		f += 2;
	}
	for (; *f == 'h'; f++)
		s->length--;
	for (; *f == 'l'; f++)
		s->length++;
	if (*f == 'z') {
		s->length = 1;
		f++;
	}
	vr_assert(s->length >= -2 && s->length <= 2);
	*at = f;
}

size_t fmt_vinto(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct fmt_out o = {.buf = buf, .room = size > 0 ? size - 1 : 0};
	struct fmt_spec s;
	int precision;

	for (const char *f = fmt; *f; f++) {
		if (*f != '%') {
			fmt_put(&o, *f);
			continue;
		}
		f++;
		fmt_read_spec(&f, &s);
		if (s.have_precision) {
			precision = va_arg(ap, int);
			s.have_precision = precision >= 0; /* C: a negative one counts as none */
			s.precision = s.have_precision ? (size_t)precision : 0;
		}
		switch (*f) {
		case 's': fmt_put_string(&o, &s, va_arg(ap, const char *)); break;
		case 'c': fmt_put(&o, (char)va_arg(ap, int)); break;
		case 'd':
		case 'i': fmt_put_signed(&o, &s, FMT_ARG_SIGNED(&s, ap)); break;
		case 'u': fmt_put_unsigned(&o, &s, FMT_ARG_UNSIGNED(&s, ap), 10); break;
		case 'x': fmt_put_unsigned(&o, &s, FMT_ARG_UNSIGNED(&s, ap), 16); break;
		case 'p': fmt_put_pointer(&o, va_arg(ap, const void *)); break;
		case '%': fmt_put(&o, '%'); break;
		default: vr_assert(!"a conversion that fmt.h names");
		}
	}
	if (size > 0)
		buf[o.len] = '\0';
	return o.len;
}

size_t fmt_into(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	len = fmt_vinto(buf, size, fmt, ap);
	va_end(ap);
	return len;
}

/* The character that begins at @at, if it is well-formed UTF-8: how many bytes it has, else 0 */
static size_t fmt_utf8(const char *at, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)at;
	size_t len = s[0] < 0x80       ? 1
		     : s[0] >> 5 == 6  ? 2
		     : s[0] >> 4 == 14 ? 3
		     : s[0] >> 3 == 30 ? 4
				       : 0;
	uint32_t c = len > 1 ? s[0] & (0x7fU >> len) : s[0];

	for (size_t i = 1; i < len; i++) {
		if (s[i] >> 6 != 2) /* the terminator is none either */
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	*ret = c;
	return len > 0 && c >= least[len] && c <= 0x10ffff && c >> 11 != 0x1b ? len : 0;
}

/* What moves a terminal's cursor, changes its state or its direction, or cannot be seen */
static bool fmt_unprintable(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0, 0x1f},	  {0x7f, 0x9f},	      {0xad, 0xad},	{0x61c, 0x61c},
		{0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f}, {0xfeff, 0xfeff},
		{0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

bool fmt_is_utf8(const char *text)
{
	size_t len = 1;
	uint32_t c;

	for (; *text && len > 0; text += len)
		len = fmt_utf8(text, &c);
	return len > 0;
}

size_t fmt_printable(char *text)
{
	char *to = text;
	size_t nr = 0;

	for (const char *at = text; *at; nr++) {
		uint32_t c;
		size_t len = fmt_utf8(at, &c);

		if (len == 0 || fmt_unprintable(c)) {
			*to++ = '?';
			at += len > 0 ? len : 1;
			continue;
		}
		while (len-- > 0)
			*to++ = *at++;
	}
	*to = '\0';
	return nr;
}
