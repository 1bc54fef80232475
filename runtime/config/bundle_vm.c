/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /vm of a config.json: OCI config-vm.md, and vmrun's extension /vm/devices
 *
 * The specification's text and its schema have hwConfig, its Go bindings write hwconfig: both are read. Those
 * bindings also write empty objects for unset properties ("image": {"path": ""}), so an empty path counts as
 * absent.
 *
 * In /vm/devices, unlike elsewhere, an unknown property is an error: a misspelt "readonly" would get a disk
 * written.
 */
#include "runtime/config/bundle_vm.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "devices/core/agent_msg.h"
#include "runtime/config/bundle_ask.h"
#include "runtime/config/bundle_console.h"
#include "runtime/config/bundle_fs.h"
#include "runtime/config/bundle_net.h"
#include "runtime/config/bundle_vhost_user.h"
#include "runtime/util/disk_format.h"

#define PARAMETERS_MAX 512

/* ---- devices ------------------------------------------------------------------------------- */

#define DEV(member) offsetof(struct bundle_device, member)
#define DEV_TYPE                                                                                   \
	{                                                                                          \
		.name = "type", .kind = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED,                     \
		.off = SCHEMA_NOWHERE, .words = kind_types                                         \
	}

static const struct schema_field type_fields[] = {DEV_TYPE};

static const struct schema_field block_fields[] = {
	DEV_TYPE,
	{.name = "path",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED,
	 .off = DEV(path),
	 .max = PATH_MAX - 1},
	{.name = "readonly", .kind = SCHEMA_BOOL, .off = DEV(readonly)},
	{.name = "direct", .kind = SCHEMA_BOOL, .off = DEV(direct)},
	{.name = "queues",
	 .kind = SCHEMA_UINT,
	 .off = DEV(queues),
	 .min = 1,
	 .max = BOOT_QUEUES_MAX},
	{.name = "serial",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_PLAIN,
	 .off = DEV(serial),
	 .max = BLOCK_SERIAL_BYTES},
	{.name = "format", .kind = SCHEMA_ENUM, .off = DEV(format), .words = disk_format_names},
	BUNDLE_ON_FAILURE(DEV(on_failure)),
};

static const struct schema_field rng_fields[] = {
	DEV_TYPE,
	BUNDLE_ON_FAILURE(DEV(on_failure)),
};

static const struct schema_field balloon_fields[] = {
	DEV_TYPE,
	{.name = "size",
	 .kind = SCHEMA_UINT,
	 .off = DEV(balloon.size_bytes),
	 .max = BUNDLE_MEM_MAX_BYTES,
	 .step = 4096},
	{.name = "deflateOnOom", .kind = SCHEMA_BOOL, .off = DEV(balloon.deflate_on_oom)},
	BUNDLE_ON_FAILURE(DEV(on_failure)),
};

static const char *const backends[] = {"user", "vhost", NULL};
static const struct schema_field port_field = {
	.kind = SCHEMA_UINT, .min = 1, .max = VSOCK_PORT_MAX};

static const struct schema_field vsock_fields[] = {
	DEV_TYPE,
	{.name = "cid",
	 .kind = SCHEMA_UINT,
	 .flags = SCHEMA_REQUIRED,
	 .off = DEV(vsock.cid),
	 .min = VSOCK_CID_FIRST,
	 .max = VSOCK_CID_LAST},
	{.name = "socket", .kind = SCHEMA_STRING, .off = DEV(vsock.socket), .max = PATH_MAX - 1},
	{.name = "backend", .kind = SCHEMA_ENUM, .off = DEV(vsock.vhost), .words = backends},
	{.name = "listen",
	 .kind = SCHEMA_ARRAY,
	 .off = DEV(vsock.listen),
	 .max = VSOCK_LISTEN_MAX,
	 .elem = &port_field},
};

static const struct schema_table type_table = {
	.field = type_fields, .nr = ARRAY_SIZE(type_fields), .size = sizeof(struct bundle_device)};
