/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host that asks for its network, by polling: DHCP, a router, DHCPv6. It prints the answers, a line for
 * each answer, or that there was none, and powers off. What is left out of its messages the device does not
 * need; checksums are not left out, but UDP's of IPv4, where it may be.
 */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define F_MAC	  (1ULL << 5)
#define F_MRG	  (1ULL << 15)
#define HDR	  12U
#define BUFS	  VIRTIO_RING_SIZE
#define BUF_BYTES 2048U

#define ETH	  14
#define IP4	  (ETH + 20)
#define IP6	  (ETH + 40)
#define DHCP	  (IP4 + 8) /* BOOTP's message */
#define OPT	  (DHCP + 240)

static struct virtio_ring rx_ring, tx_ring;
static struct virtio_drv rx, tx;
static uint8_t buf[BUFS][BUF_BYTES], out[BUF_BYTES], mac[6];

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t sum(uint32_t s, const uint8_t *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

/* ---- sending and receiving ---- */

static void offer(uint16_t i)
{
	virtio_set_desc(&rx_ring.desc[i], buf[i], BUF_BYTES, VIRTIO_DESC_WRITE, 0);
	virtio_offer(&rx_ring, i);
}

/* Sends the frame of @bytes in @out, behind its header */
static void send(uint32_t bytes)
{
	virtio_set_desc(&tx_ring.desc[0], out, HDR + bytes, 0, 0);
	virtio_kick(&tx, &tx_ring, 0);
	(void)virtio_wait(&tx, &tx_ring, 0);
}

/* Of an answer of ours: IPv4 from port 67, an advertisement, IPv6 from port 547 */
static bool is_answer(const uint8_t *f, uint8_t protocol)
{
	if (protocol == 4)
		return be16(f + 12) == 0x0800 && f[ETH + 9] == 17 && be16(f + IP4) == 67;
	if (be16(f + 12) != 0x86dd || f[ETH + 6] != protocol)
		return false;
	return protocol == 58 ? f[IP6] == 134 : be16(f + IP6) == 547;
}

/* The next answer; NULL when none comes. The device has it before it gives the question back. */
static const uint8_t *receive(uint8_t protocol)
{
	for (unsigned int i = 0; i < 2000; i++) {
		uint32_t len;
		int32_t id = virtio_poll(&rx, &rx_ring, &len);

		if (id < 0)
			continue;
		if (is_answer(buf[id] + HDR, protocol))
			return buf[id] + HDR; /* for good: there are enough */
		offer((uint16_t)id);
	}
	return NULL;
}

/* ---- what is said ---- */

static void say_hex(const uint8_t *p, unsigned int n)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned int i = 0; i < n; i++) {
		const char two[3] = {digits[p[i] >> 4], digits[p[i] & 15]};

		guest_puts(two);
	}
}

static void say_addr(const uint8_t *p)
{
	for (unsigned int i = 0; i < 4; i++) {
		guest_puts(i ? "." : " ");
		guest_put_dec(p[i]);
	}
}

static void say_options(const uint8_t *p)
{
	for (; *p != 255; p += *p ? 2 + p[1] : 1) {
		if (*p == 0)
			continue;
		guest_puts(" ");
		guest_put_dec(*p);
		guest_puts("=");
		say_hex(p + 2, p[1]);
	}
	guest_puts("\n");
}

/* ---- DHCP ---- */

static void dhcp(uint8_t type, const uint8_t *wanted)
{
	static const uint8_t head[] = {1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef};
	uint8_t *f = out + HDR, *o = f + OPT;
	const uint8_t *a;

	memset(out, 0, sizeof(out));
	memset(f, 0xff, 6);
	memcpy(f + 6, mac, 6);
	put16(f + 12, 0x0800);
	f[ETH] = 0x45;
	f[ETH + 8] = 64;
	f[ETH + 9] = 17;
	memset(f + ETH + 16, 0xff, 4);
	put16(f + IP4, 68);
	put16(f + IP4 + 2, 67);
	memcpy(f + DHCP, head, sizeof(head));
	memcpy(f + DHCP + 28, mac, 6);
	memcpy(f + OPT - 4, "c\202Sc", 4);
	memcpy(o, "\65\1", 2);
	o[2] = type;
	o += 3;
	if (wanted) {
		memcpy(o, "\62\4", 2);
		memcpy(o + 2, wanted, 4);
		o += 6;
	}
	*o++ = 255;
	put16(f + ETH + 2, (uint32_t)(o - f - ETH));
	put16(f + IP4 + 4, (uint32_t)(o - f - IP4));
	put16(f + ETH + 10, ~sum(0, f + ETH, 20));
	send((uint32_t)(o - f));
	a = receive(4);
	guest_puts(type == 1 ? "discover:" : "request:");
	if (!a) {
		guest_puts(" no answer\n");
		return;
	}
	say_addr(a + DHCP + 16);
	say_options(a + OPT);
}

