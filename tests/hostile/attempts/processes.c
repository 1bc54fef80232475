/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes: new ones, others, namespaces, and what a process is and may */
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>

#include "tests/hostile/attempts/attempt.h"

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define SPACES                                                                                     \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

static char buf[4096];
static char stack[16384] __attribute__((aligned(16)));
static const struct iovec here = {buf, 1}, there = {NULL, 1};
/* A thread without a stack of its own would go on with this one's: the flags are not whole. */
static const uint64_t child_args[11] = {0}, thread_args[11] = {CLONE_THREAD};
static const struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
static const struct sched_param priority = {.sched_priority = 1};
static const struct __user_cap_header_struct cap_header = {.version = _LINUX_CAPABILITY_VERSION_3};
static const struct __user_cap_data_struct cap_all[2] = {{~0U, ~0U, ~0U}, {0x1ff, 0x1ff, 0x1ff}};

/* The child has the parent's stack, and must not use it. */
static long start_vfork(long each UNUSED)
{
	long rc = SYS_vfork;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %[end], %%eax\n\t"
			 "xor %%edi, %%edi\n\t"
			 "syscall\n"
			 "1:"
			 : "+a"(rc)
			 : [end] "i"(SYS_exit)
			 : "rcx", "rdi", "r11", "memory");
	return rc;
}

/* The new thread has nothing on its stack to go back to: it ends where the call would return. */
static long start_thread(long each UNUSED)
{
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	long rc = SYS_clone;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %[end], %%eax\n\t"
			 "xor %%edi, %%edi\n\t"
			 "syscall\n"
			 "1:"
			 : "+a"(rc)
			 : "D"((long)THREAD), "S"(stack + sizeof(stack)), "d"(0L), "r"(r10),
			   "r"(r8), [end] "i"(SYS_exit)
			 : "rcx", "r11", "memory");
	while (rc > 0 && CALL2(SYS_tkill, rc, 0) == 0) /* until it has ended */
		;
	return rc;
}

static const struct attempt births[] = {
	{"fork", SYS_fork, .gives = GIVES_CHILD},
	{"vfork", .run = start_vfork, .gives = GIVES_CHILD},
	{"clone", SYS_clone, {0}, .gives = GIVES_CHILD},
	{"clone of a thread", .run = start_thread},
	{"clone into namespaces", SYS_clone, {SPACES}, .gives = GIVES_CHILD},
	{"clone3", SYS_clone3, {(long)child_args, sizeof(child_args)}, .gives = GIVES_CHILD},
	{"clone3 of a thread",
	 SYS_clone3,
	 {(long)thread_args, sizeof(thread_args)},
	 .error = EINVAL},
	{"wait4", SYS_wait4, {-1, 0, 1, 0}},
	{"waitid", SYS_waitid, {0, 0, 0, 5, 0}},
};

#define ON_PID .each = EACH_PID

static long steal_fd(long pid)
{
	const long pidfd = CALL2(SYS_pidfd_open, pid, 0);
	long fd;

	if (pidfd < 0)
		return pidfd;
	fd = CALL3(SYS_pidfd_getfd, pidfd, 0, 0);
	if (fd >= 0)
		CALL1(SYS_close, fd);
	CALL1(SYS_close, pidfd);
	return fd;
}

