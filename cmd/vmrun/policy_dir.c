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

#define POLICY_DIR_LINES_MAX 128

/* One policy's part of the answer. One with more lines than fit has none. */
struct policy_dir_answer {
	uint32_t count;
	uint32_t nr_lines;
	struct sock_filter insn[BOOT_FILTER_MAX];
	struct {
		int32_t nr;
		char place[POLICY_PLACE_BYTES];
	} line[POLICY_DIR_LINES_MAX];
};

/* An answer, and its lines as a policy has them */
struct policy_dir_text {
	struct policy_dir_answer answer;
	struct policy_line line[POLICY_DIR_LINES_MAX];
};

struct policy_dir_question {
	const char *dir;
	const char *const *name;
	unsigned int nr;
	int to;
};

static void policy_dir_lines(const struct rules *r, struct policy_dir_answer *ret)
{
	ret->nr_lines = 0;
	for (unsigned int i = 0; i < r->nr; i++) {
		if (!rules_last_of_call(r, i))
			continue;
		if (ret->nr_lines == POLICY_DIR_LINES_MAX) {
			ret->nr_lines = 0;
			return;
		}
		ret->line[ret->nr_lines].nr = r->rule[i].nr;
		rules_place(r, i, ret->line[ret->nr_lines].place, POLICY_PLACE_BYTES);
		ret->nr_lines++;
	}
}

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
	policy_dir_lines(&rules, ret);
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

/* A child that hostile text took over may answer anything. */
static bool policy_dir_valid(const struct policy_dir_answer *a)
{
	if (a->count == 0 || a->count > BOOT_FILTER_MAX || a->nr_lines > POLICY_DIR_LINES_MAX)
		return false;
	for (unsigned int i = 0; i < a->nr_lines; i++) {
		const char *c = a->line[i].place;
		const char *const end = c + POLICY_PLACE_BYTES;

		while (c < end && fmt_plain(*c))
			c++;
		if (c == end || *c != 0)
			return false;
	}
	return true;
}

static int policy_dir_read(int from, struct policy_dir *p, unsigned int nr, const char *const *name,
			   struct err *err)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct policy_dir_text *t = &p->text[i];
		struct policy_dir_answer *a = &t->answer;
		const int rc = fd_pread_full(from, a, sizeof(*a), i * sizeof(*a));

		if (rc < 0 || !policy_dir_valid(a))
			return err_text(err, EPROTO, "the policy parser gave a malformed answer");
		for (unsigned int n = 0; n < a->nr_lines; n++)
			t->line[n] = (struct policy_line){a->line[n].nr, a->line[n].place};
		p->policy[i] = (struct policy){.name = name[i],
					       .count = a->count,
					       .insn = a->insn,
					       .nr_lines = a->nr_lines,
					       .line = t->line};
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

	vr_assert(nr <= POLICY_DIR_MAX);
	if (fd < 0)
		return err_set(err, errno, "memfd_create");
	rc = parser_run(policy_dir_answer, &q, err);
	if (rc < 0)
		return rc;
	ret->text = calloc(nr, sizeof(*ret->text));
	if (!ret->text)
		return err_set(err, ENOMEM, "policies");
	return policy_dir_read(fd, ret, nr, name, err);
}

void policy_dir_done(struct policy_dir *p)
{
	free(p->text);
	*p = (struct policy_dir){.text = NULL};
}
