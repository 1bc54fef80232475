/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "cmd/vmrun/vmrun.h"
#include "devices/core/fmt.h"
#include "devices/core/kind.h"
#include "runtime/supervisor/standalone.h"
#include "runtime/util/oci_log.h"

struct device_options {
	const char *socket;
	const char *path;
	const char *format;
	const char *tap;
	uint64_t size_bytes;
	uint64_t queues;
	bool readonly;
};

#define DIGITS(n) #n
#define NUMBER(n) DIGITS(n)
#define FIELD(f)  offsetof(struct device_options, f)

static const struct option_spec options[] = {
	{"socket", 's', OPTION_STRING, "PATH",
	 "listen here; an old socket that no process listens on is replaced", FIELD(socket), NULL},
	{"path", 0, OPTION_STRING, "IMAGE", "block, required: the image or block device",
	 FIELD(path), NULL},
	{"format", 0, OPTION_STRING, "raw|qcow2",
	 "block: what the image is; raw: whatever it looks like", FIELD(format), NULL},
	{"readonly", 0, OPTION_FLAG, NULL, "block: refuse writes", FIELD(readonly), NULL},
	{"tap", 0, OPTION_STRING, "NAME", "net, required: the TAP, made if it does not exist",
	 FIELD(tap), NULL},
	{"size", 0, OPTION_SIZE, "SIZE", "balloon: what its guests are asked to give up: 512M, 1G",
	 FIELD(size_bytes), NULL},
	{"queues", 0, OPTION_COUNT, "N",
	 "block: 1 to " NUMBER(BOOT_QUEUES_MAX) " queues; net: 1 to " NUMBER(
		 NET_PAIRS_MAX) " pairs, the TAP being new if more than 1",
	 FIELD(queues), NULL},
	{.name = NULL},
};

/**
 * struct device_need - What a kind of device works with
 * @option:	Required for this kind, refused for the others
 */
static const struct device_need {
	enum kind_id kind;
	const char *option;
	size_t option_off;
} needs[] = {
	{KIND_BLOCK, "--path", FIELD(path)},
	{KIND_NET, "--tap", FIELD(tap)},
};

static int device_check_needs(const struct device_options *o, const struct kind *k, struct err *err)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(needs); i++) {
		const struct kind *of = &kind_table[needs[i].kind];
		const char *given = *(const char *const *)((const char *)o + needs[i].option_off);

		if (of == k && (!given || !*given))
			return err_text(err, EINVAL, "device %s: %s is missing", k->name,
					needs[i].option);
		if (of != k && given)
			return err_text(err, EINVAL, "device %s: %s is for %s devices", k->name,
					needs[i].option, of->name);
	}
	return 0;
}

static int device_check(const struct device_options *o, const struct kind *k,
			enum disk_format *ret_format, struct err *err)
{
	char kinds[128];

	kind_list(KIND_ALONE, kinds, sizeof(kinds));
	if (!k)
		return err_text(err, EINVAL, "device: unknown type; %s can run alone", kinds);
	if (!o->socket || !*o->socket) /* the kernel would make up a name for an empty one */
		return err_text(err, EINVAL, "device %s: --socket is missing", k->name);
	if ((o->readonly || o->format) && k != &kind_table[KIND_BLOCK])
		return err_text(err, EINVAL, "device %s: --%s is for block devices", k->name,
				o->readonly ? "readonly" : "format");
	if (o->size_bytes && k != &kind_table[KIND_BALLOON])
		return err_text(err, EINVAL, "device %s: --size is for balloon devices", k->name);
	if (o->format && disk_format_parse(o->format, ret_format) < 0)
		return err_text(err, EINVAL, "device %s: --format: must be raw or qcow2, is \"%s\"",
				k->name, o->format);
	if (o->queues > k->queues.most)
		return err_text(err, EINVAL, "device %s: --queues is 1 to %u", k->name,
				k->queues.most);
	return device_check_needs(o, k, err);
}

static int device(struct vmrun *v, const struct verb_args *args, struct err *err)
{
	const struct device_options *o = args->opt;
	struct standalone d = {
		.kind = kind_find(args->arg[0], KIND_ALONE),
		.socket = o->socket,
		.path = o->path,
		.readonly = o->readonly,
		.tap = o->tap,
		.size_bytes = o->size_bytes,
		.queues = (unsigned int)o->queues,
		.log_level = v->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
	};
	struct oci_log log = {.fd = -1};
	int rc = device_check(o, d.kind, &d.format, err);

	if (rc < 0) {
		v->exit_code = VMRUN_EXIT_USAGE;
		return rc;
	}
	if (v->log)
		rc = vmrun_open_log(v, &log, err);
	else
		oci_log_stderr(d.log_level, &log);
	if (rc == 0)
		rc = standalone_run(&d, &log, err);
	oci_log_close(&log);
	return rc;
}

static void device_help(char *ret, size_t size)
{
	char kinds[128];

	kind_list(KIND_ALONE, kinds, sizeof(kinds));
	fmt_into(ret, size, "\nTYPE is one of %s.\n", kinds);
}

const struct verb verb_device = {
	.name = "device",
	.synopsis = "TYPE --socket PATH [OPTION]...",
	.summary = "Run one device alone, jailed, as a vhost-user back-end for any VMM",
	.options = options,
	.opt_bytes = sizeof(struct device_options),
	.min_args = 1,
	.max_args = 1,
	.stateless = true,
	.more = device_help,
	.run = device,
};
