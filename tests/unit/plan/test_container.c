/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The plan of a container: what it boots, what it shares, and the bytes of its description
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "devices/core/agent_msg.h"
#include "runtime/config/bundle.h"
#include "runtime/config/bundle_types.h"
#include "runtime/config/host_config.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/plan_guest.h"
#include "runtime/plan/plan_settings.h"
#include "runtime/util/json.h"

#define ROOT	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"}"
#define MIB(n)	((uint64_t)(n) << 20)
#define BIND(d) "{\"destination\":\"" d "\",\"source\":\"/x\",\"options\":[\"bind\"]}"

/* The next answer of look() */
static int look_rc;
static uint32_t root_mode = S_IFDIR;
static struct plan_look looked = {.mode = S_IFDIR};
static char look_path[256];

static int look(const char *path, struct plan_look *ret)
{
	if (strcmp(path, "/b/rootfs") == 0) {
		ret->mode = root_mode;
		return 0;
	}
	snprintf(look_path, sizeof(look_path), "%s", path);
	*ret = looked;
	return look_rc;
}

static struct host_config config = {.file = "/etc/x.json",
				    .kernel = "/h/k",
				    .initrd = "/h/i",
				    .kernel_at = "/etc/x.json: /kernel",
				    .initrd_at = HOST_CONFIG_MADE,
				    .mem_bytes = MIB(100),
				    .vcpus = 3};
static const struct plan_host host = {.look = look, .config = &config};

static int make(const char *text, struct plan **ret, struct err *err)
{
	struct json_object *root = NULL;
	struct bundle *b = NULL;
	int rc;

	*ret = NULL;
	*err = (struct err){0};
	cr_assert(json_parse(text, strlen(text), "f", &root, err) == 0, "%s: %s", text, err->msg);
	cr_assert(bundle_from_json(root, "/b", &b, err) == 0, "%s: %s", text, err->msg);
	json_object_put(root);
	rc = plan_build(b, "id", &host, ret, err);
	bundle_free(b);
	return rc;
}

static struct plan *good(const char *text)
{
	struct plan *p = NULL;
	struct err err;

	cr_assert(make(text, &p, &err) == 0, "%s: %s", text, err.msg);
	return p;
}

/* The @nth item of a type: its bytes; NULL if there are fewer */
static const char *item(const struct plan *p, enum agent_item_type type, unsigned int nth,
			uint32_t *ret_bytes)
{
	struct agent_item head;

	for (size_t at = 0; at < p->spec_bytes; at += sizeof(head) + head.bytes) {
		cr_assert_leq(at + sizeof(head), p->spec_bytes);
		memcpy(&head, p->spec + at, sizeof(head));
		cr_assert_leq(head.bytes, p->spec_bytes - at - sizeof(head));
		cr_assert_eq(head.reserved, 0);
		if (head.type != type || nth-- > 0)
			continue;
		if (ret_bytes)
			*ret_bytes = head.bytes;
		return (const char *)p->spec + at + sizeof(head);
	}
	return NULL;
}

/* ---- what it boots ---- */

Test(container, what_it_boots)
{
	struct plan *p = good(ROOT "}");
	const struct plan_fd *fd = p->proc[0].fd;

	cr_expect(p->container && !p->has_process && p->has_initrd);
	cr_expect_str_eq(fd[BOOT_FD_KERNEL].path, "/h/k");
	cr_expect_str_eq(fd[BOOT_FD_KERNEL].pointer, "/etc/x.json: /kernel");
	cr_expect_str_eq(fd[BOOT_FD_INITRD].path, "/h/i");
	cr_expect_str_eq(p->cmdline, "quiet cryptomgr.notests reboot=k panic=-1");
	cr_expect_eq(p->mem_bytes, MIB(100));
	cr_expect_eq(p->nr_vcpus, 3);
	cr_expect_eq(p->cgroup.limit[LIMIT_MEMORY], -1);
	plan_free(p);
}

