/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/state/state_file.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/state/cause.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_json.h"
#include "runtime/util/refused_call.h"

int state_save(int dir, const struct state *s, struct err *err)
{
	struct json_object *o = state_to_json(s);
	int rc;

	if (!o)
		return err_set(err, ENOMEM, "state of %s", s->id);
	rc = state_save_text(dir, STATE_FILE,
			     json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY), err);
	json_object_put(o);
	return rc;
}

int state_save_status(int dir, struct state *s, enum state_status status, struct err *err)
{
	const enum state_status before = s->status;
	int rc;

	s->status = status;
	rc = state_save(dir, s, err);
	if (rc < 0)
		s->status = before;
	return rc;
}

static int state_file_load(int dir, struct state **ret, struct err *err)
{
	cleanup_free char *text = NULL;
	struct json_object *o;
	int rc = state_read_text(dir, STATE_FILE, &text, err);

	if (rc == -ENOENT)
		return err_text(err, ENOENT, "container does not exist");
	if (rc < 0)
		return rc;
	o = json_tokener_parse(text);
	rc = state_from_json(o, ret, err);
	json_object_put(o);
	return rc;
}

/* A supervisor that holds a pod is behind a policy, and has its lock for a log. */
static void state_describe_killed(int dir, struct state *s)
{
	cleanup_free char *said = NULL;
	struct refused_call refused;
	struct err ignored;
	char call[REFUSED_CALL_BYTES];

	s->status = STATE_STOPPED;
	s->cause = END_SUPERVISOR_KILLED;
	s->exit_code = cause_info(END_SUPERVISOR_KILLED)->exit_code;
	if (state_read_text(dir, STATE_LOCK, &said, &ignored) < 0 ||
	    !refused_call_parse(said, &refused)) {
		fmt_into(s->detail, sizeof(s->detail), "the supervisor was killed");
		return;
	}
	refused_call_describe(&refused, call, sizeof(call));
	fmt_into(s->detail, sizeof(s->detail),
		 "the supervisor was killed by its seccomp policy (SIGSYS): pid %d, %s",
		 s->supervisor.pid, call);
}

int state_load(int dir, struct state **ret, struct err *err)
{
	struct state *s = NULL;
	int rc = state_file_load(dir, &s, err);

	if (rc < 0)
		return rc;
	if (s->status != STATE_STOPPED && state_locked(dir) == 0) {
		/* The supervisor may have ended after the file was read: read what it wrote last. */
		state_free(s);
		rc = state_file_load(dir, &s, err);
		if (rc < 0)
			return rc;
		if (s->status != STATE_STOPPED)
			state_describe_killed(dir, s);
	}
	*ret = s;
	return 0;
}
