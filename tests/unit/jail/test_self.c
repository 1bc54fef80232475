/* SPDX-License-Identifier: BSD-3-Clause */
/* A process that locks itself in: what it can do before, and no more after. */
#include "runtime/jail/self.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "policies/policy.h"
#include "tests/support/temp_dir.h"

TestSuite(self, .init = temp_dir_make, .fini = temp_dir_remove, .timeout = 20);

static void confine(int dir)
{
	const struct policy *policy = policy_find("pod_device");
	const struct program program = {.fd = -1, .nr_insns = policy->count, .insn = policy->insn};
	bool apart = false;
	struct err err;

	if (self_part(dir, &apart, &err) < 0 || self_confine(&program, apart, dir, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		_exit(9);
	}
}

/* How a process ends that does @what after it has locked itself in, with the directory of the state open */
static int ends(void (*what)(int dir))
{
	const pid_t pid = fork();
	int status;

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		const int dir = open(temp_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		confine(dir);
		what(dir);
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int make(int dir, const char *path)
{
	return openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) < 0 ? errno : 0;
}

static void saves_its_state(int dir)
{
	_exit(make(dir, "new") || renameat(dir, "new", dir, "state") < 0);
}

static void reads(int dir)
{
	(void)!openat(dir, "state", O_RDONLY | O_CLOEXEC);
}

static void makes_elsewhere(int dir)
{
	/* The directory is its own parent. */
	_exit(make(dir, "../test-self.inside") != 0 || make(AT_FDCWD, "/outside") == 0);
}

/* A sanitizer brings a heap of its own, which makes other calls. */
#ifdef __SANITIZE_ADDRESS__
#define SMALL_BLOCKS 0
#define LARGE_BYTES  1
#else
#define SMALL_BLOCKS 4096
#define LARGE_BYTES  (1 << 20)
#endif

/* More than the heap has now, in small blocks; a large one that moves to become larger */
static void has_a_heap(int dir UNUSED)
{
	void *large = malloc(LARGE_BYTES);

	for (unsigned int i = 0; i < SMALL_BLOCKS; i++) {
		volatile char *small = malloc(1024);

		if (!small)
			_exit(1);
		*small = 1;
	}
	large = realloc(large, 16 * LARGE_BYTES);
	free(large);
	_exit(large == NULL);
}

static void starts_a_process(int dir UNUSED)
{
	(void)!fork();
}

static void makes_a_socket(int dir UNUSED)
{
	(void)!socket(AF_UNIX, SOCK_STREAM, 0);
}

Test(self, keeps_its_state_and_does_nothing_else)
{
	static const struct {
		void (*what)(int dir);
		int end;
	} rows[] = {
		{saves_its_state, 0}, {makes_elsewhere, 0},	   {has_a_heap, 0},
		{reads, -SIGSYS},     {starts_a_process, -SIGSYS}, {makes_a_socket, -SIGSYS},
	};
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(ends(rows[i].what), rows[i].end, "row %zu", i);
	snprintf(path, sizeof(path), "%s/state", temp_dir);
	cr_expect_eq(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/test-self.inside", temp_dir);
	cr_expect_eq(unlink(path), 0);
	cr_expect_eq(rmdir(temp_dir), 0);
}
