/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a bundle asks for inside a container: the process, mounts, hooks, nodes and filters
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "runtime/config/bundle_caps.h"
#include "runtime/config/bundle_mount.h"
#include "runtime/config/bundle_nodes.h"
#include "runtime/config/bundle_process.h"
#include "tests/support/bundle_rig.h"

#define ROOT "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},"
#define RUNS "\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]"

static const char *string(const struct schema_list *list, unsigned int i)
{
	return ((const char *const *)list->item)[i];
}

Test(inside, which_bundles_are_containers)
{
	static const struct {
		const char *text;
		bool is;
	} bundles[] = {
		{ROOT RUNS "}}", true},
		{"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"}}", true},
		{ROOT "\"vm\":{\"kernel\":{\"path\":\"\"},\"hwconfig\":{}}}", true},
		{ROOT "\"vm\":{\"image\":{\"path\":\"disk\"}}}", true},
		{ROOT "\"vm\":{\"kernel\":{\"path\":\"/k\"}}}", false},
		{"{\"ociVersion\":\"1.2.0\",\"vm\":{\"kernel\":{\"path\":\"/k\"}}}", false},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bundles); i++) {
		struct bundle *b = good(bundles[i].text);

		cr_expect_eq(bundle_is_container(b), bundles[i].is, "%s", bundles[i].text);
		cr_expect_eq(b->process_given, i == 0);
		bundle_free(b);
	}
}

Test(inside, keeps_the_process)
{
	struct bundle *b = good(
		ROOT
		"\"process\":{\"cwd\":\"/"
		"w\",\"args\":[\"sh\",\"\",\"\xff\xfe\"],\"env\":[\"A=\xe9\",\"B=\"],"
		"\"user\":{\"uid\":1000,\"gid\":5,\"umask\":18,\"additionalGids\":[1,2147483647]},"
		"\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_NOT\",\"cap_chown\"],"
		"\"ambient\":[\"CAP_CHECKPOINT_RESTORE\"]},\"noNewPrivileges\":true,"
		"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":3,\"hard\":18446744073709551615}"
		"],"
		"\"oomScoreAdj\":-7,\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":9,"
		"\"flags\":[\"SCHED_FLAG_RECLAIM\"]},"
		"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":7}}}");
	const struct bundle_process *p = &b->process;
	const struct bundle_rlimit *l = p->rlimits.item;

	cr_assert_eq(p->args.nr, 3);
	cr_expect_str_eq(string(&p->args, 0), "sh");
	cr_expect_null(string(&p->args, 1));
	cr_expect_str_eq(string(&p->args, 2), "\xff\xfe");
	cr_assert_eq(p->env.nr, 2);
	cr_expect_str_eq(string(&p->env, 0), "A=\xe9");
	cr_expect_str_eq(p->cwd, "/w");
	cr_expect_eq(p->user.uid, 1000);
	cr_expect_eq(p->user.gid, 5);
	cr_expect_eq(p->user.umask, 022);
	cr_assert_eq(p->user.gids.nr, 2);
	cr_expect_eq(((const uint64_t *)p->user.gids.item)[1], 2147483647);
	cr_expect(p->caps_given);
	cr_expect_eq(p->caps.bounding, 1 << CAP_KILL | 1 << CAP_CHOWN);
	cr_expect_eq(p->caps.ambient, 1UL << CAP_CHECKPOINT_RESTORE);
	cr_expect_eq(p->caps.effective, 0);
	cr_expect(p->no_new_privileges);
	cr_assert_eq(p->rlimits.nr, 1);
	cr_expect_eq(l->type, RLIMIT_NOFILE);
	cr_expect_eq(l->soft, 3);
	cr_expect_eq(l->hard, UINT64_MAX);
	cr_expect_eq(p->oom_score_adj, -7);
	cr_expect_eq(p->scheduler.policy, SCHED_FIFO);
	cr_expect_eq(p->scheduler.priority, 9);
	cr_assert_eq(p->scheduler.flags.nr, 1);
	cr_expect_eq(*(const int *)p->scheduler.flags.item, 1);
	cr_expect_eq(p->io.class, 2);
	cr_expect_eq(p->io.priority, 7);
	cr_assert_eq(b->nr_warnings, 1, "%s", b->warning[1]);
	cr_expect_str_eq(b->warning[0],
			 "/process/capabilities/bounding/1: CAP_NOT is no capability, "
			 "and left out");
	bundle_free(b);
}