static void expect_size(const char *more, uint64_t mem_bytes, unsigned int nr_vcpus)
{
	char text[1024];
	struct plan *p;

	snprintf(text, sizeof(text), "%s%s}", ROOT, more);
	p = good(text);
	cr_expect_eq(p->mem_bytes, mem_bytes, "%s: %lu", more, p->mem_bytes);
	cr_expect_eq(p->nr_vcpus, nr_vcpus, "%s: %u", more, p->nr_vcpus);
	plan_free(p);
}

#define LIMITS_OF(memory, cpu)                                                                     \
	",\"linux\":{\"resources\":{\"memory\":{" memory "},\"cpu\":{" cpu "}}}"

Test(container, sizes)
{
	expect_size(LIMITS_OF("\"limit\":268435457", "\"quota\":150000"), MIB(256), 2);
	expect_size(LIMITS_OF("\"limit\":-1", "\"quota\":-1"), MIB(100), 3);
	expect_size(LIMITS_OF("\"limit\":0", "\"quota\":0"), MIB(100), 3);
	expect_size(LIMITS_OF("\"limit\":9223372036854771712", ""), MIB(100), 3);
	expect_size(LIMITS_OF("", "\"quota\":10000,\"period\":1000"), MIB(100), 10);
	expect_size(LIMITS_OF("", "\"quota\":9223372036854775807"), MIB(100), 32);
	expect_size(LIMITS_OF("", "\"cpus\":\"0-1\""), MIB(100), 2);
	expect_size(LIMITS_OF("", "\"cpus\":\"0,2-3,7\",\"quota\":300000"), MIB(100), 3);
	expect_size(LIMITS_OF("", "\"cpus\":\"1\",\"quota\":300000"), MIB(100), 1);
	expect_size(LIMITS_OF("", "\"cpus\":\"0-31:2/8\""), MIB(100), 3);
	expect_size(LIMITS_OF("\"limit\":268435456",
			      "\"quota\":100000") ",\"vm\":{\"hwconfig\":{\"vcpus\":4,\"memory\":"
						  "134217728}}",
		    MIB(128), 4);
}

Test(container, limits_on_the_host)
{
	struct plan *p = good(ROOT
			      ",\"linux\":{\"resources\":{\"memory\":{\"limit\":268435456,\"swap\":"
			      "536870912,\"reservation\":4096},\"pids\":{\"limit\":5}}}}");
	const int64_t more = (int64_t)PLAN_GUEST_OVERHEAD(MIB(256));
	const char *pids = item(p, AGENT_PIDS, 0, NULL);
	uint64_t max;

	cr_expect_eq(p->cgroup.limit[LIMIT_MEMORY], (int64_t)MIB(256) + more);
	cr_expect_eq(p->cgroup.limit[LIMIT_MEMORY_SWAP], (int64_t)MIB(512) + more);
	cr_expect_eq(p->cgroup.limit[LIMIT_MEMORY_LOW], 4096);
	cr_expect_eq(p->cgroup.limit[LIMIT_PIDS], -1, "the guest counts them");
	cr_assert_not_null(pids);
	memcpy(&max, pids, sizeof(max));
	cr_expect_eq(max, 5);
	plan_free(p);
}

