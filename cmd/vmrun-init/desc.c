/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/desc.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>

/* What an item of a type consists of; @single: at most one of it */
static const struct {
	uint32_t size, strings;
	bool single;
} desc_rules[AGENT_ITEM_TYPES] = {
	[AGENT_PROCESS] = {sizeof(struct agent_process), 1, true},
	[AGENT_ARG] = {0, 1},
	[AGENT_ENV] = {0, 1},
	[AGENT_GROUP] = {sizeof(uint32_t), 0},
	[AGENT_CAPS] = {sizeof(struct agent_caps), 0, true},
	[AGENT_RLIMIT] = {sizeof(struct agent_rlimit), 0},
	[AGENT_FILTER] = {sizeof(struct agent_filter), 0},
	[AGENT_SCHEDULER] = {sizeof(struct agent_scheduler), 0, true},
	[AGENT_ROOT] = {sizeof(struct agent_root), 1, true},
	[AGENT_MOUNT] = {sizeof(struct agent_mount), 4},
	[AGENT_DEVICE] = {sizeof(struct agent_device), 1},
	[AGENT_MASKED] = {0, 1},
	[AGENT_READONLY] = {0, 1},
	[AGENT_SYSCTL] = {0, 2},
	[AGENT_HOSTNAME] = {0, 1, true},
	[AGENT_DOMAINNAME] = {0, 1, true},
	[AGENT_PIDS] = {sizeof(uint64_t), 0, true},
	[AGENT_HOOK] = {sizeof(struct agent_hook), 1},
	[AGENT_STATE] = {0, 1, true},
	[AGENT_LINK] = {sizeof(struct agent_link), 1},
	[AGENT_ADDRESS] = {sizeof(struct agent_address), 0},
	[AGENT_ROUTE] = {sizeof(struct agent_route), 0},
	[AGENT_NEIGHBOUR] = {sizeof(struct agent_neighbour), 0},
	[AGENT_CGROUP] = {0, 1, true},
};

/* Exactly @n terminated strings */
static bool desc_is_strings(const uint8_t *tail, uint64_t len, uint64_t n)
{
	uint64_t found = 0;

	for (uint64_t i = 0; i < len; i++)
		found += tail[i] == '\0';
	return found == n && (len == 0 || tail[len - 1] == '\0');
}

static bool desc_is_item(uint16_t type, const uint8_t *data, uint32_t bytes)
{
	const uint8_t *tail;
	uint64_t strings;
	struct agent_filter f;
	struct agent_hook h;

	if (type == 0 || type >= AGENT_ITEM_TYPES || bytes < desc_rules[type].size)
		return false;
	tail = data + desc_rules[type].size;
	bytes -= desc_rules[type].size;
	strings = desc_rules[type].strings;
	if (type == AGENT_FILTER) {
		memcpy(&f, data, sizeof(f));
		return f.count > 0 && f.count <= BPF_MAXINSNS &&
		       bytes == f.count * sizeof(struct sock_filter);
	}
	if (type == AGENT_HOOK) {
		memcpy(&h, data, sizeof(h));
		strings += (uint64_t)h.nr_args + h.nr_env;
	}
	return desc_is_strings(tail, bytes, strings);
}

/* The item at @at; false: there is none that is whole and right */
static bool desc_next(const uint8_t *bytes, size_t len, size_t at, struct agent_item *ret)
{
	if (len - at < sizeof(*ret))
		return false;
	memcpy(ret, bytes + at, sizeof(*ret));
	return ret->bytes <= len - at - sizeof(*ret) && ret->reserved == 0 &&
	       desc_is_item(ret->type, bytes + at + sizeof(*ret), ret->bytes);
}

static int desc_count(const uint8_t *bytes, size_t len, struct desc *d)
{
	struct agent_item head;

	for (size_t at = 0; at < len; at += sizeof(head) + head.bytes) {
		if (!desc_next(bytes, len, at, &head) ||
		    (desc_rules[head.type].single && d->count[head.type] > 0))
			return -EINVAL;
		d->count[head.type]++;
	}
	return 0;
}

int desc_parse(const uint8_t *bytes, size_t len, struct desc *ret)
{
	uint32_t total = 0, n[AGENT_ITEM_TYPES] = {0};
	struct agent_item head;
	int rc = len > DESC_BYTES_MAX ? -E2BIG : 0;

	*ret = (struct desc){0};
	if (rc == 0)
		rc = desc_count(bytes, len, ret);
	for (unsigned int t = 0; t < AGENT_ITEM_TYPES; t++)
		total += ret->count[t];
	if (rc == 0 && !(ret->all = calloc(total + 1, sizeof(*ret->all))))
		rc = -ENOMEM;
	if (rc < 0) {
		*ret = (struct desc){0};
		return rc;
	}
	total = 0;
	for (unsigned int t = 0; t < AGENT_ITEM_TYPES; total += ret->count[t++])
		ret->item[t] = ret->all + total;
	for (size_t at = 0; at < len; at += sizeof(head) + head.bytes) {
		struct desc_item *item;

		memcpy(&head, bytes + at, sizeof(head));
		item = &ret->item[head.type][n[head.type]++];
		item->data = bytes + at + sizeof(head);
		item->tail = (const char *)item->data + desc_rules[head.type].size;
	}
	return 0;
}

void desc_done(struct desc *d)
{
	free(d->all);
	*d = (struct desc){0};
}

bool desc_get(const struct desc *d, enum agent_item_type type, uint32_t i, void *ret)
{
	if (i >= d->count[type])
		return false;
	memcpy(ret, d->item[type][i].data, desc_rules[type].size);
	return true;
}

const char *desc_text(const struct desc *d, enum agent_item_type type, uint32_t i, uint32_t n)
{
	const char *s = d->item[type][i].tail;

	for (; n > 0; n--)
		s += strlen(s) + 1;
	return s;
}

char **desc_texts(const struct desc *d, enum agent_item_type type)
{
	char **list = calloc((size_t)d->count[type] + 1, sizeof(*list));

	for (uint32_t i = 0; list && i < d->count[type]; i++)
		list[i] = (char *)(uintptr_t)desc_text(d, type, i, 0);
	return list;
}

char **desc_list(const struct desc *d, enum agent_item_type type, uint32_t i, uint32_t first,
		 uint32_t count)
{
	char **list = calloc((size_t)count + 1, sizeof(*list));
	const char *s = desc_text(d, type, i, first);

	for (uint32_t n = 0; list && n < count; n++, s += strlen(s) + 1)
		list[n] = (char *)(uintptr_t)s;
	return list;
}
