/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Deflate streams that break one rule of RFC 1951 each, written bit by bit
 */
#include "devices/block/inflate.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define FIXED	1
#define DYNAMIC 2

static uint8_t stream[128], out[64];
static size_t nr_bits;

/* A number: the lowest bit first */
static void put(unsigned int bits, uint32_t value)
{
	for (; bits > 0; bits--, value >>= 1, nr_bits++)
		stream[nr_bits / 8] |= (uint8_t)((value & 1) << nr_bits % 8);
}

/* A code: the highest bit first */
static void code(unsigned int bits, uint32_t value)
{
	while (bits-- > 0)
		put(1, value >> bits & 1);
}

/* The only block of a stream begins. */
static void begin(unsigned int kind)
{
	memset(stream, 0, sizeof(stream));
	nr_bits = 0;
	put(1, 1);
	put(2, kind);
}

/* A dynamic block with the lengths of the codes of @nr symbols of the code of lengths, in the order of the RFC */
static void begin_dynamic(unsigned int literals, unsigned int distances, const uint8_t *len,
			  unsigned int nr)
{
	begin(DYNAMIC);
	put(5, literals - 257);
	put(5, distances - 1);
	put(4, nr - 4);
	for (unsigned int i = 0; i < nr; i++)
		put(3, len[i]);
}

static ssize_t unpack(size_t out_bytes)
{
	memset(out, 0xaa, sizeof(out));
	return inflate_all(stream, sizeof(stream), out, out_bytes);
}

Test(inflate, symbols_of_the_fixed_code_that_mean_nothing)
{
	/* 'a', then the longest copy that there is: length 258, distance 1 */
	begin(FIXED);
	code(8, 0x30 + 'a');
	code(8, 0xc0 + 285 - 280);
	code(5, 0);
	code(7, 0);
	cr_expect_eq(unpack(sizeof(out)), -EINVAL, "258 bytes do not fit");
	for (unsigned int symbol = 286; symbol < 288; symbol++) {
		begin(FIXED);
		code(8, 0x30 + 'a');
		code(8, 0xc0 + symbol - 280);
		put(32, 0); /* would be a distance of 1, then the end */
		cr_expect_eq(unpack(sizeof(out)), -EINVAL, "length %u", symbol);
	}
	for (unsigned int symbol = 30; symbol < 32; symbol++) {
		begin(FIXED);
		code(8, 0x30 + 'a');
		code(7, 1);
		code(5, symbol);
		put(32, 0);
		cr_expect_eq(unpack(sizeof(out)), -EINVAL, "distance %u", symbol);
	}
}

Test(inflate, literals_end_where_the_output_ends)
{
	begin(FIXED);
	code(8, 0x30 + 'a');
	code(8, 0x30 + 'b');
	code(7, 0);
	cr_expect_eq(unpack(2), 2);
	cr_expect(memcmp(out, "ab\xaa", 3) == 0);
	cr_expect_eq(unpack(1), -EINVAL);
	cr_expect(memcmp(out, "a\xaa", 2) == 0, "not beyond the output");
}

/* Two symbols of the code of lengths, 1 and 18, have a code, 0 and 1. Literal 0 gets the code 0, the end 1. */
static void begin_with_zeros(unsigned int distances)
{
	static const uint8_t len[18] = {[2] = 1, [17] = 1};

	begin_dynamic(257, distances, len, ARRAY_SIZE(len));
	code(1, 0);
	code(1, 1);
	put(7, 138 - 11);
	code(1, 1);
	put(7, 117 - 11);
	code(1, 0);
}

Test(inflate, lengths_go_no_further_than_the_symbols)
{
	begin_with_zeros(11);
	code(1, 1);
	put(7, 0); /* no distance has a code */
	code(2, 1);
	cr_expect_eq(unpack(sizeof(out)), 1);
	cr_expect(memcmp(out, "\0\xaa", 2) == 0);
	begin_with_zeros(10);
	code(1, 1);
	put(7, 0); /* 11 lengths, where 10 are left */
	code(2, 1);
	cr_expect_eq(unpack(sizeof(out)), -EINVAL);
}

/* 1 has the code 0, 16 the code 10, 18 the code 11. */
Test(inflate, no_length_is_repeated_before_the_first)
{
	static const uint8_t len[18] = {[0] = 2, [2] = 2, [17] = 1};

	begin_dynamic(257, 11, len, ARRAY_SIZE(len));
	code(2, 2);
	put(2, 0); /* the length before the first, three times */
	code(1, 0);
	code(2, 3);
	put(7, 138 - 11);
	code(2, 3);
	put(7, 114 - 11);
	code(1, 0);
	code(2, 3);
	put(7, 0);
	code(2, 1);
	cr_expect_eq(unpack(sizeof(out)), -EINVAL);
}

Test(inflate, a_code_has_no_more_symbols_than_fit)
{
	for (unsigned int distances = 1; distances < 5; distances++) {
		begin_with_zeros(distances);
		code(distances, 0); /* each has one bit */
		code(2, 1);
		cr_expect_eq(unpack(sizeof(out)), distances <= 2 ? 1 : -EINVAL, "%u", distances);
	}
}

/* Literals 0 to 137 of 8 bits, the rest of the space unused: eight ones are no code */
Test(inflate, bits_that_are_no_code_are_an_error)
{
	static const uint8_t len[] = {0, 0, 1, 0, 1}; /* of 8, 0; of 18, 1 */

	begin_dynamic(257, 1, len, ARRAY_SIZE(len));
	for (unsigned int i = 0; i < 119; i++)
		code(1, 0); /* 8 */
	code(1, 1);
	put(7, 138 - 11);
	code(1, 0); /* the distance */
	code(8, 0);
	code(8, 0xff);
	put(32, 0xffffffff);
	cr_expect_eq(unpack(sizeof(out)), -EINVAL);
	cr_expect(memcmp(out, "\0\xaa", 2) == 0, "one literal");
}