/* Each wrong text, and what is said about it */
static const struct {
	const char *text, *msg;
} wrong[] = {
	{ROOT LIMITS_OF("\"limit\":83886079", "") "}",
	 "/linux/resources/memory/limit: 83886079 bytes are too few: the guest's kernel alone "
	 "needs "
	 "83886080"},
	{ROOT ",\"annotations\":{\"org.vmrun.kernel\":\"/x\"}}",
	 "/annotations/org.vmrun.kernel: not allowed by this host: \"annotations\" of /etc/x.json "
	 "does not have it"},
	{ROOT ",\"annotations\":{\"org.vmrun.memory\":\"1\"}}",
	 "/annotations/org.vmrun.memory: must be 33554432 to 1099511627776, whole pages, is \"1\""},
	{ROOT ",\"annotations\":{\"org.vmrun.vcpus\":\"-1\"}}",
	 "/annotations/org.vmrun.vcpus: must be 1 to 32, is \"-1\""},
	{ROOT ",\"annotations\":{\"org.vmrun.vcpus\":\"\"}}",
	 "/annotations/org.vmrun.vcpus: must be 1 to 32, is \"\""},
	{ROOT ",\"annotations\":{\"org.vmrun.initrd\":\"x\"}}",
	 "/annotations/org.vmrun.initrd: must be an absolute path"},
};

Test(container, refusals)
{
	int allowed[] = {HOST_CONFIG_MEMORY, HOST_CONFIG_VCPUS, HOST_CONFIG_INITRD};

	config.annotations = (struct schema_list){.nr = ARRAY_SIZE(allowed), .item = allowed};
	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct plan *p;
		struct err err;

		cr_expect_lt(make(wrong[i].text, &p, &err), 0, "%s", wrong[i].text);
		cr_expect_str_eq(err.msg, wrong[i].msg);
		plan_free(p);
	}
}

Test(container, annotations_that_the_host_allows)
{
	int allowed[] = {0, 1, 2, 3, 4};
	const char *parameters[] = {"host=1", "b"};
	struct plan *p;

	config.annotations = (struct schema_list){.nr = ARRAY_SIZE(allowed), .item = allowed};
	config.parameters = (struct schema_list){.nr = ARRAY_SIZE(parameters), .item = parameters};
	p = good(ROOT ",\"annotations\":{\"org.vmrun.kernel\":\"/k\",\"org.vmrun.initrd\":\"/i\","
		      "\"org.vmrun.parameters\":\"c d\",\"org.vmrun.memory\":\"134217728\","
		      "\"org.vmrun.vcpus\":\"7\"},"
		      "\"vm\":{\"kernel\":{\"parameters\":[\"e\"]}},"
		      "\"linux\":{\"resources\":{\"memory\":{\"limit\":268435456}}}}");
	cr_expect_str_eq(p->proc[0].fd[BOOT_FD_KERNEL].path, "/k");
	cr_expect_str_eq(p->proc[0].fd[BOOT_FD_INITRD].pointer, "/annotations/org.vmrun.initrd");
	cr_expect_str_eq(p->cmdline, "quiet cryptomgr.notests reboot=k panic=-1 host=1 b c d e");
	cr_expect_eq(p->mem_bytes, MIB(128));
	cr_expect_eq(p->nr_vcpus, 7);
	plan_free(p);
}

/* ---- what it shares ---- */

Test(container, devices)
{
	struct plan *p = good(ROOT
			      ",\"process\":{\"terminal\":true,\"cwd\":\"/\",\"args\":[\"a\"]},"
			      "\"vm\":{\"devices\":[{\"type\":\"console\"}]}}");
	struct fs_settings fs;

	cr_expect(p->terminal && p->has_process);
	cr_assert_eq(p->nr_fs, 1);
	plan_settings(&p->proc[p->fs[0].proc], &fs, sizeof(fs));
	cr_expect_str_eq(fs.tag, AGENT_TAG);
	cr_assert_eq(p->fs[0].nr, 1);
	cr_expect_str_eq(p->fs[0].source[0].path, "/b/rootfs");
	cr_expect_str_eq(p->fs[0].source[0].name, "root");
	cr_expect_str_eq(p->fs[0].source[0].pointer, "/root/path");
	cr_assert(p->vsock.proc > 0 && p->vsock.agent);
	cr_expect_null(p->vsock.socket.path);
	cr_expect_eq(p->nr_nets, 0);
	for (unsigned int i = 0; i < p->nr_procs; i++)
		for (unsigned int n = 0; n < p->proc[i].nr_fds; n++)
			cr_expect(p->proc[i].fd[n].source != PLAN_FD_STDIN &&
					  p->proc[i].fd[n].source != PLAN_FD_STDOUT &&
					  p->proc[i].fd[n].source != PLAN_FD_CONSOLE,
				  "%s has the standard streams of the process", p->proc[i].name);
	plan_free(p);
}

