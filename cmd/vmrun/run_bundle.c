/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/run_bundle.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "cmd/vmrun/run_block.h"
#include "cmd/vmrun/run_fs.h"
#include "cmd/vmrun/run_net.h"
#include "cmd/vmrun/run_vsock.h"
#include "devices/core/fmt.h"
#include "runtime/config/bundle.h"
#include "runtime/util/json.h"

#define MIB 20 /* as a shift */

/* Remembers a failure: an object that ran out of memory has a gap that validation would not notice. */
struct maker {
	bool failed;
};

static void run_bundle_add(struct maker *m, struct json_object *obj, const char *key,
			   struct json_object *value)
{
	if (obj && value && json_object_object_add(obj, key, value) == 0)
		return;
	json_object_put(value);
	m->failed = true;
}

static void run_bundle_append(struct maker *m, struct json_object *array, struct json_object *value)
{
	if (array && value && json_object_array_add(array, value) == 0)
		return;
	json_object_put(value);
	m->failed = true;
}

static void run_bundle_add_string(struct maker *m, struct json_object *obj, const char *key,
				  const char *s)
{
	if (s)
		run_bundle_add(m, obj, key, json_object_new_string(s));
}

/* IMAGE or IMAGE,format=WORD. The bundle checks the word; other commas belong to the name. */
static void run_bundle_add_image(struct maker *m, struct json_object *obj, const char *spec)
{
	static const char key[] = ",format=";
	const char *at = NULL;

	for (const char *next = strstr(spec, key); next; next = strstr(next + 1, key))
		at = next;
	if (at)
		run_bundle_add_string(m, obj, "format", at + strlen(key));
	run_bundle_add(
		m, obj, "path",
		json_object_new_string_len(spec, (int)(at ? (size_t)(at - spec) : strlen(spec))));
}

static void run_bundle_append_disks(struct maker *m, struct json_object *devices,
				    const struct option_list *images, bool readonly)
{
	for (unsigned int i = 0; i < images->nr; i++) {
		struct json_object *disk = json_object_new_object();

		run_bundle_add_string(m, disk, "type", "block");
		run_bundle_add_image(m, disk, images->item[i]);
		run_bundle_add(m, disk, "readonly", json_object_new_boolean(readonly));
		run_bundle_append(m, devices, disk);
	}
}

static void run_bundle_append_console(struct maker *m, struct json_object *devices)
{
	struct json_object *console = json_object_new_object();

	run_bundle_add_string(m, console, "type", "console");
	run_bundle_append(m, devices, console);
}

/* Devices of which each option describes one whole */
static int run_bundle_append_all(struct maker *m, struct json_object *devices,
				 const struct option_list *specs,
				 int (*make)(const char *, struct json_object **, struct err *),
				 struct err *err)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < specs->nr; i++) {
		struct json_object *device = NULL;

		rc = make(specs->item[i], &device, err);
		if (rc == 0)
			run_bundle_append(m, devices, device);
	}
	return rc;
}

/* The device of --host_ip, --netmask and --mac */
static int run_bundle_append_tap(struct maker *m, struct json_object *devices,
				 const struct run_bundle_options *o, struct err *err)
{
	struct json_object *net;

	if (!o->host_ip)
		return o->netmask || o->mac ? err_text(err, EINVAL, "--%s goes with --host_ip",
						       o->netmask ? "netmask" : "mac")
					    : 0;
	net = json_object_new_object();
	run_bundle_add_string(m, net, "type", "net");
	run_bundle_add_string(m, net, "mode", "tap");
	run_bundle_add_string(m, net, "hostIp", o->host_ip);
	run_bundle_add_string(m, net, "netmask", o->netmask);
	run_bundle_add_string(m, net, "mac", o->mac);
	run_bundle_append(m, devices, net);
	return 0;
}

static void run_bundle_append_balloon(struct maker *m, struct json_object *devices)
{
	struct json_object *balloon = json_object_new_object();

	run_bundle_add_string(m, balloon, "type", "balloon");
	run_bundle_append(m, devices, balloon);
}

static int run_bundle_append_vsock(struct maker *m, struct json_object *devices, const char *spec,
				   struct err *err)
{
	struct json_object *vsock = NULL;
	const int rc = spec ? run_vsock(spec, &vsock, err) : 0;

	if (vsock)
		run_bundle_append(m, devices, vsock);
	return rc;
}

