/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/state/state_json.h"
#include "runtime/supervisor/destroy.h"
#include "tests/support/temp_dir.h"

static char *const root = temp_dir;

TestSuite(state, .init = temp_dir_make, .fini = temp_dir_remove);

#define CGROUP_DIR(path, inode)                                                                    \
	"[{\"path\":\"" path "\",\"device\":1,\"inode\":" inode ",\"leaf\":true,\"made\":true}]"

static struct state *example(enum state_status status)
{
	struct state *s = calloc(1, sizeof(*s));

	strcpy(s->id, "vm");
	s->status = status;
	s->supervisor = (struct process){4242, 77};
	s->bundle = strdup("/b");
	s->rootfs = strdup("/b/root.img");
	s->link = strdup("/nowhere/sock");
	s->unconfined = true;
	strcpy(s->created, "2026-01-02T03:04:05.000000006Z");
	strcpy(s->owner, "root");
	s->mem_bytes = 1ULL << 33;
	s->nr_vcpus = 3;
	s->cid = 4294967294;
	s->nr_procs = 2;
	strcpy(s->proc[0].name, "vmm");
	s->proc[0].process = (struct process){11, 12};
	strcpy(s->proc[1].name, "block0");
	s->proc[1].process = (struct process){13, 14};
	s->nr_cgroup_dirs = 1;
	s->cgroup_dir[0] = (struct plan_cgroup_dir){strdup("/nowhere/..vm"), 15, 16, true, true};
	s->annotations = json_tokener_parse("{\"a\":\"b\"}");
	s->cause = END_PANIC;
	s->exit_code = 34;
	strcpy(s->detail, "the \"guest\"");
	return s;
}

Test(state, ids)
{
	static const struct {
		const char *id;
		bool ok;
	} table[] = {
		{"a", true},  {"A-b_c+d.9", true}, {"...", true},	{".a", true},
		{"", false},  {".", false},	   {"..", false},	{"a/b", false},
		{"/", false}, {"a b", false},	   {"\xc3\xa4", false}, {"a\n", false},
	};
	char id[258];
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		cr_expect_eq(state_check_id(table[i].id, &err) == 0, table[i].ok, "'%s'",
			     table[i].id);
	memset(id, 'a', sizeof(id));
	id[255] = '\0';
	cr_expect_eq(state_check_id(id, &err), 0);
	id[255] = 'a';
	id[256] = '\0';
	cr_expect_eq(state_check_id(id, &err), -EINVAL);
}

Test(state, default_root_belongs_to_the_caller)
{
	static const struct {
		const char *xdg, *user;
		bool own_ids;
		const char *root;
	} table[] = {
		{"/run/user/7", "root", false, "/run/vmrun"},
		{NULL, NULL, false, "/run/vmrun"},
		{"/run/user/7", "joe", false, "/run/vmrun"},
		{"/run/user/7", "joe", true, "/run/user/7/vmrun"},
		{"/run/user/7", NULL, true, "/run/user/7/vmrun"},
		{"/run/user/7", "root", true, "/run/vmrun"},
		{"", NULL, true, "/run/vmrun"},
		{NULL, "joe", true, "/run/vmrun"},
	};
	char got[64];
	struct err err;

	if (geteuid() != 0)
		cr_skip_test("of root only");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		unsetenv("XDG_RUNTIME_DIR");
		unsetenv("USER");
		if (table[i].xdg)
			setenv("XDG_RUNTIME_DIR", table[i].xdg, 1);
		if (table[i].user)
			setenv("USER", table[i].user, 1);
		cr_assert_eq(state_default_root(table[i].own_ids, got, sizeof(got), &err), 0);
		cr_expect_str_eq(got, table[i].root);
	}
}

Test(state, survives_the_file)
{
	int dir, lock;
	struct state *s = example(STATE_STOPPED), *t;
	struct err err;

	cr_assert_eq(state_reserve(root, "vm", &dir, &lock, &err), 0, "%s", err.msg);
	cr_assert_eq(state_save(dir, s, &err), 0, "%s", err.msg);
	cr_assert_eq(state_load(dir, &t, &err), 0, "%s", err.msg);
	cr_expect_str_eq(json_object_to_json_string(state_to_json(s)),
			 json_object_to_json_string(state_to_json(t)));
	cr_expect_str_eq(t->detail, "the \"guest\"");
	cr_expect_eq(t->proc[1].process.start, 14);
	state_free(s);
	state_free(t);
}

Test(state, is_stopped_once_the_lock_is_free)
{
	int dir, lock;
	struct state *s = example(STATE_RUNNING), *t;
	struct err err;

	s->cause = END_NONE;
	cr_assert_eq(state_reserve(root, "vm", &dir, &lock, &err), 0);
	cr_assert_eq(state_save(dir, s, &err), 0);
	cr_assert_eq(state_load(dir, &t, &err), 0);
	cr_expect_eq(t->status, STATE_RUNNING);
	state_free(t);
	close(lock);
	cr_assert_eq(state_load(dir, &t, &err), 0);
	cr_expect_eq(t->status, STATE_STOPPED);
	cr_expect_eq(t->cause, END_SUPERVISOR_KILLED);
	cr_expect_eq(t->exit_code, 137);
	state_free(t);
	state_free(s);
}

