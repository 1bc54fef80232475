/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The C library's way of making a call gets through the policy
 *
 * Which system call a library function makes, and with which flags, changes with the library. Each test
 * makes the calls of one program in a child that is locked up for real. Results do not matter here:
 * the calls may fail, the child must live. The library is glibc; that of the programs is musl, and
 * tests/guests runs those.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "devices/core/boot.h"
#include "devices/core/fdio.h"
#include "devices/core/gmem.h"
#include "devices/core/log.h"
#include "devices/core/loop.h"
#include "tests/support/lock_up.h"

#define SURVIVED 7
#define SKIPPED	 77

/* What the child has when the filter comes */
struct fixture {
	int file; /* memfd of one page, also as @memory */
	int memory;
	int pair[2];
	struct loop loop;
	pid_t pid; /* its thread's as well */
};

static void on_event(void *arg, int fd, uint32_t events)
{
	(void)arg;
	(void)fd;
	(void)events;
}

static void common_calls(struct fixture *f)
{
	char buf[4] = "abc";
	int fds[FDIO_FDS_MAX];
	unsigned int nr_fds;
	struct log_limit limit = {0};

	if (fd_send(f->pair[0], buf, sizeof(buf), NULL, 0) == 0)
		(void)!fd_recv(f->pair[1], buf, sizeof(buf), fds, &nr_fds);
	close(-1);
	if (fd_write_full(f->pair[0], buf, sizeof(buf)) == 0 &&
	    loop_add(&f->loop, f->pair[1], EPOLLIN, on_event, NULL, &(struct err){0}) == 0 &&
	    loop_mod(&f->loop, f->pair[1], EPOLLIN | EPOLLOUT) == 0 &&
	    loop_once(&f->loop, 0, &(struct err){0}) == 0)
		loop_del(&f->loop, f->pair[1]);
	(void)!fd_read_full(f->pair[1], buf, sizeof(buf));
	(void)!fd_write_full(f->file, buf, sizeof(buf));
	log_limited(&limit, LOG_LEVEL_WARN, "a line");
}

static void memory_calls(struct fixture *f)
{
	struct gmem m = {0};

	(void)!gmem_map(&m, f->memory, 0, 0, 4096, 0, &(struct err){0});
	gmem_done(&m);
}

static void block_calls(struct fixture *f)
{
	char buf[16] = "";
	struct iovec iov = {.iov_base = buf, .iov_len = sizeof(buf)};
	uint64_t range[2] = {0, 4096};

	(void)!preadv(f->file, &iov, 1, 0);
	(void)!pwritev(f->file, &iov, 1, 512);
	(void)!fdatasync(f->file);
	(void)!fallocate(f->file, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 4096);
	(void)!ioctl(f->file, BLKDISCARD, range);
	(void)!ioctl(f->file, BLKZEROOUT, range);
}

static void rng_calls(struct fixture *f UNUSED)
{
	char buf[16];

	(void)!getrandom(buf, sizeof(buf), 0);
}

static void balloon_calls(struct fixture *f)
{
	(void)!madvise(f, 4096, MADV_REMOVE);
	(void)!fd_try_send(f->pair[0], "x", 1);
}

static void serial_calls(struct fixture *f)
{
	struct pollfd p = {.fd = f->pair[0], .events = POLLOUT};
	struct timespec t = {0};
	char byte;

	(void)!ppoll(&p, 1, &t, NULL);
	(void)!recv(f->pair[0], &byte, 1, MSG_DONTWAIT);
	(void)!fd_try_send(f->pair[0], "x", 1);
}

static void vmm_calls(struct fixture *f)
{
	struct pollfd p = {.fd = f->pair[0], .events = POLLOUT};
	struct timespec t;
	uint32_t word = 0;
	char byte;

	(void)!poll(&p, 1, 0);
	(void)!recv(f->pair[0], &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	(void)!fd_try_send(f->pair[0], "x", 1);
	(void)!fd_send(f->pair[0], "x", 1, &f->file, 1);
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &t);
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	/* the handler's return, from a signal sent the way vCPUs are stopped */
	syscall(SYS_tgkill, f->pid, f->pid, SIGUSR1);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void set_up(struct fixture *f)
{
	int file = memfd_create("file", MFD_CLOEXEC), pair[2];

	/* The policies name slots. */
	*f = (struct fixture){.file = BOOT_FD_RES,
			      .memory = BOOT_FD_RES + BOOT_RES_MAX,
			      .pair = {BOOT_FD_VMM, BOOT_FD_CONTROL},
			      .pid = getpid()};
	if (file < 0 || ftruncate(file, 4096) != 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 ||
	    (file = fcntl(file, F_DUPFD, 100)) < 0 ||
	    (pair[0] = fcntl(pair[0], F_DUPFD, 100)) < 0 ||
	    (pair[1] = fcntl(pair[1], F_DUPFD, 100)) < 0 || dup2(file, f->file) < 0 ||
	    dup2(file, f->memory) < 0 || dup2(pair[0], f->pair[0]) < 0 ||
	    dup2(pair[1], f->pair[1]) < 0 || loop_init(&f->loop, &(struct err){0}) != 0 ||
	    signal(SIGUSR1, on_signal) == SIG_ERR)
		_exit(99);
}

/* Process 1 of a PID namespace, as those of a VM are */
static void enter(void)
{
	int status = 0;
	pid_t pid;

	if (unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
		_exit(SKIPPED);
	pid = fork();
	if (pid == 0)
		return;
	_exit(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									      : 98);
}

static void check_lives(const char *policy, void (*calls)(struct fixture *f))
{
	pid_t pid;
	int status = 0;

	if (SANITIZED)
		cr_skip_test("sanitized");
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct fixture f;

		enter();
		set_up(&f);
		lock_up(policy_find(policy));
		calls(&f);
		_exit(SURVIVED);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		cr_skip_test("no user namespaces here");
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED, "%s: status %x", policy,
		  status);
}

Test(libc_calls, of_all_programs)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		if (strcmp(policies[i].name, "parser_device") != 0)
			check_lives(policies[i].name, common_calls);
	}
}

Test(libc_calls, of_each_device)
{
	check_lives("block_device", block_calls);
	check_lives("block_device_vhost_user", block_calls);
	check_lives("rng_device", rng_calls);
	check_lives("rng_device_vhost_user", rng_calls);
	check_lives("balloon_device", balloon_calls);
	check_lives("balloon_device_vhost_user", balloon_calls);
	check_lives("serial_device", serial_calls);
}

/* Before a device of vmrun's VMM is settled, and of others at any time */
Test(libc_calls, that_map_memory)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		if (strstr(policies[i].name, "_early") || strstr(policies[i].name, "_vhost_user"))
			check_lives(policies[i].name, memory_calls);
	}
}

Test(libc_calls, of_the_vmm)
{
	check_lives("vmm_device", vmm_calls);
}
