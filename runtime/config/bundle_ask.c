/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/bundle_ask.h"

#include <string.h>

const char *const bundle_on_failures[] = {
	[BUNDLE_STOP] = "stop", [BUNDLE_RESTART] = "restart", NULL};

const struct kind *bundle_kind(const struct bundle_device *d)
{
	return d->type == KIND_VHOST_USER ? kind_find(d->device, KIND_OTHERS)
					  : &kind_table[d->type];
}

unsigned int bundle_listed(const struct bundle *b, enum kind_id type)
{
	const struct bundle_device *d = b->vm.devices.item;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < b->vm.devices.nr; i++)
		nr += d[i].type == type;
	return nr;
}

const struct bundle_device *bundle_nth(const struct bundle *b, enum kind_id type, unsigned int nth)
{
	const struct bundle_device *d = b->vm.devices.item;

	for (unsigned int i = 0; i < b->vm.devices.nr; i++)
		if (d[i].type == type && nth-- == 0)
			return &d[i];
	return NULL;
}

const struct bundle_namespace *
bundle_namespace(const struct bundle *b, enum bundle_namespace_type type, unsigned int *ret_index)
{
	const struct bundle_namespace *ns = b->linux_.namespaces.item;

	for (unsigned int i = 0; i < b->linux_.namespaces.nr; i++) {
		if (ns[i].type != (int)type)
			continue;
		if (ret_index)
			*ret_index = i;
		return &ns[i];
	}
	return NULL;
}

const char *bundle_netns(const struct bundle *b, unsigned int *ret_index)
{
	const struct bundle_namespace *ns = bundle_namespace(b, BUNDLE_NS_NETWORK, ret_index);

	return ns ? ns->path : NULL;
}

bool bundle_implied_net(const struct bundle *b)
{
	const struct bundle_namespace *ns = bundle_namespace(b, BUNDLE_NS_NETWORK, NULL);

	return ns && (ns->path || b->container) && bundle_listed(b, KIND_NET) == 0 &&
	       !bundle_is_pod(b);
}

static bool bundle_is_annotated(const struct bundle *b, const char *key, const char *value)
{
	struct json_object *v = NULL;

	return json_object_object_get_ex(b->annotations, key, &v) &&
	       strcmp(json_object_get_string(v), value) == 0;
}

bool bundle_is_pod(const struct bundle *b)
{
	const char *const *arg = b->process.args.item;

	if (!b->container)
		return false;
	if (bundle_is_annotated(b, "io.kubernetes.cri.container-type", "sandbox") ||
	    bundle_is_annotated(b, "io.kubernetes.cri-o.ContainerType", "sandbox"))
		return true;
	return b->process.args.nr == 2 && arg[0] && arg[1] && strcmp(arg[0], "/catatonit") == 0 &&
	       strcmp(arg[1], "-P") == 0 &&
	       bundle_is_annotated(b, "io.container.manager", "libpod");
}
