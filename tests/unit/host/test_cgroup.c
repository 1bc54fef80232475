/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "runtime/host/cgroup.h"
#include "tests/support/temp_dir.h"

static const char v2[] =
	"24 1 0:22 / /proc rw,nosuid - proc proc rw\n"
	"30 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

static const char hybrid[] =
	"25 30 0:24 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
	"31 25 0:27 / /sys/fs/cgroup/unified rw shared:5 master:1 - cgroup2 cgroup2 rw\n"
	"32 25 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
	"33 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
	"34 25 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	"35 25 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
	"36 25 0:32 / /sys/fs/cgroup/my\\040freezer rw - cgroup cgroup rw,freezer\n";

static struct cgroup c;

static void parse(const char *text, bool cpuset, bool (*visible)(const char *, uint64_t))
{
	char *copy = strdup(text);

	cgroup_done(&c);
	cr_assert_eq(cgroup_parse_mounts(copy, cpuset, visible, &c), 0);
	free(copy);
}

Test(cgroup, finds_hierarchies)
{
	parse(v2, false, NULL);
	cr_assert_eq(c.nr_mounts, 1);
	cr_expect(c.mount[0].v2);
	cr_expect_str_eq(c.mount[0].path, "/sys/fs/cgroup");
	cr_expect_null(c.freezer);

	parse(hybrid, false, NULL);
	cr_assert_eq(c.nr_mounts, 3, "%u", c.nr_mounts);
	cr_expect(c.mount[0].v2);
	cr_expect_str_eq(c.mount[1].path, "/sys/fs/cgroup/cpu,cpuacct");
	cr_expect_str_eq(c.mount[1].controllers, ",cpu,cpuacct,");
	cr_expect_str_eq(c.mount[2].path, "/sys/fs/cgroup/memory");
	cr_expect_str_eq(c.freezer, "/sys/fs/cgroup/my freezer");

	parse(hybrid, true, NULL);
	cr_assert_eq(c.nr_mounts, 4, "%u", c.nr_mounts);
	cr_expect_str_eq(c.mount[3].path, "/sys/fs/cgroup/cpuset");
	cgroup_done(&c);
}

static bool all_but_8(const char *path UNUSED, uint64_t id)
{
	return id != 8;
}

Test(cgroup, takes_the_best_mount_of_a_hierarchy)
{
	static const struct {
		const char *text, *path;
	} table[] = {
		{"1 0 0:9 / /ro ro - cgroup2 x rw\n2 0 0:9 / /rw rw - cgroup2 x rw\n", "/rw"},
		{"1 0 0:9 / /ro rw - cgroup2 x ro\n2 0 0:9 / /rw rw - cgroup2 x rw\n", "/rw"},
		{"1 0 0:9 /part /a rw - cgroup2 x rw\n2 0 0:9 / /b rw - cgroup2 x rw\n", "/b"},
		{"1 0 0:9 / /a ro - cgroup2 x rw\n2 0 0:9 /part /b rw - cgroup2 x rw\n", "/b"},
		{"1 0 0:9 / /a rw - cgroup2 x rw\n2 0 0:9 / /b rw - cgroup2 x rw\n", "/a"},
		{"8 0 0:9 / /a rw - cgroup2 x rw\n2 0 0:9 / /b rw - cgroup2 x rw\n", "/b"},
		{"1 0 0:9 / /a ro - cgroup c ro,memory\n2 0 0:9 / /b rw - cgroup c rw,memory\n",
		 "/b"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		parse(table[i].text, false, all_but_8);
		cr_assert_eq(c.nr_mounts, 1, "%zu: %u", i, c.nr_mounts);
		cr_expect_str_eq(c.mount[0].path, table[i].path);
	}
	cgroup_done(&c);
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
		"1 2 3 4 5 6 - cgroup x rw",
		"1 2 3 4 5 - cgroup2",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		parse(bad[i], true, NULL);
		cr_expect_eq(c.nr_mounts, 0, "'%s'", bad[i]);
	}
}

/* At any place of a text of any length */
Test(cgroup, finds_hierarchies_behind_many_others)
{
	static char many[512 * 1024];
	size_t len = 0;

	for (int i = 0; i < 2000; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len,
					"%d 1 0:1 / /%0100d rw - cgroup cgroup rw,name=c%d\n", i, i,
					i);
	snprintf(many + len, sizeof(many) - len, "%s", hybrid);
	parse(many, true, NULL);
	cr_expect_eq(c.nr_mounts, 4);
	cgroup_done(&c);
}

Test(cgroup, shares_become_weights)
{
	static const struct {
		uint64_t shares, weight;
	} table[] = {{2, 1}, {1024, 39}, {262144, 10000}, {0, 1}, {UINT64_MAX, 10000}};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		cr_expect_eq(cgroup_shares_to_weight(table[i].shares), table[i].weight);
}

