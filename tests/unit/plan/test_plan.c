/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: tests/golden/NAME.config.json, as the bundle in /bundle, must give NAME.plan.json
 *
 * After a change that is meant, `make golden` writes the plans; review the difference.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "runtime/config/bundle.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/plan_json.h"
#include "runtime/util/json.h"
#include "tests/support/golden.h"

#define PRETTY                                                                                     \
	(JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_PRETTY_TAB | JSON_C_TO_STRING_NOSLASHESCAPE |  \
	 JSON_C_TO_STRING_SPACED)

static struct json_object *read_golden(const char *path)
{
	struct json_object *obj = NULL;
	struct err err = {0};
	char *text = NULL;
	size_t len;

	cr_assert(json_read_text(path, &text, &len, &err) == 0, "%s", err.msg);
	cr_assert(json_parse(text, len, path, &obj, &err) == 0, "%s", err.msg);
	free(text);
	return obj;
}

static struct plan *plan_of(struct json_object *config, const char *id)
{
	struct bundle *b = NULL;
	struct plan *p = NULL;
	struct err err = {0};

	cr_assert(bundle_from_json(config, "/bundle", &b, &err) == 0, "%s", err.msg);
	cr_assert(plan_build(b, id, NULL, &p, &err) == 0, "%s", err.msg);
	/* a plan borrows nothing from its bundle */
	bundle_free(b);
	return p;
}

static struct plan *plan_of_text(const char *text, const char *id)
{
	struct json_object *config = json_tokener_parse(text);
	struct plan *p = plan_of(config, id);

	json_object_put(config);
	return p;
}

static void check_golden(const char *name)
{
	struct json_object *config, *want, *got;
	static char plan[65536];
	char path[128], *text;
	struct err err = {0};
	struct plan *p;

	snprintf(path, sizeof(path), "tests/golden/%s.config.json", name);
	config = read_golden(path);
	p = plan_of(config, name);
	/* and a plan keeps nothing of the text either */
	json_object_put(config);
	got = plan_to_json(p);
	plan_free(p);
	snprintf(path, sizeof(path), "%s.plan.json", name);
	snprintf(plan, sizeof(plan), "%s\n", json_object_to_json_string_ext(got, PRETTY));
	text = golden_text(path, plan);
	cr_assert(json_parse(text, strlen(text), path, &want, &err) == 0, "%s", err.msg);
	cr_expect(json_object_equal(want, got), "%s is not the plan of %s:\n%s", path, name, plan);
	free(text);
	json_object_put(want);
	json_object_put(got);
}

Test(plan, golden_minimal)
{
	check_golden("minimal");
}

Test(plan, golden_disks)
{
	check_golden("disks");
}

Test(plan, golden_console)
{
	check_golden("console");
}

Test(plan, golden_container)
{
	check_golden("container");
}

Test(plan, golden_podman)
{
	check_golden("podman");
}

Test(plan, golden_containerd)
{
	check_golden("containerd");
}

Test(plan, golden_pod)
{
	check_golden("pod");
}

Test(plan, golden_fs)
{
	check_golden("fs");
}

Test(plan, golden_vhost_user)
{
	check_golden("vhost-user");
}

Test(plan, golden_vsock)
{
	check_golden("vsock");
}

Test(plan, golden_net)
{
	check_golden("net");
}

Test(plan, golden_net_modes)
{
	check_golden("net-modes");
}

#define HEAD "{\"ociVersion\":\"1.2.0\",\"vm\":{\"kernel\":{\"path\":\"k\""