Test(inside, what_is_not_given)
{
	struct bundle *b = good(ROOT RUNS "}}");

	cr_expect_eq(b->process.user.umask, BUNDLE_UNSET);
	cr_expect_eq(b->process.oom_score_adj, BUNDLE_UNSET);
	cr_expect_eq(b->process.scheduler.policy, -1);
	cr_expect_eq(b->process.io.class, -1);
	cr_expect_not(b->process.caps_given);
	cr_expect_eq(b->linux_.inside.seccomp.action, -1);
	cr_expect_eq(b->vm.hw.mem_bytes, 0);
	cr_expect_eq(b->nr_warnings, 0, "%s", b->warning[0]);
	bundle_free(b);
}

/* An argument as long as Linux takes, and one longer */
Test(inside, long_arguments)
{
	static char text[SCHEMA_BYTES_MAX + 200];

	for (unsigned int more = 0; more < 2; more++) {
		struct bundle *b = NULL;
		struct err err;
		int n = sprintf(text, "%s\"process\":{\"cwd\":\"/\",\"args\":[\"", ROOT);

		memset(text + n, 'a', SCHEMA_BYTES_MAX + more);
		strcpy(text + n + SCHEMA_BYTES_MAX + more, "\"]}}");
		cr_expect_eq(load(text, &b, &err), more ? -EINVAL : 0);
		if (more)
			cr_expect_str_eq(err.msg,
					 "/process/args/0: must be at most 131071 bytes long, "
					 "is 131072");
		else
			cr_expect_eq(strlen(string(&b->process.args, 0)), SCHEMA_BYTES_MAX);
		bundle_free(b);
	}
}

/* Each word of an option, and what it does */
static const struct {
	const char *word;
	struct agent_mount does;
} options[] = {
	{"ro", {.set = MS_RDONLY}},
	{"rw", {.clear = MS_RDONLY}},
	{"rro", {.set = MS_RDONLY, .recursive_set = MS_RDONLY}},
	{"rrw", {.clear = MS_RDONLY, .recursive_clear = MS_RDONLY}},
	{"nosuid", {.set = MS_NOSUID}},
	{"rnosuid", {.set = MS_NOSUID, .recursive_set = MS_NOSUID}},
	{"suid", {.clear = MS_NOSUID}},
	{"rsuid", {.clear = MS_NOSUID, .recursive_clear = MS_NOSUID}},
	{"nodev", {.set = MS_NODEV}},
	{"dev", {.clear = MS_NODEV}},
	{"noexec", {.set = MS_NOEXEC}},
	{"exec", {.clear = MS_NOEXEC}},
	{"sync", {.set = MS_SYNCHRONOUS}},
	{"async", {.clear = MS_SYNCHRONOUS}},
	{"dirsync", {.set = MS_DIRSYNC}},
	{"remount", {.set = MS_REMOUNT}},
	{"mand", {.set = MS_MANDLOCK}},
	{"nomand", {.clear = MS_MANDLOCK}},
	{"noatime", {.set = MS_NOATIME}},
	{"atime", {.clear = MS_NOATIME}},
	{"nodiratime", {.set = MS_NODIRATIME}},
	{"diratime", {.clear = MS_NODIRATIME}},
	{"relatime", {.set = MS_RELATIME}},
	{"norelatime", {.clear = MS_RELATIME}},
	{"strictatime", {.set = MS_STRICTATIME}},
	{"nostrictatime", {.clear = MS_STRICTATIME}},
	{"rnoatime", {.set = MS_NOATIME, .recursive_set = MS_NOATIME}},
	{"iversion", {.set = MS_I_VERSION}},
	{"noiversion", {.clear = MS_I_VERSION}},
	{"lazytime", {.set = MS_LAZYTIME}},
	{"nolazytime", {.clear = MS_LAZYTIME}},
	{"silent", {.set = MS_SILENT}},
	{"loud", {.clear = MS_SILENT}},
	{"nosymfollow", {.set = MS_NOSYMFOLLOW}},
	{"symfollow", {.clear = MS_NOSYMFOLLOW}},
	{"private", {.propagation = MS_PRIVATE}},
	{"rprivate", {.propagation = MS_PRIVATE | MS_REC}},
	{"shared", {.propagation = MS_SHARED}},
	{"rshared", {.propagation = MS_SHARED | MS_REC}},
	{"slave", {.propagation = MS_SLAVE}},
	{"rslave", {.propagation = MS_SLAVE | MS_REC}},
	{"unbindable", {.propagation = MS_UNBINDABLE}},
	{"runbindable", {.propagation = MS_UNBINDABLE | MS_REC}},
	{"tmpcopyup", {.flags = AGENT_MOUNT_COPY_UP}},
	{"bind", {.flags = AGENT_MOUNT_BIND}},
	{"rbind", {.flags = AGENT_MOUNT_BIND, .set = MS_REC}},
	{"defaults", {.flags = 0}},
};

