/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "runtime/supervisor/front_ends.h"
#include "tests/support/vu_peer.h"

static struct front_ends f = {.listen_fd = -1, .fd = -1};
static struct oci_log no_log = {.fd = -1};
static struct sockaddr_un where = {.sun_family = AF_UNIX};
static int device, control;

/* A listening socket without a path, and the device's control socket */
static void setup(void)
{
	socklen_t len = sizeof(where);
	int pair[2];

	f.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(f.listen_fd, (struct sockaddr *)&where, sizeof(sa_family_t)), 0);
	cr_assert_eq(listen(f.listen_fd, 8), 0);
	cr_assert_eq(getsockname(f.listen_fd, (struct sockaddr *)&where, &len), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	control = pair[0];
	device = pair[1];
}

TestSuite(front_ends, .init = setup);

static int come(void)
{
	const socklen_t len = offsetof(struct sockaddr_un, sun_path) + 6; /* an automatic address */
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	cr_assert_eq(connect(fd, (struct sockaddr *)&where, len), 0);
	return fd;
}

static void accept_one(void)
{
	front_ends_accept(&f, control, "block0", &no_log);
}

/* What the device gets: the connection; -1: nothing */
static int handed_in(void)
{
	struct ctl_msg m;
	int fd = -1;

	if (ctl_recv_fd(device, &m, &fd) != 1)
		return -1;
	cr_assert(m.type == CTL_FRONT_END && fd >= 0);
	return fd;
}

static bool says(enum ctl_type type, uint64_t queues, uint64_t entries, uint64_t payload)
{
	return front_ends_heard(
		&f, &(struct ctl_msg){.type = type, .value = {queues, entries, payload}});
}

/* The answer that a front-end gets, and its fd; -1: none */
static int answered(int fd, struct vup_msg *ret)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control_buf = {.bytes = ""};
	struct iovec iov = {ret, offsetof(struct vup_msg, payload) + sizeof(struct vup_inflight)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control_buf.bytes,
			     .msg_controllen = sizeof(control_buf.bytes)};
	int file = -1;

	cr_assert_gt(recvmsg(fd, &msg, MSG_DONTWAIT), 0);
	cr_assert(ret->request == VUP_GET_INFLIGHT_FD && ret->flags == 5);
	if (CMSG_FIRSTHDR(&msg))
		memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(file));
	return file;
}

static bool closed(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

Test(front_ends, one_at_a_time)
{
	int first = come(), second = come(), third, devices;

	accept_one();
	devices = handed_in();
	cr_assert_geq(devices, 0);
	cr_expect_eq(front_ends_fd(&f), f.listen_fd);
	accept_one();
	cr_expect(closed(second), "turned away");
	cr_expect_eq(handed_in(), -1);
	cr_expect(!closed(first));
	/* It leaves, and the next comes before the device has noticed. */
	close(first);
	third = come();
	cr_expect_eq(front_ends_fd(&f), -1);
	accept_one();
	cr_expect_eq(handed_in(), -1);
	cr_expect(!closed(third));
	close(devices);
	cr_expect(says(CTL_LEFT, 0, 0, 0));
	cr_expect_eq(front_ends_fd(&f), f.listen_fd);
	accept_one();
	cr_expect_geq(handed_in(), 0);
	cr_expect(!closed(third));
}

Test(front_ends, the_device_closes_a_connection)
{
	int fd = come(), devices;

	accept_one();
	devices = handed_in();
	close(devices);
	cr_expect(!closed(fd), "not yet");
	cr_expect(says(CTL_LEFT, 0, 0, 0));
	cr_expect(closed(fd));
	cr_expect(!says(CTL_LEFT, 0, 0, 0), "there is none");
}

Test(front_ends, get_memory_of_the_size_they_need)
{
	struct vup_inflight i;
	struct vup_msg m;
	struct stat st;
	int fd = come(), file;

	accept_one();
	cr_assert(says(CTL_REGION, 2, 256, sizeof(i)));
	file = answered(fd, &m);
	cr_assert_eq(m.bytes, sizeof(i));
	memcpy(&i, m.payload, sizeof(i));
	cr_expect(i.bytes == 2 * (16 + 256 * 16 + 48) && i.offset == 0);
	cr_expect(i.nr_queues == 2 && i.queue_size == 256);
	cr_expect(fstat(file, &st) == 0 && (uint64_t)st.st_size == i.bytes);
	cr_expect_eq(fcntl(file, F_GET_SEALS) & 15, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	/* A front-end without the padding at the end */
	cr_assert(says(CTL_REGION, 1, 8, 20));
	cr_expect_geq(answered(fd, &m), 0);
	cr_expect_eq(m.bytes, 20);
}

Test(front_ends, numbers_of_the_device_are_checked)
{
	static const uint64_t rows[][3] = {
		{0, 256, 24},	     {17, 256, 24},
		{1, 0, 24},	     {1, 100, 24},
		{1, 2048, 24},	     {1ULL << 32, 1, 24},
		{1, 1ULL << 32, 24}, {1, 256, 19},
		{1, 256, 25},	     {1, 256, 1ULL << 32 | 24},
	};

	cr_expect(!says(CTL_REGION, 1, 256, 24), "there is no front-end");
	come();
	accept_one();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(!says(CTL_REGION, rows[i][0], rows[i][1], rows[i][2]), "row %zu", i);
	cr_expect(!says(CTL_READY, 1, 256, 24));
	cr_expect(says(CTL_REGION, 1, 256, 24));
}

Test(front_ends, one_that_does_not_receive_is_disconnected)
{
	int fd = come(), devices, asked = 0;
	struct vup_msg m;
	char byte;

	accept_one();
	devices = handed_in();
	/* The kernel may limit fds on the way before it runs out of room. */
	while (recv(devices, &byte, 1, MSG_DONTWAIT) < 0 && asked++ < 100000)
		cr_assert(says(CTL_REGION, 1, 1, 24));
	cr_expect(closed(devices), "the device notices, after %d", asked);
	cr_expect_geq(answered(fd, &m), 0, "what came before is whole");
}
