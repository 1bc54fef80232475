/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/dhcp6.h"

#include <linux/if_ether.h>
#include <string.h>

#define DHCP6_CLIENT_PORT 546
#define DHCP6_FOREVER	  UINT32_MAX
#define DHCP6_FIXED	  4U  /* type, transaction */
#define DHCP6_IA_FIXED	  12U /* IAID, T1, T2 */
#define DHCP6_ADDR_BYTES  24U /* address, two lifetimes */
#define DHCP6_DUID_MAX	  130U
#define DHCP6_DUID_LL	  3 /* a DUID made of a MAC */

enum dhcp6_type {
	DHCP6_SOLICIT = 1,
	DHCP6_ADVERTISE,
	DHCP6_REQUEST,
	DHCP6_CONFIRM,
	DHCP6_RENEW,
	DHCP6_REBIND,
	DHCP6_REPLY,
	DHCP6_RELEASE,
	DHCP6_DECLINE,
	DHCP6_INFORMATION = 11,
};

enum dhcp6_option {
	DHCP6_CLIENT_ID = 1,
	DHCP6_SERVER_ID = 2,
	DHCP6_IA_NA = 3,
	DHCP6_IA_ADDR = 5,
	DHCP6_STATUS = 13,
	DHCP6_RAPID = 14,
	DHCP6_DNS = 23,
};

enum dhcp6_status { DHCP6_SUCCESS = 0, DHCP6_NO_ADDRS = 2, DHCP6_NOT_ON_LINK = 4 };

#define DHCP6_DUID_BYTES 10

/**
 * struct dhcp6_asked - What a client's message says
 * @client:	Its DUID, which goes back to it; NULL: none
 * @server:	The DUID of the server that it means; NULL: any
 * @ia:		The first IA_NA; NULL: none
 */
struct dhcp6_asked {
	uint8_t type;
	bool rapid;
	const uint8_t *client, *server, *ia;
	size_t client_bytes, server_bytes, ia_bytes;
};

/* ---- reading ---- */

static bool dhcp6_read_option(struct dhcp6_asked *a, unsigned int code, const uint8_t *value,
			      size_t len)
{
	switch (code) {
	case DHCP6_CLIENT_ID:
		a->client = value;
		a->client_bytes = len;
		return len > 0 && len <= DHCP6_DUID_MAX;
	case DHCP6_SERVER_ID:
		a->server = value;
		a->server_bytes = len;
		return len > 0 && len <= DHCP6_DUID_MAX;
	case DHCP6_IA_NA:
		if (!a->ia) {
			a->ia = value;
			a->ia_bytes = len;
		}
		return len >= DHCP6_IA_FIXED;
	case DHCP6_RAPID: a->rapid = true; return len == 0;
	default: return true;
	}
}

/* The next option of the @len bytes at *p; false at the end, and *ret_bad if that is none */
static bool dhcp6_next(const uint8_t **p, size_t *left, unsigned int *ret_code, size_t *ret_len,
		       bool *ret_bad)
{
	size_t len;

	*ret_bad = false;
	if (*left == 0)
		return false;
	*ret_bad = true;
	if (*left < 4)
		return false;
	len = frame_get16(*p + 2);
	if (len > *left - 4)
		return false;
	*ret_bad = false;
	*ret_code = frame_get16(*p);
	*ret_len = len;
	*p += 4 + len;
	*left -= 4 + len;
	return true;
}

static bool dhcp6_read(const struct frame_in *in, struct dhcp6_asked *ret)
{
	const uint8_t *p = in->body;
	size_t left = in->len, len;
	unsigned int code;
	bool bad;

	*ret = (struct dhcp6_asked){.type = 0};
	if (left < DHCP6_FIXED)
		return false;
	ret->type = p[0];
	p += DHCP6_FIXED;
	left -= DHCP6_FIXED;
	while (dhcp6_next(&p, &left, &code, &len, &bad))
		if (!dhcp6_read_option(ret, code, p - len, len))
			return false;
	return !bad;
}

/* ---- deciding ---- */

static void dhcp6_duid(const struct lease *l, uint8_t ret[DHCP6_DUID_BYTES])
{
	static const uint8_t head[] = {0, DHCP6_DUID_LL, 0, 1};

	memcpy(ret, head, sizeof(head));
	memcpy(ret + sizeof(head), l->server_mac, ETH_ALEN);
}

/* Which messages must name this server, and which must not name any (RFC 8415 section 16) */
static bool dhcp6_is_for_us(const struct lease *l, const struct dhcp6_asked *a)
{
	uint8_t duid[DHCP6_DUID_BYTES];
	const bool ours = (dhcp6_duid(l, duid), a->server_bytes == sizeof(duid) &&
							memcmp(a->server, duid, sizeof(duid)) == 0);

	switch (a->type) {
	case DHCP6_SOLICIT:
	case DHCP6_CONFIRM:
	case DHCP6_REBIND: return a->client && !a->server;
	case DHCP6_REQUEST:
	case DHCP6_RENEW:
	case DHCP6_RELEASE:
	case DHCP6_DECLINE: return a->client && ours;
	case DHCP6_INFORMATION: return !a->ia && (!a->server || ours);
	default: return false;
	}
}

