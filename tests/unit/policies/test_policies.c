/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The policies that ship, as compiled into build/gen/policies_ARCH.c
 *
 * tests/golden/policies.txt has the system calls of each. After a change that is meant,
 * `make golden` writes it; review the difference.
 */
#include "policies/policy.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <linux/audit.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "devices/core/boot.h"
#include "policies/compile.h"
#include "policies/emit.h"
#include "policies/parse.h"
#include "tests/support/bpf.h"
#include "tests/support/golden.h"
#include "tests/support/lock_up.h"
#include "tests/support/policy_model.h"

#define SYSCALLS 1024 /* more than any architecture numbers */

static unsigned int verdicts(const struct policy *p, int nr)
{
	return bpf_verdicts(p->insn, p->count, AUDIT_ARCH_X86_64, nr);
}

/* The trap of the policies kills (devices/core/refused.h). */
static uint32_t judge(const struct policy *p, const struct seccomp_data *call)
{
	const uint32_t verdict = bpf_run(p->insn, p->count, call);

	return verdict == SECCOMP_RET_TRAP ? SECCOMP_RET_KILL_PROCESS : verdict;
}

Test(policies, are_found_by_name_and_fit_the_boot_record)
{
	cr_assert_gt(nr_policies, 0);
	for (unsigned int i = 0; i < nr_policies; i++) {
		cr_expect_eq(policy_find(policies[i].name), &policies[i], "%s", policies[i].name);
		cr_expect(policies[i].count > 0 && policies[i].count <= BOOT_FILTER_MAX);
		cr_expect(i == 0 || strcmp(policies[i - 1].name, policies[i].name) < 0);
	}
	cr_expect_null(policy_find(""));
	cr_expect_null(policy_find("common_device"));
	cr_expect_null(policy_find("zzz"));
}

Test(policies, there_is_one_for_each_process)
{
	static const char *const names[] = {
		"block_device",
		"rng_device",
		"balloon_device",
		"balloon_device_vhost_user",
		"console_device",
		"console_device_vhost_user",
		"serial_device",
		"vmm_device",
		"block_device_vhost_user",
		"rng_device_vhost_user",
		"net_device",
		"net_device_vhost_user",
		"vhost_net_device",
		"vsock_device",
		"vsock_device_vhost_user",
		"vhost_vsock_device",
		"pod_device",
		"parser_device",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		cr_expect(policy_find(names[i]), "%s", names[i]);
}

/* Names of the calls with @want among the verdicts that allow, in the order of their numbers. */
static unsigned int print_calls(FILE *out, const struct policy *p, unsigned int want)
{
	unsigned int nr_calls = 0;

	for (int nr = 0; nr < SYSCALLS; nr++) {
		cleanup_free char *name = NULL;

		if (verdicts(p, nr) != want)
			continue;
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
		fprintf(out, " %s", name ? name : "?");
		nr_calls++;
	}
	return nr_calls;
}

static void print_policy(FILE *out, const struct policy *p)
{
	static const struct {
		const char *title;
		unsigned int want;
	} kinds[] = {
		{"always", BPF_CAN_ALLOW},
		{"some arguments", BPF_CAN_ALLOW | BPF_CAN_KILL},
		{"errno", BPF_CAN_ERRNO},
	};
	unsigned int all = 0;

	fprintf(out, "%s\n", p->name);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		fprintf(out, "\t%s:", kinds[i].title);
		all += print_calls(out, p, kinds[i].want);
		fputc('\n', out);
	}
	fprintf(out, "\tsystem calls: %u\n", all);
}

Test(policies, allow_what_the_golden_file_says)
{
	cleanup_free char *is = NULL, *wanted = NULL;
	size_t len;
	FILE *out = open_memstream(&is, &len);

	cr_assert(out);
	for (unsigned int i = 0; i < nr_policies; i++)
		print_policy(out, &policies[i]);
	fclose(out);
	wanted = golden_text("policies.txt", is);
	cr_expect_str_eq(is, wanted, "the policies now allow:\n%s", is);
}

