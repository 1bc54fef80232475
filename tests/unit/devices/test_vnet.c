/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/vnet.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define BIT(f) (1ULL << VIRTIO_NET_F_##f)
#define CSUM   VIRTIO_NET_HDR_F_NEEDS_CSUM
#define TSO4   VIRTIO_NET_HDR_GSO_TCPV4
#define TSO6   VIRTIO_NET_HDR_GSO_TCPV6
#define USO    VNET_GSO_UDP_L4
#define ALL    (BIT(CSUM) | BIT(HOST_TSO4) | BIT(HOST_TSO6) | 1ULL << VNET_F_HOST_USO)

Test(vnet, offers_what_the_tap_can_take)
{
	cr_assert_eq(vnet_offered(0), 0);
	cr_assert_eq(vnet_offered(0x18), 0, "ECN and UFO");
	cr_assert_eq(vnet_offered(1), BIT(CSUM) | BIT(GUEST_CSUM));
	cr_assert_eq(vnet_offered(3), vnet_offered(1) | BIT(HOST_TSO4) | BIT(GUEST_TSO4));
	cr_assert_eq(vnet_offered(5), vnet_offered(1) | BIT(HOST_TSO6) | BIT(GUEST_TSO6));
	cr_assert_eq(vnet_offered(0x21), vnet_offered(1) | 1ULL << VNET_F_GUEST_USO4);
	cr_assert_eq(vnet_offered(0x7f), VNET_F_OFFLOADS);
}

Test(vnet, tells_the_tap_what_the_driver_accepted)
{
	const uint64_t uso4 = 1ULL << VNET_F_GUEST_USO4, uso6 = 1ULL << VNET_F_GUEST_USO6;

	cr_assert_eq(vnet_tun_flags(0), 0);
	cr_assert_eq(vnet_tun_flags(ALL), 0, "what the driver sends is not what it takes");
	cr_assert_eq(vnet_tun_flags(BIT(GUEST_CSUM)), 1);
	cr_assert_eq(vnet_tun_flags(BIT(GUEST_TSO4)), 0, "the kernel refuses that");
	cr_assert_eq(vnet_tun_flags(BIT(GUEST_CSUM) | BIT(GUEST_TSO4)), 3);
	cr_assert_eq(vnet_tun_flags(BIT(GUEST_CSUM) | BIT(GUEST_TSO6)), 5);
	cr_assert_eq(vnet_tun_flags(BIT(GUEST_CSUM) | uso4), 1, "and that");
	cr_assert_eq(vnet_tun_flags(BIT(GUEST_CSUM) | uso4 | uso6), 0x61);
	cr_assert_eq(vnet_tun_flags(UINT64_MAX), 0x67);
}

static const struct {
	const char *what;
	struct virtio_net_hdr_v1 h;
	uint64_t bytes;
	uint64_t needs; /* features; 0: never passes */
} frames[] = {
	{"no frame", {0}, 0, 0},
	{"less than an Ethernet header", {0}, 13, 0},
	{"the largest", {0}, 65562, BIT(MAC)},
	{"larger than the largest", {0}, 65563, 0},
	{"of 2^32 bytes", {0}, 1ULL << 32, 0},
	{"checksum", {.flags = CSUM, .csum_start = 34, .csum_offset = 16}, 60, BIT(CSUM)},
	{"checksum at the end",
	 {.flags = CSUM, .csum_start = 34, .csum_offset = 24},
	 60,
	 BIT(CSUM)},
	{"checksum over the end", {.flags = CSUM, .csum_start = 34, .csum_offset = 25}, 60, 0},
	{"checksum behind the end", {.flags = CSUM, .csum_start = 65535}, 60, 0},
	{"wrapping", {.flags = CSUM, .csum_start = 65535, .csum_offset = 65535}, 60, 0},
	{"offsets of no checksum", {.csum_start = 65535, .csum_offset = 65535}, 60, BIT(MAC)},
	{"unknown flags", {.flags = 0xfe}, 60, BIT(MAC)},
	{"TSO4",
	 {.flags = CSUM, .gso_type = TSO4, .gso_size = 1448},
	 9000,
	 BIT(CSUM) | BIT(HOST_TSO4)},
	{"TSO6",
	 {.flags = CSUM, .gso_type = TSO6, .gso_size = 1448},
	 9000,
	 BIT(CSUM) | BIT(HOST_TSO6)},
	{"USO",
	 {.flags = CSUM, .gso_type = USO, .gso_size = 1448},
	 9000,
	 BIT(CSUM) | 1ULL << VNET_F_HOST_USO},
	{"TSO of size 0", {.flags = CSUM, .gso_type = TSO4}, 9000, 0},
	{"TSO without checksum", {.gso_type = TSO4, .gso_size = 1448}, 9000, 0},
	{"TSO with ECN", {.flags = CSUM, .gso_type = TSO4 | 0x80, .gso_size = 1448}, 9000, 0},
	{"UFO", {.flags = CSUM, .gso_type = 3, .gso_size = 1448}, 9000, 0},
	{"type 2", {.flags = CSUM, .gso_type = 2, .gso_size = 1448}, 9000, 0},
	{"type 6", {.flags = CSUM, .gso_type = 6, .gso_size = 1448}, 9000, 0},
	{"type 255", {.flags = CSUM, .gso_type = 255, .gso_size = 1448}, 9000, 0},
};

Test(vnet, frames_pass_with_the_features_they_need)
{
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		struct virtio_net_hdr_v1 h = frames[i].h;

		cr_expect_eq(vnet_frame_ok(&h, frames[i].bytes, ALL), frames[i].needs != 0, "%s",
			     frames[i].what);
		for (unsigned int bit = 0; bit < 64; bit++) {
			if (!(frames[i].needs & ALL & 1ULL << bit))
				continue;
			h = frames[i].h;
			cr_expect(!vnet_frame_ok(&h, frames[i].bytes, ALL & ~(1ULL << bit)),
				  "%s without %u", frames[i].what, bit);
		}
	}
}