static const struct bundle_mount *mount_with(const char *list, struct bundle **ret)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "%s\"mounts\":[{\"destination\":\"/d\",\"type\":\"tmpfs\",\"source\":\"s\","
		 "\"options\":[%s]}]}",
		 ROOT, list);
	*ret = good(text);
	return (*ret)->mounts.item;
}

Test(inside, each_option_of_a_mount)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(options); i++) {
		const struct agent_mount *d = &options[i].does;
		const struct bundle_mount *m;
		struct bundle *b;
		char list[64];

		snprintf(list, sizeof(list), "\"%s\"", options[i].word);
		m = mount_with(list, &b);
		cr_expect(m->flags == d->flags && m->set == d->set && m->clear == d->clear &&
				  m->propagation == d->propagation &&
				  m->recursive_set == d->recursive_set &&
				  m->recursive_clear == d->recursive_clear && !m->data,
			  "%s", list);
		bundle_free(b);
	}
}

Test(inside, options_together)
{
	struct bundle *b;
	const struct bundle_mount *m = mount_with(
		"\"ro\",\"size=1m\",\"rw\",\"\",\"mode=755\",\"rslave\",\"shared\"", &b);

	cr_expect_eq(m->set, 0, "the last one of a pair counts");
	cr_expect_eq(m->clear, MS_RDONLY);
	cr_expect_str_eq(m->data, "size=1m,mode=755");
	cr_expect_eq(m->propagation, MS_SLAVE | MS_SHARED | MS_REC);
	cr_expect_eq(m->options.nr, 7);
	bundle_free(b);
}

Test(inside, keeps_hooks_nodes_and_paths)
{
	struct bundle *b = good(
		ROOT
		"\"domainname\":\"d\",\"hooks\":{\"poststop\":[{\"path\":\"/"
		"h\",\"args\":[\"h\",\"\"],"
		"\"env\":[],\"timeout\":3},{\"path\":\"/i\"}]},"
		"\"linux\":{\"sysctl\":{\"net.core.somaxconn\":\"9\"},\"maskedPaths\":[\"/m\"],"
		"\"readonlyPaths\":[\"/r\",\"/s\"],\"rootfsPropagation\":\"rslave\","
		"\"devices\":[{\"path\":\"/dev/x\",\"type\":\"u\",\"major\":10,\"minor\":229,"
		"\"fileMode\":8630,\"uid\":3},{\"path\":\"/dev/p\",\"type\":\"p\"},"
		"{\"path\":\"/dev/sda\",\"type\":\"b\",\"major\":8,\"minor\":0}]}}");
	const struct bundle_hook *h = b->hooks.kind[HOOK_POSTSTOP].item;
	const struct bundle_inside *in = &b->linux_.inside;
	const struct bundle_node *n = in->nodes.item;

	cr_assert_eq(b->hooks.kind[HOOK_POSTSTOP].nr, 2);
	cr_expect_eq(b->hooks.kind[HOOK_PRESTART].nr, 0);
	cr_expect_str_eq(h[0].path, "/h");
	cr_expect_eq(h[0].args.nr, 2);
	cr_expect_eq(h[0].timeout_s, 3);
	cr_expect(h[0].env.item && h[0].env.nr == 0, "an empty environment");
	cr_expect_null(h[1].env.item, "none given");
	cr_expect_str_eq(b->domainname, "d");
	cr_expect_eq(json_object_object_length(in->sysctl), 1);
	cr_expect_str_eq(string(&in->masked, 0), "/m");
	cr_expect_eq(in->readonly.nr, 2);
	cr_expect_eq(bundle_propagation_flags[in->propagation], MS_SLAVE | MS_REC);
	cr_assert_eq(in->nodes.nr, 3);
	cr_expect_eq(bundle_nodes_mode(&n[0]), S_IFCHR);
	cr_expect_eq(n[0].mode, 0666, "without the bits of the type");
	cr_expect_eq(n[0].uid, 3);
	cr_expect_eq(bundle_nodes_mode(&n[1]), S_IFIFO);
	cr_expect_eq(n[1].mode, 0666);
	cr_assert_eq(b->nr_warnings, 1);
	cr_expect_str_eq(b->warning[0],
			 "config.json: /linux/devices: nodes are made, but the guest "
			 "has no hardware of the host: /dev/sda");
	bundle_free(b);
}