/* What opens files needs a call for each thing that can be done with them. */
Test(policies, allow_few_calls)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		const struct policy *p = &policies[i];
		const unsigned int most = !strncmp(p->name, "fs_", 3)	   ? 48
					  : !strcmp(p->name, "vmm_device") ? 30
									   : 20;
		unsigned int nr = 0;

		for (int call = 0; call < SYSCALLS; call++)
			nr += (verdicts(p, call) & BPF_CAN_ALLOW) != 0;
		cr_expect_leq(nr, most, "%s: %u calls", p->name, nr);
	}
}

Test(policies, have_only_verdicts_of_the_language)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		for (int nr = -1; nr < SYSCALLS; nr++)
			cr_expect_eq(verdicts(&policies[i], nr) & BPF_CAN_OTHER, 0, "%s: %d",
				     policies[i].name, nr);
	}
}

Test(policies, mean_what_their_files_say)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		struct compiled p = {policies[i].count, (struct sock_filter *)policies[i].insn};
		struct rules r = {.arch = arch_native()};
		struct seccomp_data call;
		struct err err = {0};
		char path[128];

		snprintf(path, sizeof(path), "policies/x86_64/%s.policy", policies[i].name);
		cr_assert_eq(parse_file(&r, path, &err), 0, "%s", err.msg);
		cr_expect_not(policy_model_differs(&r, &p, &call), "%s: syscall %d", path, call.nr);
		rules_done(&r);
	}
}

/* `vmrun policy stats` counts by them. */
Test(policies, carry_their_rules_as_text)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		struct compiled p = {policies[i].count, (struct sock_filter *)policies[i].insn};
		struct rules r = {.arch = arch_native()};
		struct seccomp_data call;
		struct err err = {0};
		const char *text = policies[i].rules;

		cr_assert_eq(parse_text(&r, policies[i].name, text, strlen(text), &err), 0, "%s",
			     err.msg);
		cr_expect_not(policy_model_differs(&r, &p, &call), "%s: syscall %d",
			      policies[i].name, call.nr);
		rules_done(&r);
	}
}

/* Programs of the architectures that this build is not for, compiled here */
static unsigned int check_programs_of(const char *arch)
{
	unsigned int nr = 0;
	char pattern[64];
	glob_t g;

	snprintf(pattern, sizeof(pattern), "policies/%s/*.policy", arch);
	cr_assert_eq(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct rules r = {.arch = arch_find(arch, strlen(arch))};
		struct compiled p = {0};
		struct seccomp_data call;
		struct err err = {0};

		if (!emit_is_program(g.gl_pathv[i]))
			continue;
		nr++;
		cr_assert_eq(parse_file(&r, g.gl_pathv[i], &err), 0, "%s", err.msg);
		cr_assert_eq(compile_rules(&r, &p, &err), 0, "%s", err.msg);
		cr_expect_not(policy_model_differs(&r, &p, &call), "%s: %d", g.gl_pathv[i],
			      call.nr);
		cr_expect_eq(bpf_verdicts(p.insn, p.count, AUDIT_ARCH_X86_64, r.rule[0].nr),
			     BPF_CAN_KILL, "%s", g.gl_pathv[i]);
		free(p.insn);
		rules_done(&r);
	}
	globfree(&g);
	return nr;
}

Test(policies, of_other_architectures_mean_what_their_files_say)
{
	cr_expect_eq(check_programs_of("aarch64"), nr_policies);
	cr_expect_eq(check_programs_of("arm"), nr_policies - 3);
}