/* runc takes such paths, too. */
Test(container, a_node_has_no_slash_at_its_end)
{
	struct plan *p = good(ROOT ",\"linux\":{\"devices\":[{\"path\":\"/mnt//\",\"type\":\"c\","
				   "\"major\":1,\"minor\":3}]}}");
	const char *has = item(p, AGENT_DEVICE, 0, NULL);

	cr_assert(has && strcmp(has + sizeof(struct agent_device), "/mnt") == 0);
	plan_free(p);
}

static const struct agent_mount *mount_of(const struct plan *p, const char *ret[4])
{
	uint32_t bytes;
	const char *at = item(p, AGENT_MOUNT, 0, &bytes), *text;
	static struct agent_mount head;

	cr_assert_not_null(at);
	memcpy(&head, at, sizeof(head));
	text = at + sizeof(head);
	for (unsigned int i = 0; i < 4; i++) {
		cr_assert_lt(text - at, bytes);
		ret[i] = text;
		text += strlen(text) + 1;
	}
	cr_expect_eq(text - at, bytes);
	return &head;
}

/* What podman asks for with "-v /l:/d:O" */
Test(container, an_overlay_is_the_hosts)
{
	struct plan *p = good(ROOT
			      ",\"mounts\":[{\"destination\":\"/d\",\"type\":\"overlay\","
			      "\"source\":\"overlay\",\"options\":[\"lowerdir=/l:/m\",\"upperdir="
			      "/u\",\"workdir=/w\",\"private\",\"ro\"]}]}");
	const char *text[4];
	const struct agent_mount *m = mount_of(p, text);

	cr_expect_eq(m->flags, AGENT_MOUNT_BIND);
	cr_expect(strcmp(text[1], "m0") == 0 && strcmp(text[3], "") == 0);
	cr_assert_eq(p->fs[0].nr, 2);
	cr_expect_str_eq(p->fs[0].source[1].path, "/l");
	cr_expect_str_eq(p->fs[0].source[1].layers, "lowerdir=/l:/m,upperdir=/u,workdir=/w");
	cr_expect(p->fs[0].source[1].readonly);
	plan_free(p);
}

/* One bind, and what becomes of it: its source in the share, or a file system of the guest's own */
static const struct {
	const char *destination, *source, *options;
	struct plan_look look;
	const char *to[4];
	uint32_t flags;
	const char *path; /* shared, NULL: nothing is */
	bool readonly;
} binds[] = {
	{"/d",
	 "/srv/x",
	 "\"rbind\"",
	 {.mode = S_IFDIR},
	 {"/d", "m0", "bind", ""},
	 AGENT_MOUNT_BIND,
	 "/srv/x",
	 false},
	{"d/e",
	 "x",
	 "\"bind\",\"ro\"",
	 {.mode = S_IFDIR},
	 {"/d/e", "m0", "bind", ""},
	 AGENT_MOUNT_BIND,
	 "/b/x",
	 true},
	{"/f",
	 "/srv/f",
	 "\"bind\",\"rro\"",
	 {.mode = S_IFREG},
	 {"/f", "m0", "bind", ""},
	 AGENT_MOUNT_BIND | AGENT_MOUNT_FILE,
	 "/srv/f",
	 true},
	{"/dev/shm",
	 "/s/shm",
	 "\"bind\"",
	 {.mode = S_IFDIR, .tmpfs = true, .bytes = 65536},
	 {"/dev/shm", "shm", "tmpfs", "mode=1777,size=65536"},
	 0,
	 NULL,
	 false},
	{"/dev/shm",
	 "/s/shm",
	 "\"bind\"",
	 {.mode = S_IFDIR, .bytes = 65536},
	 {"/dev/shm", "shm", "tmpfs", "mode=1777,size=67108864"},
	 0,
	 NULL,
	 false},
	{"/proc",
	 "/proc",
	 "\"rbind\"",
	 {.mode = S_IFDIR},
	 {"/proc", "proc", "proc", ""},
	 0,
	 NULL,
	 false},
	{"/sys",
	 "/sys/",
	 "\"rbind\"",
	 {.mode = S_IFDIR},
	 {"/sys", "sysfs", "sysfs", ""},
	 0,
	 NULL,
	 false},
	{"/q",
	 "/dev/mqueue",
	 "\"bind\"",
	 {.mode = S_IFDIR},
	 {"/q", "mqueue", "mqueue", ""},
	 0,
	 NULL,
	 false},
	{"/p",
	 "/proc/x",
	 "\"bind\"",
	 {.mode = S_IFREG},
	 {"/p", "m0", "bind", ""},
	 AGENT_MOUNT_BIND | AGENT_MOUNT_FILE,
	 "/proc/x",
	 false},
};

