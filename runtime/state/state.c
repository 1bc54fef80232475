/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/state/state.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/state/cause.h"
#include "runtime/state/state_priv.h"

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

int state_default_root(bool own_ids, char *ret, size_t size, struct err *err)
{
	const char *dir = getenv("XDG_RUNTIME_DIR"), *user = getenv("USER");
	const bool any = dir && *dir;

	/* As runc has it: a user who is root only in a user namespace keeps the directory of his own. */
	if (geteuid() == 0 && (!own_ids || !any || (user && strcmp(user, "root") == 0)))
		fmt_into(ret, size, "/run/vmrun");
	else if (!any)
		return err_text(err, ENOENT, "XDG_RUNTIME_DIR is not set: give --root DIR");
	else
		fmt_into(ret, size, "%s/vmrun", dir);
	return 0;
}

int state_save(int dir, const struct state *s, struct err *err)
{
	struct json_object *o = state_to_json(s);
	int r;

	if (!o)
		return err_set(err, ENOMEM, "state of %s", s->id);
	r = state_save_text(dir, STATE_FILE,
			    json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY), err);
	json_object_put(o);
	return r;
}

static int load_file(int dir, struct state **ret, struct err *err)
{
	cleanup_free char *text = NULL;
	struct json_object *o;
	int r = state_read_text(dir, STATE_FILE, &text, err);

	if (r == -ENOENT)
		return err_text(err, ENOENT, "container does not exist");
	if (r < 0)
		return r;
	o = json_tokener_parse(text);
	r = state_from_json(o, ret, err);
	json_object_put(o);
	return r;
}

int state_load(int dir, struct state **ret, struct err *err)
{
	struct state *s = NULL;
	int r = load_file(dir, &s, err);

	if (r < 0)
		return r;
	if (s->status != STATE_STOPPED && state_locked(dir) == 0) {
		/* The supervisor ended, perhaps only after the file was read: what counts is what
		 * it had written by then. */
		state_free(s);
		r = load_file(dir, &s, err);
		if (r < 0)
			return r;
		if (s->status != STATE_STOPPED) {
			s->status = STATE_STOPPED;
			s->cause = END_SUPERVISOR_KILLED;
			s->exit_code = cause_info(END_SUPERVISOR_KILLED)->exit_code;
			fmt_into(s->detail, sizeof(s->detail), "the supervisor was killed");
		}
	}
	*ret = s;
	return 0;
}