Test(plan, devices_are_numbered_as_the_vmm_sees_them)
{
	struct plan *p = plan_of_text(
		HEAD
		"},\"image\":{\"path\":\"i\"},\"devices\":[{\"type\":\"block\",\"path\":\"d\"}]}}",
		"x");

	cr_assert_eq(p->nr_procs, 5);
	for (unsigned int i = 0; i + 1 < p->nr_procs; i++) {
		const struct plan_fd *vmm = &p->proc[0].fd[BOOT_FD_DEVICE + i];
		const struct plan_fd *dev = &p->proc[1 + i].fd[BOOT_FD_VMM];

		cr_expect_eq(vmm->source, PLAN_FD_CHANNEL);
		cr_expect_eq(dev->source, PLAN_FD_CHANNEL);
		cr_expect_eq(vmm->index, i);
		cr_expect_eq(dev->index, i);
	}
	cr_expect_eq(p->proc[0].nr_fds, BOOT_FD_DEVICE + 4);
	cr_expect_str_eq(p->proc[1].name, "serial0");
	cr_expect_str_eq(p->proc[2].fd[BOOT_FD_RES].path, "/bundle/i");
	cr_expect_str_eq(p->proc[3].fd[BOOT_FD_RES].pointer, "/vm/devices/0/path");
	cr_expect_str_eq(p->proc[4].name, "rng0");
	plan_free(p);
}

Test(plan, command_line_fits_exactly_or_is_refused)
{
	struct json_object *config = json_tokener_parse(HEAD "}}}"), *vm, *kernel;
	struct plan *p = plan_of(config, "x");
	size_t room = BOOT_CMDLINE_MAX - 1 - strlen(p->cmdline) - 1;

	plan_free(p);
	json_object_object_get_ex(config, "vm", &vm);
	json_object_object_get_ex(vm, "kernel", &kernel);
	for (size_t n = room - 1; n <= room + 1; n++) {
		struct json_object *params = json_object_new_array();
		char word[BOOT_CMDLINE_MAX];
		struct bundle *b = NULL;
		struct err err = {0};

		memset(word, 'a', n);
		word[n] = '\0';
		json_object_array_add(params, json_object_new_string(word));
		json_object_object_add(kernel, "parameters", params);
		cr_assert_eq(bundle_from_json(config, "/b", &b, &err), 0, "%s", err.msg);
		p = NULL;
		cr_expect_eq(plan_build(b, "x", NULL, &p, &err), n <= room ? 0 : -EINVAL);
		if (p)
			cr_expect_eq(strlen(p->cmdline), BOOT_CMDLINE_MAX - 1 - room + n);
		else
			cr_expect_str_eq(err.msg,
					 "/vm/kernel/parameters: the kernel command line must be "
					 "at most 2047 bytes long, is 2048");
		plan_free(p);
		bundle_free(b);
	}
	json_object_put(config);
}

Test(plan, long_paths_are_refused)
{
	struct json_object *config = json_tokener_parse(HEAD "}}}"), *vm, *kernel;
	static char path[PATH_MAX];
	struct bundle *b = NULL;
	struct plan *p = NULL;
	struct err err = {0};

	memset(path, 'a', PATH_MAX - 1);
	json_object_object_get_ex(config, "vm", &vm);
	json_object_object_get_ex(vm, "kernel", &kernel);
	json_object_object_add(kernel, "path", json_object_new_string(path));
	cr_assert_eq(bundle_from_json(config, "/b", &b, &err), 0, "%s", err.msg);
	cr_expect_eq(plan_build(b, "x", NULL, &p, &err), -EINVAL);
	cr_expect(strncmp(err.msg, "/vm/kernel/path: the path is longer than 4095", 45) == 0, "%s",
		  err.msg);
	cr_expect_null(p);
	bundle_free(b);
	json_object_put(config);
}

Test(plan, cgroup_paths)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{HEAD "}}}", "/vmrun/x"},
		{HEAD "}},\"linux\":{\"cgroupsPath\":\"/a/b\"}}", "/a/b"},
		{HEAD "}},\"linux\":{\"cgroupsPath\":\"a/b\"}}", "/vmrun/a/b"},
		{HEAD "}},\"linux\":{\"cgroupsPath\":\"\"}}", "/vmrun/x"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan *p = plan_of_text(cases[i].text, "x");

		cr_expect_str_eq(p->cgroup.path, cases[i].path);
		cr_expect_eq(p->cgroup.limit[LIMIT_MEMORY], -1);
		cr_expect_eq(p->cgroup.limit[LIMIT_CPU_QUOTA], -1);
		cr_expect_eq(p->cgroup.limit[LIMIT_PIDS], -1);
		plan_free(p);
	}
}

