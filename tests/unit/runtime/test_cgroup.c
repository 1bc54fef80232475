/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/cgroup.h"

static const char v2[] =
	"24 1 0:22 / /proc rw,nosuid - proc proc rw\n"
	"30 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

static const char hybrid[] =
	"25 30 0:24 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
	"31 25 0:27 / /sys/fs/cgroup/unified rw shared:5 master:1 - cgroup2 cgroup2 rw\n"
	"32 25 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
	"33 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
	"34 25 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	"35 25 0:30 / /mnt/memory\\040again rw - cgroup cgroup rw,memory\n"
	"36 25 0:30 / /mnt/memory rw - cgroup cgroup rw,memory\n";

Test(cgroup, finds_hierarchies)
{
	static struct cgroup c;

	cgroup_parse_mounts(v2, &c);
	cr_assert_eq(c.nr_mounts, 1);
	cr_expect(c.mount[0].v2);
	cr_expect_str_eq(c.mount[0].path, "/sys/fs/cgroup");

	cgroup_parse_mounts(hybrid, &c);
	cr_assert_eq(c.nr_mounts, 4, "%u", c.nr_mounts);
	cr_expect(c.mount[0].v2);
	cr_expect_str_eq(c.mount[2].path, "/sys/fs/cgroup/cpu,cpuacct");
	cr_expect_str_eq(c.mount[2].controllers, ",rw,cpu,cpuacct,");
	cr_expect_str_eq(c.mount[3].path, "/sys/fs/cgroup/memory");
}

Test(cgroup, shrugs_at_nonsense)
{
	static const char *const bad[] = {
		"",
		"\n\n\n",
		"a",
		" - ",
		" - cgroup",
		"1 2 3 4 - cgroup x rw,memory",
		"1 2 3 4 5 6 - cgroup",
		"1 2 3 4 5 6 - cgroup x",
		"1 2 3 4 5 - cgroup2",
	};
	static struct cgroup c;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cgroup_parse_mounts(bad[i], &c);
		cr_expect_eq(c.nr_mounts, 0, "'%s'", bad[i]);
	}
}

Test(cgroup, never_more_mounts_than_fit)
{
	static struct cgroup c;
	static char many[64 * 1024];
	size_t len = 0;

	for (int i = 0; i < 2 * CGROUP_MOUNTS_MAX; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len,
					"%d 1 0:1 / /c/%d rw - cgroup cgroup rw,c%d\n", i, i, i);
	cgroup_parse_mounts(many, &c);
	cr_expect_eq(c.nr_mounts, CGROUP_MOUNTS_MAX);
}

Test(cgroup, shares_become_weights)
{
	static const struct {
		uint64_t shares, weight;
	} table[] = {{2, 1}, {1024, 39}, {262144, 10000}, {0, 1}, {UINT64_MAX, 10000}};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		cr_expect_eq(cgroup_shares_to_weight(table[i].shares), table[i].weight);
}

Test(cgroup, refuses_paths_that_leave)
{
	static const char *const bad[] = {"relative", "/a/../b", "/..", ""};
	static struct cgroup c;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct plan_cgroup p = {.path = (char *)bad[i]};

		cr_expect_eq(cgroup_plan(&p, &c, &err), -EINVAL, "'%s'", bad[i]);
	}
}

static void collect(void *arg, const char *text)
{
	strcat(arg, text);
	strcat(arg, "\n");
}

static const char *read_back(const char *dir, const char *file)
{
	static char text[64];
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "r");
	text[0] = '\0';
	if (f) {
		cr_expect(fgets(text, sizeof(text), f) != NULL || feof(f));
		fclose(f);
	}
	return text;
}

/* A directory tree stands in for a hierarchy: what is written where is all there is to see */
Test(cgroup, writes_limits_where_the_controller_is)
{
	static struct cgroup c;
	char top[] = "/tmp/vmrun-cgroup-XXXXXX", leaf[64], path[128], warnings[2048] = "", cmd[64];
	static const char *const files[] = {"memory.max", "cpu.max", "cpu.weight"};
	const struct plan_cgroup p = {
		.path = (char *)"/x",
		.memory_max_bytes = 1 << 20,
		.cpu_quota_us = 50000,
		.cpu_shares = 1024,
		.cpuset_cpus = (char *)"0",
	};

	cr_assert(mkdtemp(top));
	snprintf(leaf, sizeof(leaf), "%s/x", top);
	cr_assert_eq(mkdir(leaf, 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", leaf, files[i]);
		close(open(path, O_CREAT | O_WRONLY, 0600));
	}
	c.nr_mounts = 1;
	c.mount[0].v2 = true;
	strcpy(c.mount[0].path, top);
	strcpy(c.leaf, "/x");
	cgroup_make(&c, &p, collect, warnings);
	cr_expect(c.mount[0].usable);
	cr_expect_str_eq(read_back(leaf, "memory.max"), "1048576");
	cr_expect_str_eq(read_back(leaf, "cpu.max"), "50000 100000");
	cr_expect_str_eq(read_back(leaf, "cpu.weight"), "39");
	/* there is no cpuset.cpus, and that is the one thing to warn about */
	cr_expect(strstr(warnings, "cpuset.cpus"), "%s", warnings);
	cr_expect_eq(strchr(warnings, '\n'), warnings + strlen(warnings) - 1, "%s", warnings);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", top);
	cr_expect_eq(system(cmd), 0);
}
