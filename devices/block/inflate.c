/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/inflate.h"

#include <errno.h>
#include <string.h>

#define BITS_MAX     15 /* of one code */
#define FAST_BITS    9	/* codes up to so many bits are looked up in one step */
#define LITERALS     288
#define DISTANCES    32
#define END_OF_BLOCK 256

/**
 * struct inflate_code - A prefix code
 * @count:	Codes of each length
 * @symbol:	Sorted by length, then by value
 * @fast:	By the next FAST_BITS bits: length << 12 | symbol; 0: the code is longer, or none
 */
struct inflate_code {
	uint16_t count[BITS_MAX + 1];
	uint16_t symbol[LITERALS];
	uint16_t fast[1 << FAST_BITS];
};

/**
 * struct inflate - A stream being unpacked
 * @bits, @nr_bits: Read ahead, the next one lowest
 * @bad:	The input ended early
 */
struct inflate {
	const uint8_t *in, *in_end;
	uint8_t *out;
	size_t out_at, out_bytes;
	uint64_t bits;
	unsigned int nr_bits;
	bool bad;
	struct inflate_code literals, distances;
};

/* What a symbol begins with, and how many bits are added to it */
static const uint16_t length_base[29] = {3,  4,	 5,  6,	  7,   8,   9,	 10,  11, 13,
					 15, 17, 19, 23,  27,  31,  35,	 43,  51, 59,
					 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_more[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
					2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t distance_base[30] = {
	1,   2,	  3,   4,   5,	 7,    9,    13,   17,	 25,   33,   49,   65,	  97,	 129,
	193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const uint8_t distance_more[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
					  6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

/* Reads ahead: at least 32 bits, zeros behind the input */
static void inflate_fill(struct inflate *s)
{
	while (s->nr_bits <= 56 && s->in < s->in_end) {
		s->bits |= (uint64_t)*s->in++ << s->nr_bits;
		s->nr_bits += 8;
	}
}

static void inflate_drop(struct inflate *s, unsigned int nr)
{
	if (nr > s->nr_bits) {
		s->bad = true;
		nr = s->nr_bits;
	}
	s->bits >>= nr;
	s->nr_bits -= nr;
}

/* The next @nr bits, at most 16 */
static uint32_t inflate_bits(struct inflate *s, unsigned int nr)
{
	uint32_t v;

	inflate_fill(s);
	v = (uint32_t)(s->bits & ((1ULL << nr) - 1));
	inflate_drop(s, nr);
	return v;
}

/* The code of a symbol, of @len bits, as it stands in the stream: the first bit lowest */
static unsigned int inflate_turn(unsigned int code, unsigned int len)
{
	unsigned int turned = 0;

	for (unsigned int i = 0; i < len; i++)
		turned |= (code >> i & 1) << (len - 1 - i);
	return turned;
}

/* Makes a code from the lengths of its symbols' codes; false when there are more codes than fit */
static bool inflate_make(struct inflate_code *c, const uint8_t *len, unsigned int nr)
{
	unsigned int code = 0, next[BITS_MAX + 1], at[BITS_MAX + 1] = {0};
	int left = 1;

	memset(c, 0, sizeof(*c));
	for (unsigned int i = 0; i < nr; i++)
		c->count[len[i]]++;
	c->count[0] = 0;
	for (unsigned int b = 1; b <= BITS_MAX; b++) {
		left = left * 2 - c->count[b];
		if (left < 0)
			return false;
		code = (code + c->count[b - 1]) << 1;
		next[b] = code;
		at[b] = at[b - 1] + c->count[b - 1];
	}
	for (unsigned int i = 0; i < nr; i++) {
		const unsigned int b = len[i];

		if (b == 0)
			continue;
		c->symbol[at[b]++] = (uint16_t)i;
		code = inflate_turn(next[b]++, b);
		for (; b <= FAST_BITS && code < 1 << FAST_BITS; code += 1U << b)
			c->fast[code] = (uint16_t)(b << 12 | i);
	}
	return true;
}

/* The next symbol; -1 when no code begins so */
static int inflate_symbol(struct inflate *s, const struct inflate_code *c)
{
	unsigned int code = 0, first = 0, index = 0, fast;

	inflate_fill(s);
	fast = c->fast[s->bits & ((1U << FAST_BITS) - 1)];
	if (fast) {
		inflate_drop(s, fast >> 12);
		return fast & 0xfff;
	}
	for (unsigned int b = 1; b <= BITS_MAX; b++) {
		code = code << 1 | (unsigned int)(s->bits >> (b - 1) & 1);
		first <<= 1;
		if (code - first < c->count[b]) {
			inflate_drop(s, b);
			return c->symbol[index + code - first];
		}
		index += c->count[b];
		first += c->count[b];
	}
	return -1;
}

static bool inflate_copy(struct inflate *s, unsigned int symbol)
{
	size_t len, distance;
	int d;

	if (symbol >= ARRAY_SIZE(length_base))
		return false;
	len = length_base[symbol] + inflate_bits(s, length_more[symbol]);
	d = inflate_symbol(s, &s->distances);
	if (d < 0 || (size_t)d >= ARRAY_SIZE(distance_base))
		return false;
	distance = distance_base[d] + inflate_bits(s, distance_more[d]);
	if (distance > s->out_at || len > s->out_bytes - s->out_at)
		return false;
	/* Source and target may overlap: a repeated pattern. */
	for (; len > 0; len--, s->out_at++)
		s->out[s->out_at] = s->out[s->out_at - distance];
	return true;
}

/* A block in the codes at hand */
static bool inflate_block(struct inflate *s)
{
	while (!s->bad) {
		int symbol = inflate_symbol(s, &s->literals);

		if (symbol == END_OF_BLOCK)
			return !s->bad;
		if (symbol < 0)
			return false;
		if (symbol > END_OF_BLOCK) {
			if (!inflate_copy(s, (unsigned int)symbol - END_OF_BLOCK - 1))
				return false;
		} else {
			if (s->out_at == s->out_bytes)
				return false;
			s->out[s->out_at++] = (uint8_t)symbol;
		}
	}
	return false;
}

static bool inflate_stored(struct inflate *s)
{
	uint32_t len, not_len;

	inflate_drop(s, s->nr_bits & 7);
	len = inflate_bits(s, 16);
	not_len = inflate_bits(s, 16);
	if (s->bad || (len ^ not_len) != 0xffff || len > s->out_bytes - s->out_at)
		return false;
	for (; len > 0 && !s->bad; len--)
		s->out[s->out_at++] = (uint8_t)inflate_bits(s, 8);
	return !s->bad;
}

static bool inflate_fixed(struct inflate *s)
{
	uint8_t len[LITERALS];

	memset(len, 8, 144);
	memset(len + 144, 9, 112);
	memset(len + 256, 7, 24);
	memset(len + 280, 8, 8);
	if (!inflate_make(&s->literals, len, LITERALS))
		return false;
	memset(len, 5, DISTANCES);
	return inflate_make(&s->distances, len, DISTANCES) && inflate_block(s);
}

/* The lengths of both codes come in a code of their own, where 16 to 18 are repetitions. */
static bool inflate_lengths(struct inflate *s, uint8_t *len, unsigned int nr)
{
	static const struct {
		uint8_t least, more;
	} repeats[] = {{3, 2}, {3, 3}, {11, 7}};
	unsigned int i = 0;

	while (i < nr && !s->bad) {
		int symbol = inflate_symbol(s, &s->literals);
		unsigned int times;

		if (symbol < 0 || (symbol == 16 && i == 0))
			return false;
		if (symbol < 16) {
			len[i++] = (uint8_t)symbol;
			continue;
		}
		times = repeats[symbol - 16].least + inflate_bits(s, repeats[symbol - 16].more);
		if (times > nr - i)
			return false;
		memset(len + i, symbol == 16 ? len[i - 1] : 0, times);
		i += times;
	}
	return !s->bad;
}

static bool inflate_dynamic(struct inflate *s)
{
	static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
					  11, 4,  12, 3, 13, 2, 14, 1, 15};
	const unsigned int nr_literals = inflate_bits(s, 5) + 257;
	const unsigned int nr_distances = inflate_bits(s, 5) + 1;
	const unsigned int nr = inflate_bits(s, 4) + 4;
	uint8_t len[LITERALS + DISTANCES] = {0};

	for (unsigned int i = 0; i < nr; i++)
		len[order[i]] = (uint8_t)inflate_bits(s, 3);
	if (nr_literals > LITERALS || !inflate_make(&s->literals, len, 19))
		return false;
	memset(len, 0, sizeof(len));
	return inflate_lengths(s, len, nr_literals + nr_distances) &&
	       inflate_make(&s->literals, len, nr_literals) &&
	       inflate_make(&s->distances, len + nr_literals, nr_distances) && inflate_block(s);
}

ssize_t inflate_all(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
	static bool (*const blocks[4])(struct inflate *) = {inflate_stored, inflate_fixed,
							    inflate_dynamic, NULL};
	struct inflate s = {.in = in, .in_end = in + in_bytes, .out = out, .out_bytes = out_bytes};
	bool last;

	do {
		unsigned int kind;

		last = inflate_bits(&s, 1);
		kind = inflate_bits(&s, 2);
		if (s.bad || !blocks[kind] || !blocks[kind](&s))
			return -EINVAL;
	} while (!last);
	return (ssize_t)s.out_at;
}
