/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: struct net_record as JSON, for state.json and for `vmrun state`
 *
 * Empty members are left out. What is read back decides what delete removes, so this refuses a name that vmrun
 * would not have chosen for this VM.
 */
#include "runtime/state/state_net.h"

#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/net/names.h"
#include "runtime/util/addr.h"

#define MTU_KEY	  "mtu"
#define NETNS_KEY "netnsId" /* [device, inode] */

/* The texts of a record, as they are */
static const struct text {
	const char *key;
	size_t offset, size;
} texts[] = {
#define TEXT(k, f)                                                                                 \
	{                                                                                          \
		k, offsetof(struct net_record, f), sizeof(((struct net_record *)NULL)->f)          \
	}
	TEXT("device", device), TEXT("tap", tap),     TEXT("hostInterface", host_link),
	TEXT("bridge", bridge), TEXT("table", table), TEXT("netns", netns),
	TEXT("joined", joined),
#undef TEXT
};

/* The addresses of a record: with a prefix, or a gateway without */
static const struct address {
	const char *key;
	size_t offset;
} addresses[] = {
	{"hostAddress", offsetof(struct net_record, host)},
	{"guestAddress", offsetof(struct net_record, guest)},
};

static void state_net_add_text(struct json_object *o, const char *key, const char *value)
{
	if (*value)
		json_object_object_add(o, key, json_object_new_string(value));
}

/* ---- addresses, routes, neighbours (netns mode) -------------------------------------------- */

static struct json_object *state_net_ip_to_json(const struct net_ip *ip, bool prefix)
{
	char text[ADDR_IP_TEXT_BYTES];

	addr_put_ip(ip, prefix, text);
	return json_object_new_string(text);
}

static struct json_object *state_net_addr_to_json(const struct net_record *record, unsigned int i)
{
	return state_net_ip_to_json(&record->addr[i], true);
}

static struct json_object *state_net_route_to_json(const struct net_record *record, unsigned int i)
{
	struct json_object *o = json_object_new_object();
	const struct net_route *t = &record->route[i];

	json_object_object_add(o, "destination", state_net_ip_to_json(&t->dst, true));
	if (t->gateway.family)
		json_object_object_add(o, "gateway", state_net_ip_to_json(&t->gateway, false));
	if (t->metric)
		json_object_object_add(o, "metric", json_object_new_int64(t->metric));
	return o;
}

static struct json_object *state_net_neigh_to_json(const struct net_record *record, unsigned int i)
{
	struct json_object *o = json_object_new_object();
	char mac[ADDR_TEXT_BYTES];

	addr_put_mac(record->neigh[i].mac, mac);
	json_object_object_add(o, "address", state_net_ip_to_json(&record->neigh[i].addr, false));
	json_object_object_add(o, "mac", json_object_new_string(mac));
	return o;
}

/* With all bits where @prefix is not wanted */
static bool state_net_ip_from_json(struct json_object *v, bool prefix, struct net_ip *ret)
{
	const char *text = json_object_is_type(v, json_type_string) ? json_object_get_string(v)
								    : NULL;

	return text && strlen(text) == (size_t)json_object_get_string_len(v) &&
	       !strchr(text, '/') == !prefix && addr_parse_ip(text, ret) == 0;
}

static bool state_net_addr_from_json(struct json_object *v, struct net_record *record,
				     unsigned int i)
{
	return state_net_ip_from_json(v, true, &record->addr[i]);
}

static bool state_net_route_from_json(struct json_object *v, struct net_record *record,
				      unsigned int i)
{
	struct net_route *t = &record->route[i];
	struct json_object *gateway, *metric;
	int64_t n = 0;

	if (!state_net_ip_from_json(json_object_object_get(v, "destination"), true, &t->dst))
		return false;
	if (json_object_object_get_ex(v, "gateway", &gateway) &&
	    (!state_net_ip_from_json(gateway, false, &t->gateway) ||
	     t->gateway.family != t->dst.family))
		return false;
	if (json_object_object_get_ex(v, "metric", &metric)) {
		n = json_object_get_int64(metric);
		if (!json_object_is_type(metric, json_type_int) || n <= 0 || n > UINT32_MAX)
			return false;
	}
	t->metric = (uint32_t)n;
	return true;
}

