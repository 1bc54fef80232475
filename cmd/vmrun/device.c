/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/device.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "cmd/vmrun/device_net.h"
#include "cmd/vmrun/policy_dir.h"
#include "devices/core/fmt.h"
#include "devices/core/kind.h"
#include "runtime/host/share_apart.h"
#include "runtime/jail/userns.h"
#include "runtime/state/state_dir.h"
#include "runtime/util/fs_cache.h"
#include "runtime/util/id_map.h"
#include "runtime/util/oci_log.h"

struct device_options {
	const char *socket;
	const char *path;
	const char *format;
	const char *tap;
	uint64_t size_bytes;
	struct device_net_options net;
	uint64_t cid;
	const char *host_socket;
	const char *source, *tag, *cache, *uid_map, *gid_map;
	uint64_t queues;
	uint64_t fd;
	bool readonly;
	bool direct;
};

#define FIELD(f) offsetof(struct device_options, f)

static const struct option_spec options[] = {
	{"socket", 's', OPTION_STRING, "PATH",
	 "listen here; an old socket that no process listens on is replaced", FIELD(socket), NULL},
	{"fd", 0, OPTION_COUNT, "N", "or serve this inherited socket, which listens", FIELD(fd),
	 NULL},
	{"path", 0, OPTION_STRING, "IMAGE", "block, required: the image or block device",
	 FIELD(path), NULL},
	{"format", 0, OPTION_STRING, "raw|qcow2",
	 "block: what the image is; raw: whatever it looks like", FIELD(format), NULL},
	{"readonly", 0, OPTION_FLAG, NULL, "block, fs: refuse writes", FIELD(readonly), NULL},
	{"direct", 0, OPTION_FLAG, NULL, "block: around the host's page cache (O_DIRECT)",
	 FIELD(direct), NULL},
	{"tap", 0, OPTION_STRING, "NAME", "net, required: the TAP, made if it does not exist",
	 FIELD(tap), NULL},
	{"size", 0, OPTION_SIZE, "SIZE", "balloon: what its guests are asked to give up: 512M, 1G",
	 FIELD(size_bytes), NULL},
	DEVICE_NET_OPTIONS(FIELD(net)),
	{"cid", 0, OPTION_COUNT, "CID", "vsock, required: its guests' CID", FIELD(cid), NULL},
	{"host-socket", 0, OPTION_STRING, "PATH",
	 "vsock, required: programs of the host connect here", FIELD(host_socket), NULL},
	{"source", 0, OPTION_STRING, "DIR", "fs, required: the directory to share", FIELD(source),
	 NULL},
	{"tag", 0, OPTION_STRING, "TAG", "fs: its name in the guest, where the front-end asks",
	 FIELD(tag), NULL},
	{"cache", 0, OPTION_STRING, "auto|none|always",
	 "fs: what the guest may believe of what it has seen", FIELD(cache), fs_cache_names},
	{"uid-map", 0, OPTION_STRING, "\"INSIDE OUTSIDE COUNT[,...]\"",
	 "fs: which users of the guest are which of the host", FIELD(uid_map), NULL},
	{"gid-map", 0, OPTION_STRING, "\"INSIDE OUTSIDE COUNT[,...]\"",
	 "fs: likewise groups; both or neither", FIELD(gid_map), NULL},
	{"queues", 0, OPTION_COUNT, "N",
	 "block: 1 to " OPTION_NUMERAL(BOOT_QUEUES_MAX) " queues; net: 1 to " OPTION_NUMERAL(
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
	{KIND_VSOCK, "--host-socket", FIELD(host_socket)},
	{KIND_FS, "--source", FIELD(source)},
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

/* systemd's protocol for one socket: fd 3, if this process is meant (sd_listen_fds(3)) */
static int device_activated(const struct kind *k, uint64_t *ret_fd, struct err *err)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	char own[16];

	fmt_into(own, sizeof(own), "%d", getpid());
	if (!pid || !fds || strcmp(pid, own) != 0)
		return err_text(err, EINVAL, "device %s: --socket is missing", k->name);
	if (strcmp(fds, "1") != 0)
		return err_text(err, EINVAL,
				"device %s: LISTEN_FDS is %s, and it serves one socket", k->name,
				fds);
	*ret_fd = STDERR_FILENO + 1;
	return 0;
}

static int device_check_socket(struct device_options *o, const struct kind *k, struct err *err)
{
	if (o->fd && o->socket)
		return err_text(err, EINVAL, "device %s: --fd and --socket exclude each other",
				k->name);
	if (o->fd && (o->fd <= STDERR_FILENO || o->fd > INT_MAX))
		return err_text(err, EINVAL, "device %s: --fd: must be %d to %d, is %lu", k->name,
				STDERR_FILENO + 1, INT_MAX, o->fd);
	return o->socket || o->fd ? 0 : device_activated(k, &o->fd, err);
}

/* As config.json has it */
static bool device_is_tag(const char *s)
{
	size_t len = 0;

	while (fmt_plain(s[len]))
		len++;
	return s[len] == '\0' && len > 0 && len <= FS_TAG_BYTES;
}

static int device_check_fs(const struct device_options *o, const struct kind *k, struct err *err)
{
	const struct {
		const char *option, *given;
	} of_fs[] = {{"tag", o->tag},
		     {"cache", o->cache},
		     {"uid-map", o->uid_map},
		     {"gid-map", o->gid_map}};

	for (unsigned int i = 0; k != &kind_table[KIND_FS] && i < ARRAY_SIZE(of_fs); i++)
		if (of_fs[i].given)
			return err_text(err, EINVAL, "device %s: --%s is for fs devices", k->name,
					of_fs[i].option);
	if (o->tag && !device_is_tag(o->tag))
		return err_text(err, EINVAL,
				"device %s: --tag: must be 1 to %d bytes of printable ASCII",
				k->name, FS_TAG_BYTES);
	if (!o->uid_map != !o->gid_map)
		return err_text(err, EINVAL, "device %s: --uid-map and --gid-map belong together",
				k->name);
	return 0;
}

static int device_check(struct device_options *o, const struct kind *k,
			enum disk_format *ret_format, struct err *err)
{
	int rc = device_check_socket(o, k, err);

	if (rc < 0)
		return rc;
	if ((o->direct || o->format) && k != &kind_table[KIND_BLOCK])
		return err_text(err, EINVAL, "device %s: --%s is for block devices", k->name,
				o->direct ? "direct" : "format");
	if (o->readonly && k != &kind_table[KIND_BLOCK] && k != &kind_table[KIND_FS])
		return err_text(err, EINVAL, "device %s: --readonly is for block and fs devices",
				k->name);
	rc = device_check_fs(o, k, err);
	if (rc < 0)
		return rc;
	if (o->size_bytes && k != &kind_table[KIND_BALLOON])
		return err_text(err, EINVAL, "device %s: --size is for balloon devices", k->name);
	if (o->size_bytes % 4096)
		return err_text(err, EINVAL,
				"device %s: --size must be a multiple of 4096 bytes, is %lu",
				k->name, o->size_bytes);
	if (o->cid && k != &kind_table[KIND_VSOCK])
		return err_text(err, EINVAL, "device %s: --cid is for vsock devices", k->name);
	if (k == &kind_table[KIND_VSOCK] && (o->cid < VSOCK_CID_FIRST || o->cid > VSOCK_CID_LAST))
		return err_text(err, EINVAL, "device %s: --cid is %d to %llu", k->name,
				VSOCK_CID_FIRST, VSOCK_CID_LAST);
	if (o->format && disk_format_parse(o->format, ret_format) < 0)
		return err_text(err, EINVAL, "device %s: --format: must be raw or qcow2, is \"%s\"",
				k->name, o->format);
	if (o->queues > k->queues.most)
		return err_text(err, EINVAL, "device %s: --queues is 1 to %u", k->name,
				k->queues.most);
	return device_check_needs(o, k, err);
}

static int device_maps(const struct device_options *o, struct standalone *ret, struct err *err)
{
	int rc = 0;

	if (o->uid_map)
		rc = id_map_parse(&ret->uids, o->uid_map, "device fs: --uid-map", err);
	if (rc == 0 && o->gid_map)
		rc = id_map_parse(&ret->gids, o->gid_map, "device fs: --gid-map", err);
	return rc;
}

static int device_wanted(const struct vmrun *v, const char *type,
			 const struct device_options *given, struct standalone *ret,
			 struct err *err)
{
	struct device_options o = *given;
	const struct kind *k = kind_find(type, KIND_ALONE);
	enum disk_format format = 0;
	char kinds[128];
	int rc;

	if (!k) {
		kind_list(KIND_ALONE, kinds, sizeof(kinds));
		return err_text(err, EINVAL, "device: unknown type; %s can run alone", kinds);
	}
	rc = device_check(&o, k, &format, err);
	if (rc < 0)
		return rc;
	*ret = (struct standalone){
		.kind = k,
		.socket = o.socket,
		.fd = (int)o.fd,
		.path = o.path,
		.format = format,
		.readonly = o.readonly,
		.direct = o.direct,
		.source = o.source,
		.tag = o.tag,
		.cache = fs_cache_named(o.cache),
		.tap = o.tap,
		.size_bytes = o.size_bytes,
		.cid = o.cid,
		.host_socket = o.host_socket,
		.queues = (unsigned int)o.queues,
		.log_level = v->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
	};
	rc = device_maps(&o, ret, err);
	return rc < 0 ? rc : device_net(&o.net, k, &ret->net, err);
}

int device_parse(const struct vmrun *v, const char *type, int argc, char **argv,
		 struct standalone *ret, struct err *err)
{
	struct device_options o = {.socket = NULL};
	int first, rc = 0;

	/* One at a time: a word without a value must not take the next one for it. */
	for (int i = 0; rc == 0 && i < argc; i++)
		rc = options_parse(options, &o, false, 1, &argv[i], &first, err);
	return rc < 0 ? rc : device_wanted(v, type, &o, ret, err);
}

/* A user without a state directory has none that a guest could change. */
static int device_check_source(const struct vmrun *v, const struct standalone *d, struct err *err)
{
	struct plan_source source = {.path = (char *)d->source, .pointer = (char *)"--source"};
	char root[PATH_MAX];
	struct err ignored;

	if (v->root)
		return share_keep_apart(&source, v->root, err);
	if (state_default_root(userns_own_ids(), root, sizeof(root), &ignored) < 0)
		return 0;
	return share_keep_apart(&source, root, err);
}

int device_run(const struct vmrun *v, const struct standalone *wanted, struct err *err)
{
	cleanup_policy_dir struct policy_dir texts = {.of = {0, NULL}};
	struct standalone with = *wanted, *d = &with;
	struct oci_log log = {.fd = -1};
	int rc = d->source ? device_check_source(v, d, err) : 0;

	if (rc == 0 && v->policy_dir)
		rc = policy_dir_load(v->policy_dir, &d->kind->policy_alone, 1, &texts, err);
	if (rc < 0)
		return rc;
	d->policies = texts.of;
	if (v->log)
		rc = vmrun_open_log(v, &log, err);
	else
		oci_log_stderr(d->log_level, &log);
	if (rc == 0)
		rc = standalone_run(d, &log, err);
	oci_log_close(&log);
	return rc;
}

static int device(struct vmrun *v, const struct verb_args *args, struct err *err)
{
	struct standalone d;
	const int rc = vmrun_usage(v, device_wanted(v, args->arg[0], args->opt, &d, err));

	return rc < 0 ? rc : device_run(v, &d, err);
}

static void device_help(char *ret, size_t size)
{
	char kinds[128];

	kind_list(KIND_ALONE, kinds, sizeof(kinds));
	fmt_into(ret, size,
		 "\nTYPE is one of %s. Without --socket and --fd, a socket that systemd passes "
		 "on.\n",
		 kinds);
}

const struct verb verb_device = {
	.name = "device",
	.synopsis = "TYPE --socket PATH|--fd N [OPTION]...",
	.summary = "Run one device alone, jailed, as a vhost-user back-end for any VMM",
	.options = options,
	.opt_bytes = sizeof(struct device_options),
	.min_args = 1,
	.max_args = 1,
	.stateless = true,
	.more = device_help,
	.run = device,
};
