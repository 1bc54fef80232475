/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/lockdown.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Allows all but getppid */
static const struct sock_filter insns[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static struct boot_filter filter;

static void setup(void)
{
	filter.count = ARRAY_SIZE(insns);
	for (unsigned int i = 0; i < ARRAY_SIZE(insns); i++)
		filter.insn[i] = insns[i];
}

TestSuite(lockdown, .init = setup);

/* Runs @fn in a process of its own; the wait status */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	cr_assert_geq(pid, 0);
	if (pid == 0)
		_exit(fn());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static int lock(void)
{
	struct err err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || lockdown_files(&filter, -1, &err) < 0)
		return 1;
	return lockdown(&filter, &err);
}

static int locked_and_quiet(void)
{
	return lock() == 0 && getpid() > 0 ? 42 : 1;
}

/* The filter that would have been loaded kills getppid() */
static int unconfined_and_free(void)
{
	struct err err;

	filter.count = 0;
	filter.flags = BOOT_FILTER_NONE;
	return lockdown_files(&filter, -1, &err) == 0 && lockdown(&filter, &err) == 0 &&
			       syscall(SYS_getppid) >= 0 && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0
		       ? 42
		       : 1;
}

static int locked_and_forbidden(void)
{
	return lock() == 0 ? (syscall(SYS_getppid), 1) : 2;
}

/* Behind the first program a second, that kills getpgrp */
static void add_later(void)
{
	filter.later = ARRAY_SIZE(insns);
	for (unsigned int i = 0; i < ARRAY_SIZE(insns); i++)
		filter.insn[filter.count + i] = insns[i];
	filter.insn[filter.count + 1].k = SYS_getpgrp;
}

static int locked_later(long first, long second)
{
	struct err err;

	add_later();
	if (lock() != 0 || syscall(first) < 0 || lockdown_later(&filter, &err) != 0)
		return 1;
	syscall(second);
	return 42;
}

static int later_and_quiet(void)
{
	return locked_later(SYS_getpgrp, SYS_getpid);
}

static int later_and_forbidden(void)
{
	return locked_later(SYS_getpgrp, SYS_getpgrp);
}

static int later_and_forbidden_before(void)
{
	return locked_later(SYS_getpgrp, SYS_getppid);
}

static int too_long_together(void)
{
	filter.later = BOOT_FILTER_MAX - filter.count + 1;
	return lock() == -EINVAL ? 42 : 1;
}

static void *thread_is_told(void *told)
{
	while (!__atomic_load_n((bool *)told, __ATOMIC_ACQUIRE))
		;
	syscall(SYS_getpgrp);
	return NULL;
}

/* A thread that is there already is under the second program, too */
static int later_in_threads(void)
{
	static bool told;
	struct err err;
	pthread_t thread;

	add_later();
	if (pthread_create(&thread, NULL, thread_is_told, &told) != 0 || lock() != 0 ||
	    lockdown_later(&filter, &err) != 0)
		return 1;
	__atomic_store_n(&told, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	return 42;
}

static int locked_opens(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	if (abi < 1)
		return 43;
	return lock() == 0 && open("/dev/null", O_RDONLY) < 0 && errno == EACCES ? 42 : 1;
}

static void *thread_opens(void *ret)
{
	*(bool *)ret = open("/dev/null", O_RDONLY) >= 0;
	return NULL;
}

/* A thread that is made between the two steps */
static int locked_thread_opens(void)
{
	struct err err;
	bool opened = true;
	pthread_t thread;

	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1)
		return 43;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || lockdown_files(&filter, -1, &err) < 0 ||
	    pthread_create(&thread, NULL, thread_opens, &opened) != 0)
		return 1;
	pthread_join(thread, NULL);
	return opened ? 1 : 42;
}

static int without_no_new_privs(void)
{
	struct err err;

	return lockdown_files(&filter, -1, &err) == -EPERM && lockdown(&filter, &err) == -EPERM &&
			       syscall(SYS_getppid) > 0
		       ? 42
		       : 1;
}

/* Refused before the kernel sees it, which would read behind its end */
static int filter_of(unsigned int count)
{
	struct err err = {0};

	filter.count = count;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	return lockdown(&filter, &err) == -EINVAL && strstr(err.msg, "instructions") &&
			       !strstr(err.msg, "load")
		       ? 42
		       : 1;
}

static int empty_filter(void)
{
	return filter_of(0);
}

static int long_filter(void)
{
	return filter_of(BOOT_FILTER_MAX + 1);
}

static int bad_filter(void)
{
	filter.insn[1].jt = 200;
	return lock() == -EINVAL ? 42 : 1;
}

/* A filter of its own, which this process does not have, and no end */
static void *thread_filters(void *ready)
{
	static struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = {.len = 1, .filter = &all};

	*(long *)ready = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
	for (;;)
		pause();
	return NULL;
}

static int with_a_thread_apart(void)
{
	volatile long ready = 1;
	pthread_t thread;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    pthread_create(&thread, NULL, thread_filters, (void *)&ready) != 0)
		return 1;
	while (ready == 1)
		sched_yield();
	return ready == 0 && lock() == -ESRCH ? 42 : 1;
}

Test(lockdown, a_thread_that_cannot_take_the_filter_is_an_error)
{
	int status = in_child(with_a_thread_apart);

	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status 0x%x", status);
}

Test(lockdown, does_nothing_where_the_user_wants_no_sandbox)
{
	cr_assert_eq(WEXITSTATUS(in_child(unconfined_and_free)), 42);
}

Test(lockdown, a_process_that_keeps_to_its_filter_lives)
{
	int status = in_child(locked_and_quiet);

	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status 0x%x", status);
}

Test(lockdown, a_forbidden_call_kills)
{
	int status = in_child(locked_and_forbidden);

	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status 0x%x", status);
}

Test(lockdown, a_second_program_narrows_the_first)
{
	int status = in_child(later_and_quiet);

	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status 0x%x", status);
	status = in_child(later_and_forbidden);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status 0x%x", status);
	status = in_child(later_and_forbidden_before);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status 0x%x", status);
	status = in_child(later_in_threads);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status 0x%x", status);
	status = in_child(too_long_together);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status 0x%x", status);
}

Test(lockdown, nothing_can_be_opened_where_the_kernel_has_landlock)
{
	int status = in_child(locked_opens);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 43)
		cr_skip_test("this kernel has no Landlock");
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status 0x%x", status);
}

Test(lockdown, threads_made_afterwards_open_nothing_either)
{
	int status = in_child(locked_thread_opens);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 43)
		cr_skip_test("this kernel has no Landlock");
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status 0x%x", status);
}

Test(lockdown, no_new_privs_is_a_must)
{
	int status = in_child(without_no_new_privs);

	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status 0x%x", status);
}

Test(lockdown, filters_the_kernel_refuses_are_errors)
{
	int status = in_child(empty_filter);

	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status 0x%x", status);
	status = in_child(long_filter);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status 0x%x", status);
	status = in_child(bad_filter);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status 0x%x", status);
}