Test(state, takes_an_id_once)
{
	int dir, lock, dir2, lock2;
	struct err err;

	cr_assert_eq(state_reserve(root, "vm", &dir, &lock, &err), 0);
	cr_expect_eq(state_reserve(root, "vm", &dir2, &lock2, &err), -EEXIST);
	cr_expect(strstr(err.msg, "container with given ID already exists"), "%s", err.msg);
	cr_expect_eq(state_lock(dir, &lock2), -EBUSY);
	cr_assert_eq(state_remove(root, "vm", dir, &err), 0, "%s", err.msg);
	cr_expect_eq(state_open(root, "vm", &dir2, &err), -ENOENT);
	cr_expect(strstr(err.msg, "container does not exist"), "%s", err.msg);
}

Test(state, refuses_a_damaged_file)
{
	static const char *const bad[] = {
		"", "{}", "[]", "not json", "{\"id\":\"vm\",\"status\":\"running\"}",
	};
	static const struct {
		const char *key, *value;
	} hostile[] = {
		{"id", "\"..\""},
		{"id", "\"a/b\""},
		{"id", "\"line\\nbreak\""},
		{"link", "\"relative\""},
		{"link", "\"/run/../etc/passwd\""},
		{"cgroupDirs", "[\"/without/identity\"]"},
		{"cgroupDirs", CGROUP_DIR("relative", "1")},
		{"cgroupDirs", CGROUP_DIR("/sys/fs/cgroup/../../home", "1")},
		{"cgroupDirs", CGROUP_DIR("/sys/fs/cgroup/..", "1")},
		{"cgroupDirs", CGROUP_DIR("/sys/fs/cgroup/x", "-1")},
	};
	int dir, lock;
	struct state *s = example(STATE_STOPPED), *t = NULL;
	struct json_object *o;
	struct err err;

	cr_assert_eq(state_reserve(root, "vm", &dir, &lock, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert_eq(state_save_text(dir, STATE_FILE, bad[i], &err), 0);
		cr_expect_eq(state_load(dir, &t, &err), -EINVAL, "'%s'", bad[i]);
	}
	/* names that would lead elsewhere, or through a terminal */
	o = state_to_json(s);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct json_object *copy = json_tokener_parse(json_object_to_json_string(o));

		json_object_object_add(copy, hostile[i].key, json_tokener_parse(hostile[i].value));
		cr_expect_eq(state_from_json(copy, &t, &err), -EINVAL, "%s", hostile[i].value);
		json_object_put(copy);
	}
	/* every field but the annotations is needed, and has a type */
	json_object_object_foreach(o, key, value)
	{
		struct json_object *copy = json_tokener_parse(json_object_to_json_string(o));

		(void)value;
		json_object_object_add(copy, key, json_object_new_double(0.5));
		if (strcmp(key, "annotations") != 0)
			cr_expect_eq(state_from_json(copy, &t, &err), -EINVAL, "%s", key);
		json_object_put(copy);
	}
	json_object_put(o);
	state_free(s);
}

Test(state, oci_form_has_no_pid_once_stopped)
{
	struct state *s = example(STATE_STOPPED);
	struct json_object *o = state_to_oci(s), *v;

	cr_assert(json_object_object_get_ex(o, "pid", &v));
	cr_expect_eq(json_object_get_int(v), 0);
	cr_assert(json_object_object_get_ex(o, "vmrun", &v));
	cr_assert(json_object_object_get_ex(v, "cause", &v));
	cr_expect_str_eq(json_object_get_string(v), "panic");
	json_object_put(o);
	s->status = STATE_RUNNING;
	o = state_to_oci(s);
	cr_assert(json_object_object_get_ex(o, "pid", &v));
	cr_expect_eq(json_object_get_int(v), 4242);
	json_object_put(o);
	state_free(s);
}

Test(state, delete_removes_what_a_dead_create_left)
{
	struct state *s = example(STATE_CREATING);
	char path[64];
	int dir, lock;
	struct err err;

	/* killed after mkdir; after the lock; after state.json */
	snprintf(path, sizeof(path), "%s/vm", root);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_eq(destroy(root, "vm", true, NULL, &err), 0, "%s", err.msg);
	cr_expect(access(path, F_OK) < 0);

	cr_assert_eq(state_reserve(root, "vm", &dir, &lock, &err), 0);
	cr_expect_eq(destroy(root, "vm", true, NULL, &err), -EBUSY);
	close(lock);
	cr_expect_eq(destroy(root, "vm", true, NULL, &err), 0, "%s", err.msg);
	cr_expect(access(path, F_OK) < 0);

	cr_assert_eq(state_reserve(root, "vm", &dir, &lock, &err), 0);
	cr_assert_eq(state_save(dir, s, &err), 0);
	close(lock);
	cr_expect_eq(destroy(root, "vm", false, NULL, &err), 0, "%s", err.msg);
	cr_expect(access(path, F_OK) < 0);
	state_free(s);
}

Test(state, delete_leaves_what_is_not_ours)
{
	char path[64];
	struct err err;

	snprintf(path, sizeof(path), "%s/other", root);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/other/state.db", root);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	cr_expect_eq(destroy(root, "other", false, NULL, &err), -ENOENT);
	cr_expect_eq(destroy(root, "other", true, NULL, &err), 0);
	cr_expect_eq(access(path, F_OK), 0);
	cr_expect_eq(destroy(root, "unknown", false, NULL, &err), -ENOENT);
	cr_expect_eq(destroy(root, "unknown", true, NULL, &err), 0);
}