static bool state_net_neigh_from_json(struct json_object *v, struct net_record *record,
				      unsigned int i)
{
	struct json_object *mac = json_object_object_get(v, "mac");

	return state_net_ip_from_json(json_object_object_get(v, "address"), false,
				      &record->neigh[i].addr) &&
	       json_object_is_type(mac, json_type_string) &&
	       addr_parse_mac(json_object_get_string(mac), record->neigh[i].mac) == 0;
}

/* The lists of a record */
static const struct item_list {
	const char *key;
	size_t nr_offset;
	unsigned int max;
	enum json_type item;
	struct json_object *(*to)(const struct net_record *record, unsigned int i);
	bool (*from)(struct json_object *v, struct net_record *record, unsigned int i);
} lists[] = {
	{"addresses", offsetof(struct net_record, nr_addrs), NET_ADDRS_MAX, json_type_string,
	 state_net_addr_to_json, state_net_addr_from_json},
	{"routes", offsetof(struct net_record, nr_routes), NET_ROUTES_MAX, json_type_object,
	 state_net_route_to_json, state_net_route_from_json},
	{"neighbours", offsetof(struct net_record, nr_neighs), NET_NEIGHS_MAX, json_type_object,
	 state_net_neigh_to_json, state_net_neigh_from_json},
};

static void state_net_add_lists(struct json_object *o, const struct net_record *record)
{
	unsigned int nr;

	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++) {
		struct json_object *a;

		memcpy(&nr, (const char *)record + lists[i].nr_offset, sizeof(nr));
		if (!nr)
			continue;
		a = json_object_new_array();
		for (unsigned int n = 0; n < nr; n++)
			json_object_array_add(a, lists[i].to(record, n));
		json_object_object_add(o, lists[i].key, a);
	}
}

static bool state_net_get_list(struct json_object *o, const struct item_list *l,
			       struct net_record *record)
{
	struct json_object *a, *v;
	unsigned int nr;

	if (!json_object_object_get_ex(o, l->key, &a))
		return true;
	if (!json_object_is_type(a, json_type_array) || json_object_array_length(a) > l->max)
		return false;
	nr = (unsigned int)json_object_array_length(a);
	for (unsigned int n = 0; n < nr; n++) {
		v = json_object_array_get_idx(a, n);
		if (!json_object_is_type(v, l->item) || !l->from(v, record, n))
			return false;
	}
	memcpy((char *)record + l->nr_offset, &nr, sizeof(nr));
	return true;
}

static bool state_net_get_lists(struct json_object *o, struct net_record *record)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		if (!state_net_get_list(o, &lists[i], record))
			return false;
	return true;
}

/* ---- the record ---------------------------------------------------------------------------- */

static void state_net_add_netns_id(struct json_object *o, const struct netns_id *id)
{
	struct json_object *a;

	if (!id->ino)
		return;
	a = json_object_new_array();
	json_object_array_add(a, json_object_new_uint64(id->dev));
	json_object_array_add(a, json_object_new_uint64(id->ino));
	json_object_object_add(o, NETNS_KEY, a);
}

static bool state_net_get_netns_id(struct json_object *o, struct netns_id *ret)
{
	struct json_object *a, *dev, *ino;

	if (!json_object_object_get_ex(o, NETNS_KEY, &a))
		return true;
	if (!json_object_is_type(a, json_type_array) || json_object_array_length(a) != 2)
		return false;
	dev = json_object_array_get_idx(a, 0);
	ino = json_object_array_get_idx(a, 1);
	if (!json_object_is_type(dev, json_type_int) || !json_object_is_type(ino, json_type_int))
		return false;
	*ret = (struct netns_id){json_object_get_uint64(dev), json_object_get_uint64(ino)};
	return true;
}

