/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets to the host, by polling. First sends packets that no driver should, and lives. Connects to port 5000
 * of the host and says a line. Then listens: port 22 sends back what it receives, port 23 ends the VM, all
 * others refuse.
 */
#include "lib/guest.h"
#include "lib/vsock_drv.h"

#define ALLOC 65536U

static uint32_t taken; /* bytes of the one stream that is served at a time */

static bool say(uint16_t op, uint32_t from, uint32_t to, uint32_t len)
{
	return vsock_say(op, from, to, len, ALLOC, taken);
}

/* The next packet of the device, to be given back; NULL when none comes */
static struct vsock_packet *next(int32_t *ret_at)
{
	struct vsock_packet *p = NULL;

	for (unsigned int tries = 0; !p && tries < 20000000; tries++)
		p = vsock_poll(ret_at);
	return p;
}

static bool next_is(uint16_t op, uint32_t to)
{
	int32_t at;
	const struct vsock_packet *p = next(&at);
	const bool is = p && p->op == op && p->dst_port == to && p->dst_cid == vsock_cid;

	if (p)
		vsock_give_back(at);
	return is;
}

static void misbehave(void)
{
	bool ok = true;

	ok = say(VSOCK_RW, 1, 80, 100) && next_is(VSOCK_RST, 1) && ok;
	ok = say(99, 2, 80, 0) && next_is(VSOCK_RST, 2) && ok;
	ok = say(VSOCK_RST, 3, 80, 0) && ok;
	guest_check(ok, "vsock: packets for no connection are refused");
	say(VSOCK_REQUEST, 4, 80, 0);
	guest_check(next_is(VSOCK_RST, 4), "vsock: a port without a listener is refused");
	vsock_out.src_cid = vsock_cid + 1;
	guest_check(vsock_send(VSOCK_HDR), "vsock: a packet in another guest's name is dropped");
	vsock_out.src_cid = vsock_cid;
	vsock_out.dst_cid = vsock_cid;
	vsock_out.src_port = 5;
	guest_check(vsock_send(VSOCK_HDR) && next_is(VSOCK_RST, 5),
		    "vsock: a packet to another host is refused");
	vsock_out.dst_cid = VSOCK_HOST;
	vsock_out.type = 77;
	vsock_out.src_port = 6;
	guest_check(vsock_send(VSOCK_HDR) && next_is(VSOCK_RST, 6),
		    "vsock: an unknown type is refused");
}

static void connect_to_host(void)
{
	static const char line[] = "hello from the guest\n";

	say(VSOCK_REQUEST, 1000, 5000, 0);
	guest_check(next_is(VSOCK_RESPONSE, 1000), "vsock: connects to a program of the host");
	memcpy(vsock_out.data, line, sizeof(line) - 1);
	say(VSOCK_RW, 1000, 5000, sizeof(line) - 1);
	say(VSOCK_SHUTDOWN, 1000, 5000, 0);
	guest_check(next_is(VSOCK_RST, 1000), "vsock: closes");
}

/* One packet of a connection that the host made; false when the VM shall end */
static bool serve(const struct vsock_packet *p)
{
	if (p->op == VSOCK_REQUEST) {
		taken = 0;
		say(p->dst_port == 22 || p->dst_port == 23 ? VSOCK_RESPONSE : VSOCK_RST,
		    p->dst_port, p->src_port, 0);
		return p->dst_port != 23;
	}
	if (p->op == VSOCK_RW) {
		taken += p->len;
		memcpy(vsock_out.data, p->data, p->len);
		say(VSOCK_RW, p->dst_port, p->src_port, p->len);
	} else if (p->op == VSOCK_SHUTDOWN) {
		say(VSOCK_SHUTDOWN, p->dst_port, p->src_port, 0);
	}
	return true;
}

void guest_main(void)
{
	const struct vsock_packet *p;
	uint64_t features;
	int32_t at;
	bool on = true;

	guest_check(vsock_open(&features), "vsock: starts");
	guest_check((features & VSOCK_SEQPACKET) != 0, "vsock: has seqpacket");
	misbehave();
	connect_to_host();
	guest_puts("vsock: CID ");
	guest_put_dec(vsock_cid);
	guest_puts(" ready\n");
	while (on && (p = next(&at))) {
		on = serve(p);
		vsock_give_back(at);
	}
	guest_check(!on && vsock_is_content(), "vsock: is content");
	guest_check(vsock_close(), "vsock: resets");
	guest_poweroff();
}
