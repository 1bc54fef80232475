/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_slow.h"

/* Where the thread goes that has the request */
static const struct fs_node *fs_slow_node(const struct fs_request *r)
{
	return r->lost ? r->from : r->node;
}

static bool fs_slow_is(const struct fs_request *r)
{
	return fs_slow_node(r) && !fs_slow_node(r)->quick;
}

/* Whether there is a thread for it: if so it is in work */
static bool fs_slow_admits(struct fs_slow *s, const struct fs_request *r)
{
	unsigned int same = 0;

	for (unsigned int i = 0; i < s->nr_work; i++)
		same += fs_slow_node(s->work[i])->mnt == fs_slow_node(r)->mnt;
	if (s->nr_work == FS_SLOW || same == FS_SLOW_ONE)
		return false;
	s->work[s->nr_work++] = r;
	return true;
}

bool fs_slow_begin(struct fs_slow *s, struct fs_request *r)
{
	if (!fs_slow_is(r) || fs_slow_admits(s, r))
		return true;
	s->late[s->nr_late++] = r;
	return false;
}

struct fs_request *fs_slow_end(struct fs_slow *s, const struct fs_request *r)
{
	struct fs_request *next;
	unsigned int i = 0;

	while (i < s->nr_work && s->work[i] != r)
		i++;
	if (i == s->nr_work)
		return NULL;
	s->work[i] = s->work[--s->nr_work];
	for (i = 0; i < s->nr_late && !fs_slow_admits(s, s->late[i]);)
		i++;
	if (i == s->nr_late)
		return NULL;
	next = s->late[i];
	s->nr_late--;
	for (; i < s->nr_late; i++)
		s->late[i] = s->late[i + 1];
	return next;
}