/* Each wrong text, and the beginning of what is said about it */
static const struct {
	const char *text, *msg;
} wrong[] = {
	{ROOT "\"process\":{\"cwd\":\"/\"}}", "/process/args: required"},
	{ROOT "\"process\":{\"cwd\":\"/\",\"args\":[]}}", "/process/args: must have at least 1"},
	{ROOT "\"process\":{\"args\":[\"a\"]}}", "/process/cwd: required"},
	{ROOT "\"process\":{\"args\":[\"a\"],\"cwd\":\"x\"}}",
	 "/process/cwd: must be an absolute path"},
	{ROOT RUNS ",\"env\":[\"A=1\",\"B\"]}}", "/process/env/1: must be NAME=value"},
	{ROOT RUNS ",\"env\":[\"=1\"]}}", "/process/env/0: must be NAME=value"},
	{ROOT RUNS ",\"user\":{\"uid\":-1}}}", "/process/user/uid: must be 0 to 2147483647, is -1"},
	{ROOT RUNS ",\"user\":{\"umask\":4096}}}", "/process/user/umask: must be 0 to 4095"},
	{ROOT RUNS ",\"capabilities\":{\"bounding\":7}}}",
	 "/process/capabilities/bounding: must be an array"},
	{ROOT RUNS ",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]}}",
	 "/process/rlimits/0: soft must be at most hard"},
	{ROOT RUNS ",\"scheduler\":{\"policy\":\"SCHED_ISO\"}}}",
	 "/process/scheduler/policy: Linux has no SCHED_ISO"},
	{ROOT RUNS ",\"scheduler\":{\"policy\":\"SCHED_RR\"}}}",
	 "/process/scheduler/priority: must be 1 to 99 with SCHED_RR"},
	{ROOT "\"hostname\":\"a b\"}", "/hostname: must be letters"},
	{ROOT "\"mounts\":[{\"type\":\"tmpfs\"}]}", "/mounts/0/destination: required"},
	{ROOT "\"mounts\":[{\"destination\":\"/a\"}]}", "/mounts/0/type: required, unless"},
	{ROOT "\"mounts\":[{\"destination\":\"/a\",\"options\":[\"bind\"]}]}",
	 "/mounts/0/source: required"},
	{ROOT
	 "\"mounts\":[{\"destination\":\"/a\",\"source\":\"b\",\"options\":[\"ro\",\"idmap\"]}]}",
	 "/mounts/0/options/1: mounts with maps of ids are not possible: idmap"},
	{ROOT "\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"b\","
	      "\"gidMappings\":[{\"containerID\":0}]}]}",
	 "/mounts/0/gidMappings: mounts with maps"},
	{ROOT "\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}}",
	 "/hooks/prestart/0/path: must be an absolute"},
	{ROOT "\"hooks\":{\"prestart\":[{\"path\":\"/x\",\"timeout\":0}]}}",
	 "/hooks/prestart/0/timeout: must be 1"},
	{ROOT "\"linux\":{\"maskedPaths\":[\"proc\"]}}",
	 "/linux/maskedPaths/0: must be an absolute"},
	{ROOT "\"linux\":{\"readonlyPaths\":[\"\"]}}", "/linux/readonlyPaths/0: must not be empty"},
	{ROOT "\"linux\":{\"rootfsPropagation\":\"x\"}}",
	 "/linux/rootfsPropagation: must be private"},
	{ROOT "\"linux\":{\"sysctl\":{\"../x\":\"1\"}}}", "/linux/sysctl/..~1x: is no name"},
	{ROOT "\"linux\":{\"sysctl\":{\"a\":1}}}", "/linux/sysctl/a: must be a string"},
	{ROOT "\"linux\":{\"devices\":[{\"path\":\"/d\",\"type\":\"c\"}]}}",
	 "/linux/devices/0/major: required with type c"},
	{ROOT "\"linux\":{\"devices\":[{\"path\":\"/d\",\"type\":\"x\"}]}}",
	 "/linux/devices/0/type: must be c, b, u or p"},
	{ROOT "\"linux\":{\"namespaces\":[{\"type\":\"x\"}]}}",
	 "/linux/namespaces/0/type: must be"},
	{ROOT "\"linux\":{\"seccomp\":{\"syscalls\":[{\"names\":[\"x\"]}]}}}",
	 "/linux/seccomp/defaultAction: required"},
	{ROOT "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}}}",
	 "/linux/seccomp/defaultAction: SCMP_ACT_NOTIFY: a process of the host"},
	{ROOT "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_NO\"}}}",
	 "/linux/seccomp/defaultAction: must be SCMP_ACT_KILL"},
	{ROOT
	 "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/x\"}}}",
	 "/linux/seccomp/listenerPath: a process of the host"},
	{ROOT
	 "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":"
	 "[\"x\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}}}",
	 "/linux/seccomp/syscalls/0/action: SCMP_ACT_NOTIFY"},
	{ROOT
	 "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":"
	 "[\"x\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":0,\"value\":1,\"op\":\"=\"}]}]}"
	 "}}",
	 "/linux/seccomp/syscalls/0/args/0/op: must be SCMP_CMP_NE"},
	{ROOT
	 "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":"
	 "[\"x\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":6,\"value\":1,\"op\":"
	 "\"SCMP_CMP_EQ\"}]}]}}}",
	 "/linux/seccomp/syscalls/0/args/0/index: must be 0 to 5, is 6"},
	{ROOT "\"vm\":{\"kernel\":{\"initrd\":\"/i\"}}}",
	 "/vm/kernel/path: required with an initrd"},
	{ROOT "\"vm\":{\"devices\":[{\"type\":\"vsock\",\"cid\":5}]}}",
	 "/vm/devices/0: the vsock device of a container is vmrun's own"},
	{ROOT "\"vm\":{\"devices\":[{\"type\":\"fs\",\"tag\":\"vmrun\",\"source\":\"/x\"}]}}",
	 "/vm/devices/0/tag: vmrun is the tag of the container's own files"},
	{ROOT "\"annotations\":{\"a\":\"\xff\"}}", "/annotations/a: must be UTF-8"},
	{ROOT "\"annotations\":{\"\xff\":\"a\"}}", "/annotations/?: a key must be UTF-8"},
};