Test(container, binds)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(binds); i++) {
		const struct agent_mount *m;
		const char *to[4];
		char text[512];
		struct plan *p;

		snprintf(text, sizeof(text),
			 "%s,\"mounts\":[{\"destination\":\"%s\",\"source\":\"%s\",\"options\":[%s]"
			 "}]}",
			 ROOT, binds[i].destination, binds[i].source, binds[i].options);
		looked = binds[i].look;
		p = good(text);
		m = mount_of(p, to);
		for (unsigned int n = 0; n < 4; n++)
			cr_expect_str_eq(to[n], binds[i].to[n], "%s: %s", text, to[n]);
		cr_expect_eq(m->flags, binds[i].flags, "%s", text);
		cr_assert_eq(p->fs[0].nr, binds[i].path ? 2 : 1, "%s", text);
		if (binds[i].path) {
			cr_expect_str_eq(p->fs[0].source[1].path, binds[i].path);
			cr_expect_str_eq(p->fs[0].source[1].pointer, "/mounts/0/source");
			cr_expect_eq(p->fs[0].source[1].readonly, binds[i].readonly);
		}
		plan_free(p);
	}
}

Test(container, sources_that_no_guest_can_have)
{
	static const struct {
		uint32_t mode;
		const char *msg;
	} kinds[] = {{S_IFSOCK, "/mounts/0/source: /x: is a socket of the host"},
		     {S_IFIFO, "/mounts/0/source: /x: is a fifo of the host"},
		     {S_IFCHR, "/mounts/0/source: /x: is a device of the host"},
		     {S_IFBLK, "/mounts/0/source: /x: is a device of the host"}};
	struct plan *p;
	struct err err;

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		looked.mode = kinds[i].mode;
		cr_expect_eq(make(ROOT ",\"mounts\":[" BIND("/d") "]}", &p, &err), -EINVAL);
		cr_expect(strncmp(err.msg, kinds[i].msg, strlen(kinds[i].msg)) == 0, "%s", err.msg);
	}
	/* One that is missing is an error later, when it is opened. */
	look_rc = -ENOENT;
	plan_free(good(ROOT ",\"mounts\":[" BIND("/d") "]}"));
	cr_expect_str_eq(look_path, "/x");
}

Test(container, a_root_that_is_no_directory)
{
	struct plan *p;
	struct err err;

	root_mode = S_IFREG;
	cr_expect_eq(make(ROOT "}", &p, &err), -ENOTDIR);
	cr_expect_str_eq(err.msg, "/root/path: /b/rootfs: is not a directory");
}