/* ---- IPv6 ---- */

static void send6(uint8_t protocol, uint8_t to, unsigned int bytes, unsigned int sum_at)
{
	static const uint8_t from[16] = {0xfe, 0x80, [15] = 0x77};
	uint8_t *f = out + HDR;

	memcpy(f, "\x33\x33\0\0\0\2", 6);
	memcpy(f + 6, mac, 6);
	put16(f + 12, 0x86dd);
	f[ETH] = 0x60;
	put16(f + ETH + 4, bytes);
	f[ETH + 6] = protocol;
	f[ETH + 7] = 255;
	memcpy(f + ETH + 8, from, 16);
	f[ETH + 24] = 0xff;
	f[ETH + 25] = 2;
	f[ETH + 37] = protocol == 17;
	f[ETH + 39] = to;
	put16(f + IP6 + sum_at, ~sum(sum(bytes + protocol, f + ETH + 8, 32), f + IP6, bytes));
	send(IP6 + bytes);
}

static void router(void)
{
	const uint8_t *a;

	memset(out, 0, sizeof(out));
	out[HDR + IP6] = 133;
	send6(58, 2, 8, 2);
	a = receive(58);
	guest_puts("router: ");
	if (a) {
		say_hex(a + ETH + 8, 16);
		guest_puts(" ");
		say_hex(a + IP6 + 4, be16(a + ETH + 4) - 4U);
	}
	guest_puts(a ? "\n" : "no answer\n");
}

static void dhcp6(void)
{
	/* SOLICIT: client, rapid commit, IA_NA */
	static const uint8_t message[] = {1, 1, 2, 3,  0,    1, 0, 4, 9, 9, 9, 9, 0, 14, 0, 0,
					  0, 3, 0, 12, 0xa1, 2, 3, 4, 0, 0, 0, 0, 0, 0,	 0, 0};
	const uint8_t *a;
	uint8_t *udp = out + HDR + IP6;

	memset(out, 0, sizeof(out));
	put16(udp, 546);
	put16(udp + 2, 547);
	put16(udp + 4, 8 + sizeof(message));
	memcpy(udp + 8, message, sizeof(message));
	send6(17, 2, 8 + sizeof(message), 6);
	a = receive(17);
	guest_puts("dhcp6: ");
	if (a)
		say_hex(a + IP6 + 8, be16(a + ETH + 4) - 8U);
	guest_puts(a ? "\n" : "no answer\n");
}

void guest_main(void)
{
	guest_check(virtio_find(&rx, VIRTIO_NET) && virtio_negotiate(&rx, F_MAC | F_MRG),
		    "dhcp: is there");
	for (unsigned int i = 0; i < 6; i++)
		mac[i] = mmio_read8(rx.config + i);
	tx = rx;
	tx.queue = 1;
	guest_check(virtio_set_queue(&rx, &rx_ring) && virtio_set_queue(&tx, &tx_ring) &&
			    virtio_go(&rx),
		    "dhcp: starts");
	for (uint16_t i = 0; i < BUFS; i++)
		offer(i);
	mmio_write16(rx.doorbell, rx.queue);
	dhcp(1, NULL);
	dhcp(3, (const uint8_t[]){10, 9, 8, 2});
	dhcp(3, (const uint8_t[]){10, 9, 8, 99});
	router();
	dhcp6();
	guest_check(virtio_status(&rx) == 0x0f, "dhcp: the device is content");
	guest_puts("dhcp: over\n");
	guest_poweroff();
}
