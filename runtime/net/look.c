/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/look.h"

#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/net/interface.h"
#include "runtime/netlink/netns.h"

struct count {
	bool whole;
	unsigned int nr;
};

static int look_count(struct nl *nl, void *arg, struct err *err)
{
	struct count *c = arg;
	cleanup_free struct net_found *f = NULL;
	int rc = net_found_list(nl, &f, err);

	for (unsigned int i = 0; rc == 0 && i < f->nr_links; i++)
		c->nr += net_found_counts(f, &f->link[i], c->whole);
	return rc;
}

int net_count(const char *path, bool whole, unsigned int *ret, struct netns_id *ret_id,
	      struct err *err)
{
	struct netns_id id = {0};
	struct count c = {.whole = whole};
	int rc = netns_inside(path, &id, look_count, &c, err);

	if (rc < 0)
		return rc;
	*ret = c.nr;
	*ret_id = id;
	return 0;
}

/**
 * struct look - What to look for
 * @record:	The VM's devices, @nr; @i is the one that needs an interface
 * @ret:	Record of what was found
 */
struct look {
	const struct net_record *record;
	unsigned int nr, i;
	struct net_record *ret;
	const struct warn_to *warn;
};

static bool look_same_netns(const struct net_record *a, const struct net_record *b)
{
	return a->mode == NET_MODE_NETNS && b->mode == NET_MODE_NETNS &&
	       netns_same(&a->netns_id, &b->netns_id);
}

/* Whether @name is a TAP of the VM, or joined to one */
static bool look_is_vms_own(const struct look *l, const char *name)
{
	for (unsigned int k = 0; k < l->nr; k++) {
		const struct net_record *m = &l->record[k];

		if (look_same_netns(m, &l->record[l->i]) &&
		    (strcmp(m->tap, name) == 0 || strcmp(m->joined, name) == 0))
			return true;
	}
	return false;
}

static int look(struct nl *nl, void *arg, struct err *err)
{
	const struct look *l = arg;
	cleanup_free struct net_found *f = NULL;
	int rc = net_found_list(nl, &f, err);

	for (unsigned int i = 0; rc == 0 && i < f->nr_links; i++)
		if (net_found_counts(f, &f->link[i], l->ret->whole) &&
		    !look_is_vms_own(l, f->link[i].name))
			return net_interface_record(nl, f, &f->link[i], l->ret, err);
	return rc;
}

int net_look(struct net_record *record, unsigned int nr, unsigned int i, struct err *err)
{
	struct net_record found = record[i];
	struct look l = {.record = record, .nr = nr, .i = i, .ret = &found};
	int rc;

	if (record[i].mode != NET_MODE_NETNS || record[i].joined[0])
		return 0;
	net_record_forget(&found);
	rc = netns_inside(record[i].netns, &found.netns_id, look, &l, err);
	if (rc < 0)
		return err_wrap(err, "%s", record[i].device);
	record[i] = found;
	return found.joined[0] != '\0';
}

static void look_warn(const struct look *l, char *text)
{
	(void)fmt_printable(text);
	l->warn->line(l->warn->arg, text);
}

static void look_warn_of(const struct look *l, const struct rtnl_link *link)
{
	char text[ERR_MSG_BYTES];

	if (link->ethernet)
		fmt_into(text, sizeof(text),
			 "no device is left for interface %s: add another {\"type\": \"net\", "
			 "\"mode\": \"netns\"} to vm.devices (network namespace %s)",
			 link->name, l->record[l->i].netns);
	else
		fmt_into(text, sizeof(text),
			 "interface %s is no Ethernet, and not joined (network namespace %s)",
			 link->name, l->record[l->i].netns);
	look_warn(l, text);
}

/* What the guest of a container lacks */
static int look_for_lacking(struct nl *nl, void *arg, struct err *err)
{
	const struct look *l = arg;
	const char *first = NULL, *netns = l->record[l->i].netns;
	struct rtnl_lefts lefts = {0};
	char text[ERR_MSG_BYTES];
	unsigned int nr = 0;
	cleanup_free struct net_found *f = NULL;
	int rc = net_found_list(nl, &f, err);

	for (unsigned int i = 0; rc == 0 && i < f->nr_links; i++) {
		const struct rtnl_link *link = &f->link[i];

		if (look_is_vms_own(l, link->name) ||
		    !(net_found_counts(f, link, true) || net_found_has_address(f, link)))
			continue;
		first = first ? first : link->name;
		nr++;
	}
	if (rc == 0)
		rc = rtnl_lefts(nl, &lefts, err);
	if (nr > 0) {
		fmt_into(text, sizeof(text),
			 "the guest lacks %u of the interfaces of network namespace %s, the first "
			 "is "
			 "%s: no Ethernet, or made after create, or there is no device left",
			 nr, netns, first);
		look_warn(l, text);
	}
	if (lefts.routes + lefts.rules > 0) {
		fmt_into(text, sizeof(text),
			 "the guest lacks %u routes and %u rules of network namespace %s: it has "
			 "the "
			 "main table, without multipath, types, sources and encapsulation",
			 lefts.routes, lefts.rules, netns);
		look_warn(l, text);
	}
	return rc;
}

static int look_for_left(struct nl *nl, void *arg, struct err *err)
{
	const struct look *l = arg;
	cleanup_free struct net_found *f = NULL;
	int rc = net_found_list(nl, &f, err);

	for (unsigned int i = 0; rc == 0 && i < f->nr_links; i++)
		if (net_found_has_address(f, &f->link[i]) && !look_is_vms_own(l, f->link[i].name))
			look_warn_of(l, &f->link[i]);
	return rc;
}

int net_warn_left(const struct net_record *record, unsigned int nr, unsigned int i,
		  const struct warn_to *warn, struct err *err)
{
	struct look l = {.record = record, .nr = nr, .i = i, .warn = warn};
	struct netns_id id = record[i].netns_id;

	if (record[i].mode != NET_MODE_NETNS)
		return 0;
	for (unsigned int k = 0; k < i; k++)
		if (look_same_netns(&record[k], &record[i]))
			return 0;
	return netns_inside(record[i].netns, &id,
			    record[i].whole ? look_for_lacking : look_for_left, &l, err);
}
