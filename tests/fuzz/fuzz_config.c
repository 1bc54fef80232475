/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A config.json of any bytes must end in a plan or in an error that says something
 *
 * Bytes go the way of a file: text, objects, bundle, plan, plan as JSON, which must parse again.
 * Covers: runtime/config runtime/plan
 */
#include <stdlib.h>
#include <string.h>

#include "devices/core/agent_spec.h"
#include "devices/core/settings.h"
#include "runtime/config/bundle.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/plan_json.h"
#include "runtime/util/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_nets(const struct plan *p)
{
	for (unsigned int i = 0; i < p->nr_nets; i++) {
		const struct plan_net *n = &p->net[i];
		const struct plan_proc *proc = &p->proc[n->proc];

		vr_assert(n->proc < p->nr_procs && proc->kind->virtio_id == 1);
		vr_assert((unsigned int)n->mode < NET_MODES);
		vr_assert(n->queue_pairs >= 1 && n->queue_pairs <= NET_PAIRS_MAX);
		vr_assert(proc->nr_fds <= BOOT_FD_RES + BOOT_RES_MAX);
		vr_assert(memchr(n->name, '\0', sizeof(n->name)));
		/* Without a path it is the VM's own namespace, which only containers have. */
		vr_assert(n->mode == NET_MODE_NETNS || !n->netns_path);
		vr_assert(n->mode != NET_MODE_NETNS || n->netns_path || p->container);
		vr_assert((n->mode == NET_MODE_FD) == (n->fd > 2));
		vr_assert(!n->host.bits || n->host.bits == n->guest.bits);
		vr_assert(!n->host.bits || n->host.addr != n->guest.addr);
		vr_assert(!(n->mac[0] & 1));
	}
}

/* Whole items of known types, to the last byte; of a container only */
static void check_spec(const struct plan *p)
{
	struct agent_item head;
	size_t at = 0;

	vr_assert(p->container == (p->spec_bytes > 0));
	for (; at < p->spec_bytes; at += sizeof(head) + head.bytes) {
		vr_assert(sizeof(head) <= p->spec_bytes - at);
		memcpy(&head, p->spec + at, sizeof(head));
		vr_assert(head.type > 0 && head.type < AGENT_ITEM_TYPES);
		vr_assert(head.bytes <= p->spec_bytes - at - sizeof(head));
	}
}

static void check_plan(const struct plan *p)
{
	struct json_object *obj = plan_to_json(p), *again = NULL;
	const char *text = json_object_to_json_string(obj);
	struct err err = {0};

	vr_assert(p->nr_procs >= 3 && p->nr_procs <= PLAN_PROCS_MAX);
	vr_assert(p->nr_vcpus >= 1 && p->nr_vcpus <= 32);
	vr_assert(p->mem_bytes % 4096 == 0);
	vr_assert(memchr(p->cmdline, '\0', sizeof(p->cmdline)));
	check_nets(p);
	check_spec(p);
	if (strlen(text) <= JSON_TEXT_MAX)
		vr_assert(json_parse(text, strlen(text), "plan", &again, &err) == 0);
	json_object_put(again);
	json_object_put(obj);
}

static void run_text(const char *text, size_t len)
{
	struct json_object *root = NULL;
	struct bundle *b = NULL;
	struct plan *p = NULL;
	struct err err = {0};
	int rc = json_parse(text, len, "config.json", &root, &err);

	if (rc == 0)
		rc = bundle_from_json(root, "/bundle", &b, &err);
	json_object_put(root);
	if (rc == 0)
		rc = plan_build(b, "fuzz", NULL, &p, &err);
	bundle_free(b);
	if (rc == 0)
		check_plan(p);
	else
		vr_assert(err.code == -rc && err.msg[0]);
	plan_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	vr_assert(text);
	/* an input of no bytes may come as NULL */
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	run_text(text, size);
	free(text);
	return 0;
}
