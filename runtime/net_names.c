/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Names and addresses made from the id of a VM and the name of a device
 *
 * The same VM gets the same ones again, so that a guest keeps its MAC and an administrator's rules
 * their names; what is taken on the host is asked elsewhere, with the next @try. A state file can be
 * held against them: nothing but what can be of that VM is ever removed.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/net_priv.h"

#define SHARED_BASE  0x64400000U /* 100.64.0.0/10, for those between provider and customer */
#define SHARED_LINKS (1U << 20)	 /* /30s in it */

/* FNV-1a, 64 bits, of the strings with their terminators, its high half folded in at the end */
static uint64_t hash(const char *a, const char *b, unsigned int try)
{
	const char *const text[] = {a, b};
	uint64_t h = 0xcbf29ce484222325ULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(text); i++) {
		const char *s = text[i];

		do
			h = (h ^ (unsigned char)*s) * 0x100000001b3ULL;
		while (*s++);
	}
	h = (h ^ try) * 0x100000001b3ULL;
	return h ^ h >> 32;
}

void net_name_link(const char *kind, const char *id, const char *device, unsigned int try,
		   char ret[16])
{
	const uint64_t h = hash(id, device, try);

	fmt_into(ret, 16, "%s%08x%02x", kind, (unsigned int)h, (unsigned int)(h >> 56));
}

void net_name_table(const char *id, const char *device, char ret[NET_TABLE_MAX + 16])
{
	const bool first = strcmp(device, "net0") == 0;
	/* What nft's own language takes in a name; ids have no slash, so that no id is another's
	 * second device. */
	const bool plain = !strchr(id, '+') && strlen(NET_TABLE_PREFIX) + strlen(id) +
							       (first ? 0 : strlen(device) + 1) <=
						       NET_TABLE_MAX;
	char *c;

	if (plain) {
		fmt_into(ret, NET_TABLE_MAX + 1, NET_TABLE_PREFIX "%s%s%s", id, first ? "" : "/",
			 first ? "" : device);
		return;
	}
	fmt_into(ret, NET_TABLE_MAX + 1, NET_TABLE_PREFIX "%.*s/%08x/%s", 32, id,
		 (unsigned int)hash(id, "", 0), device);
	for (c = ret; *c; c++)
		if (*c == '+')
			*c = '_';
}

void net_name_mac(const char *id, const char *device, uint8_t ret[6])
{
	const uint64_t h = hash(id, device, 0);
	unsigned int i;

	for (i = 0; i < 6; i++)
		ret[i] = (uint8_t)(h >> 8 * i);
	ret[0] = (uint8_t)((ret[0] & ~1U) | 2U);
}

uint16_t net_name_mark(const char *tap)
{
	return (uint16_t)(1 + hash(tap, "", 0) % UINT16_MAX);
}

struct net_addr net_name_host(const char *id, const char *device, unsigned int try)
{
	const uint32_t n = ((uint32_t)hash(id, device, 0) + try) % SHARED_LINKS;

	return (struct net_addr){htonl(SHARED_BASE + n * 4 + 1), 30};
}

struct net_addr net_next_addr(struct net_addr a)
{
	const uint32_t addr = ntohl(a.addr);
	const uint32_t hosts = a.bits < 32 ? UINT32_MAX >> a.bits : 0;

	/* A /31 has two addresses and no others (RFC 3021); a /32 no second one. */
	if (a.bits == 31)
		return (struct net_addr){htonl(addr ^ 1), 31};
	if (a.bits == 0 || a.bits == 32)
		return (struct net_addr){0};
	if ((addr & hosts) + 1 < hosts)
		return (struct net_addr){htonl(addr + 1), a.bits};
	return (struct net_addr){htonl(addr - 1), a.bits};
}

static bool is_link_of(const char *name, const char *kind, const char *id, const char *device)
{
	char ours[16];
	unsigned int try;

	for (try = 0; try < NET_TRIES; try++) {
		net_name_link(kind, id, device, try, ours);
		if (strcmp(name, ours) == 0)
			return true;
	}
	return false;
}

bool net_is_ours(const struct net_made *made, const char *id)
{
	char table[sizeof(made->table)];

	net_name_table(id, made->device, table);
	if (made->table[0] && strcmp(made->table, table) != 0)
		return false;
	if (made->host_link[0] && !is_link_of(made->host_link, "vh", id, made->device))
		return false;
	return !made->joined[0] || (made->mode == NET_MODE_NETNS && made->netns[0] == '/');
}