Test(vnet, headers_are_made_fit_for_the_kernel)
{
	static const uint16_t lengths[] = {0, 1, 13, 14, 54, 60, 61, 1000, 65535};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct virtio_net_hdr_v1 h = {.flags = 0xfe,
					      .hdr_len = lengths[i],
					      .gso_size = 77,
					      .csum_start = 99,
					      .csum_offset = 99,
					      .num_buffers = 5};
		bool sane = lengths[i] >= 14 && lengths[i] <= 60;

		cr_assert(vnet_frame_ok(&h, 60, 0));
		cr_assert_eq(h.hdr_len, sane ? lengths[i] : 60);
		cr_assert_eq(h.flags | h.gso_type | h.gso_size | h.csum_start | h.csum_offset, 0);
		cr_assert_eq(h.num_buffers, 0);
	}
}

Test(vnet, addresses_of_interfaces)
{
	cr_assert(vnet_mac_ok((const uint8_t *)"\x02\0\0\0\0\0"));
	cr_assert(vnet_mac_ok((const uint8_t *)"\0\0\0\0\0\1"));
	cr_assert_not(vnet_mac_ok((const uint8_t *)"\0\0\0\0\0\0"));
	cr_assert_not(vnet_mac_ok((const uint8_t *)"\1\0\0\0\0\0"));
	cr_assert_not(vnet_mac_ok((const uint8_t *)"\xff\xff\xff\xff\xff\xff"));
}

Test(vnet, each_setting_is_checked)
{
	static const struct {
		const char *what;
		size_t off, bytes;
		uint64_t value;
	} bad[] = {
#define SETTING(f, v)                                                                              \
	{#f, offsetof(struct net_settings, f), sizeof(((struct net_settings *)0)->f), v}
		SETTING(mac[0], 3),
		SETTING(mac, 0),
		SETTING(mtu, 67),
		SETTING(tun_flags, 0x81),
		SETTING(tun_flags, 2), /* TSO without checksums */
		SETTING(reserved, 1),
		SETTING(to_guest.bytes_per_s, 0),
		SETTING(to_guest.burst_bytes, 0),
		SETTING(to_guest.packets_per_s, 1),
		SETTING(from_guest.burst_packets, 1),
		SETTING(from_guest.bytes_per_s, UINT64_MAX),
		SETTING(to_guest.burst_bytes, 1ULL << 41),
	};
	static const struct net_settings good = {
		.mac = {2}, .mtu = 68, .tun_flags = 0x7f, .to_guest = {1000, 2000, 0, 0}};
	static struct boot_dev b = {.name = "net0"};
	struct net_settings s;

	boot_set_settings(&b, &good, sizeof(good));
	cr_assert_eq(vnet_settings(&b, &s, &(struct err){0}), 0);
	cr_assert(!memcmp(&s, &good, sizeof(s)));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		s = good;
		memcpy((char *)&s + bad[i].off, &bad[i].value, bad[i].bytes);
		boot_set_settings(&b, &s, sizeof(s));
		cr_assert_eq(vnet_settings(&b, &s, &(struct err){0}), -EPROTO, "%s", bad[i].what);
	}
	boot_set_settings(&b, &good, sizeof(good) - 1);
	cr_assert_eq(vnet_settings(&b, &s, &(struct err){0}), -EPROTO, "too short");
}