/* An id that the kernel has a file of becomes another name, and no two ids become one. */
Test(plan, cgroup_names)
{
	static const char *const kept[] = {"x",	 "a.b", "cpux.y", "tasks2", "x.memory.max",
					   "+a", "-"};
	static const struct {
		const char *id, *path;
	} changed[] = {
		{"tasks", "/vmrun/_tasks"},
		{"notify_on_release", "/vmrun/_notify_on_release"},
		{"cgroup.procs", "/vmrun/_cgroup.procs"},
		{"memory.limit_in_bytes", "/vmrun/_memory.limit_in_bytes"},
		{"cpu.max", "/vmrun/_cpu.max"},
		{"_tasks", "/vmrun/__tasks"},
		{"_", "/vmrun/__"},
		{"...", "/vmrun/_..."},
		{".x", "/vmrun/_.x"},
	};
	char id[256], path[280];
	struct plan *p, *q;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		p = plan_of_text(HEAD "}}}", kept[i]);
		snprintf(path, sizeof(path), "/vmrun/%s", kept[i]);
		cr_expect_str_eq(p->cgroup.path, path);
		plan_free(p);
	}
	for (size_t i = 0; i < ARRAY_SIZE(changed); i++) {
		p = plan_of_text(HEAD "}}}", changed[i].id);
		cr_expect_str_eq(p->cgroup.path, changed[i].path);
		plan_free(p);
	}
	/* The longest have no room for more: they still fit, and differ. */
	memset(id, 'x', sizeof(id));
	memcpy(id, "memory.", 7);
	id[255] = '\0';
	p = plan_of_text(HEAD "}}}", id);
	id[254] = 'y';
	q = plan_of_text(HEAD "}}}", id);
	cr_expect_eq(strlen(p->cgroup.path), strlen("/vmrun/") + 255);
	cr_expect_str_neq(p->cgroup.path, q->cgroup.path);
	plan_free(p);
	plan_free(q);
}

Test(plan, limits_without_room_for_a_vm)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{HEAD "}},\"linux\":{\"resources\":{\"memory\":{\"limit\":4096}}}}",
		 "/linux/resources/memory/limit: 4096 bytes are too few for a VM"},
		{HEAD "}},\"linux\":{\"resources\":{\"memory\":{\"swap\":1000}}}}",
		 "/linux/resources/memory/swap: "},
		{HEAD
		 "}},\"linux\":{\"resources\":{\"memory\":{\"swap\":9000000,\"limit\":9000001}}}}",
		 "/linux/resources/memory/swap: "},
		{HEAD "}},\"linux\":{\"resources\":{\"pids\":{\"limit\":3}}}}",
		 "/linux/resources/pids/limit: "},
		{HEAD "}},\"linux\":{\"resources\":{\"pids\":{\"limit\":0}}}}",
		 "/linux/resources/pids/limit: "},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json_object *config = json_tokener_parse(cases[i].text);
		struct plan *p = NULL;
		struct bundle *b;
		struct err err = {0};

		cr_assert_eq(bundle_from_json(config, "/b", &b, &err), 0, "%s", err.msg);
		cr_expect_eq(plan_build(b, "x", NULL, &p, &err), -EINVAL);
		cr_expect_eq(strncmp(err.msg, cases[i].message, strlen(cases[i].message)), 0, "%s",
			     err.msg);
		bundle_free(b);
		json_object_put(config);
	}
}

/* ---- devices for interfaces that exist already --------------------------------------------- */

static unsigned int interfaces(const char *netns, bool whole UNUSED, struct netns_id *ret_id)
{
	if (!strcmp(netns, "/run/netns/three") || !strcmp(netns, "/proc/7/ns/net")) {
		*ret_id = (struct netns_id){4, 4026531840};
		return 3;
	}
	return !strcmp(netns, "/run/netns/many") ? 99 : 0;
}

static struct plan *plan_on_host(const char *rest)
{
	struct json_object *config;
	struct bundle *b = NULL;
	struct plan *p = NULL;
	struct err err = {0};
	char text[2048];

