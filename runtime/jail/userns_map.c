/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/userns_map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/capability.h>

#include "devices/core/fmt.h"
#include "runtime/jail/caps.h"
#include "runtime/util/file.h"

/* The next line, FIRST-INSIDE FIRST-OUTSIDE COUNT, of the form of /proc/PID/uid_map; false at the end */
static bool userns_map_line(const char **at, uint64_t *ret_first, uint64_t *ret_count)
{
	char *end;

	if (!**at)
		return false;
	*ret_first = strtoull(*at, &end, 10);
	(void)strtoull(end, &end, 10);
	*ret_count = strtoull(end, &end, 10);
	*at += strcspn(*at, "\n");
	*at += **at == '\n';
	return true;
}

bool userns_map_has(const char *map, uint64_t id, uint64_t count)
{
	uint64_t first, nr;

	while (userns_map_line(&map, &first, &nr))
		if (id >= first && id - first < nr && count <= nr - (id - first))
			return true;
	return false;
}

bool userns_map_has_others(const char *map, uint64_t id)
{
	uint64_t first, nr;

	while (userns_map_line(&map, &first, &nr))
		if (nr > 1 || (nr == 1 && first != id))
			return true;
	return false;
}

uint32_t userns_map_own(const struct userns_ids *ids, const struct id_map *m, uint32_t id)
{
	uint32_t inside = USERNS_GUESTS_ID;

	if (!ids->guests)
		return USERNS_ID;
	if (m)
		(void)id_map_inside(m, id, &inside);
	else if (ids->several && !ids->exclusive)
		inside = id;
	else if (!ids->exclusive)
		inside = 0;
	return inside;
}

/* ---- their text ---- */

/* Appends the ids of @own, a map of the caller's, that lie below USERNS_HOST_BASE: each as itself */
static size_t userns_map_add_same(const char *own, char *map, size_t len)
{
	uint64_t first, count;

	while (userns_map_line(&own, &first, &count)) {
		if (first >= USERNS_HOST_BASE)
			continue;
		if (count > USERNS_HOST_BASE - first)
			count = USERNS_HOST_BASE - first;
		len += fmt_into(map + len, USERNS_MAP_BYTES - len, "%lu %lu %lu\n", first, first,
				count);
	}
	return len;
}

static size_t userns_map_add(const struct id_map *m, char *map, size_t len)
{
	for (unsigned int i = 0; i < m->nr; i++)
		len += fmt_into(map + len, USERNS_MAP_BYTES - len, "%lu %lu %lu\n",
				m->range[i].inside, m->range[i].outside, m->range[i].count);
	return len;
}

static int userns_map_read(const char *file, char **ret, struct err *err)
{
	char path[32];
	int rc;

	fmt_into(path, sizeof(path), "/proc/self/%s", file);
	rc = file_read_all(path, ret);
	return rc < 0 ? err_set(err, -rc, "%s", path) : 0;
}

int userns_map_text(const struct userns_ids *ids, const struct id_map *m, const char *file,
		    uint32_t id, char ret[USERNS_MAP_BYTES], struct err *err)
{
	const bool all = !m && ids->guests && ids->several;
	cleanup_free char *own = NULL;
	size_t len = 0;
	uint32_t inside;
	int rc = 0;

	ret[0] = '\0';
	if (all ? ids->exclusive : !m || !id_map_inside(m, id, &inside))
		len = fmt_into(ret, USERNS_MAP_BYTES, "%u %u 1\n", userns_map_own(ids, m, id), id);
	if (m) {
		len = userns_map_add(m, ret, len);
	} else if (all) {
		rc = userns_map_read(file, &own, err);
		len = rc == 0 ? userns_map_add_same(own, ret, len) : len;
	}
	return rc < 0 || len < USERNS_MAP_BYTES - 1
		       ? rc
		       : err_text(err, E2BIG, "%s: more ranges than the kernel takes", file);
}

/* ---- whether the kernel takes them ---- */

static int userns_map_may(const struct id_map *m, const char *file, int cap, uint32_t own,
			  struct err *err)
{
	cleanup_free char *have = NULL;
	int rc = userns_map_read(file, &have, err);

	if (rc < 0)
		return rc;
	if (!caps_has(cap) && (m->nr != 1 || m->range[0].count != 1 || m->range[0].outside != own))
		return err_text(
			err, EPERM,
			"%s: without CAP_SETUID and CAP_SETGID only the caller's own id, "
			"%u, can be mapped (newuidmap(1) makes a user namespace where more can)",
			m->from, own);
	for (unsigned int i = 0; i < m->nr; i++) {
		const struct id_range *r = &m->range[i];

		if (!userns_map_has(have, r->outside, r->count))
			return err_text(err, EPERM,
					"%s/%u: this user namespace has no ids %lu to %lu", m->from,
					i, r->outside, r->outside + r->count - 1);
		if (cap == CAP_SETUID && r->outside == 0 && !caps_has(CAP_SETFCAP))
			return err_text(err, EPERM,
					"%s/%u: mapping id 0 of the host needs CAP_SETFCAP",
					m->from, i);
	}
	return 0;
}

int userns_map_allowed(const struct userns_ids *ids, struct err *err)
{
	int rc = ids->uids ? userns_map_may(ids->uids, "uid_map", CAP_SETUID, ids->uid, err) : 0;

	return rc < 0 || !ids->gids
		       ? rc
		       : userns_map_may(ids->gids, "gid_map", CAP_SETGID, ids->gid, err);
}
