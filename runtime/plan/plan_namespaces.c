/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_namespaces.h"

#include <sched.h>
#include <stdlib.h>

#include "devices/core/fmt.h"
#include "runtime/config/bundle_ask.h"
#include "runtime/util/json.h"
#include "runtime/util/ns_file.h"

static const struct {
	enum bundle_namespace_type type;
	int flag;
} kinds[PLAN_NAMESPACES_MAX] = {
	{BUNDLE_NS_NETWORK, CLONE_NEWNET},
	{BUNDLE_NS_IPC, CLONE_NEWIPC},
	{BUNDLE_NS_UTS, CLONE_NEWUTS},
};

/* A pod's namespace has a name, and so has the host's, which is a container's that asks for no namespace and no name. */
static bool plan_namespaces_name(const struct bundle *b)
{
	const struct bundle_namespace *uts = bundle_namespace(b, BUNDLE_NS_UTS, NULL);

	return b->container && (uts ? uts->path != NULL : b->hostname == NULL);
}

int plan_namespaces_build(struct plan_build *bd)
{
	struct plan *p = bd->p;
	int rc = 0;

	p->joins_name = plan_namespaces_name(bd->b);
	for (unsigned int i = 0; rc == 0 && bd->b->container && i < ARRAY_SIZE(kinds); i++) {
		char pointer[sizeof("/linux/namespaces/4294967295")];
		unsigned int index = 0;
		const struct bundle_namespace *ns = bundle_namespace(bd->b, kinds[i].type, &index);
		struct plan_namespace *to = &p->namespace[p->nr_namespaces];

		if (!ns)
			continue;
		to->flag = kinds[i].flag;
		p->nr_namespaces++;
		fmt_into(pointer, sizeof(pointer), "/linux/namespaces/%u", index);
		rc = plan_copy(&to->pointer, pointer, bd->err);
		if (rc == 0)
			rc = plan_copy(&to->path, ns->path, bd->err);
	}
	return rc;
}

void plan_namespaces_add_json(const struct plan *p, struct json_object *to)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < p->nr_namespaces; i++) {
		struct json_object *o = json_object_new_object();

		json_add_string(o, "type", ns_file_word(p->namespace[i].flag));
		json_add_string(o, "path", p->namespace[i].path);
		json_object_array_add(a, o);
	}
	if (p->nr_namespaces)
		json_add(to, "namespaces", a);
	else
		json_object_put(a);
}

void plan_namespaces_free(struct plan *p)
{
	for (unsigned int i = 0; i < p->nr_namespaces; i++) {
		free(p->namespace[i].path);
		free(p->namespace[i].pointer);
	}
}
