/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/config/bundle_types.h"
#include "runtime/plan/plan_seccomp.h"

#define IOPRIO_SHIFT	       13				/* linux/ioprio.h */
#define SCHED_HAS_NICE(policy) ((policy) == 0 || (policy) == 3) /* SCHED_OTHER, SCHED_BATCH */

static void plan_spec_add_strings(struct spec_items *s, enum agent_item_type type,
				  const struct schema_list *list)
{
	const char *const *string = list->item;

	for (unsigned int i = 0; i < list->nr; i++)
		spec_items_string(s, type, string[i]);
}

/* Of variables by name, those of one name in their order */
static int plan_spec_by_name(const void *a, const void *b)
{
	const char *const *const *x = a, *const *const *y = b;
	const size_t len = strcspn(**x, "="), other = strcspn(**y, "=");
	const int rc = len != other ? (len < other ? -1 : 1) : memcmp(**x, **y, len);

	return rc != 0 ? rc : (*x < *y ? -1 : *x > *y);
}

/* The last of a name counts, as with runc; programs would take the first. */
static int plan_spec_add_env(struct spec_items *s, const struct schema_list *list, struct err *err)
{
	const char *const *text = list->item;
	cleanup_free const char *const **sorted = calloc(list->nr + 1, sizeof(*sorted));
	cleanup_free bool *old = calloc(list->nr + 1, sizeof(*old));

	if (!sorted || !old)
		return err_set(err, ENOMEM, "environment");
	for (unsigned int i = 0; i < list->nr; i++)
		sorted[i] = &text[i];
	qsort(sorted, list->nr, sizeof(*sorted), plan_spec_by_name);
	for (unsigned int i = 0; i + 1 < list->nr; i++) {
		const size_t len = strcspn(*sorted[i], "=") + 1;

		old[sorted[i] - text] = strncmp(*sorted[i], *sorted[i + 1], len) == 0;
	}
	for (unsigned int i = 0; i < list->nr; i++)
		if (!old[i])
			spec_items_string(s, AGENT_ENV, text[i]);
	return 0;
}

/* A container's working directory is made if it is missing, as runc does; that of an exec is not. */
static void plan_spec_add_head(struct spec_items *s, const struct bundle_process *p, bool first)
{
	struct agent_process head = {
		.flags = (p->terminal ? AGENT_TERMINAL : 0) |
			 (p->no_new_privileges ? AGENT_NO_NEW_PRIVS : 0) |
			 (first ? AGENT_CREATE_CWD : 0),
		.uid = (uint32_t)p->user.uid,
		.gid = (uint32_t)p->user.gid,
		.rows = p->terminal ? (uint16_t)p->console.height : 0,
		.cols = p->terminal ? (uint16_t)p->console.width : 0,
	};

	if (p->user.umask != BUNDLE_UNSET) {
		head.flags |= AGENT_UMASK;
		head.umask = (uint32_t)p->user.umask;
	}
	if (p->oom_score_adj != BUNDLE_UNSET) {
		head.flags |= AGENT_OOM_SCORE;
		head.oom_score_adj = (int32_t)p->oom_score_adj;
	}
	if (p->io.class >= 0) {
		head.flags |= AGENT_IOPRIO;
		head.ioprio = ((uint32_t)p->io.class + 1) << IOPRIO_SHIFT |
			      (uint32_t)p->io.priority;
	}
	spec_items_put(s, AGENT_PROCESS, &head, sizeof(head), p->cwd);
}

static void plan_spec_add_limits(struct spec_items *s, const struct bundle_process *p)
{
	const struct bundle_rlimit *l = p->rlimits.item;

	for (unsigned int i = 0; i < p->rlimits.nr; i++) {
		const struct agent_rlimit limit = {
			.resource = (uint32_t)l[i].type, .soft = l[i].soft, .hard = l[i].hard};

		spec_items_put(s, AGENT_RLIMIT, &limit, sizeof(limit), NULL);
	}
}

static void plan_spec_add_scheduler(struct spec_items *s, const struct bundle_scheduler *given)
{
	const int *flag = given->flags.item;
	struct agent_scheduler to = {
		.policy = (uint32_t)given->policy,
		.nice = SCHED_HAS_NICE(given->policy) ? (int32_t)given->nice : 0,
		.priority = (uint32_t)given->priority,
		.runtime = given->runtime,
		.deadline = given->deadline,
		.period = given->period,
	};

	if (given->policy < 0)
		return;
	for (unsigned int i = 0; i < given->flags.nr; i++)
		to.flags |= 1ULL << flag[i];
	spec_items_put(s, AGENT_SCHEDULER, &to, sizeof(to), NULL);
}

static int plan_spec_add_filter(struct spec_items *s, const struct bundle *b, struct err *err)
{
	cleanup_free struct agent_filter *filter = NULL;
	size_t bytes;
	int rc = plan_seccomp_make(&b->linux_.inside.seccomp, &filter, &bytes, err);

	if (rc == 0 && filter)
		spec_items_put(s, AGENT_FILTER, filter, bytes, NULL);
	return rc;
}

int plan_spec_process(struct spec_items *s, const struct bundle_process *p, const struct bundle *b,
		      struct err *err)
{
	const uint64_t *gid = p->user.gids.item;
	int rc;

	plan_spec_add_head(s, p, p == &b->process);
	plan_spec_add_strings(s, AGENT_ARG, &p->args);
	rc = plan_spec_add_env(s, &p->env, err);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < p->user.gids.nr; i++) {
		const uint32_t group = (uint32_t)gid[i];

		spec_items_put(s, AGENT_GROUP, &group, sizeof(group), NULL);
	}
	if (p->caps_given)
		spec_items_put(s, AGENT_CAPS, &p->caps, sizeof(p->caps), NULL);
	plan_spec_add_limits(s, p);
	plan_spec_add_scheduler(s, &p->scheduler);
	rc = plan_spec_add_filter(s, b, err);
	return rc < 0 ? rc : spec_items_check(s, err);
}