	snprintf(text, sizeof(text), "{\"ociVersion\":\"1.0.2\", %s}", rest);
	config = json_tokener_parse(text);
	cr_assert(bundle_from_json(config, "/bundle", &b, &err) == 0, "%s", err.msg);
	cr_assert(plan_build(b, "x", &(struct plan_host){.interfaces = interfaces}, &p, &err) == 0,
		  "%s", err.msg);
	bundle_free(b);
	json_object_put(config);
	return p;
}

static void expect_nets(const struct plan *p, const char *want)
{
	char got[512] = "";

	for (unsigned int i = 0; i < p->nr_nets; i++) {
		const struct plan_net *n = &p->net[i];

		cr_expect_eq(p->proc[n->proc].kind->virtio_id, 1);
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s %s %s %s",
			 i ? ", " : "", p->proc[n->proc].name, n->netns_path ? n->netns_path : "-",
			 n->name, n->pointer);
	}
	cr_expect_str_eq(got, want);
}

#define NAMESPACE(n)                                                                               \
	"\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/run/netns/" n "\"}]},"
#define KERNEL "\"vm\":{\"kernel\":{\"path\":\"k\"}"

Test(plan, an_implied_device_becomes_as_many_as_there_are_interfaces)
{
	struct plan *p = plan_on_host(NAMESPACE("three") KERNEL "}");

	expect_nets(p, "net0 /run/netns/three  /linux/namespaces/0, "
		       "net1 /run/netns/three  /linux/namespaces/0, "
		       "net2 /run/netns/three  /linux/namespaces/0");
	cr_expect_str_eq(p->proc[p->nr_procs - 1].kind->name, "rng", "which stays the last one");
	plan_free(p);
	p = plan_on_host(NAMESPACE("empty") KERNEL "}");
	expect_nets(p, "net0 /run/netns/empty  /linux/namespaces/0");
	plan_free(p);
}

Test(plan, listed_devices_keep_their_numbers)
{
	struct plan *p = plan_on_host(
		KERNEL ",\"devices\":["
		       "{\"type\":\"net\",\"mode\":\"netns\",\"netns\":\"/run/netns/three\"},"
		       "{\"type\":\"net\",\"mode\":\"none\"},"
		       "{\"type\":\"net\",\"mode\":\"netns\",\"netns\":\"/run/netns/three\","
		       "\"name\":\"mytap\",\"queues\":3},"
		       "{\"type\":\"net\",\"mode\":\"none\"}]}");

	expect_nets(p, "net0 /run/netns/three  /vm/devices/0, net1 -  /vm/devices/1, "
		       "net2 /run/netns/three mytap /vm/devices/2, net3 -  /vm/devices/3, "
		       "net4 /run/netns/three  /vm/devices/2");
	cr_expect_eq(p->net[4].queue_pairs, 3, "like the last one listed");
	plan_free(p);
}

Test(plan, a_namespace_by_two_paths_is_one)
{
	struct plan *p = plan_on_host(
		KERNEL ",\"devices\":["
		       "{\"type\":\"net\",\"mode\":\"netns\",\"netns\":\"/run/netns/three\"},"
		       "{\"type\":\"net\",\"mode\":\"netns\",\"netns\":\"/proc/7/ns/net\"}]}");

	expect_nets(p, "net0 /run/netns/three  /vm/devices/0, net1 /proc/7/ns/net  /vm/devices/1, "
		       "net2 /proc/7/ns/net  /vm/devices/1");
	plan_free(p);
}

Test(plan, no_more_devices_than_a_vm_has_room_for)
{
	struct plan *p = plan_on_host(NAMESPACE("many") KERNEL ",\"devices\":[{\"type\":\"rng\"},"
							       "{\"type\":\"rng\"}]}");

	cr_expect_eq(p->nr_procs, 1 + BOOT_DEVICES_MAX);
	cr_expect_eq(p->nr_nets, BOOT_DEVICES_MAX - 3, "less the serial port and two rngs");
	plan_free(p);
}