/* What no process of ours may do, with the most harmless-looking arguments. */
static const struct seccomp_data dangerous[] = {
	/* programs and processes */
	{.nr = SYS_execve},
	{.nr = SYS_execveat},
	{.nr = SYS_fork},
	{.nr = SYS_vfork},
	{.nr = SYS_clone, .args = {SIGCHLD}},
	{.nr = SYS_clone,
	 .args = {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD}},
	{.nr = SYS_clone3},
	{.nr = SYS_ptrace},
	{.nr = SYS_process_vm_readv},
	{.nr = SYS_process_vm_writev},
	{.nr = SYS_kill, .args = {1, 0}},
	{.nr = SYS_tkill, .args = {1, SIGABRT}},
	{.nr = SYS_tgkill, .args = {1, 1, SIGKILL}},
	{.nr = SYS_tgkill, .args = {1, 1, SIGSTOP}},
	{.nr = SYS_tgkill, .args = {1, 1, SIGABRT}},
	{.nr = SYS_tgkill, .args = {1, 1, 0}},
	{.nr = SYS_pidfd_open},
	{.nr = SYS_pidfd_getfd},
	{.nr = SYS_pidfd_send_signal},
	{.nr = SYS_rt_sigaction, .args = {SIGSYS}},
	{.nr = SYS_rt_sigaction, .args = {SIGABRT}},
	{.nr = SYS_rt_sigprocmask},
	/* files by name */
	{.nr = SYS_open},
	{.nr = SYS_openat, .args = {-100}},
	{.nr = SYS_openat2},
	{.nr = SYS_creat},
	{.nr = SYS_stat},
	{.nr = SYS_newfstatat, .args = {-100, 0, 0, 0}},
	{.nr = SYS_newfstatat, .args = {6, 0, 0, 0x1000}},
	{.nr = SYS_statx, .args = {6, 0, 0x1000}},
	{.nr = SYS_readlink},
	{.nr = SYS_unlink},
	{.nr = SYS_mknodat},
	{.nr = SYS_chdir},
	{.nr = SYS_getdents64},
	{.nr = SYS_inotify_init1},
	/* sockets */
	{.nr = SYS_socket, .args = {1, 1}},
	{.nr = SYS_socketpair, .args = {1, 1}},
	{.nr = SYS_connect},
	{.nr = SYS_bind},
	{.nr = SYS_listen},
	{.nr = SYS_accept},
	{.nr = SYS_accept4, .args = {5, 0, 0, 0}},
	{.nr = SYS_accept4, .args = {5, 0, 0, 0x80000}},
	{.nr = SYS_sendto},
	{.nr = SYS_sendto, .args = {5, 0, 1, 0x4000, 1, 16}},
	{.nr = SYS_setsockopt},
	/* memory that runs, or that other rules do not expect */
	{.nr = SYS_mmap, .args = {0, 4096, 7, 0x22}},
	{.nr = SYS_mmap, .args = {0, 4096, 5, 0x1}},
	{.nr = SYS_mmap, .args = {0, 4096, 7, 0x1}},
	{.nr = SYS_mmap, .args = {0, 4096, 3, 0x22}},
	{.nr = SYS_mmap, .args = {0x10000, 4096, 3, 0x11}},
	{.nr = SYS_mprotect, .args = {0, 4096, 4}},
	{.nr = SYS_mprotect, .args = {0, 4096, 1}},
	{.nr = SYS_pkey_mprotect},
	{.nr = SYS_mremap},
	{.nr = SYS_remap_file_pages},
	{.nr = SYS_brk},
	{.nr = SYS_madvise, .args = {0, 4096, 4}},  /* MADV_DONTNEED */
	{.nr = SYS_madvise, .args = {0, 4096, 10}}, /* MADV_DONTFORK */
	{.nr = SYS_process_madvise},
	{.nr = SYS_shmat},
	{.nr = SYS_memfd_create},
	{.nr = SYS_memfd_secret},
	{.nr = SYS_userfaultfd},
	/* fds made from nothing */
	{.nr = SYS_dup},
	{.nr = SYS_dup2},
	{.nr = SYS_dup3},
	{.nr = SYS_fcntl, .args = {0, 0}},
	{.nr = SYS_fcntl, .args = {0, 4, 0}},
	{.nr = SYS_fcntl, .args = {0, 8, 1}},
	{.nr = SYS_pipe2},
	{.nr = SYS_eventfd2},
	{.nr = SYS_epoll_create1},
	{.nr = SYS_io_uring_setup},
	{.nr = SYS_io_uring_register},
	{.nr = SYS_perf_event_open},
	{.nr = SYS_bpf},
	/* ioctls: typing into a terminal, a new VM, a new interface, sizes of files */
	{.nr = SYS_ioctl, .args = {0, 0x5412}},
	{.nr = SYS_ioctl, .args = {0, 0x541c}},
	{.nr = SYS_ioctl, .args = {6, 0xae01}},
	{.nr = SYS_ioctl, .args = {6, 0xae41}},
	{.nr = SYS_ioctl, .args = {6, 0x4020ae46}},
	{.nr = SYS_ioctl, .args = {6, 0x400454ca}},
	{.nr = SYS_ioctl, .args = {6, 0x400454cb, 1}},
	{.nr = SYS_ioctl, .args = {6, 0x400454cd}},
	/* of vhost: another owner or worker, another CID */
	{.nr = SYS_ioctl, .args = {6, 0xaf01}},
	{.nr = SYS_ioctl, .args = {6, 0xaf02}},
	{.nr = SYS_ioctl, .args = {6, 0x4008af60}},
	{.nr = SYS_ioctl, .args = {6, 0}},
	/* a file cut or grown by a device, transfers in ways that no device needs */
	{.nr = SYS_ftruncate},
	{.nr = SYS_fallocate, .args = {6, 0}},
	{.nr = SYS_fallocate, .args = {6, 2}},
	{.nr = SYS_fallocate, .args = {6, 0x11}}, /* fills a file system behind the end of a file */
	{.nr = SYS_preadv2, .args = {6, 0, 1}},
	{.nr = SYS_pwritev2, .args = {6, 0, 1}},
	/* messages that reach further than the peer */
	{.nr = SYS_sendmsg, .args = {5, 0, 1}},
	{.nr = SYS_recvmsg, .args = {5, 0, 0x2000}},
	{.nr = SYS_recvmmsg},
	/* privilege, namespaces, the kernel */
	{.nr = SYS_prctl, .args = {38, 1}},
	{.nr = SYS_prctl, .args = {15}},
	{.nr = SYS_seccomp},
	{.nr = SYS_seccomp, .args = {1, 9}}, /* with a listener */
	{.nr = SYS_arch_prctl},
	{.nr = SYS_setuid},
	{.nr = SYS_setresuid},
	{.nr = SYS_setgroups},
	{.nr = SYS_capset},
	{.nr = SYS_unshare},
	{.nr = SYS_setns},
	{.nr = SYS_mount},
	{.nr = SYS_fsopen},
	{.nr = SYS_open_tree},
	{.nr = SYS_move_mount},
	{.nr = SYS_umount2},
	{.nr = SYS_pivot_root},
	{.nr = SYS_chroot},
	{.nr = SYS_prlimit64},
	{.nr = SYS_keyctl},
	{.nr = SYS_add_key},
	{.nr = SYS_init_module},
	{.nr = SYS_finit_module},
	{.nr = SYS_kexec_load},
	{.nr = SYS_reboot},
	{.nr = SYS_sysinfo},
	{.nr = SYS_uname},
	/* traps of the numbering */
	{.nr = -1},
	{.nr = SYSCALLS},
};

