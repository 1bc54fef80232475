/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/names.h"

#include <arpa/inet.h>
#include <string.h>

#include "devices/core/fmt.h"

#define TABLE_PREFIX "vmrun_"
#define POOL_BASE    0x64400000U /* 100.64.0.0/10, for those between provider and customer */
#define POOL_BITS    10
#define LINK_BITS    30
#define STRIDE                                                                                     \
	0x9e3779b1U /* odd, so that it comes to every link; far, to leave what is taken in one go */

/* FNV-1a, 64 bits, of the strings with their terminators, its high half folded in at the end */
static uint64_t names_name_hash(const char *a, const char *b, unsigned int try)
{
	const char *const text[] = {a, b};
	uint64_t h = 0xcbf29ce484222325ULL;

	for (unsigned int i = 0; i < ARRAY_SIZE(text); i++) {
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
	const uint64_t h = names_name_hash(id, device, try);

	fmt_into(ret, 16, "%s%08x%02x", kind, (unsigned int)h, (unsigned int)(h >> 56));
}

void net_name_table(const char *id, const char *device, char ret[NET_TABLE_MAX + 16])
{
	const bool first = strcmp(device, "net0") == 0;
	/* As nft's language accepts it. Ids have no slash, so no id is the name of another VM's second
	 * device. */
	const bool plain = !strchr(id, '+') &&
			   strlen(TABLE_PREFIX) + strlen(id) + (first ? 0 : strlen(device) + 1) <=
				   NET_TABLE_MAX;

	if (plain) {
		fmt_into(ret, NET_TABLE_MAX + 1, TABLE_PREFIX "%s%s%s", id, first ? "" : "/",
			 first ? "" : device);
		return;
	}
	fmt_into(ret, NET_TABLE_MAX + 1, TABLE_PREFIX "%.*s/%08x/%s", 32, id,
		 (unsigned int)names_name_hash(id, "", 0), device);
	for (char *c = ret; *c; c++)
		if (*c == '+')
			*c = '_';
}

void net_name_table_of(const struct net_record *record, const char *id,
		       char ret[NET_TABLE_MAX + 16])
{
	char first[16];

	net_name_link("vh", id, record->device, 0, first);
	/* Another VM with this id has the first name, and the table of that name. */
	if (record->host_link[0] && strcmp(record->host_link, first) != 0)
		net_name_table(id, record->host_link, ret);
	else
		net_name_table(id, record->device, ret);
}

void net_name_mac(const char *id, const char *device, uint8_t ret[6])
{
	const uint64_t h = names_name_hash(id, device, 0);

	for (unsigned int i = 0; i < 6; i++)
		ret[i] = (uint8_t)(h >> 8 * i);
	ret[0] = (uint8_t)((ret[0] & ~1U) | 2U);
}

uint16_t net_name_mark(const char *tap)
{
	return (uint16_t)(1 + names_name_hash(tap, "", 0) % UINT16_MAX);
}

struct net_addr net_pool_of(const struct plan_net *p)
{
	return p->pool.bits ? p->pool : (struct net_addr){htonl(POOL_BASE), POOL_BITS};
}

uint32_t net_pool_links(struct net_addr pool)
{
	return 1U << (LINK_BITS - pool.bits);
}

uint32_t net_pool_link(struct net_addr pool, struct net_addr first, uint32_t try)
{
	const uint32_t n = (ntohl(first.addr) - ntohl(pool.addr)) / 4;

	return (n + try * STRIDE) & (net_pool_links(pool) - 1);
}

struct net_addr net_pool_host(struct net_addr pool, uint32_t link)
{
	return (struct net_addr){htonl(ntohl(pool.addr) + link * 4 + 1), LINK_BITS};
}

struct net_addr net_name_host(struct net_addr pool, const char *id, const char *device)
{
	return net_pool_host(pool,
			     (uint32_t)names_name_hash(id, device, 0) & (net_pool_links(pool) - 1));
}

static bool names_is_link_of(const char *name, const char *kind, const char *id, const char *device)
{
	char ours[16];

	for (unsigned int try = 0; try < NET_TRIES; try++) {
		net_name_link(kind, id, device, try, ours);
		if (strcmp(name, ours) == 0)
			return true;
	}
	return false;
}

bool net_is_ours(const struct net_record *record, const char *id)
{
	char table[sizeof(record->table)];

	net_name_table_of(record, id, table);
	if (record->table[0] && strcmp(record->table, table) != 0)
		return false;
	if (record->host_link[0] && !names_is_link_of(record->host_link, "vh", id, record->device))
		return false;
	return !record->joined[0] || (record->mode == NET_MODE_NETNS && record->netns[0] == '/');
}