Test(cgroup, compares_lists)
{
	static const struct {
		const char *a, *b;
		bool same;
	} table[] = {
		{"0, 1", "0-1", true},	    {"1,0", "0-1", true},
		{" 3 ,\t5\n", "3,5", true}, {"0-6:2/3", "0-1,3-4,6", true},
		{"7", "7", true},	    {"", "", true},
		{"0-1", "0", false},	    {"0", "", false},
		{"1-0", "1-0", false},	    {"all", "all", false},
		{"0-3:2/0", "0", false},    {"8192", "8192", false},
		{"0x1", "0", false},	    {"99999999999999999999", "0", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		cr_expect_eq(cgroup_same_list(table[i].a, table[i].b), table[i].same, "'%s', '%s'",
			     table[i].a, table[i].b);
}

static struct plan_cgroup no_limits(const char *path)
{
	struct plan_cgroup p = {.path = (char *)path};

	for (size_t i = 0; i < LIMITS; i++)
		p.limit[i] = -1;
	return p;
}

Test(cgroup, refuses_paths_that_leave)
{
	static const char *const bad[] = {"relative", "/a/../b", "/..", "/a/..",  "",
					  "/",	      "/./",	 "//",	"/vmrun", "//vmrun/"};
	static const char *const good[] = {"/a/..b", "/.../x", "/vmrun//y/", "/a/./b"};
	static const char *const leaf[] = {"/a/..b", "/.../x", "/vmrun/y", "/a/b"};
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct plan_cgroup p = no_limits(bad[i]);

		cr_expect_eq(cgroup_plan(&p, &c, &err), -EINVAL, "'%s'", bad[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const struct plan_cgroup p = no_limits(good[i]);

		cr_assert_eq(cgroup_plan(&p, &c, &err), 0, "'%s': %s", good[i], err.msg);
		cr_expect_str_eq(c.leaf, leaf[i]);
		cgroup_done(&c);
	}
}

/* ---- a directory tree stands in for a hierarchy ---- */

static char *const top = temp_dir;

static void put(const char *file, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, file);
	f = fopen(path, "w");
	cr_assert(f, "%s", path);
	fputs(text, f);
	fclose(f);
}

static const char *text_of(const char *file)
{
	static char text[64];
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, file);
	f = fopen(path, "r");
	text[0] = '\0';
	if (f) {
		cr_expect(fgets(text, sizeof(text), f) != NULL || feof(f));
		fclose(f);
	}
	return text;
}

static void make_tree(void)
{
	char leaf[64];

	temp_dir_make();
	snprintf(leaf, sizeof(leaf), "%s/x", top);
	cr_assert_eq(mkdir(leaf, 0700), 0);
	c = (struct cgroup){.nr_mounts = 1, .leaf = "/x", .limited = true};
	c.mount[0] = (struct cgroup_mount){.path = strdup(top), .v2 = true, .leaf = -1};
}

static void remove_tree(void)
{
	cgroup_done(&c);
	temp_dir_remove();
}

static int make_limited(const struct plan_cgroup *p, struct err *err)
{
	const int rc = cgroup_make(&c, err);

	return rc < 0 ? rc : cgroup_limit(&c, p, err);
}

Test(cgroup, sets_limits_and_reads_them_back, .init = make_tree, .fini = remove_tree)
{
	struct plan_cgroup p = no_limits("/x");
	struct err err = {0};

	p.limit[LIMIT_MEMORY] = 1 << 20;
	p.limit[LIMIT_CPU_QUOTA] = 50000;
	p.limit[LIMIT_CPU_SHARES] = 1024;
	put("x/memory.max", "");
	put("x/cpu.max", "");
	put("x/cpu.weight", "");
	cr_assert_eq(make_limited(&p, &err), 0, "%s", err.msg);
	cr_expect_str_eq(text_of("x/memory.max"), "1048576");
	cr_expect_str_eq(text_of("x/cpu.max"), "50000 100000");
	cr_expect_str_eq(text_of("x/cpu.weight"), "39");
}

/* v2 takes CPUs that are not there and says so in another file only. */
Test(cgroup, a_limit_that_does_not_hold_is_an_error, .init = make_tree, .fini = remove_tree)
{
	struct plan_cgroup p = no_limits("/x");
	struct err err = {0};

	p.cpuset_cpus = (char *)"0, 1";
	put("x/cpuset.cpus", "");
	put("x/cpuset.cpus.effective", "0-1\n");
	cr_expect_eq(make_limited(&p, &err), 0, "%s", err.msg);
	cleanup_close_fd(&c.mount[0].leaf);
	put("x/cpuset.cpus.effective", "0\n");
	cr_expect_eq(make_limited(&p, &err), -EINVAL);
	cr_expect_str_eq(err.msg, "/linux/resources/cpu/cpus: asked for 0, 1, the kernel gives 0 "
				  "(cpuset.cpus.effective)");
}

Test(cgroup, a_controller_is_found_as_a_whole_word, .init = make_tree, .fini = remove_tree)
{
	struct plan_cgroup p = no_limits("/x");
	struct err err = {0};

	p.limit[LIMIT_CPU_SHARES] = 1024;
	put("cgroup.controllers", "cpuset memory\n");
	put("cgroup.subtree_control", "cpuset\n");
	cr_expect_eq(make_limited(&p, &err), -ENOENT);
	cr_expect(strstr(err.msg, "/linux/resources/cpu/shares: cgroup ") &&
			  strstr(err.msg, "has no controller cpu"),
		  "%s", err.msg);
	cr_expect_str_eq(text_of("cgroup.subtree_control"), "+memory");
}

Test(cgroup, what_only_v1_has_is_refused_on_v2, .init = make_tree, .fini = remove_tree)
{
	struct plan_cgroup p = no_limits("/x");
	struct err err = {0};

	p.limit[LIMIT_SWAPPINESS] = 0;
	cr_expect_eq(make_limited(&p, &err), -EOPNOTSUPP);
	cr_expect_str_eq(err.msg,
			 "/linux/resources/memory/swappiness: cgroup v2 has no such limit");
}

Test(cgroup, unified_takes_files_of_controllers_only, .init = make_tree, .fini = remove_tree)
{
	static const struct {
		const char *file;
		int rc;
	} table[] = {{"memory.high", 0},	{"cgroup.kill", -EINVAL},
		     {"cgroup.procs", -EINVAL}, {"../x/memory.high", -EINVAL},
		     {"memory", -EINVAL},	{".memory", -EINVAL}};
	struct plan_cgroup p = no_limits("/x");
	struct err err = {0};

	put("x/memory.high", "");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		p.unified = json_object_new_object();
		json_object_object_add(p.unified, table[i].file, json_object_new_string("5"));
		cleanup_close_fd(&c.mount[0].leaf);
		cr_expect_eq(make_limited(&p, &err), table[i].rc, "%s: %s", table[i].file, err.msg);
		json_object_put(p.unified);
	}
	cr_expect_str_eq(text_of("x/memory.high"), "5");
}