/*
 * What some have of these: the device that opens files has nothing to open but what is shared; what holds a pod, and
 * what parses policies, read nothing of a guest's and have a heap.
 */
static bool may_do(const char *policy, int nr)
{
	static const struct {
		const char *policy;
		int nr;
	} calls[] = {
		{"fs_device", SYS_openat2},
		{"fs_device", SYS_statx},
		{"fs_device", SYS_mknodat},
		{"fs_device", SYS_getdents64},
		{"fs_device", SYS_dup},
		{"fs_device", SYS_ftruncate},
		{"fs_device", SYS_fallocate},
		{"pod_device", SYS_brk},
		{"pod_device", SYS_mmap},
		{"parser_device", SYS_brk},
		{"parser_device", SYS_mmap},
		{"parser_device", SYS_mremap},
		{"parser_device", SYS_newfstatat},
	};
	unsigned int i = 0;

	while (i < ARRAY_SIZE(calls) &&
	       (calls[i].nr != nr || strncmp(policy, calls[i].policy, strlen(calls[i].policy))))
		i++;
	return i < ARRAY_SIZE(calls);
}

Test(policies, kill_every_dangerous_call)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		for (size_t n = 0; n < ARRAY_SIZE(dangerous); n++) {
			struct seccomp_data call = dangerous[n];

			call.arch = AUDIT_ARCH_X86_64;
			if (may_do(policies[i].name, call.nr))
				continue;
			cr_expect_eq(judge(&policies[i], &call), SECCOMP_RET_KILL_PROCESS,
				     "%s: syscall %d (%llx, %llx, %llx)", policies[i].name, call.nr,
				     call.args[0], call.args[1], call.args[2]);
		}
	}
}

