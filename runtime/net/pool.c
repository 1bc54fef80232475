/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/pool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/net/host.h"
#include "runtime/net/names.h"
#include "runtime/netlink/rtnl_dump.h"
#include "runtime/util/addr.h"

/** struct survey - Which networks of a pool are in use, a bit each, and the widest network that covers some */
struct survey {
	struct net_addr pool;
	uint8_t *used;
	struct rtnl_net widest;
};

static void pool_see(const struct rtnl_net *n, void *arg)
{
	struct survey *s = arg;
	const uint32_t base = ntohl(s->pool.addr), nr = net_pool_links(s->pool);
	const uint32_t hosts = n->net.bits ? UINT32_MAX >> (n->net.bits - 1) >> 1 : UINT32_MAX;
	const uint32_t from = ntohl(n->net.addr) & ~hosts;
	/* They overlap, so one contains the other. */
	const uint32_t first = from > base ? (from - base) / 4 : 0;
	const uint32_t last = (from | hosts) - base < nr * 4 ? ((from | hosts) - base) / 4 : nr - 1;

	for (uint32_t i = first; i <= last; i++)
		s->used[i / 8] |= (uint8_t)(1U << i % 8);
	if (!s->widest.net.bits || n->net.bits < s->widest.net.bits)
		s->widest = *n;
}

static int pool_none_free(const struct survey *s, struct err *err)
{
	char pool[ADDR_TEXT_BYTES], taken[ADDR_TEXT_BYTES], table[64] = "";
	struct rtnl_net n = s->widest;

	n.net.addr &= addr_netmask(n.net.bits);
	addr_put(s->pool, pool);
	addr_put(n.net, taken);
	if (n.table)
		fmt_into(table, sizeof(table), "route to %s, table %u", taken, n.table);
	return err_text(
		err, EADDRINUSE,
		"no network of %s is free (%s%s is in the way): name another pool, or hostIp", pool,
		n.table ? "a " : "the network of an interface, ", n.table ? table : taken);
}

static int pool_claim(struct nl *nl, const struct net_record *record, struct net_addr a,
		      struct err *err)
{
	char name[ADDR_TEXT_BYTES + sizeof("vmrun--30")], text[ADDR_TEXT_BYTES];
	struct rtnl_link link;
	int rc = rtnl_link_get(nl, record->host_link, &link, err);

	if (rc < 0)
		return rc;
	addr_put((struct net_addr){a.addr & addr_netmask(a.bits), 0}, text);
	fmt_into(name, sizeof(name), "vmrun-%s-%u", text, a.bits);
	return rtnl_altname_add(nl, link.index, name, err);
}

static int pool_claim_given(struct nl *nl, const struct net_record *record, struct err *err)
{
	char text[ADDR_TEXT_BYTES];
	int rc = net_check_free(nl, record->host, err);

	if (rc == 0)
		rc = pool_claim(nl, record, record->host, err);
	addr_put(record->host, text);
	return rc == -EEXIST ? err_text(err, EADDRINUSE,
					"hostIp %s: another VM is in that network already", text)
			     : rc;
}

int net_pool_claim(const struct plan_net *p, struct net_record *record, struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	const struct net_addr first = record->host;
	struct survey s = {.pool = net_pool_of(p)};
	const uint32_t nr = net_pool_links(s.pool);
	cleanup_free uint8_t *used = calloc(nr / 8 + 1, 1);
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0 || p->host.bits)
		return rc < 0 ? rc : pool_claim_given(&nl, record, err);
	s.used = used;
	rc = used ? rtnl_nets_within(&nl, s.pool, pool_see, &s, err)
		  : err_set(err, ENOMEM, "networks");
	for (uint32_t try = 0; rc == 0 && try < nr; try++) {
		const uint32_t n = net_pool_link(s.pool, first, try);

		if (used[n / 8] & 1U << n % 8)
			continue;
		net_record_set_host(record, p, net_pool_host(s.pool, n));
		rc = pool_claim(&nl, record, record->host, err);
		if (rc != -EEXIST)
			return rc;
		rc = 0;
	}
	return rc < 0 ? rc : pool_none_free(&s, err);
}