static const struct schema_table block_table = {
	.field = block_fields, .nr = ARRAY_SIZE(block_fields), .closed = true};
static const struct schema_table balloon_table = {
	.field = balloon_fields, .nr = ARRAY_SIZE(balloon_fields), .closed = true};
static const struct schema_table vsock_table = {
	.field = vsock_fields, .nr = ARRAY_SIZE(vsock_fields), .closed = true};
static const struct schema_table rng_table = {
	.field = rng_fields, .nr = ARRAY_SIZE(rng_fields), .closed = true};
static const struct schema_table bare_table = {
	.field = type_fields, .nr = ARRAY_SIZE(type_fields), .closed = true};

/* The types with properties of their own; all others have none. */
static const struct schema_table *const device_tables[KINDS] = {
	[KIND_BLOCK] = &block_table,
	[KIND_NET] = &bundle_net_table,
	[KIND_RNG] = &rng_table,
	[KIND_VHOST_USER] = &bundle_vhost_user_table,
	[KIND_BALLOON] = &balloon_table,
	[KIND_VSOCK] = &vsock_table,
	[KIND_CONSOLE] = &bundle_console_table,
	[KIND_FS] = &bundle_fs_table,
};

static int bundle_vm_decode_device(struct schema_ctx *ctx, struct json_object *value, void *target)
{
	struct bundle_device *d = target;
	const struct schema_table *table;
	struct json_object *type;
	int rc;

	/* The type decides about the other properties, so it is decoded first. */
	rc = schema_decode(ctx, value, &type_table, NULL);
	if (rc < 0)
		return rc;
	json_object_object_get_ex(value, "type", &type);
	while (strcmp(kind_types[d->type], json_object_get_string(type)))
		d->type++;
	d->queues = 1;
	d->balloon.deflate_on_oom = true;
	bundle_net_init(&d->net, value);
	d->pointer = schema_pointer(ctx);
	if (!d->pointer)
		return err_set(ctx->err, ENOMEM, "%s", ctx->pointer);
	table = device_tables[d->type];
	return schema_decode(ctx, value, table ? table : &bare_table, d);
}

static const struct schema_field device_field = {
	.kind = SCHEMA_OBJECT, .table = &type_table, .decode = bundle_vm_decode_device};

/* ---- the rest of /vm ----------------------------------------------------------------------- */

#define VM(member) offsetof(struct bundle_vm, member)

static const struct schema_field parameter_field = {
	.kind = SCHEMA_STRING, .flags = SCHEMA_PLAIN, .max = BOOT_CMDLINE_MAX - 1};

static const struct schema_field hypervisor_fields[] = {
	{.name = "path", .kind = SCHEMA_STRING, .off = SCHEMA_NOWHERE},
	{.name = "parameters",
	 .kind = SCHEMA_ARRAY,
	 .off = SCHEMA_NOWHERE,
	 .elem = &schema_string_field},
};
static const struct schema_table hypervisor_table = {.field = hypervisor_fields,
						     .nr = ARRAY_SIZE(hypervisor_fields)};

static const struct schema_field kernel_fields[] = {
	{.name = "path", .kind = SCHEMA_STRING, .off = VM(kernel.path), .max = PATH_MAX - 1},
	{.name = "parameters",
	 .kind = SCHEMA_ARRAY,
	 .off = VM(kernel.parameters),
	 .max = PARAMETERS_MAX,
	 .elem = &parameter_field},
	{.name = "initrd", .kind = SCHEMA_STRING, .off = VM(kernel.initrd), .max = PATH_MAX - 1},
};
static const struct schema_table kernel_table = {.field = kernel_fields,
						 .nr = ARRAY_SIZE(kernel_fields)};