/* Signal 0 asks whether one may be sent. */
static const struct attempt others[] = {
	{"kill", SYS_kill, {EACH, 0}, ON_PID},
	{"kill its group", SYS_kill, {0, 0}},
	{"kill all", SYS_kill, {-1, 0}},
	{"kill init", SYS_kill, {1, 0}},
	{"tkill", SYS_tkill, {EACH, 0}, ON_PID},
	{"tgkill", SYS_tgkill, {EACH, EACH, 0}, ON_PID},
	{"rt_sigqueueinfo", SYS_rt_sigqueueinfo, {EACH, 0, (long)buf}, ON_PID},
	{"ptrace", SYS_ptrace, {PTRACE_PEEKUSER, EACH, 0, 0}, ON_PID},
	{"ptrace, traced", SYS_ptrace, {PTRACE_TRACEME}},
	{"process_vm_readv",
	 SYS_process_vm_readv,
	 {EACH, (long)&here, 1, (long)&there, 1, 0},
	 ON_PID,
	 .reached = EFAULT},
	{"process_vm_writev",
	 SYS_process_vm_writev,
	 {EACH, (long)&here, 1, (long)&there, 1, 0},
	 ON_PID,
	 .reached = EFAULT},
	{"pidfd_open", SYS_pidfd_open, {EACH, 0}, ON_PID, .gives = GIVES_FD},
	{"pidfd_getfd", .run = steal_fd, ON_PID},
	{"pidfd_send_signal", SYS_pidfd_send_signal, {EACH, 0, 0, 0}, .each = EACH_FD},
	{"process_madvise", SYS_process_madvise, {EACH, (long)&here, 1, 20, 0}, .each = EACH_FD},
	{"kcmp", SYS_kcmp, {EACH, EACH, KCMP_FILE, 0, 1}, ON_PID},
	{"get_robust_list", SYS_get_robust_list, {EACH, (long)buf, (long)(buf + 8)}, ON_PID},
	{"prlimit64 of another", SYS_prlimit64, {EACH, RLIMIT_NOFILE, 0, (long)buf}, ON_PID},
	{"getpgid", SYS_getpgid, {EACH}, ON_PID},
	{"getsid", SYS_getsid, {EACH}, ON_PID},
	{"setpgid", SYS_setpgid, {EACH, EACH}, ON_PID},
	{"getpriority of another", SYS_getpriority, {PRIO_PROCESS, EACH}, ON_PID},
	{"sched_getaffinity", SYS_sched_getaffinity, {EACH, 128, (long)buf}, ON_PID},
	{"sched_getscheduler", SYS_sched_getscheduler, {EACH}, ON_PID},
	{"capget of another", SYS_capget, {(long)&cap_header, 0}},
	{"move_pages", SYS_move_pages, {EACH, 0, 0, 0, 0, 0}, ON_PID},
};

/* The last of them ends in a namespace where the process has all capabilities. */
static long mount_in_namespaces(long each UNUSED)
{
	long rc = CALL1(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS);

	if (rc == 0)
		rc = CALL6(SYS_mount, "none", "/", "tmpfs", 0, 0, 0);
	return rc;
}

static const struct attempt namespaces[] = {
	{"setns", SYS_setns, {EACH, 0}, .each = EACH_FD},
	{"unshare mounts", SYS_unshare, {CLONE_NEWNS}},
	{"unshare the network", SYS_unshare, {CLONE_NEWNET}},
	{"unshare pids", SYS_unshare, {CLONE_NEWPID}},
	{"unshare IPC", SYS_unshare, {CLONE_NEWIPC}},
	{"unshare the host's name", SYS_unshare, {CLONE_NEWUTS}},
	{"unshare cgroups", SYS_unshare, {CLONE_NEWCGROUP}},
	{"unshare files", SYS_unshare, {CLONE_FILES}},
	{"unshare users, then mount", .run = mount_in_namespaces},
};