static bool dhcp6_is_leased(const struct net_lease *n, const uint8_t *addr)
{
	for (unsigned int i = 0; i < n->nr_addrs6; i++)
		if (memcmp(n->addr6[i], addr, sizeof(n->addr6[i])) == 0)
			return true;
	return false;
}

/* Whether all addresses that a client believes to have are its own */
static bool dhcp6_confirms(const struct net_lease *n, const struct dhcp6_asked *a)
{
	const uint8_t *p = a->ia ? a->ia + DHCP6_IA_FIXED : NULL;
	size_t left = a->ia ? a->ia_bytes - DHCP6_IA_FIXED : 0, len;
	unsigned int code;
	bool bad;

	while (dhcp6_next(&p, &left, &code, &len, &bad))
		if (code == DHCP6_IA_ADDR &&
		    (len < DHCP6_ADDR_BYTES || !dhcp6_is_leased(n, p - len)))
			return false;
	return !bad;
}

/* ---- writing ---- */

static void dhcp6_put(struct frame_out *f, enum dhcp6_option code, const void *value, size_t len)
{
	frame_put16(f, (uint16_t)code);
	frame_put16(f, (uint16_t)len);
	frame_put(f, value, len);
}

static void dhcp6_put_status(struct frame_out *f, enum dhcp6_status status)
{
	const uint8_t code[] = {0, (uint8_t)status};

	dhcp6_put(f, DHCP6_STATUS, code, sizeof(code));
}

static void dhcp6_put_addrs(struct frame_out *f, const struct net_lease *n,
			    const struct dhcp6_asked *a)
{
	frame_put16(f, DHCP6_IA_NA);
	frame_put16(f, (uint16_t)(DHCP6_IA_FIXED + n->nr_addrs6 * (4 + DHCP6_ADDR_BYTES)));
	frame_put(f, a->ia, 4);
	frame_put32(f, DHCP6_FOREVER);
	frame_put32(f, DHCP6_FOREVER);
	for (unsigned int i = 0; i < n->nr_addrs6; i++) {
		frame_put16(f, DHCP6_IA_ADDR);
		frame_put16(f, DHCP6_ADDR_BYTES);
		frame_put(f, n->addr6[i], sizeof(n->addr6[i]));
		frame_put32(f, DHCP6_FOREVER);
		frame_put32(f, DHCP6_FOREVER);
	}
}

static void dhcp6_put_answer(struct frame_out *f, const struct net_lease *n,
			     const struct dhcp6_asked *a)
{
	switch (a->type) {
	case DHCP6_CONFIRM:
		dhcp6_put_status(f, dhcp6_confirms(n, a) ? DHCP6_SUCCESS : DHCP6_NOT_ON_LINK);
		return;
	case DHCP6_RELEASE:
	case DHCP6_DECLINE: dhcp6_put_status(f, DHCP6_SUCCESS); return;
	}
	if (a->type == DHCP6_SOLICIT && a->rapid)
		dhcp6_put(f, DHCP6_RAPID, NULL, 0);
	if (a->ia && n->nr_addrs6 == 0)
		dhcp6_put_status(f, DHCP6_NO_ADDRS);
	else if (a->ia)
		dhcp6_put_addrs(f, n, a);
	if (n->nr_dns6 > 0)
		dhcp6_put(f, DHCP6_DNS, n->dns6, n->nr_dns6 * sizeof(n->dns6[0]));
}

static void dhcp6_address(const struct lease *l, const struct frame_in *in, struct frame_ends *ret)
{
	*ret = (struct frame_ends){.src_port = DHCP6_SERVER_PORT, .dst_port = DHCP6_CLIENT_PORT};
	memcpy(ret->src_mac, l->server_mac, ETH_ALEN);
	memcpy(ret->dst_mac, l->mac, ETH_ALEN);
	memcpy(ret->dst, in->ends.src, sizeof(ret->dst));
	lease_link_local(l, ret->src);
}

bool dhcp6_answer(const struct lease *l, const struct frame_in *in, struct frame_out *ret)
{
	uint8_t duid[DHCP6_DUID_BYTES];
	struct dhcp6_asked a;
	struct frame_ends ends;
	bool offer;

	if (!dhcp6_read(in, &a) || !dhcp6_is_for_us(l, &a))
		return false;
	offer = a.type == DHCP6_SOLICIT && !a.rapid;
	dhcp6_address(l, in, &ends);
	dhcp6_duid(l, duid);
	ret->max = FRAME_MAX;
	frame_start(ret, FRAME_UDP6, &ends);
	frame_put8(ret, offer ? DHCP6_ADVERTISE : DHCP6_REPLY);
	frame_put(ret, in->body + 1, 3);
	if (a.client)
		dhcp6_put(ret, DHCP6_CLIENT_ID, a.client, a.client_bytes);
	dhcp6_put(ret, DHCP6_SERVER_ID, duid, sizeof(duid));
	dhcp6_put_answer(ret, &l->net, &a);
	frame_finish(ret);
	return !ret->full;
}
