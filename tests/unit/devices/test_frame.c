/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Frames of a guest's, each at the end of the memory there is: a byte read behind it kills
 */
#include "devices/net/frame.h"

#include <criterion/criterion.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096

static uint8_t *end;

static void setup(void)
{
	uint8_t *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);

	cr_assert_neq(p, MAP_FAILED);
	end = p + PAGE;
	cr_assert_eq(mprotect(end, PAGE, PROT_NONE), 0);
}

TestSuite(frame, .init = setup);

static void put16(uint8_t *at, unsigned int v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void sum_ip4(uint8_t *ip)
{
	uint32_t sum = 0;

	put16(ip + 10, 0);
	for (unsigned int i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}

/* A frame of UDP with a body of 4 bytes, and no checksum of its own */
static size_t write_udp(uint16_t type, uint8_t *frame)
{
	const bool four = type == ETH_P_IP;
	const size_t hdr = four ? 20 : 40;
	uint8_t *ip = frame + ETH_HLEN;

	memset(frame, 0, 128);
	memset(frame, 2, 2 * ETH_ALEN);
	put16(frame + 12, type);
	ip[0] = four ? 0x45 : 0x60;
	put16(ip + (four ? 2 : 4), four ? 32 : 12);
	ip[four ? 9 : 6] = 17;
	put16(ip + hdr, 68);
	put16(ip + hdr + 2, 67);
	put16(ip + hdr + 4, 12);
	if (four)
		sum_ip4(ip);
	return ETH_HLEN + hdr + 12;
}

/* Opens the first @len bytes of @frame, which lie where memory ends */
static bool opens(const uint8_t *frame, size_t len)
{
	struct frame_in in;
	const bool opened = frame_open(memcpy(end - len, frame, len), len, false, &in);

	cr_expect(!opened || (in.body + in.len <= end && in.body >= end - len));
	return opened;
}

Test(frame, cut_off_anywhere)
{
	static const uint16_t types[] = {ETH_P_IP, ETH_P_IPV6};
	uint8_t frame[128];

	for (unsigned int t = 0; t < ARRAY_SIZE(types); t++) {
		const size_t len = write_udp(types[t], frame);
		struct frame_in in;

		cr_expect(opens(frame, len));
		for (size_t n = 0; n < len; n++) {
			cr_expect_not(opens(frame, n), "type 0x%x, %zu bytes", types[t], n);
			frame_look(memcpy(end - n, frame, n), n, &in);
		}
	}
}

Test(frame, lengths_that_contradict_each_other)
{
	static const struct {
		uint16_t type;
		unsigned int at, value;
	} bad[] = {
		{ETH_P_IP, ETH_HLEN + 2, 33},	    {ETH_P_IP, ETH_HLEN + 2, 19},
		{ETH_P_IP, ETH_HLEN + 2, 27},	    {ETH_P_IP, ETH_HLEN + 20 + 4, 7},
		{ETH_P_IP, ETH_HLEN + 20 + 4, 13},  {ETH_P_IP, ETH_HLEN + 6, 0x2000},
		{ETH_P_IPV6, ETH_HLEN + 4, 13},	    {ETH_P_IPV6, ETH_HLEN + 4, 7},
		{ETH_P_IPV6, ETH_HLEN + 40 + 4, 7}, {ETH_P_IPV6, ETH_HLEN + 40 + 4, 13},
	};
	uint8_t frame[128];

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		const size_t len = write_udp(bad[i].type, frame);

		put16(frame + bad[i].at, bad[i].value);
		if (bad[i].type == ETH_P_IP)
			sum_ip4(frame + ETH_HLEN);
		cr_expect_not(opens(frame, len), "row %u", i);
	}
}

Test(frame, takes_all_of_something_or_nothing)
{
	struct frame_out *f = (struct frame_out *)(end - sizeof(*f));

	f->max = FRAME_MAX;
	f->len = FRAME_MAX - 3;
	f->full = false;
	cr_expect_eq(frame_put(f, "abcd", 4), NULL);
	cr_expect(f->full && f->len == FRAME_MAX - 3);
	frame_put32(f, 0x01020304);
	cr_expect_eq(f->len, FRAME_MAX - 3);
	cr_expect_neq(frame_put(f, "abc", 3), NULL);
	cr_expect_eq(f->len, FRAME_MAX);
	cr_expect_eq(frame_put(f, "d", 1), NULL);
	cr_expect_eq(memcmp(f->byte + FRAME_MAX - 3, "abc", 3), 0);
}