Test(policies, kill_x32_and_foreign_architectures)
{
	static const uint32_t foreign[] = {AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_RISCV64};

	for (unsigned int i = 0; i < nr_policies; i++) {
		const struct policy *p = &policies[i];

		for (int nr = 0; nr < SYSCALLS; nr++) {
			cr_expect_eq(verdicts(p, nr | X32_BIT), BPF_CAN_KILL, "%s: %d", p->name,
				     nr);
			for (size_t a = 0; a < ARRAY_SIZE(foreign); a++)
				cr_expect_eq(bpf_verdicts(p->insn, p->count, foreign[a], nr),
					     BPF_CAN_KILL, "%s: %d", p->name, nr);
		}
	}
}

/* Calls the programs make, as the C library passes them: all of these must get through. */
static const struct {
	const char *policy; /* NULL: all that do not just parse */
	struct seccomp_data call;
} needed[] = {
	{NULL, {.nr = SYS_read}},
	{NULL, {.nr = SYS_write}},
	{NULL, {.nr = SYS_recvmsg, .args = {3, 0, 0x40000000}}},
	{NULL, {.nr = SYS_sendto, .args = {5, 0, 1, 0x4000}}},
	{NULL, {.nr = SYS_epoll_pwait}},
	{NULL, {.nr = SYS_epoll_ctl}},
	{NULL, {.nr = SYS_close}},
	{NULL, {.nr = SYS_exit_group}},
	{"parser_device", {.nr = SYS_exit_group}},
	{"parser_device", {.nr = SYS_openat, .args = {-100, 0, 0x80900}}},
	{"block_device_early", {.nr = SYS_mmap, .args = {0, 4096, 3, 1, 7}}},
	{"block_device_vhost_user", {.nr = SYS_fstat, .args = {7}}},
	{"block_device", {.nr = SYS_recvmsg, .args = {5, 0, 0x40000000}}},
	{"block_device", {.nr = SYS_preadv, .args = {6}}},
	{"block_device", {.nr = SYS_preadv, .args = {13}}},
	{"block_device", {.nr = SYS_pwritev, .args = {6}}},
	{"block_device", {.nr = SYS_fdatasync, .args = {6}}},
	{"block_device", {.nr = SYS_ioctl, .args = {6, 0x127f}}},
	{"block_device", {.nr = SYS_fallocate, .args = {6, 0x3}}},
	{"block_device", {.nr = SYS_ioctl, .args = {6, 0x1277}}},
	{"net_device", {.nr = SYS_readv, .args = {6}}},
	{"net_device", {.nr = SYS_writev, .args = {9}}},
	{"net_device", {.nr = SYS_ioctl, .args = {6, 0x400454d0, 0x67}}},
	{"net_device", {.nr = SYS_ioctl, .args = {6, 0x400454d0, 0}}},
	{"vhost_vsock_device", {.nr = SYS_ioctl, .args = {6, 0x4004af61}}},
	{"vhost_vsock_device", {.nr = SYS_recvfrom, .args = {7, 0, 1, 0x42}}},
	{"vhost_vsock_device", {.nr = SYS_shutdown, .args = {7, 1}}},
	{"net_device", {.nr = SYS_timerfd_settime, .args = {7, 1}}},
	{"rng_device", {.nr = SYS_getrandom}},
	{"rng_device_early", {.nr = SYS_munmap}},
	{"rng_device_early", {.nr = SYS_seccomp, .args = {1, 3}}},
	{"balloon_device", {.nr = SYS_madvise, .args = {0, 4096, 9}}},
	{"balloon_device", {.nr = SYS_sendto, .args = {9, 0, 1, 0x4040}}},
	{"serial_device", {.nr = SYS_ppoll, .args = {0, 1}}},
	{"serial_device", {.nr = SYS_recvfrom, .args = {8, 0, 1, 0x40}}},
	{"serial_device", {.nr = SYS_recvmsg, .args = {5, 0, 0x40}}},
	{"vmm_device", {.nr = SYS_recvfrom, .args = {9, 0, 1, 0x42}}},
	{"vmm_device", {.nr = SYS_sendto, .args = {9, 0, 1, 0x4040}}},
	{"vmm_device", {.nr = SYS_sendmsg, .args = {9, 0, 0x4000}}},
	{"vmm_device", {.nr = SYS_poll, .args = {0, 1}}},
	{"vmm_device", {.nr = SYS_recvmsg, .args = {9, 0, 0x40000000}}},
	{"rng_device_vhost_user", {.nr = SYS_recvmsg, .args = {8, 0, 0x40000000}}},
	{"vmm_device", {.nr = SYS_restart_syscall}},
	{"vmm_device", {.nr = SYS_ioctl, .args = {9, 0xae80}}},
	{"vmm_device", {.nr = SYS_ioctl, .args = {9, 0x4008ae6a}}},
	{"vmm_device", {.nr = SYS_ioctl, .args = {9, 0xffffffff8090ae81}}},
	{"vmm_device", {.nr = SYS_futex, .args = {0, 128}}},
	{"vmm_device", {.nr = SYS_tgkill, .args = {1, 2, SIGUSR1}}},
	{"vmm_device", {.nr = SYS_rt_sigreturn}},
	{"vmm_device", {.nr = SYS_timerfd_settime, .args = {9, 3}}},
	{"vmm_device", {.nr = SYS_pread64, .args = {7}}},
	{"vmm_device", {.nr = SYS_pread64, .args = {8}}},
};