Test(inside, names_the_place_of_an_error)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct bundle *b = NULL;
		struct err err;

		cr_expect_eq(load(wrong[i].text, &b, &err), -EINVAL, "%s", wrong[i].text);
		cr_expect(strncmp(err.msg, wrong[i].msg, strlen(wrong[i].msg)) == 0,
			  "%s\n  wanted %s\n  got    %s", wrong[i].text, wrong[i].msg, err.msg);
		bundle_free(b);
	}
}

Test(inside, capabilities_by_name)
{
	cr_expect_eq(bundle_caps_number("CAP_CHOWN"), 0);
	cr_expect_eq(bundle_caps_number("sys_admin"), CAP_SYS_ADMIN);
	cr_expect_eq(bundle_caps_number("CAP_"), -1);
	cr_expect_eq(bundle_caps_number(""), -1);
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		cr_expect_eq(bundle_caps_number(bundle_caps_names[i]), i, "%d", i);
}

Test(inside, binds_that_would_pass_on_mounts_are_named)
{
	struct bundle *b = good(
		ROOT
		"\"mounts\":["
		"{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/a\","
		"\"options\":[\"rbind\",\"rshared\"]},"
		"{\"destination\":\"/b\",\"type\":\"tmpfs\",\"options\":[\"shared\"]},"
		"{\"destination\":\"/c\",\"source\":\"/c\",\"options\":[\"bind\",\"slave\"]},"
		"{\"destination\":\"/d\",\"source\":\"/d\",\"options\":[\"bind\",\"rprivate\"]}]}");

	cr_assert_eq(b->nr_warnings, 2);
	cr_expect_str_eq(b->warning[0], "/mounts/0: shared: host and guest do not see each other's "
					"mounts that come later");
	cr_expect_str_eq(b->warning[1], "/mounts/2: slave: host and guest do not see each other's "
					"mounts that come later");
	bundle_free(b);
}