Test(container, as_many_sources_as_there_is_room_for)
{
	static char text[64 * (FS_SOURCES_MAX + 2)];
	struct plan *p;
	struct err err;

	looked.mode = S_IFDIR;
	for (unsigned int nr = FS_SOURCES_MAX - 1; nr <= FS_SOURCES_MAX; nr++) {
		size_t n = (size_t)sprintf(text, "%s,\"mounts\":[", ROOT);

		for (unsigned int i = 0; i < nr; i++)
			n += (size_t)sprintf(text + n, "%s%s", i ? "," : "", BIND("/d"));
		strcpy(text + n, "]}");
		cr_expect_eq(make(text, &p, &err), nr < FS_SOURCES_MAX ? 0 : -EINVAL);
		plan_free(p);
	}
	cr_expect_str_eq(err.msg, "/mounts/255/source: a container can have 255 directories and "
				  "files of the host, and its root");
}

Test(container, a_disk_that_is_only_read_below_what_is_written)
{
	struct plan *p = good("{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},"
			      "\"vm\":{\"image\":{\"path\":\"disk\",\"overlay\":true}}}");
	struct agent_root root;

	memcpy(&root, item(p, AGENT_ROOT, 0, NULL), sizeof(root));
	cr_expect_eq(root.flags, AGENT_ROOT_DISK | AGENT_ROOT_OVERLAY);
	cr_expect(p->proc[1].dev_flags & BOOT_DEV_READONLY);
	plan_free(p);
}

Test(container, a_disk_as_root)
{
	struct plan *p = good(
		"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\",\"readonly\":true},"
		"\"vm\":{\"image\":{\"path\":\"disk\"}}}");
	const char *at = item(p, AGENT_ROOT, 0, NULL);
	struct agent_root root;

	cr_assert_not_null(at);
	memcpy(&root, at, sizeof(root));
	cr_expect_eq(root.flags, AGENT_ROOT_READONLY | AGENT_ROOT_DISK);
	cr_expect_str_eq(at + sizeof(root), "/dev/vda");
	cr_expect_eq(p->nr_fs, 0, "nothing is shared");
	cr_expect(p->proc[1].kind == &kind_table[KIND_BLOCK]);
	cr_expect(p->proc[1].dev_flags & BOOT_DEV_READONLY);
	cr_expect(!strstr(p->cmdline, "root="));
	plan_free(p);
}

/* ---- the description ---- */

Test(container, of_variables_of_a_name_the_last_counts)
{
	static const char *const left[] = {"AA=3", "A=2", "AB=1", "B="};
	struct plan *p = good(
		ROOT ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"env\":[\"A=1\",\"B=1\","
		     "\"AA=3\",\"A=\",\"A=2\",\"AB=1\",\"B=\"]}}");

	for (unsigned int i = 0; i < ARRAY_SIZE(left); i++)
		cr_expect_str_eq(item(p, AGENT_ENV, i, NULL), left[i]);
	cr_expect_null(item(p, AGENT_ENV, ARRAY_SIZE(left), NULL));
	plan_free(p);
}

