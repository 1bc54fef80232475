/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/id_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/util/json.h"

#define ID_MAP_IDS 0xffffffffULL /* the last number is no id: -1 */

void id_map_done(struct id_map *m)
{
	free(m->range);
	free(m->from);
	*m = (struct id_map){0};
}

int id_map_set(struct id_map *m, const struct id_range *range, unsigned int nr, const char *from,
	       struct err *err)
{
	*m = (struct id_map){.nr = nr, .range = calloc(nr, sizeof(*range)), .from = strdup(from)};
	if (!m->range || !m->from)
		return err_set(err, ENOMEM, "%s", from);
	memcpy(m->range, range, nr * sizeof(*range));
	return 0;
}

static bool id_map_overlap(uint64_t a, uint64_t nr_a, uint64_t b, uint64_t nr_b)
{
	return a < b + nr_b && b < a + nr_a;
}

static int id_map_check_range(const struct id_range *r, const char *from, unsigned int at,
			      struct err *err)
{
	const uint64_t first[] = {r->inside, r->outside};

	if (r->count == 0)
		return err_text(err, EINVAL, "%s/%u: is empty", from, at);
	for (unsigned int i = 0; i < ARRAY_SIZE(first); i++) {
		if (first[i] >= ID_MAP_IDS || r->count > ID_MAP_IDS - first[i])
			return err_text(err, EINVAL, "%s/%u: %lu ids from %lu on: ids end at %llu",
					from, at, r->count, first[i], ID_MAP_IDS - 1);
		if (id_map_overlap(first[i], r->count, ID_MAP_OWN_FIRST, ID_MAP_OWN_COUNT))
			return err_text(err, EINVAL,
					"%s/%u: %lu ids from %lu on: vmrun needs those from %u to "
					"%u",
					from, at, r->count, first[i], ID_MAP_OWN_FIRST,
					ID_MAP_OWN_FIRST + ID_MAP_OWN_COUNT - 1);
	}
	return 0;
}

int id_map_check(const struct id_range *range, unsigned int nr, const char *from, struct err *err)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct id_range *r = &range[i];
		int rc = id_map_check_range(r, from, i, err);

		if (rc < 0)
			return rc;
		for (unsigned int n = 0; n < i; n++) {
			const struct id_range *o = &range[n];
			const bool guest = id_map_overlap(r->inside, r->count, o->inside, o->count);

			if (guest || id_map_overlap(r->outside, r->count, o->outside, o->count))
				return err_text(err, EINVAL,
						"%s/%u: has ids of the %s that %s/%u has", from, i,
						guest ? "guest" : "host", from, n);
		}
	}
	return 0;
}

/* One number, and the blank behind it unless it is the last */
static bool id_map_take(const char **at, uint64_t *ret, bool last)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*ret = strtoull(*at, &end, 10);
	if (errno || (!last && *end != ' '))
		return false;
	*at = end + strspn(end, " ");
	return true;
}

int id_map_parse(struct id_map *m, const char *text, const char *from, struct err *err)
{
	struct id_range range[ID_MAP_MAX];
	const char *at = text;
	unsigned int nr = 0;
	int rc;

	*m = (struct id_map){0};
	do {
		struct id_range *r = &range[nr];

		if (nr == ID_MAP_MAX)
			return err_text(err, EINVAL, "%s: more than %u ranges", from, ID_MAP_MAX);
		at += nr > 0;
		if (!id_map_take(&at, &r->inside, false) || !id_map_take(&at, &r->outside, false) ||
		    !id_map_take(&at, &r->count, true) || (*at && *at != ','))
			return err_text(err, EINVAL,
					"%s: must be \"INSIDE OUTSIDE COUNT[,INSIDE OUTSIDE "
					"COUNT]...\", is \"%s\"",
					from, text);
		nr++;
	} while (*at);
	rc = id_map_check(range, nr, from, err);
	return rc < 0 ? rc : id_map_set(m, range, nr, from, err);
}

bool id_map_inside(const struct id_map *m, uint32_t outside, uint32_t *ret)
{
	for (unsigned int i = 0; i < m->nr; i++) {
		const struct id_range *r = &m->range[i];

		if (outside >= r->outside && outside - r->outside < r->count) {
			*ret = (uint32_t)(r->inside + (outside - r->outside));
			return true;
		}
	}
	return false;
}

struct json_object *id_map_json(const struct id_map *m)
{
	struct json_object *all = json_object_new_array();

	for (unsigned int i = 0; i < m->nr; i++) {
		struct json_object *o = json_object_new_object();

		json_add(o, "containerID", json_object_new_uint64(m->range[i].inside));
		json_add(o, "hostID", json_object_new_uint64(m->range[i].outside));
		json_add(o, "size", json_object_new_uint64(m->range[i].count));
		json_object_array_add(all, o);
	}
	return all;
}
