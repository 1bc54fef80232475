/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/args.h"

#include <sys/syscall.h>

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
static const struct {
	int nr;
	unsigned int narrow;
} table[] = {
	{SYS_accept4, A0 | A3},
	{SYS_clock_gettime, A0},
	{SYS_clock_nanosleep, A0 | A1},
	{SYS_clone, 0},
	{SYS_close, A0},
	{SYS_close_range, A0 | A1 | A2},
	{SYS_connect, A0 | A2},
	{SYS_copy_file_range, A0 | A2 | A5},
	{SYS_dup, A0},
	{SYS_dup3, A0 | A1 | A2},
	{SYS_epoll_create1, A0},
	{SYS_epoll_ctl, A0 | A1 | A2},
	{SYS_epoll_pwait, A0 | A2 | A3},
	{SYS_eventfd2, A0 | A1},
	{SYS_exit, A0},
	{SYS_exit_group, A0},
	{SYS_fallocate, A0 | A1},
	{SYS_fchmodat, A0 | A2},
	{SYS_fchownat, A0 | A2 | A3 | A4},
	{SYS_fcntl, A0 | A1},
	{SYS_fdatasync, A0},
	{SYS_flock, A0 | A1},
	{SYS_fstat, A0},
	{SYS_fstatfs, A0},
	{SYS_fsync, A0},
	{SYS_ftruncate, A0},
	{SYS_futex, A1 | A2 | A5},
	{SYS_getdents64, A0 | A2},
	{SYS_getrandom, A2},
	{SYS_getsockopt, A0 | A1 | A2},
	{SYS_getxattr, 0},
	{SYS_io_uring_enter, A0 | A1 | A2 | A3},
	{SYS_io_uring_register, A0 | A1 | A3},
	{SYS_io_uring_setup, A0},
	{SYS_ioctl, A0 | A1},
	{SYS_kill, A0 | A1},
	{SYS_linkat, A0 | A2 | A4},
	{SYS_listxattr, 0},
	{SYS_lseek, A0 | A2},
	{SYS_madvise, A2},
	{SYS_membarrier, A0 | A1 | A2},
	{SYS_memfd_create, A1},
	{SYS_mkdirat, A0 | A2},
	{SYS_mknodat, A0 | A2 | A3},
	{SYS_mmap, 0},
	{SYS_mprotect, 0},
	{SYS_mremap, 0},
	{SYS_munmap, 0},
	{SYS_newfstatat, A0 | A3},
	{SYS_openat, A0 | A2 | A3},
	{SYS_openat2, A0},
	{SYS_prctl, A0},
	{SYS_pread64, A0},
	{SYS_preadv, 0},
	{SYS_preadv2, A5},
	{SYS_prlimit64, A0 | A1},
	{SYS_pwrite64, A0},
	{SYS_pwritev, 0},
	{SYS_pwritev2, A5},
	{SYS_read, A0},
	{SYS_readlinkat, A0 | A3},
	{SYS_readv, 0},
	{SYS_recvfrom, A0 | A3},
	{SYS_recvmsg, A0 | A2},
	{SYS_removexattr, 0},
	{SYS_renameat2, A0 | A2 | A4},
	{SYS_rt_sigaction, A0},
	{SYS_rt_sigprocmask, A0},
	{SYS_sendmsg, A0 | A2},
	{SYS_sendto, A0 | A3 | A5},
	{SYS_setfsgid, A0},
	{SYS_setfsuid, A0},
	{SYS_setsockopt, A0 | A1 | A2 | A4},
	{SYS_setxattr, A4},
	{SYS_shutdown, A0 | A1},
	{SYS_socket, A0 | A1 | A2},
	{SYS_socketpair, A0 | A1 | A2},
	{SYS_statx, A0 | A2 | A3},
	{SYS_symlinkat, A1},
	{SYS_sync_file_range, A0 | A3},
	{SYS_syncfs, A0},
	{SYS_tgkill, A0 | A1 | A2},
	{SYS_timerfd_create, A0 | A1},
	{SYS_timerfd_settime, A0 | A1},
	{SYS_unlinkat, A0 | A2},
	{SYS_utimensat, A0 | A3},
	{SYS_write, A0},
	{SYS_writev, 0},
#ifdef SYS_epoll_wait /* architectures younger than epoll_pwait and ppoll lack these two */
	{SYS_epoll_wait, A0 | A2 | A3},
#endif
#ifdef SYS_poll
	{SYS_poll, A1 | A2},
#endif
	{SYS_ppoll, A1},
};

bool args_known(int nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].nr == nr)
			return true;
	}
	return false;
}

bool args_is_32bit(int nr, unsigned int arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].nr == nr)
			return (table[i].narrow >> arg) & 1;
	}
	return false;
}
