/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Maps of user or group ids: which of a guest is which of the host
 */
#ifndef VMRUN_RUNTIME_UTIL_ID_MAP_H
#define VMRUN_RUNTIME_UTIL_ID_MAP_H

#include "devices/core/base.h"
#include "devices/core/err.h"

struct json_object;

/* Ranges of one map. Whatever the numbers, with one more they are less than a page of text, as the kernel wants it. */
#define ID_MAP_MAX 120U

/* The ids that processes of vmrun have on the host: no map may hold them, on either side */
#define ID_MAP_OWN_FIRST 0x70000000U /* above the ranges of /etc/subuid and systemd */
#define ID_MAP_OWN_COUNT 0x0fffffffU

/** struct id_range - @count ids from @inside on, the guest's, are those from @outside on of vmrun's user namespace */
struct id_range {
	uint64_t inside, outside, count;
};

/** struct id_map - @nr ranges, owned; @from: where they come from, for errors, owned */
struct id_map {
	unsigned int nr;
	struct id_range *range;
	char *from;
};

/** id_map_done() - Free what @m owns, and empty it */
void id_map_done(struct id_map *m);

/** id_map_set() - Make @m a copy of @nr ranges.  Return: 0 or -ENOMEM; id_map_done() frees it in either case */
MUST_CHECK int id_map_set(struct id_map *m, const struct id_range *range, unsigned int nr,
			  const char *from, struct err *err);

/**
 * id_map_parse() - Read "INSIDE OUTSIDE COUNT[,INSIDE OUTSIDE COUNT]..."
 * @from:	For errors
 *
 * Return: 0 or -errno; the map is checked. id_map_done() frees it in either case
 */
MUST_CHECK int id_map_parse(struct id_map *m, const char *text, const char *from, struct err *err);

/** id_map_check() - No range is empty, too large, vmrun's own or another's, too.  Return: 0, or -EINVAL with @from */
MUST_CHECK int id_map_check(const struct id_range *range, unsigned int nr, const char *from,
			    struct err *err);

/** id_map_inside() - What @outside is inside.  Return: whether the map has it; *@ret is untouched otherwise */
bool id_map_inside(const struct id_map *m, uint32_t outside, uint32_t *ret);

/** id_map_json() - As config.json has it: an array of containerID, hostID and size, the caller's */
struct json_object *id_map_json(const struct id_map *m);

#endif
