/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/args.h"

#include <string.h>

#define A0 (1U << 0)
#define A1 (1U << 1)
#define A2 (1U << 2)
#define A3 (1U << 3)
#define A4 (1U << 4)
#define A5 (1U << 5)

/*
 * From the kernel's SYSCALL_DEFINE lines: int, unsigned int, pid_t, clockid_t, rwf_t and umode_t
 * parameters are narrow; pointers, size_t, long, loff_t and mmap's are not.
 */
static const struct args {
	const char *name;
	unsigned int narrow;
} table[] = {
	{"accept4", A0 | A3},
	{"clock_gettime", A0},
	{"clock_nanosleep", A0 | A1},
	{"clone", 0},
	{"close", A0},
	{"close_range", A0 | A1 | A2},
	{"connect", A0 | A2},
	{"copy_file_range", A0 | A2 | A5},
	{"dup", A0},
	{"dup3", A0 | A1 | A2},
	{"epoll_create1", A0},
	{"epoll_ctl", A0 | A1 | A2},
	{"epoll_pwait", A0 | A2 | A3},
	{"eventfd2", A0 | A1},
	{"exit", A0},
	{"exit_group", A0},
	{"fallocate", A0 | A1},
	{"fchmodat", A0 | A2},
	{"fchownat", A0 | A2 | A3 | A4},
	{"fcntl", A0 | A1},
	{"fdatasync", A0},
	{"flock", A0 | A1},
	{"fstat", A0},
	{"fstatfs", A0},
	{"fsync", A0},
	{"ftruncate", A0},
	{"futex", A1 | A2 | A5},
	{"getdents64", A0 | A2},
	{"getrandom", A2},
	{"getsockopt", A0 | A1 | A2},
	{"getxattr", 0},
	{"io_uring_enter", A0 | A1 | A2 | A3},
	{"io_uring_register", A0 | A1 | A3},
	{"io_uring_setup", A0},
	{"ioctl", A0 | A1},
	{"kill", A0 | A1},
	{"linkat", A0 | A2 | A4},
	{"listxattr", 0},
	{"lseek", A0 | A2},
	{"madvise", A2},
	{"membarrier", A0 | A1 | A2},
	{"memfd_create", A1},
	{"mkdirat", A0 | A2},
	{"mknodat", A0 | A2 | A3},
	{"mmap", 0},
	{"mprotect", 0},
	{"mremap", 0},
	{"munmap", 0},
	{"newfstatat", A0 | A3},
	{"openat", A0 | A2 | A3},
	{"openat2", A0},
	{"prctl", A0},
	{"pread64", A0},
	{"preadv", 0},
	{"preadv2", A5},
	{"prlimit64", A0 | A1},
	{"pwrite64", A0},
	{"pwritev", 0},
	{"pwritev2", A5},
	{"read", A0},
	{"readlinkat", A0 | A3},
	{"readv", 0},
	{"recvfrom", A0 | A3},
	{"recvmsg", A0 | A2},
	{"removexattr", 0},
	{"renameat2", A0 | A2 | A4},
	{"rt_sigaction", A0},
	{"rt_sigprocmask", A0},
	{"seccomp", A0 | A1},
	{"sendmsg", A0 | A2},
	{"sendto", A0 | A3 | A5},
	{"setfsgid", A0},
	{"setfsuid", A0},
	{"setsockopt", A0 | A1 | A2 | A4},
	{"setxattr", A4},
	{"shutdown", A0 | A1},
	{"socket", A0 | A1 | A2},
	{"socketpair", A0 | A1 | A2},
	{"statx", A0 | A2 | A3},
	{"symlinkat", A1},
	{"sync_file_range", A0 | A3},
	{"syncfs", A0},
	{"tgkill", A0 | A1 | A2},
	{"timerfd_create", A0 | A1},
	{"timerfd_settime", A0 | A1},
	{"unlinkat", A0 | A2},
	{"utimensat", A0 | A3},
	{"write", A0},
	{"writev", 0},
	{"epoll_wait", A0 | A2 | A3},
	{"poll", A1 | A2},
	{"ppoll", A1},
};

static const struct args *args_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (!strcmp(table[i].name, name))
			return &table[i];
	}
	return NULL;
}

bool args_known(const char *name)
{
	return args_find(name) != NULL;
}

bool args_is_32bit(const char *name, unsigned int arg)
{
	const struct args *found = args_find(name);

	return found && ((found->narrow >> arg) & 1);
}
