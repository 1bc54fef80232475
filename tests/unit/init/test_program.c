/* SPDX-License-Identifier: BSD-3-Clause */
/* What the program of a session finds: user, groups, capabilities, limits, directory, environment. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "tests/support/init_rig.h"

static struct rig_spec spec;

static void begin(void)
{
	rig_start();
	spec.len = 0;
	rig_container(&spec);
}

TestSuite(program, .init = begin, .fini = rig_stop, .timeout = 60);

/* sh -c @command as @p, with what else is in the description */
static const char *says(const struct agent_process *p, const struct agent_caps *caps,
			const char *command)
{
	struct rig_session r;
	const char *said;

	rig_program(&spec, p, caps, "/tmp", (const char *[]){"sh", "-c", command, NULL});
	r = rig_run(0, &spec, false);
	rig_expect(AGENT_STARTED, 0);
	close(r.in);
	said = rig_read(&r.out);
	cr_expect_str_eq(rig_read(&r.errors), "");
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 0);
	return said;
}

Test(program, root_without_capabilities)
{
	cr_expect_str_eq(
		says(NULL, NULL, "id -u; grep -h Cap /proc/self/status; umask; pwd; echo $HOME"),
		"0\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:"
		"\t0000000000000000\n"
		"CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\n0022\n/tmp\n/\n");
}

Test(program, a_user_with_some)
{
	const struct agent_process p = {
		.uid = 1234, .gid = 2345, .flags = AGENT_UMASK | AGENT_NO_NEW_PRIVS, .umask = 0077};
	/* CAP_CHOWN, CAP_NET_BIND_SERVICE; bits that no kernel has are not granted */
	const struct agent_caps caps = {0x401 | 1ULL << 63, 0x401 | 1ULL << 63, 0x400,
					0x401 | 1ULL << 63, 0x400};
	const uint32_t groups[] = {7, 70000};

	for (unsigned int i = 0; i < 2; i++)
		rig_item(&spec, AGENT_GROUP, &groups[i], sizeof(groups[i]), 0);
	cr_expect_str_eq(
		says(&p, &caps,
		     "grep -hE '^(Uid|Gid|Groups|Cap|NoNewPrivs)' /proc/self/status; umask"),
		"Uid:\t1234\t1234\t1234\t1234\nGid:\t2345\t2345\t2345\t2345\nGroups:\t7 70000 \n"
		"CapInh:\t0000000000000400\nCapPrm:\t0000000000000400\nCapEff:\t0000000000000400\n"
		"CapBnd:\t0000000000000401\nCapAmb:\t0000000000000400\nNoNewPrivs:\t1\n0077\n");
}

Test(program, limits)
{
	const struct agent_rlimit files = {.resource = RLIMIT_NOFILE, .soft = 77, .hard = 99};
	const struct agent_rlimit core = {.resource = RLIMIT_CORE, .soft = 0, .hard = 0};

	rig_item(&spec, AGENT_RLIMIT, &files, sizeof(files), 0);
	rig_item(&spec, AGENT_RLIMIT, &core, sizeof(core), 0);
	cr_expect_str_eq(says(NULL, NULL, "ulimit -n; ulimit -Hn; ulimit -c"), "77\n99\n0\n");
}

Test(program, a_limit_that_is_none)
{
	const struct agent_rlimit good = {.resource = RLIMIT_CORE, .soft = 0, .hard = 0};
	const struct agent_rlimit bad = {.resource = RLIMIT_CORE, .soft = 2, .hard = 1};

	rig_item(&spec, AGENT_RLIMIT, &good, sizeof(good), 0);
	rig_item(&spec, AGENT_RLIMIT, &bad, sizeof(bad), 0);
	rig_process(&spec, "true");
	cr_expect_eq(rig_fails(&spec, AGENT_STEP_RLIMIT, EINVAL), 1);
}

Test(program, scheduling_and_oom_score)
{
	const struct agent_process p = {
		.flags = AGENT_OOM_SCORE | AGENT_IOPRIO, .oom_score_adj = 321, .ioprio = 3 << 13};
	const struct agent_scheduler s = {.policy = 3 /* SCHED_BATCH */, .nice = 11};

	rig_item(&spec, AGENT_SCHEDULER, &s, sizeof(s), 0);
	cr_expect_str_eq(says(&p, NULL,
			      "cat /proc/self/oom_score_adj; cut -d' ' -f19,41 /proc/self/stat; "
			      "ionice -p $$"),
			 "321\n11 3\nidle\n");
}

Test(program, home)
{
	FILE *f = fopen(rig_path("root/etc/passwd"), "w");
	const struct agent_process p = {.uid = 42};

	fputs("root:x:0:0::/root:/bin/sh\nshort:x:42\nno:x:42x:1::/no:\nyes:x:42:1:c:/home/yes:/"
	      "bin/sh\nlate:x:42:1:c:/late:\n",
	      f);
	fclose(f);
	cr_expect_str_eq(says(&p, NULL, "echo $HOME"), "/home/yes\n");
}

Test(program, home_of_the_description)
{
	rig_text(&spec, AGENT_ENV, "HOME=/given");
	rig_text(&spec, AGENT_ENV, "RAW=\xff\xfe");
	cr_expect_str_eq(says(NULL, NULL, "echo $HOME $RAW; env | grep -c ."),
			 "/given \xff\xfe\n5\n");
}

