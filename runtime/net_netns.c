/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Mode netns: a network namespace that somebody else fills and owns
 *
 * CNI plugins, podman and docker put interfaces with addresses into a namespace, some of them only
 * after create. So the TAP is made there by create, and joined at start to what is there then: frames
 * that arrive at the interface go to the guest before the namespace's own IP sees them, and the guest
 * has the interface's MAC and addresses. Undoing removes the two redirects; the namespace and all that
 * was in it stay as they were.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/core/fmt.h"
#include "runtime/net_priv.h"

/* Run @fn inside made->netns, with a socket of it */
static int inside(const struct net_made *made,
		  int (*fn)(struct nl *nl, const void *in, void *out, struct err *err),
		  const void *in, void *out, struct err *err)
{
	cleanup_fd int fd = -1;
	int old = -1, r = netns_open(made->netns, &fd, err);

	if (r == 0)
		r = netns_enter(fd, &old, err);
	if (r < 0)
		return r;
	{
		cleanup_nl struct nl *nl = net_nl(NETLINK_ROUTE, err);

		r = nl ? fn(nl, in, out, err) : -err->code;
	}
	netns_leave(old);
	return r;
}

/* ---- create ---- */

static int plan_netns(const struct plan_net *p, const char *id, struct net_made *made,
		      struct err *err)
{
	cleanup_fd int fd = -1;

	if (strlen(p->netns_path) >= sizeof(made->netns))
		return err_set(err, ENAMETOOLONG, "network namespace %s", p->netns_path);
	fmt_into(made->netns, sizeof(made->netns), "%s", p->netns_path);
	if (!made->tap[0])
		net_name_link("vt", id, made->device, 0, made->tap);
	return netns_open(made->netns, &fd, err);
}

static int make_tap(struct nl *nl, const void *in, void *out, struct err *err)
{
	const struct plan_net *p = in;
	struct tap *tap = out;
	struct rtnl_link link;
	/* The name is where the wanted one was put; opening fills it in again. */
	int r = tap_open(tap->name, p->queue_pairs, tap, err);

	if (r == 0)
		r = rtnl_link_get(nl, tap->name, &link, err);
	if (r < 0)
		return r;
	net_quiet(tap->name);
	return net_up(nl, link.index, p->mtu, 0, err);
}

static int setup_netns(const struct plan_net *p, struct net_made *made, struct tap *ret,
		       struct err *err)
{
	memcpy(ret->name, made->tap, sizeof(ret->name));
	return inside(made, make_tap, p, ret, err);
}

/* ---- start ---- */

/**
 * struct look - What to look for
 * @all:	The VM's devices; those before @i have taken theirs
 */
struct look {
	const struct net_made *all;
	unsigned int i;
};

static bool is_taken(const struct look *l, const struct rtnl_link *link)
{
	unsigned int k;

	if (link->loopback || !link->up)
		return true;
	for (k = 0; k <= l->i; k++) {
		const struct net_made *m = &l->all[k];

		if (m->mode != NET_MODE_NETNS || strcmp(m->netns, l->all[l->i].netns) != 0)
			continue;
		if (strcmp(m->tap, link->name) == 0 ||
		    (k < l->i && strcmp(m->joined, link->name) == 0))
			return true;
	}
	return false;
}

static const struct rtnl_addr *address_of(const struct rtnl_addr *addr, unsigned int nr, int index)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (addr[i].index == index && addr[i].family == AF_INET)
			return &addr[i];
	return NULL;
}

static int find_gateway(struct nl *nl, int index, uint32_t *ret, struct err *err)
{
	struct rtnl_route *route = calloc(RTNL_ROUTES_MAX, sizeof(*route));
	unsigned int i, nr = 0;
	int r = route ? rtnl_routes(nl, route, &nr, err) : err_set(err, ENOMEM, "routes");

	for (i = 0; r == 0 && i < nr; i++) {
		if (route[i].out_index == index && route[i].family == AF_INET &&
		    route[i].bits == 0 && route[i].has_gateway) {
			memcpy(ret, route[i].gateway, sizeof(*ret));
			break;
		}
	}
	free(route);
	return r;
}