static const struct schema_field image_fields[] = {
	{.name = "path", .kind = SCHEMA_STRING, .off = VM(image.path), .max = PATH_MAX - 1},
	{.name = "format",
	 .kind = SCHEMA_ENUM,
	 .off = VM(image.format),
	 .words = disk_format_names},
	{.name = "direct", .kind = SCHEMA_BOOL, .off = VM(image.direct)},
	{.name = "overlay", .kind = SCHEMA_BOOL, .off = VM(image.overlay)},
	BUNDLE_ON_FAILURE(VM(image.on_failure)),
};
static const struct schema_table image_table = {.field = image_fields,
						.nr = ARRAY_SIZE(image_fields)};

/* KVM cannot pass host hardware to a guest as Xen does. */
static int bundle_vm_check_no_passthrough(struct schema_ctx *ctx, struct json_object *value)
{
	return schema_empty(value) ? 0 : schema_fail(ctx, "is not possible under KVM");
}

#define PASSTHROUGH(n)                                                                             \
	{                                                                                          \
		.name = n, .kind = SCHEMA_ARRAY, .off = SCHEMA_NOWHERE,                            \
		.check = bundle_vm_check_no_passthrough                                            \
	}

static const struct schema_field hwconfig_fields[] = {
	{.name = "vcpus",
	 .kind = SCHEMA_UINT,
	 .off = VM(hw.vcpus),
	 .min = 1,
	 .max = BOOT_VCPUS_MAX},
	/* Whole pages; RAM below 4 GiB need not end on a 2 MiB boundary. */
	{.name = "memory",
	 .kind = SCHEMA_UINT,
	 .off = VM(hw.mem_bytes),
	 .min = BUNDLE_MEM_MIN_BYTES,
	 .max = BUNDLE_MEM_MAX_BYTES,
	 .step = 4096},
	{.name = "deviceTree", .kind = SCHEMA_STRING, .flags = SCHEMA_LATER, .off = SCHEMA_NOWHERE},
	PASSTHROUGH("dtdevs"),
	PASSTHROUGH("iomems"),
	PASSTHROUGH("irqs"),
};
static const struct schema_table hwconfig_table = {.field = hwconfig_fields,
						   .nr = ARRAY_SIZE(hwconfig_fields)};

/* The tables of nested objects count offsets from struct bundle_vm, so they are at offset 0. */
static const struct schema_field vm_fields[] = {
	{.name = "hypervisor",
	 .kind = SCHEMA_OBJECT,
	 .flags = SCHEMA_LATER,
	 .off = SCHEMA_NOWHERE,
	 .table = &hypervisor_table},
	{.name = "kernel", .kind = SCHEMA_OBJECT, .table = &kernel_table},
	{.name = "image", .kind = SCHEMA_OBJECT, .table = &image_table},
	{.name = "hwConfig", .kind = SCHEMA_OBJECT, .table = &hwconfig_table},
	{.name = "hwconfig", .kind = SCHEMA_OBJECT, .table = &hwconfig_table},
	{.name = "seccompPolicyDir",
	 .kind = SCHEMA_STRING,
	 .off = VM(policy_dir),
	 .max = PATH_MAX - 1},
	{.name = "devices",
	 .kind = SCHEMA_ARRAY,
	 .off = VM(devices),
	 .max = BOOT_DEVICES_MAX,
	 .elem = &device_field},
};
const struct schema_table bundle_vm_table = {
	.field = vm_fields, .nr = ARRAY_SIZE(vm_fields), .size = sizeof(struct bundle_vm)};

int bundle_check_hwconfig(struct schema_ctx *ctx, struct json_object *vm)
{
	struct json_object *spec = NULL, *go = NULL;

	json_object_object_get_ex(vm, "hwConfig", &spec);
	json_object_object_get_ex(vm, "hwconfig", &go);
	if (!spec || !go || json_object_equal(spec, go))
		return 0;
	schema_push(ctx, "hwconfig");
	return schema_fail(ctx, "differs from hwConfig");
}

