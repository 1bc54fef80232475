/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/state/state.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

static const char *const state_status_names[STATE_STATUSES] = {
	[STATE_CREATING] = "creating", [STATE_CREATED] = "created", [STATE_RUNNING] = "running",
	[STATE_PAUSED] = "paused",     [STATE_STOPPED] = "stopped",
};

const char *state_status_name(enum state_status s)
{
	vr_assert((unsigned int)s < STATE_STATUSES);
	return state_status_names[s];
}

int state_status_parse(const char *name, enum state_status *ret)
{
	for (unsigned int i = 0; i < STATE_STATUSES; i++) {
		if (strcmp(name, state_status_names[i]) == 0) {
			*ret = (enum state_status)i;
			return 0;
		}
	}
	return -EINVAL;
}

void state_free_cgroups(struct state *s)
{
	while (s->nr_cgroup_dirs > 0)
		free(s->cgroup_dir[--s->nr_cgroup_dirs].path);
}

void state_free(struct state *s)
{
	if (!s)
		return;
	state_free_cgroups(s);
	while (s->nr_sockets > 0)
		free(s->socket[--s->nr_sockets].path);
	free(s->bundle);
	free(s->rootfs);
	free(s->link);
	json_object_put(s->annotations);
	free(s);
}

int state_check_id(const char *id, struct err *err)
{
	static const char legal[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.-";
	const size_t len = strlen(id);

	if (len == 0)
		return err_text(err, EINVAL, "container id cannot be empty");
	if (len > STATE_ID_MAX)
		return err_text(err, EINVAL, "invalid container id: longer than %d characters",
				STATE_ID_MAX);
	if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return err_text(err, EINVAL,
				"invalid container id '%s': it leads to another directory", id);
	if (strspn(id, legal) != len)
		return err_text(
			err, EINVAL,
			"invalid container id '%s': only letters, digits and _+.- may be in it",
			id);
	return 0;
}