Test(policies, allow_what_the_programs_do)
{
	for (size_t n = 0; n < ARRAY_SIZE(needed); n++) {
		struct seccomp_data call = needed[n].call;

		call.arch = AUDIT_ARCH_X86_64;
		for (unsigned int i = 0; i < nr_policies; i++) {
			if (needed[n].policy ? strcmp(needed[n].policy, policies[i].name)
					     : !strcmp("parser_device", policies[i].name))
				continue;
			cr_expect_eq(judge(&policies[i], &call), SECCOMP_RET_ALLOW,
				     "%s: syscall %d", policies[i].name, call.nr);
		}
	}
}

/* Closing an fd of a disk can mean waiting for that disk. The VMM has no disk, so it may send fds. */
Test(policies, let_no_device_give_its_fds_away)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		if (strcmp(policies[i].name, "vmm_device") == 0)
			continue;
		cr_expect_eq(verdicts(&policies[i], SYS_sendmsg), BPF_CAN_KILL, "%s",
			     policies[i].name);
		cr_expect_eq(verdicts(&policies[i], SYS_sendmmsg), BPF_CAN_KILL, "%s",
			     policies[i].name);
	}
}

/* Only the device itself may use what it alone needs. */
Test(policies, do_not_lend_each_other_their_calls)
{
	static const struct {
		int nr;
		const char *prefix, *other;
	} own[] = {
		{SYS_preadv, "block", "fs"},	{SYS_pwritev, "block", "fs"},
		{SYS_fallocate, "block", "fs"}, {SYS_openat2, "fs", NULL},
		{SYS_unlinkat, "fs", "pod"},	{SYS_setfsuid, "fs", NULL},
		{SYS_shutdown, "vsock", NULL},	{SYS_getrandom, "rng", NULL},
		{SYS_futex, "vmm", NULL},	{SYS_rt_sigreturn, "vmm", NULL},
		{SYS_madvise, "balloon", NULL},
	};

	for (size_t n = 0; n < ARRAY_SIZE(own); n++) {
		for (unsigned int i = 0; i < nr_policies; i++) {
			const char *name = policies[i].name, *other = own[n].other;
			bool may;

			/* the same device by another back-end */
			name += strncmp(name, "vhost_vsock", 11) == 0 ? strlen("vhost_") : 0;
			may = !strncmp(name, own[n].prefix, strlen(own[n].prefix)) ||
			      (other && !strncmp(name, other, strlen(other)));

			cr_expect_eq(!!(verdicts(&policies[i], own[n].nr) & BPF_CAN_ALLOW), may,
				     "%s: syscall %d", policies[i].name, own[n].nr);
		}
	}
}

/* TUNSETOFFLOAD with what a driver can ask of the device, and nothing else */
Test(policies, let_the_network_device_choose_offloads_only)
{
	for (uint32_t bit = 1; bit; bit <<= 1) {
		struct seccomp_data call = {
			.nr = SYS_ioctl, .arch = AUDIT_ARCH_X86_64, .args = {6, 0x400454d0, bit}};
		uint32_t want = bit & 0x67 ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS;

		cr_expect_eq(judge(policy_find("net_device"), &call), want, "0x%x", bit);
	}
}