/* What a device and the VM around it must agree on; @listed counts the devices of each kind so far */
static int bundle_vm_check_device(struct schema_ctx *ctx, const struct bundle_vm *vm,
				  const struct bundle_device *d, unsigned int *listed)
{
	const struct kind *kind = bundle_kind(d);
	int rc = 0;

	if (kind->flags & KIND_SINGLE && listed[kind - kind_table]++)
		return err_text(ctx->err, EINVAL, "%s: a VM has one %s only", d->pointer,
				kind->bus == BOOT_BUS_SERIAL ? "serial port" : kind->name);
	if (d->balloon.size_bytes > vm->hw.mem_bytes && vm->hw.mem_bytes > 0)
		return err_text(ctx->err, EINVAL,
				"%s/size: must be at most the guest's %lu bytes of RAM, is %lu",
				d->pointer, vm->hw.mem_bytes, d->balloon.size_bytes);
	if (d->vsock.listen.nr > 0 && !d->vsock.vhost)
		return err_text(ctx->err, EINVAL,
				"%s/listen: means nothing with backend user, only with vhost",
				d->pointer);
	if (d->type == KIND_CONSOLE)
		return bundle_console_check(ctx, d);
	if (d->type == KIND_FS)
		rc = bundle_fs_check(d, ctx->err);
	if (d->type == KIND_VHOST_USER)
		rc = bundle_vhost_user_check(d, ctx->err);
	return rc < 0 ? rc : bundle_fs_check_tag(d, vm->devices.item, ctx->err);
}

/* What a container has of its own cannot be listed. */
static int bundle_vm_check_beside(struct schema_ctx *ctx, const struct bundle *b)
{
	const struct bundle_device *d = b->vm.devices.item;

	for (unsigned int i = 0; b->container && i < b->vm.devices.nr; i++) {
		if (d[i].type == KIND_VSOCK)
			return err_text(ctx->err, EINVAL,
					"%s: the vsock device of a container is vmrun's own",
					d[i].pointer);
		if (d[i].tag && strcmp(d[i].tag, AGENT_TAG) == 0)
			return err_text(ctx->err, EINVAL,
					"%s/tag: " AGENT_TAG
					" is the tag of the container's own files",
					d[i].pointer);
	}
	return 0;
}

int bundle_vm_check(struct schema_ctx *ctx, const struct bundle *b)
{
	const struct bundle_vm *vm = &b->vm;
	const struct bundle_device *d = vm->devices.item;
	unsigned int listed[KINDS] = {0}, total;
	int rc = bundle_vm_check_beside(ctx, b);

	if (!vm->kernel.path && (!b->container || vm->kernel.initrd)) {
		ctx->pointer_len = 0;
		schema_push(ctx, "vm");
		schema_push(ctx, "kernel");
		schema_push(ctx, "path");
		return schema_fail(ctx, b->container
						? "required with an initrd"
						: "required: the kernel that the virtual machine "
						  "boots, unless /root has a container's files");
	}
	if (rc == 0 && vm->image.overlay && !b->container)
		rc = err_text(ctx->err, EINVAL,
			      "/vm/image/overlay: only a container's guest has one: leave out "
			      "/vm/kernel/path");
	for (unsigned int i = 0; rc == 0 && i < vm->devices.nr; i++)
		rc = bundle_vm_check_device(ctx, vm, &d[i], listed);
	if (rc < 0)
		return rc;
	total = vm->devices.nr + (vm->image.path ? 1 : 0) + bundle_implied_net(b) +
		(b->container ? BUNDLE_CONTAINER_DEVICES : 0);
	for (unsigned int i = 0; i < KINDS; i++) {
		if (kind_table[i].flags & KIND_IMPLIED && bundle_listed(b, (enum kind_id)i) == 0)
			total++;
	}
	if (total > BOOT_DEVICES_MAX)
		return err_text(
			ctx->err, EINVAL,
			"/vm/devices: must be at most %u devices with those implied, are %u",
			BOOT_DEVICES_MAX, total);
	return 0;
}
