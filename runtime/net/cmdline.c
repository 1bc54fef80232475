/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/cmdline.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/util/addr.h"

#define WORD_BYTES 256
#define TAKES	   (BOOT_CMDLINE_MAX - 1)

/** struct words - The line being written; @len counts also what did not fit into @text */
struct words {
	char *text;
	size_t len;
};

static void cmdline_add(struct words *w, const char *fmt, ...) PRINTF(2, 3);

static void cmdline_add(struct words *w, const char *fmt, ...)
{
	char word[WORD_BYTES];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = fmt_vinto(word, sizeof(word), fmt, ap);
	va_end(ap);
	if (w->len + 1 + n < BOOT_CMDLINE_MAX)
		fmt_into(w->text + w->len, BOOT_CMDLINE_MAX - w->len, "%s%s", w->len ? " " : "",
			 word);
	w->len += (w->len ? 1 : 0) + n;
}

void net_guest_of(const struct plan *p, struct net_guest *ret)
{
	const char *at = p->cmdline;

	/* A container's init has a description instead. */
	*ret = (struct net_guest){.has_ip = p->container, .cmdline_bytes = strlen(p->cmdline)};
	fmt_into(ret->hostname, sizeof(ret->hostname), "%s", p->hostname);
	while ((at = strstr(at, "ip="))) {
		ret->has_ip |= at == p->cmdline || at[-1] == ' ';
		at++;
	}
}

static struct net_ip cmdline_ipv4_of(uint32_t addr, uint8_t bits)
{
	struct net_ip ip = {.family = AF_INET, .bits = bits};

	memcpy(ip.addr, &addr, sizeof(addr));
	return ip;
}

/** struct all - All networks, @nr, and the one whose words are being written, @n */
struct all {
	const struct net_record *record;
	unsigned int nr, n;
};

static const struct net_route *cmdline_route_to_gateway(const struct net_record *m)
{
	const struct net_ip gateway = cmdline_ipv4_of(m->gateway, 32);

	for (unsigned int i = 0; i < m->nr_routes; i++)
		if (m->route[i].dst.bits == 0 && addr_same_ip(&m->route[i].gateway, &gateway))
			return &m->route[i];
	return NULL;
}

/* @ret_route: the listed route that ip= implies, if any */
static void cmdline_add_ip(struct words *w, const struct all *a, const char *hostname,
			   const struct net_route **ret_route)
{
	const struct net_record *m = &a->record[a->n];
	const struct net_ip net = cmdline_ipv4_of(m->guest.addr, m->guest.bits),
			    gw = cmdline_ipv4_of(m->gateway, 32);
	const struct net_route *route = cmdline_route_to_gateway(m);
	char guest[ADDR_TEXT_BYTES], gateway[ADDR_TEXT_BYTES] = "", mask[ADDR_TEXT_BYTES];

	addr_put((struct net_addr){m->guest.addr, 0}, guest);
	addr_put((struct net_addr){addr_netmask(m->guest.bits), 0}, mask);
	if (m->gateway && addr_ip_covers(&net, &gw) &&
	    (!route || !net_record_is_shadowed(a->record, a->nr, route))) {
		addr_put((struct net_addr){m->gateway, 0}, gateway);
		*ret_route = route;
	}
	cmdline_add(w, "ip=%s::%s:%s:%s:eth%u:off", guest, gateway, mask, hostname, a->n);
}

static void cmdline_add_route(struct words *w, unsigned int n, const struct net_route *route)
{
	const bool six = route->dst.family == AF_INET6;
	const struct net_ip none = {.family = route->dst.family};
	char dst[ADDR_IP_TEXT_BYTES], gateway[ADDR_IP_TEXT_BYTES];

	addr_put_ip(&route->dst, true, dst);
	addr_put_ip(route->gateway.family ? &route->gateway : &none, false, gateway);
	cmdline_add(w, six ? "rd.route=[%s]:[%s]:eth%u" : "rd.route=%s:%s:eth%u", dst, gateway, n);
}

static void cmdline_add_device(struct words *w, const struct all *a, const char *hostname)
{
	const struct net_record *m = &a->record[a->n];
	const struct net_ip first = cmdline_ipv4_of(m->guest.addr, m->guest.bits);
	const struct net_route *said = NULL;
	char ip[ADDR_IP_TEXT_BYTES], mac[ADDR_TEXT_BYTES];

	if (m->guest.bits)
		cmdline_add_ip(w, a, hostname, &said);
	for (unsigned int i = 0; i < m->nr_addrs; i++) {
		addr_put_ip(&m->addr[i], true, ip);
		if (!m->guest.bits || !addr_same_ip(&m->addr[i], &first))
			cmdline_add(w, "vmrun.addr=eth%u,%s", a->n, ip);
	}
	for (unsigned int i = 0; i < m->nr_routes; i++)
		if (&m->route[i] != said && !net_record_is_shadowed(a->record, a->nr, &m->route[i]))
			cmdline_add_route(w, a->n, &m->route[i]);
	for (unsigned int i = 0; i < m->nr_neighs; i++) {
		addr_put_ip(&m->neigh[i].addr, false, ip);
		addr_put_mac(m->neigh[i].mac, mac);
		cmdline_add(w, "vmrun.neigh=eth%u,%s,%s", a->n, ip, mac);
	}
}

int net_cmdline(const struct net_record *record, unsigned int nr, const struct net_guest *guest,
		char ret[BOOT_CMDLINE_MAX], struct err *err)
{
	struct all a = {.record = record, .nr = nr};
	struct words w = {.text = ret};
	size_t all;

	*ret = '\0';
	if (guest->has_ip)
		return 0;
	for (; a.n < nr; a.n++)
		cmdline_add_device(&w, &a, guest->hostname);
	all = guest->cmdline_bytes + (guest->cmdline_bytes && w.len ? 1 : 0) + w.len;
	if (all <= TAKES)
		return 0;
	return err_text(err, E2BIG,
			"the kernel takes a command line of %d bytes, and with the %zu about "
			"networks it has %zu: shorten /vm/kernel/parameters, or say ip= there "
			"and configure the guest another way",
			TAKES, w.len, all);
}