struct json_object *state_net_to_json(const struct net_record *record)
{
	static const uint8_t no_mac[6];
	struct json_object *o = json_object_new_object();
	char text[ADDR_TEXT_BYTES];

	state_net_add_text(o, "mode", net_mode_names[record->mode]);
	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++)
		state_net_add_text(o, texts[i].key, (const char *)record + texts[i].offset);
	if (memcmp(record->mac, no_mac, sizeof(no_mac)) != 0) {
		addr_put_mac(record->mac, text);
		state_net_add_text(o, "mac", text);
	}
	state_net_add_netns_id(o, &record->netns_id);
	if (record->mtu)
		json_object_object_add(o, MTU_KEY, json_object_new_int(record->mtu));
	for (unsigned int i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct net_addr a;

		memcpy(&a, (const char *)record + addresses[i].offset, sizeof(a));
		if (!a.bits)
			continue;
		addr_put(a, text);
		state_net_add_text(o, addresses[i].key, text);
	}
	if (record->gateway) {
		addr_put((struct net_addr){record->gateway, 0}, text);
		state_net_add_text(o, "gateway", text);
	}
	state_net_add_lists(o, record);
	return o;
}

/* The text of @key, "" where there is none, NULL where it is something else or too long */
static const char *state_net_text_of(struct json_object *o, const char *key, size_t size)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v))
		return "";
	if (!json_object_is_type(v, json_type_string) ||
	    (size_t)json_object_get_string_len(v) >= size ||
	    strlen(json_object_get_string(v)) != (size_t)json_object_get_string_len(v))
		return NULL;
	return json_object_get_string(v);
}

static bool state_net_get_addresses(struct json_object *o, struct net_record *record)
{
	const char *mac = state_net_text_of(o, "mac", ADDR_TEXT_BYTES);
	const char *gateway = state_net_text_of(o, "gateway", ADDR_TEXT_BYTES);
	struct net_addr a = {0};

	if (!mac || (*mac && addr_parse_mac(mac, record->mac) < 0))
		return false;
	if (!gateway || (*gateway && (addr_parse(gateway, &a) < 0 || a.bits)))
		return false;
	record->gateway = a.addr;
	for (unsigned int i = 0; i < ARRAY_SIZE(addresses); i++) {
		const char *text = state_net_text_of(o, addresses[i].key, ADDR_TEXT_BYTES);

		if (!text || (*text && (addr_parse(text, &a) < 0 || !a.bits)))
			return false;
		if (*text)
			memcpy((char *)record + addresses[i].offset, &a, sizeof(a));
	}
	return true;
}

bool state_net_from_json(struct json_object *o, const char *id, struct net_record *ret)
{
	struct net_record record = {0};
	struct json_object *mtu;
	const char *text;

	if (!json_object_is_type(o, json_type_object))
		return false;
	text = state_net_text_of(o, "mode", ADDR_TEXT_BYTES);
	if (!text || net_mode_parse(text, &record.mode) < 0)
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
		text = state_net_text_of(o, texts[i].key, texts[i].size);
		if (!text)
			return false;
		fmt_into((char *)&record + texts[i].offset, texts[i].size, "%s", text);
	}
	if (json_object_object_get_ex(o, MTU_KEY, &mtu)) {
		const int64_t v = json_object_get_int64(mtu);

		if (!json_object_is_type(mtu, json_type_int) || v <= 0 || v > UINT16_MAX)
			return false;
		record.mtu = (uint16_t)v;
	}
	if (!record.device[0] || !state_net_get_addresses(o, &record) ||
	    !state_net_get_lists(o, &record) || !state_net_get_netns_id(o, &record.netns_id) ||
	    !net_is_ours(&record, id))
		return false;
	*ret = record;
	return true;
}
