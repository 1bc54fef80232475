/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/fdio.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void make_pair(int type, int sv[2])
{
	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, sv), 0);
}

static unsigned int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

Test(fdio, read_full_joins_short_reads)
{
	int sv[2];
	char buf[7] = {0};

	make_pair(SOCK_SEQPACKET, sv); /* one read cannot give more than one packet */
	cr_assert_eq(send(sv[0], "abc", 3, 0), 3);
	cr_assert_eq(send(sv[0], "def", 3, 0), 3);
	cr_assert_eq(fd_read_full(sv[1], buf, 6), 0);
	cr_assert_str_eq(buf, "abcdef");
	cr_assert_eq(fd_read_full(sv[1], buf, 0), 0);
}

Test(fdio, read_full_tells_the_ends_apart)
{
	int sv[2];
	char buf[4];

	make_pair(SOCK_STREAM, sv);
	close(sv[0]);
	cr_assert_eq(fd_read_full(sv[1], buf, 4), -EPIPE);
	make_pair(SOCK_STREAM, sv);
	cr_assert_eq(send(sv[0], "ab", 2, 0), 2);
	close(sv[0]);
	cr_assert_eq(fd_read_full(sv[1], buf, 4), -EPROTO);
	cr_assert_eq(fd_read_full(-1, buf, 4), -EBADF);
}

Test(fdio, pread_full)
{
	int fd = memfd_create("t", MFD_CLOEXEC);
	char buf[4] = {0};

	cr_assert_eq(write(fd, "0123456789", 10), 10);
	cr_assert_eq(fd_pread_full(fd, buf, 3, 7), 0);
	cr_assert_str_eq(buf, "789");
	cr_assert_eq(fd_pread_full(fd, buf, 4, 7), -ENODATA);
	cr_assert_eq(fd_pread_full(fd, buf, 1, 10), -ENODATA);
	cr_assert_eq(fd_pread_full(fd, buf, 1, UINT64_MAX), -EOVERFLOW);
	cr_assert_eq(fd_pread_full(fd, buf, 2, INT64_MAX - 1), -EOVERFLOW);
}

Test(fdio, write_full_to_a_file_an_eventfd_and_a_socket)
{
	int fd = memfd_create("t", MFD_CLOEXEC);
	int ev = eventfd(0, EFD_CLOEXEC);
	uint64_t one = 1, got = 0;
	char buf[4] = {0};
	int sv[2];

	cr_assert_eq(fd_write_full(fd, "abc", 3), 0);
	cr_assert_eq(pread(fd, buf, 4, 0), 3);
	cr_assert_str_eq(buf, "abc");
	cr_assert_eq(fd_write_full(ev, &one, sizeof(one)), 0);
	cr_assert_eq(read(ev, &got, sizeof(got)), 8);
	cr_assert_eq(got, 1);
	make_pair(SOCK_STREAM, sv);
	cr_assert_eq(fd_write_full(sv[0], "xyz", 3), 0);
	cr_assert_eq(read(sv[1], buf, 4), 3);
	cr_assert_str_eq(buf, "xyz");
	cr_assert_eq(fd_write_full(-1, "x", 1), -EBADF);
}

Test(fdio, write_full_to_a_dead_peer_is_an_error_not_a_signal)
{
	int sv[2];

	make_pair(SOCK_STREAM, sv);
	close(sv[1]);
	cr_assert_eq(fd_write_full(sv[0], "x", 1), -EPIPE);
}

Test(fdio, large_writes_and_reads_meet, .timeout = 60)
{
	const size_t len = 4 << 20; /* far beyond any socket buffer */
	uint8_t *out = malloc(len), *in = malloc(len);
	int sv[2], status;
	pid_t pid;

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(i * 7 + i / 4096);
	make_pair(SOCK_STREAM, sv);
	pid = fork();
	if (pid == 0)
		_exit(fd_send(sv[0], out, len, NULL, 0) == 0 ? 0 : 1);
	cr_assert_eq(fd_read_full(sv[1], in, len), 0);
	cr_assert_arr_eq(in, out, len);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	free(out);
	free(in);
}

static void pass_fds(int type, unsigned int nr)
{
	int sv[2], fds[FDIO_FDS_MAX], got[FDIO_FDS_MAX];
	unsigned int nr_got = 99;
	char buf[8] = {0};

	make_pair(type, sv);
	for (unsigned int i = 0; i < nr; i++) {
		fds[i] = memfd_create("t", MFD_CLOEXEC);
		cr_assert_eq(write(fds[i], &i, sizeof(i)), (ssize_t)sizeof(i));
	}
	cr_assert_eq(fd_send(sv[0], "hello", 5, fds, nr), 0);
	cr_assert_eq(fd_recv(sv[1], buf, sizeof(buf), got, &nr_got), 5);
	cr_assert_str_eq(buf, "hello");
	cr_assert_eq(nr_got, nr);
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int v = 0;

		cr_assert_neq(got[i], fds[i]);
		cr_assert_eq(pread(got[i], &v, sizeof(v), 0), (ssize_t)sizeof(v));
		cr_assert_eq(v, i);
		cr_assert(fcntl(got[i], F_GETFD) & FD_CLOEXEC);
		close(got[i]);
		close(fds[i]);
	}
	close(sv[0]);
	cr_assert_eq(fd_recv(sv[1], buf, sizeof(buf), got, &nr_got), 0);
	cr_assert_eq(nr_got, 0);
	close(sv[1]);
}

