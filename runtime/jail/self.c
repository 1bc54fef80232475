/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/self.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "devices/core/lockdown.h"
#include "runtime/jail/caps.h"
#include "runtime/jail/root.h"
#include "runtime/util/nsfail.h"

int self_part(int beneath, bool *ret_apart, struct err *err)
{
	/* The root of a mount of its own: no ".." leads elsewhere. */
	cleanup_fd int fd = (int)syscall(SYS_open_tree, beneath, "",
					 AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	*ret_apart = fd >= 0 && unshare(CLONE_NEWNS) == 0;
	if (!*ret_apart)
		return errno == EPERM ? 0 : nsfail_explain(CLONE_NEWNS, errno, "", err);
	return dup3(fd, beneath, O_CLOEXEC) < 0 ? err_set(err, errno, "jail: dup") : 0;
}

/* The bounding set takes a capability to change; without it there is nothing to gain by a program either. */
static int self_drop_capabilities(const char **ret_step)
{
	cleanup_caps struct caps none = {NULL, NULL};

	*ret_step = "capability sets";
	if (caps_init(&none, false) < 0)
		return -ENOMEM;
	if (caps_has(CAP_SETPCAP))
		return caps_apply(&none, ret_step);
	return cap_set_proc(none.keep) < 0 ? -errno : 0;
}

static void self_filter(const struct program *program, struct boot_filter *ret)
{
	vr_assert(program->nr_insns <= ARRAY_SIZE(ret->insn));
	*ret = (struct boot_filter){.count = program->nr_insns};
	memcpy(ret->insn, program->insn, program->nr_insns * sizeof(ret->insn[0]));
}

static int self_give_up_capabilities(struct err *err)
{
	const char *step = "";
	const int rc = self_drop_capabilities(&step);

	if (rc < 0)
		return err_set(err, -rc, "jail: %s", step);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
		       ? err_set(err, errno, "jail: no_new_privs")
		       : 0;
}

int self_confine(const struct program *program, bool apart, int beneath, struct err *err)
{
	struct boot_filter filter;
	const char *step = "";
	int rc = apart ? root_empty(&step) : 0;

	if (rc < 0)
		return err_set(err, -rc, "jail: %s", step);
	rc = self_give_up_capabilities(err);
	if (rc < 0)
		return rc;
	self_filter(program, &filter);
	rc = lockdown_files(&filter, beneath, err);
	return rc < 0 ? rc : lockdown(&filter, err);
}

int self_confine_reader(const struct program *program, struct err *err)
{
	struct boot_filter filter;
	const int rc = self_give_up_capabilities(err);

	if (rc < 0)
		return rc;
	self_filter(program, &filter);
	return lockdown(&filter, err);
}
