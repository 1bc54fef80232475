/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/net/priv.h"
#include "runtime/netlink/nft.h"
#include "runtime/plan/plan_settings.h"

#define FORWARD "/proc/sys/net/ipv4/ip_forward"

/* ---- what the modes share ---- */

int net_free_name(const char *kind, const char *id, const char *device, char ret[16],
		  struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link link;
	char name[16];
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	for (unsigned int try = 0; try < NET_TRIES; try++) {
		net_name_link(kind, id, device, try, name);
		rc = rtnl_link_get(&nl, name, &link, err);
		if (rc == -ENODEV) {
			memcpy(ret, name, sizeof(name));
			return 0;
		}
		if (rc < 0)
			return rc;
	}
	return err_text(err, EEXIST, "no free name for an interface: %s is taken too", name);
}

/* 0 or -errno */
static int write_setting(const char *path, const char *value)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

void net_quiet(const char *name)
{
	char path[80];

	/* A kernel without IPv6 has no such file, and then nothing to say on the wire either. */
	fmt_into(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	(void)write_setting(path, "1");
}

void net_dead_end(const char *name)
{
	char path[80];

	fmt_into(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/forwarding", name);
	(void)write_setting(path, "0");
}

/* Whether it says another number than 0; what cannot be read says nothing */
static bool is_on(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char now = '0';

	return fd >= 0 && pread(fd, &now, 1, 0) == 1 && now != '0';
}

static bool host_forwards(void)
{
	static const char *const paths[] = {FORWARD, "/proc/sys/net/ipv4/conf/default/forwarding",
					    "/proc/sys/net/ipv6/conf/all/forwarding",
					    "/proc/sys/net/ipv6/conf/default/forwarding"};
	bool on = false;

	for (unsigned int i = 0; i < ARRAY_SIZE(paths); i++)
		on |= is_on(paths[i]);
	return on;
}

int net_forward(struct err *err)
{
	cleanup_fd int fd = open(FORWARD, O_RDONLY | O_CLOEXEC);
	char now = '0';
	ssize_t n = fd < 0 ? -1 : pread(fd, &now, 1, 0);
	int rc;

	if (n != 1)
		return err_set(err, n < 0 ? errno : ENODATA, "masquerading needs %s", FORWARD);
	if (now != '0')
		return 0;
	rc = write_setting(FORWARD, "1");
	return rc < 0 ? err_set(err, -rc, "masquerading needs %s to be 1", FORWARD) : 1;
}

int net_up(struct nl *nl, int index, uint16_t mtu, int master, struct err *err)
{
	const struct rtnl_change c = {
		.up = true, .mtu = mtu, .group = NET_GROUP, .master = master, .netns_fd = -1};

	return rtnl_link_change(nl, index, &c, err);
}

int net_isolate(const struct plan_net *p, struct net_made *made, struct err *err)
{
	const struct nft_private private = {.link = made->host_link,
					    .group = NET_GROUP,
					    .guest = made->guest.addr,
					    .masquerade = p->masquerade};
	cleanup_nl struct nl nl = NL_CLOSED;
	int rc = nl_open(&nl, NETLINK_NETFILTER, err);

	if (rc == 0)
		rc = nft_private_add(&nl, made->table, &private, err);
	if (rc == 0)
		return 0;
	/* One of that name is another's, and asking to remove it takes a privilege. */
	if (rc == -EEXIST || rc == -EPERM || rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT)
		made->table[0] = '\0';
	if (p->masquerade || (rc != -EOPNOTSUPP && rc != -EPROTONOSUPPORT))
		return rc;
	/* Where nothing is forwarded nothing has to be kept from it. */
	return !host_forwards()
		       ? 0
		       : err_text(err, EOPNOTSUPP,
				  "this host forwards packets, and only with nf_tables can a "
				  "private guest be kept out of that: load it, or set "
				  "net.ipv4.ip_forward and net.ipv6.conf.all.forwarding to 0");
}

int net_guard(struct net_made *made, struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	int rc = nl_open(&nl, NETLINK_NETFILTER, err);

	if (rc == 0)
		rc = nft_guard_add(&nl, made->table, made->tap, NET_GROUP, err);
	if (rc < 0)
		made->table[0] = '\0';
	/* Such a TAP is there so that its owner needs no privilege. */
	return rc == -EPERM || rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT ? 0 : rc;
}

int net_unisolate(const struct net_made *made, struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	int rc;

	if (!made->table[0])
		return 0;
	rc = nl_open(&nl, NETLINK_NETFILTER, err);
	/* Without netfilter there is no table. */
	if (rc < 0)
		return rc == -EPROTONOSUPPORT ? 0 : rc;
	rc = nft_table_del(&nl, made->table, made->host_link[0] ? made->host_link : made->tap, err);
	/* Who may not even ask has made none. */
	return rc == -ENOENT || rc == -EOPNOTSUPP || rc == -EPERM ? 0 : rc;
}

/* ---- the calls ---- */

static bool has_mac(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return memcmp(mac, none, sizeof(none)) != 0;
}

/* In words for users: which device, and for want of privilege what does without */
static int explain(const struct plan_net *p, int rc, struct err *err)
{
	if (rc == -EPERM || rc == -EACCES) {
		const bool enters = p->mode == NET_MODE_PRIVATE || p->mode == NET_MODE_NETNS;
		char why[ERR_MSG_BYTES];

		fmt_into(why, sizeof(why), "%.*s", 120, err->msg);
		err_text(err, -rc,
			 "%s (mode \"%s\" needs %sCAP_NET_ADMIN here; \"fd\" and \"none\" do not)",
			 why, net_mode_names[p->mode], enters ? "CAP_SYS_ADMIN and " : "");
	}
	return err_wrap(err, "%s", p->pointer);
}

void net_fill_addrs(const struct plan_net *p, struct net_made *made)
{
	if (!made->host.bits)
		return;
	made->guest = p->guest.bits ? p->guest : addr_next(made->host);
	made->gateway = p->gateway ? p->gateway : made->host.addr;
}

int net_plan(const struct plan_net *p, const char *id, const char *device, struct net_made *ret,
	     struct err *err)
{
	const struct net_ops *ops = net_ops(p->mode);
	struct net_made made = {
		.mode = p->mode,
		.mtu = p->mtu,
		.host = p->host,
		.guest = p->guest,
		.gateway = p->gateway,
	};
	int rc;

	fmt_into(made.device, sizeof(made.device), "%s", device);
	fmt_into(made.tap, sizeof(made.tap), "%s", p->name);
	memcpy(made.mac, p->mac, sizeof(made.mac));
	/* In a namespace that is given only until an interface is joined. */
	if (!has_mac(made.mac))
		net_name_mac(id, device, made.mac);
	rc = ops->plan ? ops->plan(p, id, &made, err) : 0;
	if (rc < 0)
		return explain(p, rc, err);
	net_fill_addrs(p, &made);
	if (p->mode == NET_MODE_PRIVATE || p->mode == NET_MODE_TAP || p->mode == NET_MODE_BRIDGE)
		net_name_table_of(&made, id, made.table);
	*ret = made;
	return 0;
}

int net_setup(const struct plan_net *p, struct net_made *made, struct tap *ret, struct err *err)
{
	struct tap tap = {.nr = 0};
	struct err ignored;
	int rc = net_ops(p->mode)->setup(p, made, &tap, err);

	if (rc < 0) {
		tap_close(&tap);
		/* What made it fail is what the user is told. */
		(void)!net_undo(made, &ignored);
		return explain(p, rc, err);
	}
	if (!made->mtu)
		made->mtu = NET_MTU_DEFAULT;
	*ret = tap;
	return 0;
}

void net_tell(struct plan *p, unsigned int i, const struct net_made *made, const struct tap *tap)
{
	struct plan_proc *proc = &p->proc[p->net[i].proc];
	struct net_settings settings;

	plan_settings(proc, &settings, sizeof(settings));
	memcpy(settings.mac, made->mac, sizeof(settings.mac));
	/* In netns mode the interface's own comes at start (CTL_NET), if there is one then. */
	if (!has_mac(settings.mac))
		net_name_mac(p->id, made->device, settings.mac);
	settings.mtu = made->mtu;
	settings.tun_flags = tap->tun_flags;
	plan_set_settings(proc, &settings, sizeof(settings));
}

int net_undo(const struct net_made *made, struct err *err)
{
	const struct net_ops *ops = net_ops(made->mode);
	int rc = ops->undo ? ops->undo(made, err) : 0;

	return rc < 0 ? err_wrap(err, "undo %s", made->device) : 0;
}
