/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_seccomp.h"

#include <errno.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "devices/core/fdio.h"

#define POINTER "/linux/seccomp"

static void plan_seccomp_release(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

#define cleanup_seccomp __attribute__((cleanup(plan_seccomp_release)))

/* By index of bundle_seccomp_actions; an error without a number is EPERM. */
static uint32_t plan_seccomp_action(int action, int64_t errno_ret)
{
	static const uint32_t actions[] = {
		SCMP_ACT_KILL_THREAD, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP,
		SCMP_ACT_ERRNO(0),    SCMP_ACT_TRACE(0),     SCMP_ACT_ALLOW,	   SCMP_ACT_LOG};
	const uint32_t base = actions[action];
	const bool numbered = base == SCMP_ACT_ERRNO(0) || base == SCMP_ACT_TRACE(0);

	if (!numbered)
		return base;
	return base | (errno_ret == BUNDLE_UNSET ? EPERM : (uint32_t)errno_ret & 0xffff);
}

static int plan_seccomp_failed(int rc, const char *step, struct err *err)
{
	return err_set(err, rc < 0 ? -rc : EINVAL, POINTER ": %s", step);
}

/* Of SCMP_ARCH_X86_64 libseccomp knows "x86_64"; 0: it does not know it */
static uint32_t plan_seccomp_arch(const char *name)
{
	static const char prefix[] = "SCMP_ARCH_";
	char lower[32];
	size_t n = 0;

	if (!name || strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	for (name += sizeof(prefix) - 1; *name && n < sizeof(lower) - 1; name++)
		lower[n++] = (char)(*name >= 'A' && *name <= 'Z' ? *name + 'a' - 'A' : *name);
	lower[n] = '\0';
	return n > 0 ? seccomp_arch_resolve_name(lower) : 0;
}

/* The machine's own is always part of it. */
static int plan_seccomp_add_archs(scmp_filter_ctx ctx, const struct bundle_seccomp *f,
				  struct err *err)
{
	const char *const *name = f->architectures.item;

	for (unsigned int i = 0; i < f->architectures.nr; i++) {
		const uint32_t arch = plan_seccomp_arch(name[i]);
		int rc;

		if (!arch)
			return err_text(err, EINVAL,
					POINTER "/architectures/%u: %s is no architecture", i,
					name[i] ? name[i] : "\"\"");
		rc = seccomp_arch_add(ctx, arch);
		if (rc < 0 && rc != -EEXIST)
			return plan_seccomp_failed(rc, name[i], err);
	}
	return 0;
}

static struct scmp_arg_cmp plan_seccomp_compare(const struct bundle_seccomp_arg *a)
{
	static const enum scmp_compare ops[] = {SCMP_CMP_NE,	   SCMP_CMP_LT, SCMP_CMP_LE,
						SCMP_CMP_EQ,	   SCMP_CMP_GE, SCMP_CMP_GT,
						SCMP_CMP_MASKED_EQ};

	return (struct scmp_arg_cmp){.arg = (unsigned int)a->index,
				     .op = ops[a->op],
				     .datum_a = a->value,
				     .datum_b = a->value_two};
}

/* libseccomp takes one condition for each argument. As in runc, rules with two for one are rules that allow each. */
static int plan_seccomp_add_call(scmp_filter_ctx ctx, uint32_t action, int number,
				 const struct bundle_seccomp_rule *r)
{
	const struct bundle_seccomp_arg *arg = r->args.item;
	struct scmp_arg_cmp all[64];
	unsigned int seen = 0;
	bool twice = false;
	int rc = 0;

	vr_assert(r->args.nr <= ARRAY_SIZE(all));
	for (unsigned int i = 0; i < r->args.nr; i++) {
		all[i] = plan_seccomp_compare(&arg[i]);
		twice |= seen & (1U << arg[i].index);
		seen |= 1U << arg[i].index;
	}
	if (!twice)
		return seccomp_rule_add_array(ctx, action, number, r->args.nr, all);
	for (unsigned int i = 0; rc == 0 && i < r->args.nr; i++)
		rc = seccomp_rule_add_array(ctx, action, number, 1, &all[i]);
	return rc;
}

/* As runc does, it leaves out a call that libseccomp does not know: the default action is for that one. */
static int plan_seccomp_add_rule(scmp_filter_ctx ctx, const struct bundle_seccomp *f,
				 unsigned int i, struct err *err)
{
	const struct bundle_seccomp_rule *r = (const struct bundle_seccomp_rule *)f->rules.item + i;
	const uint32_t action = plan_seccomp_action(r->action, r->errno_ret);
	const char *const *name = r->names.item;

	if (action == plan_seccomp_action(f->action, f->errno_ret))
		return 0;
	for (unsigned int n = 0; n < r->names.nr; n++) {
		const int number = name[n] ? seccomp_syscall_resolve_name(name[n])
					   : __NR_SCMP_ERROR;
		int rc = 0;

		if (number != __NR_SCMP_ERROR)
			rc = plan_seccomp_add_call(ctx, action, number, r);
		if (rc < 0)
			return err_set(err, -rc, POINTER "/syscalls/%u/names/%u: %s", i, n,
				       name[n]);
	}
	return 0;
}

static uint32_t plan_seccomp_flags(const struct bundle_seccomp *f)
{
	/* By index of bundle_seccomp_flags; the program has one thread, and without a listener none waits. */
	static const uint32_t flags[] = {0, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
					 0};
	const int *flag = f->flags.item;
	uint32_t all = 0;

	for (unsigned int i = 0; i < f->flags.nr; i++)
		all |= flags[flag[i]];
	return all;
}

static int plan_seccomp_export(scmp_filter_ctx ctx, const struct bundle_seccomp *f,
			       struct agent_filter **ret, size_t *ret_bytes, struct err *err)
{
	cleanup_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
	cleanup_free struct agent_filter *filter = NULL;
	size_t bytes, nr;
	struct stat st;
	int rc;

	if (fd < 0)
		return err_set(err, errno, POINTER);
	rc = seccomp_export_bpf(ctx, fd);
	if (rc < 0 || fstat(fd, &st) < 0)
		return plan_seccomp_failed(rc, "make the program", err);
	bytes = (size_t)st.st_size;
	nr = bytes / sizeof(struct sock_filter);
	if (nr > BPF_MAXINSNS)
		return err_text(err, E2BIG,
				POINTER ": the program has %zu instructions, more than %d", nr,
				BPF_MAXINSNS);
	filter = malloc(sizeof(*filter) + bytes);
	if (!filter)
		return err_set(err, ENOMEM, POINTER);
	*filter = (struct agent_filter){.flags = plan_seccomp_flags(f), .count = (uint32_t)nr};
	rc = fd_pread_full(fd, filter + 1, bytes, 0);
	if (rc < 0)
		return plan_seccomp_failed(rc, "read the program", err);
	*ret = TAKE_PTR(filter);
	*ret_bytes = sizeof(**ret) + bytes;
	return 0;
}

int plan_seccomp_make(const struct bundle_seccomp *f, struct agent_filter **ret, size_t *ret_bytes,
		      struct err *err)
{
	cleanup_seccomp scmp_filter_ctx ctx = NULL;
	int rc;

	*ret = NULL;
	*ret_bytes = 0;
	if (f->action < 0)
		return 0;
	ctx = seccomp_init(plan_seccomp_action(f->action, f->errno_ret));
	if (!ctx)
		return plan_seccomp_failed(-EINVAL, "begin a program", err);
	rc = plan_seccomp_add_archs(ctx, f, err);
	for (unsigned int i = 0; rc == 0 && i < f->rules.nr; i++)
		rc = plan_seccomp_add_rule(ctx, f, i, err);
	return rc < 0 ? rc : plan_seccomp_export(ctx, f, ret, ret_bytes, err);
}