Test(container, items_of_a_process)
{
	struct plan *p = good(
		ROOT
		",\"hostname\":\"h\",\"process\":{\"terminal\":true,\"consoleSize\":{\"width\":80,"
		"\"height\":"
		"25},\"cwd\":\"/"
		"w\",\"args\":[\"a\",\"\",\"\xff\"],\"env\":[\"A=b\"],\"noNewPrivileges\":true,"
		"\"user\":{\"uid\":7,\"gid\":8,\"umask\":0,\"additionalGids\":[9]},\"oomScoreAdj\":"
		"-3,"
		"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":5},"
		"\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":2}]}}");
	const char *at = item(p, AGENT_PROCESS, 0, NULL);
	struct agent_process head;
	struct agent_rlimit limit;
	uint32_t bytes, gid;

	cr_assert_not_null(at);
	memcpy(&head, at, sizeof(head));
	cr_expect_eq(head.flags, AGENT_TERMINAL | AGENT_NO_NEW_PRIVS | AGENT_UMASK |
					 AGENT_OOM_SCORE | AGENT_IOPRIO | AGENT_CREATE_CWD);
	cr_expect(head.uid == 7 && head.gid == 8 && head.umask == 0 && head.oom_score_adj == -3);
	cr_expect(head.rows == 25 && head.cols == 80);
	cr_expect_eq(head.ioprio, 2 << 13 | 5);
	cr_expect_str_eq(at + sizeof(head), "/w");
	cr_expect_str_eq(item(p, AGENT_ARG, 0, &bytes), "a");
	cr_expect_eq(bytes, 2);
	cr_expect_str_eq(item(p, AGENT_ARG, 1, &bytes), "");
	cr_expect_eq(bytes, 1);
	cr_expect_str_eq(item(p, AGENT_ARG, 2, NULL), "\xff");
	cr_expect_null(item(p, AGENT_ARG, 3, NULL));
	cr_expect_str_eq(item(p, AGENT_ENV, 0, NULL), "A=b");
	memcpy(&gid, item(p, AGENT_GROUP, 0, NULL), sizeof(gid));
	cr_expect_eq(gid, 9);
	memcpy(&limit, item(p, AGENT_RLIMIT, 0, NULL), sizeof(limit));
	cr_expect(limit.resource == 4 && limit.soft == 1 && limit.hard == 2);
	cr_expect_null(item(p, AGENT_CAPS, 0, NULL));
	cr_expect_null(item(p, AGENT_FILTER, 0, NULL));
	cr_expect_str_eq(item(p, AGENT_HOSTNAME, 0, NULL), "h");
	plan_free(p);
}

/* A second one would be refused by vmrun-init; the supervisor adds that of a namespace which has a name already. */
Test(container, the_hostname_has_one_source)
{
	static const struct {
		const char *says, *name;
	} rows[] = {
		{",\"linux\":{\"namespaces\":[{\"type\":\"network\"},{\"type\":\"uts\"}]}}", "id"},
		{",\"hostname\":\"h\",\"linux\":{\"namespaces\":[{\"type\":\"network\"},{\"type\":"
		 "\"uts\"}]}}",
		 "h"},
		{",\"hostname\":\"h\"}", "h"},
		{"}", NULL},
		{",\"hostname\":\"h\",\"linux\":{\"namespaces\":[{\"type\":\"network\"},{\"type\":"
		 "\"uts\",\"path\":\"/"
		 "u\"}]}}",
		 NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[1024];
		struct plan *p;
		const char *name;

		snprintf(text, sizeof(text), "%s%s", ROOT, rows[i].says);
		p = good(text);
		name = item(p, AGENT_HOSTNAME, 0, NULL);
		cr_expect_eq(p->joins_name, rows[i].name == NULL, "%s", rows[i].says);
		cr_expect_str_eq(name ? name : "", rows[i].name ? rows[i].name : "", "%s",
				 rows[i].says);
		plan_free(p);
	}
}

Test(container, a_hook_inside)
{
	struct plan *p = good(ROOT
			      ",\"hooks\":{\"startContainer\":[{\"path\":\"/h\",\"args\":[\"h\","
			      "\"-x\"],\"env\":[\"A=1\"],\"timeout\":4}]}}");
	uint32_t bytes;
	const char *at = item(p, AGENT_HOOK, 0, &bytes);
	struct agent_hook hook;

	cr_assert_not_null(at);
	memcpy(&hook, at, sizeof(hook));
	cr_expect(hook.timeout_s == 4 && hook.nr_args == 2 && hook.nr_env == 1);
	cr_expect_eq(bytes, sizeof(hook) + sizeof("/h\0h\0-x\0A=1"));
	cr_expect_arr_eq(at + sizeof(hook), "/h\0h\0-x\0A=1", sizeof("/h\0h\0-x\0A=1"));
	plan_free(p);
}
