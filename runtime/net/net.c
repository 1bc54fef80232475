/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/net.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/net/host.h"
#include "runtime/net/mode.h"
#include "runtime/net/names.h"
#include "runtime/plan/plan_settings.h"

static bool net_has_mac(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return memcmp(mac, none, sizeof(none)) != 0;
}

/* Adds which device failed, and for lack of privilege which modes need none */
static int net_explain(const struct plan_net *p, int rc, struct err *err)
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

int net_plan(const struct plan_net *p, const char *id, const char *device, struct net_record *ret,
	     struct err *err)
{
	const struct net_ops *ops = net_ops(p->mode);
	struct net_record record = {
		.mode = p->mode,
		.mtu = p->mtu,
	};
	int rc;

	fmt_into(record.device, sizeof(record.device), "%s", device);
	fmt_into(record.tap, sizeof(record.tap), "%s", p->name);
	memcpy(record.mac, p->mac, sizeof(record.mac));
	net_record_set_host(&record, p, p->host);
	/* In mode netns only until an interface is joined. */
	if (!net_has_mac(record.mac))
		net_name_mac(id, device, record.mac);
	rc = ops->plan ? ops->plan(p, id, &record, err) : 0;
	if (rc < 0)
		return net_explain(p, rc, err);
	if (p->mode == NET_MODE_PRIVATE || p->mode == NET_MODE_TAP || p->mode == NET_MODE_BRIDGE)
		net_name_table_of(&record, id, record.table);
	*ret = record;
	return 0;
}

int net_setup(const struct plan_net *p, struct net_record *record, struct tap *ret, struct err *err)
{
	struct tap tap = {.nr = 0};
	struct err ignored;
	int rc = net_ops(p->mode)->setup(p, record, &tap, err);

	if (rc < 0) {
		tap_close(&tap);
		/* The user needs the first error. */
		(void)!net_undo(record, &ignored);
		return net_explain(p, rc, err);
	}
	if (!record->mtu)
		record->mtu = NET_MTU_DEFAULT;
	*ret = tap;
	return 0;
}

void net_fill_settings(struct plan *p, unsigned int i, const struct net_record *record,
		       const struct tap *tap)
{
	struct plan_proc *proc = &p->proc[p->net[i].proc];
	struct net_settings settings;

	plan_settings(proc, &settings, sizeof(settings));
	memcpy(settings.mac, record[i].mac, sizeof(settings.mac));
	/* In netns mode the interface's own comes at start (CTL_NET), if there is one then. */
	if (!net_has_mac(settings.mac))
		net_name_mac(p->id, record[i].device, settings.mac);
	settings.mtu = record[i].mtu;
	settings.tun_flags = tap->tun_flags;
	net_lease(p, record, i + 1, i, &settings.lease);
	plan_set_settings(proc, &settings, sizeof(settings));
}

int net_undo(const struct net_record *record, struct err *err)
{
	const struct net_ops *ops = net_ops(record->mode);
	int rc = ops->undo ? ops->undo(record, err) : 0;

	return rc < 0 ? err_wrap(err, "undo %s", record->device) : 0;
}
