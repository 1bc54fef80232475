/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_inside.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/config/bundle_mount.h"
#include "runtime/config/bundle_nodes.h"
#include "runtime/plan/plan_mount.h"
#include "runtime/plan/plan_spec.h"

static void plan_inside_add_root(const struct bundle *b, struct spec_items *s)
{
	const bool disk = b->vm.image.path;
	const char *name = disk ? PLAN_INSIDE_DISK : PLAN_INSIDE_ROOT;
	const struct agent_root root = {
		.flags = (b->root.readonly ? AGENT_ROOT_READONLY : 0) |
			 (disk ? AGENT_ROOT_DISK : 0) |
			 (disk && b->vm.image.overlay ? AGENT_ROOT_OVERLAY : 0),
		.propagation = bundle_propagation_flags[b->linux_.inside.propagation],
	};

	spec_items_put(s, AGENT_ROOT, &root, sizeof(root), name);
}

static void plan_inside_add_mount(const struct plan_mount *m, struct spec_items *s)
{
	const char *const strings[] = {m->source, m->type, m->data};
	char absolute[PATH_MAX];

	/* A relative one starts at the root. */
	fmt_into(absolute, sizeof(absolute), "%s%s", *m->destination == '/' ? "" : "/",
		 m->destination);
	spec_items_put(s, AGENT_MOUNT, &m->head, sizeof(m->head), absolute);
	for (unsigned int i = 0; i < ARRAY_SIZE(strings); i++)
		spec_items_text(s, strings[i] ? strings[i] : "");
}

static int plan_inside_add_mounts(struct plan_build *bd)
{
	cleanup_free struct plan_mount *m = malloc(sizeof(*m));
	int rc = m ? 0 : plan_no_memory(bd->err);

	for (unsigned int i = 0; rc == 0 && i < bd->b->mounts.nr; i++) {
		rc = plan_mount_decide(bd, i, m);
		if (rc == 0)
			plan_inside_add_mount(m, &bd->spec);
	}
	return rc;
}

static void plan_inside_add_nodes(const struct bundle_inside *in, struct spec_items *s)
{
	const struct bundle_node *n = in->nodes.item;
	char path[PATH_MAX];

	for (unsigned int i = 0; i < in->nodes.nr; i++) {
		const struct agent_device node = {
			.type = bundle_nodes_mode(&n[i]),
			.major = (uint32_t)n[i].major,
			.minor = (uint32_t)n[i].minor,
			.mode = (uint32_t)n[i].mode,
			.uid = (uint32_t)n[i].uid,
			.gid = (uint32_t)n[i].gid,
		};

		/* A link to that of the container's own devpts. --privileged lists the host's. */
		if (strcmp(n[i].path, "/dev/ptmx") == 0)
			continue;
		fmt_into(path, sizeof(path), "%s", n[i].path);
		for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
			path[len - 1] = '\0';
		spec_items_put(s, AGENT_DEVICE, &node, sizeof(node), path);
	}
}

static void plan_inside_add_paths(const struct bundle_inside *in, struct spec_items *s)
{
	const char *const *masked = in->masked.item, *const *readonly = in->readonly.item;

	for (unsigned int i = 0; i < in->masked.nr; i++)
		spec_items_string(s, AGENT_MASKED, masked[i]);
	for (unsigned int i = 0; i < in->readonly.nr; i++)
		spec_items_string(s, AGENT_READONLY, readonly[i]);
}

static void plan_inside_add_sysctls(const struct bundle_inside *in, struct spec_items *s)
{
	if (!in->sysctl)
		return;
	json_object_object_foreach(in->sysctl, key, value)
	{
		spec_items_string(s, AGENT_SYSCTL, key);
		spec_items_text(s, json_object_get_string(value));
	}
}

/* In OCI -1 is no limit; 0 is none for callers that have not been asked for one. */
static void plan_inside_add_pids(const struct bundle *b, struct spec_items *s)
{
	const int64_t limit = b->linux_.resources.limit[LIMIT_PIDS];
	const uint64_t max = limit > 0 ? (uint64_t)limit : 0;

	if (max)
		spec_items_put(s, AGENT_PIDS, &max, sizeof(max), NULL);
}

static void plan_inside_add_texts(const struct schema_list *list, struct spec_items *s)
{
	const char *const *text = list->item;

	for (unsigned int i = 0; i < list->nr; i++)
		spec_items_text(s, text[i] ? text[i] : "");
}

/* One that is given no environment has an empty one: vmrun-init has nothing to inherit. */
static void plan_inside_add_hooks(const struct bundle *b, struct spec_items *s)
{
	const struct schema_list *list = &b->hooks.kind[HOOK_START_CONTAINER];
	const struct bundle_hook *h = list->item;

	for (unsigned int i = 0; i < list->nr; i++) {
		const struct schema_list path = {.nr = 1, .item = (void *)&h[i].path};
		const struct schema_list *args = h[i].args.nr ? &h[i].args : &path;
		const struct agent_hook hook = {
			.timeout_s = (uint32_t)h[i].timeout_s,
			.nr_args = args->nr,
			.nr_env = h[i].env.nr,
		};

		spec_items_put(s, AGENT_HOOK, &hook, sizeof(hook), h[i].path);
		plan_inside_add_texts(args, s);
		plan_inside_add_texts(&h[i].env, s);
	}
}

int plan_inside_build(struct plan_build *bd)
{
	const struct bundle *b = bd->b;
	struct spec_items *s = &bd->spec;
	int rc;

	if (!b->container)
		return 0;
	plan_inside_add_root(b, s);
	if (!bd->p->joins_name)
		spec_items_string(s, AGENT_HOSTNAME, bd->p->hostname);
	if (b->domainname)
		spec_items_string(s, AGENT_DOMAINNAME, b->domainname);
	rc = plan_inside_add_mounts(bd);
	if (rc < 0)
		return rc;
	plan_inside_add_nodes(&b->linux_.inside, s);
	plan_inside_add_paths(&b->linux_.inside, s);
	plan_inside_add_sysctls(&b->linux_.inside, s);
	plan_inside_add_pids(b, s);
	plan_inside_add_hooks(b, s);
	rc = b->process_given ? plan_spec_process(s, &b->process, b, bd->err)
			      : spec_items_check(s, bd->err);
	if (rc < 0)
		return rc;
	bd->p->spec = TAKE_PTR(s->bytes);
	bd->p->spec_bytes = s->len;
	return 0;
}
