/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/policy_dir.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/vmrun/parser.h"
#include "devices/core/boot.h"
#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "policies/compile.h"

/* One policy's part of the answer */
struct policy_dir_answer {
	uint32_t count;
	struct sock_filter insn[BOOT_FILTER_MAX];
};

struct policy_dir_question {
	const char *dir;
	const char *const *name;
	unsigned int nr;
	int to;
};

static int policy_dir_compile(const char *path, struct policy_dir_answer *ret, struct err *err)
{
	cleanup_rules struct rules rules = {.arch = arch_native()};
	struct compiled program = {0};
	const int rc = compile_file(path, &rules, &program, err);

	if (rc < 0)
		return rc;
	ret->count = program.count;
	for (unsigned int i = 0; i < program.count && i < BOOT_FILTER_MAX; i++)
		ret->insn[i] = program.insn[i];
	free(program.insn);
	return ret->count <= BOOT_FILTER_MAX
		       ? 0
		       : err_text(err, E2BIG, "%s: %u BPF instructions, more than %d", path,
				  ret->count, BOOT_FILTER_MAX);
}

/* In the child */
static int policy_dir_answer(void *arg, struct err *err)
{
	const struct policy_dir_question *q = arg;
	static struct policy_dir_answer answer;
	static char path[PATH_MAX * 2];

	for (unsigned int i = 0; i < q->nr; i++) {
		int rc;

		fmt_into(path, sizeof(path), "%s/%s.policy", q->dir, q->name[i]);
		rc = policy_dir_compile(path, &answer, err);
		if (rc == 0)
			rc = parser_write(q->to, &answer, sizeof(answer), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int policy_dir_read(int from, struct policy_dir *p, unsigned int nr, const char *const *name,
			   struct err *err)
{
	static struct policy_dir_answer answer;

	for (unsigned int i = 0; i < nr; i++) {
		struct sock_filter *insn = p->insn + (size_t)i * BOOT_FILTER_MAX;
		const int rc = fd_pread_full(from, &answer, sizeof(answer), i * sizeof(answer));

		if (rc < 0 || answer.count == 0 || answer.count > BOOT_FILTER_MAX)
			return err_text(err, EPROTO, "the policy parser gave a malformed answer");
		for (unsigned int n = 0; n < answer.count; n++)
			insn[n] = answer.insn[n];
		p->policy[i] = (struct policy){
			.name = name[i], .count = answer.count, .insn = insn};
	}
	p->of = (struct programs_policies){nr, p->policy};
	return 0;
}

int policy_dir_load(const char *dir, const char *const *name, unsigned int nr,
		    struct policy_dir *ret, struct err *err)
{
	cleanup_fd int fd = memfd_create("policies", MFD_CLOEXEC);
	struct policy_dir_question q = {dir, name, nr, fd};
	int rc;

	vr_assert(nr <= PLAN_PROCS_MAX);
	if (fd < 0)
		return err_set(err, errno, "memfd_create");
	rc = parser_run(policy_dir_answer, &q, err);
	if (rc < 0)
		return rc;
	ret->insn = calloc((size_t)nr * BOOT_FILTER_MAX, sizeof(*ret->insn));
	if (!ret->insn)
		return err_set(err, ENOMEM, "policies");
	return policy_dir_read(fd, ret, nr, name, err);
}

void policy_dir_done(struct policy_dir *p)
{
	free(p->insn);
	*p = (struct policy_dir){.insn = NULL};
}
