/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/state/state_cid.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "tests/support/temp_dir.h"

static char *const root = temp_dir;
static struct err err;

TestSuite(state_cid, .init = temp_dir_make, .fini = temp_dir_remove, .timeout = 60);

/* Returns its lock, held; closing it is the death of its supervisor */
static int make_vm(const char *id, enum state_status status, uint32_t cid)
{
	struct state *s = calloc(1, sizeof(*s));
	int dir, lock;

	strcpy(s->id, id);
	s->status = status;
	s->supervisor = (struct process){1, 1};
	s->bundle = strdup("/b");
	s->rootfs = strdup("");
	s->cid = cid;
	cr_assert_eq(state_reserve(root, id, &dir, &lock, &err), 0, "%s", err.msg);
	cr_assert_eq(state_save(dir, s, &err), 0, "%s", err.msg);
	state_free(s);
	close(dir);
	return lock;
}

static int check(const char *id, uint32_t cid)
{
	static struct state own; /* too large for a stack */

	own.cid = cid;
	strcpy(own.id, id);
	return state_cid_check(root, &own, &err);
}

Test(state_cid, is_one_vms)
{
	static const enum state_status alive[] = {STATE_CREATING, STATE_CREATED, STATE_RUNNING,
						  STATE_PAUSED};

	for (unsigned int i = 0; i < ARRAY_SIZE(alive); i++) {
		char id[] = "vm0";

		id[2] = (char)('0' + i);
		make_vm(id, alive[i], 40 + i);
		cr_expect_eq(check("new", 40 + i), -EBUSY);
	}
	cr_expect_str_eq(err.msg, "43 is the CID of vm3 already");
	cr_expect_eq(check("new", 44), 0);
	cr_expect_eq(check("vm3", 43), 0, "its own is no other's");
}

Test(state_cid, of_a_vm_without_vsock)
{
	make_vm("none", STATE_RUNNING, 0);
	cr_expect_eq(check("new", 0), 0);
}

Test(state_cid, is_free_when_its_vm_has_ended)
{
	make_vm("stopped", STATE_STOPPED, 42);
	close(make_vm("killed", STATE_RUNNING, 42));
	cr_expect_eq(check("new", 42), 0, "%s", err.msg);
}

Test(state_cid, other_entries_do_not_matter)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/dir", root);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/file", root);
	fclose(fopen(path, "w"));
	make_vm("vm", STATE_RUNNING, 42);
	cr_expect_eq(check("new", 43), 0, "%s", err.msg);
	cr_expect_eq(check("new", 42), -EBUSY);
}