Test(fdio, fds_travel)
{
	unsigned int before = open_fds();

	for (unsigned int nr = 0; nr <= FDIO_FDS_MAX; nr++) {
		pass_fds(SOCK_STREAM, nr);
		pass_fds(SOCK_SEQPACKET, nr);
	}
	cr_assert_eq(open_fds(), before);
}

Test(fdio, a_datagram_too_long_is_refused_and_its_fds_closed)
{
	int sv[2], got[FDIO_FDS_MAX] = {-7};
	unsigned int nr = 99, before;
	char buf[4];

	make_pair(SOCK_SEQPACKET, sv);
	cr_assert_eq(fd_send(sv[0], "hello", 5, sv, 2), 0);
	before = open_fds();
	cr_assert_eq(fd_recv(sv[1], buf, sizeof(buf), got, &nr), -EMSGSIZE);
	cr_assert_eq(open_fds(), before);
	cr_assert_eq(got[0], -7, "outputs are untouched on failure");
	cr_assert_eq(nr, 99, "outputs are untouched on failure");
}

/* What fd_send() would not do: any number of fds, with an empty packet if asked */
static void send_raw(int sock, size_t len, unsigned int nr)
{
	char control[CMSG_SPACE(64 * sizeof(int))] = {0};
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = CMSG_SPACE(nr * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(nr * sizeof(int));
	for (unsigned int i = 0; i < nr; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &sock, sizeof(int));
	cr_assert_eq(sendmsg(sock, &msg, 0), (ssize_t)len);
}

Test(fdio, too_many_fds_are_refused_and_closed)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		int sv[2], got[FDIO_FDS_MAX];
		unsigned int nr, before;
		char buf[4];

		make_pair(types[i], sv);
		send_raw(sv[0], 1, FDIO_FDS_MAX + 1);
		before = open_fds();
		cr_assert_eq(fd_recv(sv[1], buf, sizeof(buf), got, &nr), -EMSGSIZE);
		cr_assert_eq(open_fds(), before);
	}
}

Test(fdio, an_empty_packet_leaks_no_fd)
{
	int sv[2], got[FDIO_FDS_MAX];
	unsigned int nr = 99, before;
	char buf[4];

	make_pair(SOCK_SEQPACKET, sv);
	send_raw(sv[0], 0, 3);
	before = open_fds();
	cr_assert_eq(fd_recv(sv[1], buf, sizeof(buf), got, &nr), 0);
	cr_assert_eq(nr, 0);
	cr_assert_eq(open_fds(), before);
}

Test(fdio, recv_and_send_report_errors)
{
	int sv[2], got[FDIO_FDS_MAX];
	unsigned int nr;
	char buf[4];

	cr_assert_eq(fd_recv(-1, buf, sizeof(buf), got, &nr), -EBADF);
	cr_assert_eq(fd_send(-1, "x", 1, NULL, 0), -EBADF);
	make_pair(SOCK_STREAM, sv);
	close(sv[1]);
	cr_assert_eq(fd_send(sv[0], "x", 1, NULL, 0), -EPIPE);
	make_pair(SOCK_STREAM | SOCK_NONBLOCK, sv);
	cr_assert_eq(fd_recv(sv[0], buf, sizeof(buf), got, &nr), -EAGAIN);
}

Test(fdio, try_send_never_waits)
{
	static const char message[12] = "twelve bytes";
	int sv[2], file = memfd_create("file", MFD_CLOEXEC);
	char buf[sizeof(message)];
	unsigned int sent = 0;
	int rc;

	make_pair(SOCK_STREAM, sv); /* blocking */
	while ((rc = fd_try_send(sv[0], message, sizeof(message))) == 0)
		sent++;
	cr_assert_eq(rc, -EAGAIN);
	for (unsigned int i = 0; i < sent; i++) {
		cr_assert_eq(recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT), (ssize_t)sizeof(buf));
		cr_assert(!memcmp(buf, message, sizeof(buf)), "message %u of %u", i, sent);
	}
	cr_assert_lt(recv(sv[1], buf, 1, MSG_DONTWAIT), 0, "a part of the one that did not fit");
	close(sv[1]);
	cr_assert_eq(fd_try_send(sv[0], message, sizeof(message)), -EPIPE);
	cr_assert_eq(fd_try_send(-1, message, sizeof(message)), -EBADF);
	cr_assert_eq(fd_try_send(file, message, sizeof(message)), -ENOTSOCK);
}