static struct json_object *
run_bundle_make_kernel(struct maker *m, const struct run_bundle_options *o, const char *kernel)
{
	struct json_object *obj = json_object_new_object(), *params = json_object_new_array();

	run_bundle_add_string(m, obj, "path", kernel);
	run_bundle_add_string(m, obj, "initrd", o->initrd);
	for (unsigned int i = 0; i < o->params.nr; i++)
		run_bundle_append(m, params, json_object_new_string(o->params.item[i]));
	run_bundle_add(m, obj, "parameters", params);
	return obj;
}

static struct json_object *run_bundle_make_hwconfig(struct maker *m,
						    const struct run_bundle_options *o)
{
	struct json_object *obj = json_object_new_object();

	if (o->vcpus)
		run_bundle_add(m, obj, "vcpus", json_object_new_uint64(o->vcpus));
	/* a number of bytes that does not exist is out of range like any that is too large */
	if (o->mem_mib)
		run_bundle_add(m, obj, "memory",
			       json_object_new_uint64(o->mem_mib > UINT64_MAX >> MIB
							      ? UINT64_MAX
							      : o->mem_mib << MIB));
	return obj;
}

static struct json_object *run_bundle_make_vm(struct maker *m, const struct run_bundle_options *o,
					      const char *kernel, struct json_object *image,
					      struct json_object *devices)
{
	struct json_object *vm = json_object_new_object();

	run_bundle_add(m, vm, "kernel", run_bundle_make_kernel(m, o, kernel));
	if (image)
		run_bundle_add(m, vm, "image", json_object_get(image));
	run_bundle_add(m, vm, "hwConfig", run_bundle_make_hwconfig(m, o));
	run_bundle_add(m, vm, "devices", json_object_get(devices));
	return vm;
}

int run_bundle_id(char ret[RUN_BUNDLE_ID_BYTES], struct err *err)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return err_set(err, errno, "random number");
	/* 12 digits, as in the ids of containers */
	fmt_into(ret, RUN_BUNDLE_ID_BYTES, "vm-%012llx", (unsigned long long)(number >> 16));
	return 0;
}

bool run_bundle_given(const struct run_bundle_options *o)
{
	return o->mem_mib || o->vcpus || o->root_image || o->rwroot_image || o->initrd ||
	       o->disks.nr || o->rwdisks.nr || o->blocks.nr || o->params.nr || o->nets.nr ||
	       o->host_ip || o->netmask || o->mac || o->shared.nr || o->balloon || o->vsock;
}

static int run_bundle_append_devices(struct maker *m, struct json_object *devices,
				     const struct run_bundle_options *o, bool console,
				     struct err *err)
{
	int rc;

	run_bundle_append_disks(m, devices, &o->disks, true);
	run_bundle_append_disks(m, devices, &o->rwdisks, false);
	rc = run_bundle_append_all(m, devices, &o->blocks, run_block, err);
	if (console)
		run_bundle_append_console(m, devices);
	if (rc == 0)
		rc = run_bundle_append_all(m, devices, &o->nets, run_net, err);
	if (rc == 0)
		rc = run_bundle_append_tap(m, devices, o, err);
	if (rc == 0)
		rc = run_bundle_append_all(m, devices, &o->shared, run_fs, err);
	if (rc == 0)
		rc = run_bundle_append_vsock(m, devices, o->vsock, err);
	if (o->balloon)
		run_bundle_append_balloon(m, devices);
	return rc;
}

int run_bundle_make(const struct run_bundle_options *o, const char *kernel, const char *dir,
		    bool console, struct bundle **ret, struct err *err)
{
	cleanup_json struct json_object *config = json_object_new_object();
	cleanup_json struct json_object *devices = json_object_new_array();
	const char *root_image = o->root_image ? o->root_image : o->rwroot_image;
	cleanup_json struct json_object *image = root_image ? json_object_new_object() : NULL;
	struct maker m = {0};
	int rc;

	if (o->root_image && o->rwroot_image)
		return err_text(err, EINVAL, "-r and --rwroot exclude each other");
	if (root_image)
		run_bundle_add_image(&m, image, root_image);
	rc = run_bundle_append_devices(&m, devices, o, console, err);
	if (rc < 0)
		return rc;
	run_bundle_add_string(&m, config, "ociVersion", BUNDLE_OCI_VERSION);
	if (root_image) {
		struct json_object *root = json_object_new_object();

		run_bundle_add(&m, root, "readonly",
			       json_object_new_boolean(o->root_image != NULL));
		run_bundle_add_string(&m, root, "path", ".");
		run_bundle_add(&m, config, "root", root);
	}
	run_bundle_add(&m, config, "vm", run_bundle_make_vm(&m, o, kernel, image, devices));
	if (m.failed)
		return err_set(err, ENOMEM, "memory for the bundle");
	return bundle_from_json(config, dir, ret, err);
}
