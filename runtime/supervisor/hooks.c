/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/hooks.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fmt.h"
#include "runtime/host/hook.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/state/state_json.h"
#include "runtime/util/json.h"

#define NETNS_BYTES 40

static void hooks_free_state(struct state **s)
{
	state_free(*s);
}
#define cleanup_state __attribute__((cleanup(hooks_free_state)))

/* The network namespace of the VM; NULL if it is this process's own, which may not be allowed to enter it again */
static const char *hooks_netns(const struct state *s, char ret[NETNS_BYTES])
{
	struct stat own, other;

	fmt_into(ret, NETNS_BYTES, "/proc/%d/ns/net", s->supervisor.pid);
	if (stat("/proc/self/ns/net", &own) < 0 || stat(ret, &other) < 0)
		return NULL;
	return own.st_dev == other.st_dev && own.st_ino == other.st_ino ? NULL : ret;
}

/* Number @i of @kind, with the state as it is at that moment */
static int hooks_run_one(const struct plan_hooks *h, enum hook_kind kind, unsigned int i,
			 const struct state *s, const char *netns, struct err *err)
{
	cleanup_json struct json_object *o = state_to_oci(s);
	const struct hook_place place = {
		.state = json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE),
		.cwd = s->bundle,
		.netns = netns,
	};

	if (!place.state)
		return err_set(err, ENOMEM, "state");
	return hook_run(&h->hook[kind][i], &place, err) < 0
		       ? err_wrap(err, "error running %s hook #%u", hook_names[kind], i)
		       : 0;
}

static int hooks_run(const struct plan_hooks *h, enum hook_kind kind, const struct state *s,
		     const char *netns, struct err *err)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < h->nr[kind]; i++)
		rc = hooks_run_one(h, kind, i, s, netns, err);
	return rc;
}

int hooks_create(const struct plan_hooks *h, int dir, struct err *err)
{
	cleanup_state struct state *s = NULL;
	char netns[NETNS_BYTES];
	int rc;

	if (h->nr[HOOK_PRESTART] + h->nr[HOOK_CREATE_RUNTIME] + h->nr[HOOK_CREATE_CONTAINER] == 0)
		return 0;
	rc = state_load(dir, &s, err);
	if (rc < 0)
		return rc;
	if (s->status != STATE_CREATED)
		return err_text(err, EIO, "the supervisor was killed while it created the VM");
	s->status = STATE_CREATING;
	rc = hooks_run(h, HOOK_PRESTART, s, NULL, err);
	if (rc == 0)
		rc = hooks_run(h, HOOK_CREATE_RUNTIME, s, NULL, err);
	return rc < 0 ? rc : hooks_run(h, HOOK_CREATE_CONTAINER, s, hooks_netns(s, netns), err);
}

int hooks_load(int dir, struct plan_hooks *ret, struct err *err)
{
	cleanup_free char *text = NULL;
	int rc = state_read_text(dir, STATE_CONFIG, &text, err);

	*ret = (struct plan_hooks){0};
	return rc < 0 ? rc : plan_hooks_parse(text, ret, err);
}

int hooks_start(int dir, struct err *err)
{
	cleanup_hooks struct plan_hooks h = {0};
	cleanup_state struct state *s = NULL;
	int rc = hooks_load(dir, &h, err);

	if (rc < 0 || h.nr[HOOK_POSTSTART] == 0)
		return rc;
	rc = state_load(dir, &s, err);
	return rc < 0 ? rc : hooks_run(&h, HOOK_POSTSTART, s, NULL, err);
}

void hooks_stopped(const struct plan_hooks *h, struct state *s, const struct warn_to *warn)
{
	struct err err;

	s->status = STATE_STOPPED;
	for (unsigned int i = 0; i < h->nr[HOOK_POSTSTOP]; i++)
		if (hooks_run_one(h, HOOK_POSTSTOP, i, s, NULL, &err) < 0 && warn)
			warn->line(warn->arg, err.msg);
}
