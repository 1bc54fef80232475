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

bool bundle_is_pod(const struct bundle *b)
{
	static const char *const marks[] = {"io.kubernetes.cri.container-type",
					    "io.kubernetes.cri-o.ContainerType"};

	for (unsigned int i = 0; i < ARRAY_SIZE(marks); i++) {
		struct json_object *type = NULL;

		if (b->container && json_object_object_get_ex(b->annotations, marks[i], &type) &&
		    strcmp(json_object_get_string(type), "sandbox") == 0)
			return true;
	}
	return false;
}