static const struct attempt identity[] = {
	{"setuid", SYS_setuid, {0}},
	{"setreuid", SYS_setreuid, {0, 0}},
	{"setresuid", SYS_setresuid, {0, 0, 0}},
	{"setgid", SYS_setgid, {0}},
	{"setresgid", SYS_setresgid, {0, 0, 0}},
	{"setgroups", SYS_setgroups, {0, 0}},
	{"getuid", SYS_getuid},
	{"getgroups", SYS_getgroups, {0, 0}},
	{"setsid", SYS_setsid},
	{"capget", SYS_capget, {(long)&cap_header, (long)buf}},
	{"capset", SYS_capset, {(long)&cap_header, (long)cap_all}},
	{"personality", SYS_personality, {0xffffffff}},
	{"prctl, any", SYS_prctl, {EACH, 0, 0, 0, 0}, .each = EACH_NUMBER, .number = 1},
	{"PR_SET_DUMPABLE", SYS_prctl, {PR_SET_DUMPABLE, 0}},
	{"PR_SET_KEEPCAPS", SYS_prctl, {PR_SET_KEEPCAPS, 1}},
	{"PR_SET_NAME", SYS_prctl, {PR_SET_NAME, PATH("vmrun")}},
	{"PR_SET_SECCOMP", SYS_prctl, {PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 1}, .reached = EFAULT},
	{"PR_GET_SECCOMP", SYS_prctl, {PR_GET_SECCOMP}},
	{"PR_SET_SECUREBITS", SYS_prctl, {PR_SET_SECUREBITS, SECBIT_KEEP_CAPS}},
	{"PR_CAP_AMBIENT", SYS_prctl, {PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0}},
	{"PR_CAPBSET_READ", SYS_prctl, {PR_CAPBSET_READ, CAP_SYS_ADMIN}},
	{"PR_SET_NO_NEW_PRIVS", SYS_prctl, {PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0}},
	{"PR_SET_CHILD_SUBREAPER", SYS_prctl, {PR_SET_CHILD_SUBREAPER, 1}},
	{"PR_SET_PTRACER", SYS_prctl, {PR_SET_PTRACER, 1}},
	{"PR_SET_MM", SYS_prctl, {PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0}, .reached = EINVAL},
	{"PR_SET_TIMERSLACK", SYS_prctl, {PR_SET_TIMERSLACK, 1}},
	{"PR_TASK_PERF_EVENTS", SYS_prctl, {PR_TASK_PERF_EVENTS_DISABLE}},
	{"PR_SET_SPECULATION_CTRL", SYS_prctl, {PR_SET_SPECULATION_CTRL, 0, 2, 0, 0}},
	{"PR_SET_SYSCALL_USER_DISPATCH", SYS_prctl, {59, 0, 0, 0, 0}},
	{"arch_prctl", SYS_arch_prctl, {0x1003, (long)buf}},
	{"seccomp", SYS_seccomp, {SECCOMP_GET_ACTION_AVAIL, 0, (long)&child_args[0]}},
	{"seccomp, another filter",
	 SYS_seccomp,
	 {SECCOMP_SET_MODE_FILTER, 0, 1},
	 .reached = EFAULT},
	{"another handler", SYS_rt_sigaction, {SIGSEGV, 0, (long)buf, 8}},
	{"block signals", SYS_rt_sigprocmask, {SIG_BLOCK, (long)buf, 0, 8}},
	{"sigaltstack", SYS_sigaltstack, {0, (long)buf}},
};

static const struct attempt limits[] = {
	{"more open files", SYS_prlimit64, {0, RLIMIT_NOFILE, (long)&more, 0}},
	{"more processes", SYS_setrlimit, {RLIMIT_NPROC, (long)&more}},
	{"larger files", SYS_setrlimit, {RLIMIT_FSIZE, (long)&more}},
	{"locked memory", SYS_setrlimit, {RLIMIT_MEMLOCK, (long)&more}},
	{"core dumps", SYS_prlimit64, {0, RLIMIT_CORE, (long)&more, 0}},
	{"real-time priority", SYS_setrlimit, {RLIMIT_RTPRIO, (long)&more}},
	{"sched_setscheduler of itself", SYS_sched_setscheduler, {0, SCHED_FIFO, (long)&priority}},
	{"sched_setattr", SYS_sched_setattr, {0, 0, 0}},
	{"sched_setaffinity", SYS_sched_setaffinity, {0, 8, (long)cap_all}},
	{"setpriority", SYS_setpriority, {PRIO_PROCESS, 0, -20}},
	{"ioprio_set", SYS_ioprio_set, {1, 0, 1 << 13}},
	{"mlock", SYS_mlock, {(long)buf, 4096}},
	{"mlock2", SYS_mlock2, {(long)buf, 4096, 1}},
	{"mlockall", SYS_mlockall, {MCL_CURRENT}},
	{"setitimer", SYS_setitimer, {0, 0, 0}},
	{"timer_create", SYS_timer_create, {CLOCK_MONOTONIC, 0, (long)buf}},
	{"alarm", SYS_alarm, {0}},
};

const struct attempt_theme attempt_themes_processes[] = {
	THEME("processes and threads", births),
	THEME("other processes", others),
	THEME("users, capabilities, prctl", identity),
	THEME("limits and scheduling", limits),
	THEME("namespaces", namespaces),
	{0},
};