Test(program, home_when_passwd_is_a_pipe)
{
	cr_assert_eq(mkfifo(rig_path("root/etc/passwd"), 0600), 0);
	cr_expect_str_eq(says(NULL, NULL, "echo $HOME"), "/\n");
}

Test(program, an_argument_of_128_kib)
{
	static char big[131071];
	struct rig_session r;

	memset(big, 'x', sizeof(big) - 1);
	rig_program(&spec, NULL, NULL, "/", (const char *[]){"sh", "-c", "echo ${#0}", big, NULL});
	r = rig_run(0, &spec, false);
	rig_expect(AGENT_STARTED, 0);
	cr_expect_str_eq(rig_read(&r.out), "131070\n");
	rig_expect(AGENT_EXITED, 0);
}

static void program_fails(const char *name, enum agent_step step, int code)
{
	rig_program(&spec, &(struct agent_process){.uid = 1000}, NULL, "/",
		    (const char *[]){name, NULL});
	rig_fails(&spec, step, code);
}

Test(program, none_of_that_name)
{
	program_fails("nothing", AGENT_STEP_LOOKUP, ENOENT);
}

Test(program, none_at_that_path)
{
	program_fails("/bin/nothing", AGENT_STEP_LOOKUP, ENOENT);
}

Test(program, a_directory)
{
	program_fails("/etc", AGENT_STEP_LOOKUP, EACCES);
}

Test(program, one_that_may_not_be_run)
{
	fclose(fopen(rig_path("root/bin/data"), "w"));
	program_fails("/bin/data", AGENT_STEP_LOOKUP, EACCES);
}

Test(program, one_that_is_no_program)
{
	fclose(fopen(rig_path("root/bin/data"), "w"));
	cr_assert_eq(chmod(rig_path("root/bin/data"), 0755), 0);
	program_fails("data", AGENT_STEP_EXEC, ENOEXEC);
}

Test(program, no_arguments)
{
	rig_program(&spec, NULL, NULL, "/", (const char *[]){NULL});
	rig_fails(&spec, AGENT_STEP_LOOKUP, EINVAL);
}

Test(program, a_directory_that_is_missing)
{
	rig_program(&spec, NULL, NULL, "/no/such", (const char *[]){"true", NULL});
	rig_fails(&spec, AGENT_STEP_CWD, ENOENT);
}

Test(program, a_directory_that_is_made)
{
	const struct agent_process p = {.flags = AGENT_CREATE_CWD};
	struct rig_session r;

	rig_program(&spec, &p, NULL, "/not/yet", (const char *[]){"pwd", NULL});
	r = rig_run(0, &spec, false);
	rig_expect(AGENT_STARTED, 0);
	cr_expect_str_eq(rig_read(&r.out), "/not/yet\n");
	rig_expect(AGENT_EXITED, 0);
}

/* uname() gives EXFULL */
static void filter(uint32_t flags)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXFULL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct {
		struct agent_filter head;
		struct sock_filter code[ARRAY_SIZE(code)];
	} f = {.head = {.flags = flags, .count = ARRAY_SIZE(code)}};

	memcpy(f.code, code, sizeof(code));
	rig_item(&spec, AGENT_FILTER, &f, sizeof(f), 0);
}

Test(program, filters_with_privileges)
{
	const struct agent_process p = {.uid = 1000};

	filter(SECCOMP_FILTER_FLAG_LOG);
	cr_expect_str_eq(
		says(&p, NULL, "uname -n 2>&1; grep -hE '^(Seccomp|NoNew)' /proc/self/status"),
		"\n"
		"NoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n");
}

Test(program, filters_without)
{
	const struct agent_process p = {.uid = 1000, .flags = AGENT_NO_NEW_PRIVS};

	filter(0);
	filter(0);
	cr_expect_str_eq(
		says(&p, NULL, "uname -n 2>&1 ; grep -hE '^(Seccomp|NoNew)' /proc/self/status"),
		"\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t2\n");
}

Test(program, a_filter_that_the_kernel_refuses)
{
	struct {
		struct agent_filter head;
		struct sock_filter code[1];
	} f = {.head = {.count = 1}, .code = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)}};

	rig_item(&spec, AGENT_FILTER, &f, sizeof(f), 0);
	rig_process(&spec, "true");
	rig_fails(&spec, AGENT_STEP_SECCOMP, EINVAL);
}

Test(program, nothing_of_process_1_is_left)
{
	struct rig_session r;

	rig_program(&spec, NULL, NULL, "/",
		    (const char *[]){"sed", "-n", "s/^Sig\\(Blk\\|Ign\\):[^0-9]*//p",
				     "/proc/self/status", NULL});
	r = rig_run(0, &spec, false);
	rig_expect(AGENT_STARTED, 0);
	cr_expect_str_eq(rig_read(&r.out), "0000000000000000\n0000000000000000\n");
	rig_expect(AGENT_EXITED, 0);
}

Test(program, no_fd_of_process_1_is_open)
{
	cr_expect_str_eq(says(NULL, NULL, "ls /proc/self/fd"), "0\n1\n2\n3\n");
}