static int fill(struct nl *nl, const struct rtnl_link *link, const struct rtnl_addr *addr,
		struct net_made *made, struct err *err)
{
	uint32_t gateway = 0;
	int r = find_gateway(nl, link->index, &gateway, err);

	if (r < 0)
		return r;
	memcpy(made->joined, link->name, sizeof(made->joined));
	/* The other side answers to this MAC and address only, and the wire carries no more. */
	memcpy(made->mac, link->mac, sizeof(made->mac));
	made->mtu = link->mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)link->mtu;
	memcpy(&made->guest.addr, addr->addr, sizeof(made->guest.addr));
	made->guest.bits = addr->bits;
	made->gateway = gateway;
	return 0;
}

static int look(struct nl *nl, const void *in, void *out, struct err *err)
{
	struct rtnl_link link[RTNL_LINKS_MAX];
	struct rtnl_addr addr[RTNL_ADDRS_MAX];
	const struct rtnl_addr *a;
	unsigned int i, nr_links = 0, nr_addrs = 0;
	int r = rtnl_links(nl, link, &nr_links, err);

	if (r == 0)
		r = rtnl_addrs(nl, addr, &nr_addrs, err);
	for (i = 0; r == 0 && i < nr_links; i++) {
		a = address_of(addr, nr_addrs, link[i].index);
		if (a && !is_taken(in, &link[i]))
			return fill(nl, &link[i], a, out, err);
	}
	return r;
}

int net_look(struct net_made *made, unsigned int i, struct err *err)
{
	const struct look l = {made, i};
	struct net_made found = made[i];
	int r;

	if (made[i].mode != NET_MODE_NETNS || made[i].joined[0])
		return 0;
	r = inside(&made[i], look, &l, &found, err);
	if (r < 0)
		return err_wrap(err, "%s", made[i].device);
	made[i] = found;
	return found.joined[0] != '\0';
}

static int join(struct nl *nl, const void *in, void *out UNUSED, struct err *err)
{
	const struct net_made *made = in;
	struct rtnl_link tap, link;
	struct err ignored;
	int r = rtnl_link_get(nl, made->tap, &tap, err);

	if (r == 0)
		r = rtnl_link_get(nl, made->joined, &link, err);
	if (r == 0)
		r = net_up(nl, tap.index, made->mtu, 0, err);
	if (r == 0)
		r = tc_redirect(nl, tap.index, link.index, err);
	if (r < 0)
		return r;
	r = tc_redirect(nl, link.index, tap.index, err);
	if (r < 0)
		(void)!tc_clear(nl, tap.index, &ignored);
	return r;
}

int net_join(struct net_made *made, struct err *err)
{
	int r;

	if (made->mode != NET_MODE_NETNS || !made->joined[0])
		return 0;
	r = inside(made, join, made, NULL, err);
	if (r == 0)
		return 0;
	/* What is at that interface, if anything, is another's. */
	if (r == -EEXIST)
		err_text(err, EEXIST, "interface %s has an ingress qdisc: is it joined already?",
			 made->joined);
	made->joined[0] = '\0';
	return err_wrap(err, "%s", made->device);
}

/* ---- the end ---- */

static int leave(struct nl *nl, const void *in, void *out UNUSED, struct err *err)
{
	const struct net_made *made = in;
	struct rtnl_link link;
	int r = rtnl_link_get(nl, made->joined, &link, err);

	if (r == 0)
		r = tc_clear(nl, link.index, err);
	return r == -ENODEV || r == -ENOENT ? 0 : r;
}

static int undo_netns(const struct net_made *made, struct err *err)
{
	int r;

	if (!made->joined[0])
		return 0;
	r = inside(made, leave, made, NULL, err);
	/* A namespace whose name is gone (-EINVAL: only its mount point is left) may live on, but
	 * then nobody can say where. */
	return r == -ENOENT || r == -EINVAL ? 0 : r;
}

const struct net_ops net_netns_ops = {"netns", plan_netns, setup_netns, undo_netns};