/* ---- what is in the way ---- */

static void refused(const char *leaf, int rc, const char *message)
{
	struct err err = {0};

	snprintf(c.leaf, sizeof(c.leaf), "%s", leaf);
	c.limited = false;
	cr_expect_eq(cgroup_make(&c, &err), rc, "%s", err.msg);
	cr_expect(strstr(err.msg, message), "%s", err.msg);
	cr_expect_lt(c.mount[0].leaf, 0);
}

Test(cgroup, what_others_hold_is_refused, .init = make_tree, .fini = remove_tree)
{
	char path[64];
	int lock;

	snprintf(path, sizeof(path), "%s/x", top);
	lock = open(path, O_RDONLY | O_DIRECTORY);
	cr_assert_eq(flock(lock, LOCK_EX), 0);
	refused("/x", -EBUSY, "belongs to another VM");
	refused("/x/below/deeper", -EBUSY, "belongs to another VM");
	close(lock);
	put("x/cgroup.procs", "1\n");
	refused("/x", -EBUSY, "has processes in it");
	put("x/cgroup.procs", "");
	snprintf(path, sizeof(path), "%s/x/child", top);
	cr_assert_eq(mkdir(path, 0700), 0);
	refused("/x", -EBUSY, "has cgroups below it");
	put("tasks", "");
	refused("/tasks", -ENOTDIR, "is a file of the cgroup file system");
	put("x/cgroup.freeze", "1\n");
	refused("/x", -EBUSY, "is frozen");
	refused("/x/child", -EBUSY, "is frozen");
}

/* A directory that is not a cgroup stays, whatever the record says. */
Test(cgroup, removes_nothing_outside_of_cgroups, .init = make_tree, .fini = remove_tree)
{
	char path[64];
	struct stat st;
	struct err err;
	struct plan_cgroup_dir d = {.path = path, .leaf = true, .made = true};

	snprintf(path, sizeof(path), "%s/x", top);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(cgroup_remove(&d, 1, &err), 0);
	d.dev = st.st_dev;
	d.ino = st.st_ino;
	cr_expect_eq(cgroup_remove(&d, 1, &err), 0);
	cr_expect_eq(access(path, F_OK), 0);
}
