/* SPDX-License-Identifier: BSD-3-Clause */
/* The device against a vhost of paper: rings in this process; connections in one of its own, behind the policy */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/virtio_vsock.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "tests/support/dev_child.h"
#include "tests/support/paper_vhost.h"
#include "tests/support/vq_driver.h"

extern const struct device_ops vhost_vsock_device;

#define V1     (1ULL << VIRTIO_F_VERSION_1)
#define SEQ    (1ULL << VIRTIO_VSOCK_F_SEQPACKET)
#define KERNEL (V1 | 1ULL << VIRTIO_RING_F_EVENT_IDX | 1ULL << VIRTIO_RING_F_INDIRECT_DESC | SEQ)
#define VHOST  BOOT_FD_RES
#define CONNS  3U
#define BOTH   (CTL_VSOCK_IN | CTL_VSOCK_OUT)

static struct loop loop;
static struct device dev;
static struct vqd_mem mem;
static struct vqd ring[3];
static struct boot_dev rec;
static struct vsock_settings settings;
static struct err err;

static void setup(void)
{
	static const struct vqd_piece pieces[] = {{0, 0x20000}, {0x100000, 0x10000}};

	kernel_features = KERNEL | 1ULL << VHOST_F_LOG_ALL;
	settings = (struct vsock_settings){.cid = 42, .conns = CONNS};
	rec = (struct boot_dev){.name = "vsock0", .type = "vhost_vsock", .nr_res = 1};
	boot_set_settings(&rec, &settings, sizeof(settings));
	vqd_mem_init(&mem, pieces, ARRAY_SIZE(pieces));
	cr_assert_eq(loop_init(&loop, &err), 0);
}

/* ---- rings ------------------------------------------------------------------------------- */

static int try_init(void)
{
	boot_set_settings(&rec, &settings, sizeof(settings));
	cr_assert_eq(device_init(&dev, &vhost_vsock_device, &loop, &err), 0);
	return dev.ops->init(&dev, &rec, &err);
}

/* A device whose rings are ready as the back-end has them when it calls queue() */
static void make(uint64_t acked)
{
	cr_assert_eq(try_init(), 0, "%s", err.msg);
	vqd_mem_map(&mem, &dev.mem);
	for (unsigned int q = 0; q < dev.nr_queues; q++) {
		struct vq_layout layout;

		vqd_init(&ring[q], &mem, 16, 0x1000 + 0x1000 * q, 0);
		layout = vqd_layout(&ring[q]);
		layout.next_avail = (uint16_t)q;
		vqd_start_at(&ring[q], (uint16_t)q);
		cr_assert_eq(vq_setup(&dev.vq[q], &dev.mem, &layout, &err), 0, "%s", err.msg);
		dev.kick_fd[q] = eventfd(0, EFD_NONBLOCK);
		dev.call_fd[q] = eventfd(0, EFD_NONBLOCK);
		dev.err_fd[q] = eventfd(0, EFD_NONBLOCK);
	}
	dev.acked = acked;
	cr_assert_eq(dev.ops->start(&dev, acked), 0);
	nr_calls = 0;
}

static uint64_t count(int fd)
{
	eventfd_t v = 0;

	return eventfd_read(fd, &v) == 0 ? v : 0;
}

TestSuite(vhost_vsock, .init = setup);

Test(vhost_vsock, takes_over_and_offers_what_the_kernel_can)
{
	struct virtio_vsock_config c;

	cr_assert_eq(try_init(), 0, "%s", err.msg);
	cr_expect(calls[0].request == VHOST_SET_OWNER && calls[0].fd == VHOST);
	cr_expect_eq(dev.features, SEQ);
	cr_expect_eq(dev.nr_queues, 3);
	cr_assert_eq(dev.ops->config(&dev, false, 0, &c, dev.ops->kind->config_bytes), 0);
	cr_expect_eq(c.guest_cid, 42);
	cr_expect_lt(dev.ops->config(&dev, true, 0, &c, 8), 0);
	cr_assert_eq(dev.ops->start(&dev, V1 | SEQ | 1ULL << 30), 0);
	cr_expect_eq(last(VHOST_SET_FEATURES)->value, (int64_t)(V1 | SEQ));
	kernel_features &= ~SEQ;
	cr_assert_eq(try_init(), 0);
	cr_expect_eq(dev.features, 0, "a kernel without seqpacket");
}

Test(vhost_vsock, records_and_kernels_that_are_refused)
{
	static const struct vsock_settings bad[] = {
		{.cid = 2, .conns = 1},
		{.cid = 0xffffffff, .conns = 1},
		{.cid = 3, .conns = 0},
		{.cid = 3, .conns = VSOCK_CONNS_MAX + 1},
		{.cid = 3, .conns = 1, .reserved = 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		settings = bad[i];
		cr_expect_eq(try_init(), -EINVAL, "row %zu", i);
	}
	settings = (struct vsock_settings){.cid = 3, .conns = 1};
	rec.nr_res = 0;
	cr_expect_eq(try_init(), -EINVAL);
	rec.nr_res = 2;
	cr_expect_eq(try_init(), -EINVAL);
	cr_expect_eq(nr_calls, 0);
	rec.nr_res = 1;
	refuse = VHOST_SET_OWNER;
	refuse_errno = ENOTTY; /* what any other file says */
	cr_expect_eq(try_init(), -ENOTTY);
	cr_expect_str_eq(err.msg, "vsock0: VHOST_SET_OWNER: Inappropriate ioctl for device");
	refuse = 0;
	kernel_features = KERNEL & ~V1;
	cr_expect_eq(try_init(), -EOPNOTSUPP);
}

Test(vhost_vsock, the_kernel_begins_when_it_has_both_rings)
{
	static const unsigned long order[] = {
		VHOST_SET_MEM_TABLE,  VHOST_SET_VRING_NUM,  VHOST_SET_VRING_BASE,
		VHOST_SET_VRING_ADDR, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR,
		VHOST_SET_VRING_KICK,
	};
	const struct gmem_region *r;

	make(V1);
	r = dev.mem.region;
	for (unsigned int q = 0; q < 2; q++) {
		nr_calls = 0;
		cr_expect_eq(count_of(VHOST_VSOCK_SET_RUNNING), 0);
		dev.ops->queue(&dev, q);
		cr_assert_eq(nr_calls, ARRAY_SIZE(order) + q);
		for (unsigned int i = 0; i < ARRAY_SIZE(order); i++)
			cr_expect(calls[i].request == order[i] && calls[i].fd == VHOST, "%u", i);
		cr_expect(last(VHOST_SET_VRING_NUM)->index == q);
		cr_expect_eq(last(VHOST_SET_VRING_NUM)->value, 16);
		cr_expect_eq(last(VHOST_SET_VRING_BASE)->value, q);
		cr_expect_eq(last(VHOST_SET_VRING_ADDR)->addr.desc_user_addr,
			     (uintptr_t)r[0].base + ring[q].desc_gpa);
		cr_expect_eq(last(VHOST_SET_VRING_KICK)->value, dev.kick_fd[q]);
	}
	cr_expect_eq(last(VHOST_VSOCK_SET_RUNNING)->value, 1);
	cr_expect_eq(count(dev.kick_fd[0]), 1, "what was rung before is not lost");
	cr_expect_eq(count(dev.kick_fd[1]), 1);
	nr_calls = 0;
	dev.ops->queue(&dev, 2);
	cr_expect_eq(nr_calls, 0, "the third one stays here");
}

/* A pause stops one ring after the other, and a resume starts them */
Test(vhost_vsock, a_ring_that_stops_stops_the_kernel_first)
{
	make(V1);
	dev.ops->queue(&dev, 0);
	dev.ops->queue(&dev, 1);
	nr_calls = 0;
	dev.ops->stop(&dev, 0);
	cr_assert_eq(nr_calls, 5);
	cr_expect(calls[0].request == VHOST_VSOCK_SET_RUNNING && calls[0].value == 0);
	cr_expect(calls[4].request == VHOST_GET_VRING_BASE && calls[4].index == 0);
	cr_expect(dev.vq[0].next_avail == STOPPED_AT && dev.vq[0].ready);
	dev.ops->stop(&dev, 1);
	cr_expect_eq(count_of(VHOST_VSOCK_SET_RUNNING), 1, "it stands still already");
	cr_expect_eq(last(VHOST_GET_VRING_BASE)->index, 1);
	nr_calls = 0;
	dev.ops->stop(&dev, 0);
	dev.ops->stop(&dev, 1);
	dev.ops->stop(&dev, 2);
	cr_expect_eq(nr_calls, 0, "what is not lent is not fetched");
	dev.ops->queue(&dev, 0);
	cr_expect_eq(count_of(VHOST_VSOCK_SET_RUNNING), 0);
	dev.ops->queue(&dev, 1);
	cr_expect_eq(last(VHOST_SET_VRING_BASE)->value, STOPPED_AT);
	cr_expect_eq(last(VHOST_VSOCK_SET_RUNNING)->value, 1);
	dev.ops->stop(&dev, 1);
	dev.ops->queue(&dev, 1);
	cr_expect_eq(last(VHOST_VSOCK_SET_RUNNING)->value, 1, "one alone");
}

Test(vhost_vsock, a_ring_the_kernel_refuses_is_broken_and_its_own_again)
{
	static const unsigned long steps[] = {
		VHOST_SET_MEM_TABLE,  VHOST_SET_VRING_NUM,     VHOST_SET_VRING_BASE,
		VHOST_SET_VRING_ADDR, VHOST_SET_VRING_CALL,    VHOST_SET_VRING_ERR,
		VHOST_SET_VRING_KICK, VHOST_VSOCK_SET_RUNNING,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		make(V1);
		dev.ops->queue(&dev, 0);
		refuse = steps[i];
		dev.ops->queue(&dev, 1);
		refuse = 0;
		cr_expect(dev.vq[1].ready && dev.vq[1].broken, "step %zu", i);
		cr_expect(!dev.vq[0].ready && !dev.vq[0].broken, "step %zu: still lent", i);
		cr_expect_eq(count(dev.err_fd[1]), 1);
		nr_calls = 0;
		dev.ops->stop(&dev, 1);
		cr_expect_eq(nr_calls, 0);
		device_done(&dev);
		loop_done(&loop);
		cr_assert_eq(loop_init(&loop, &err), 0);
	}
}

/* ---- connections ------------------------------------------------------------------------- */

static struct dev_child child;
static char data[1 << 16];

static void start(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setup();
	cr_assert(dev_child_start(&child, &vhost_vsock_device, &rec, &null, "vhost_vsock_device"));
}

static void end(void)
{
	cr_assert_eq(dev_child_stop(&child), 0, "the device did not end well");
}

TestSuite(vhost_vsock_relay, .init = start, .fini = end);

/* What the device answers to a message; @fd is closed here */
static uint32_t hand(uint32_t code, uint64_t arg, int fd)
{
	struct ctl_msg m = {.type = CTL_VSOCK_CONNECT, .code = code, .arg = arg};

	cr_assert_eq(ctl_send_whole(child.control, &m, fd), 0);
	close(fd);
	cr_assert(dev_child_wait(child.control) && ctl_recv(child.control, &m) == 1);
	cr_assert_eq(m.type, CTL_DONE);
	return m.code;
}

/* A connection: the far ends of both sockets; the one that stands for the guest is connected already */
struct both {
	int program, guest;
};

static uint32_t hand_both(uint32_t flags, struct both *ret)
{
	int p[2], g[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, g), 0);
	*ret = (struct both){p[1], g[1]};
	cr_assert_eq(hand(CTL_VSOCK_HALF, 0, g[0]), 0);
	return hand(BOTH | flags, 1234, p[0]);
}

/* The device has done all that it does about what came before: it does one thing after the other */
static void settle(void)
{
	cr_assert_eq(hand(CTL_VSOCK_HALF, 0, open("/dev/null", O_RDWR | O_CLOEXEC)), 0);
}

static struct both connected(void)
{
	struct both b;

	cr_assert_eq(hand_both(0, &b), 0);
	return b;
}

/* What comes next, up to @max bytes; 0: the end, < 0: -errno */
static ssize_t received(int fd, size_t max)
{
	ssize_t n;

	cr_assert(dev_child_wait(fd), "nothing comes");
	n = recv(fd, data, max, 0);
	return n < 0 ? -errno : n;
}

static void expect_text(int fd, const char *text)
{
	const size_t len = strlen(text);

	for (size_t at = 0; at < len;) {
		const ssize_t n = received(fd, len - at);

		cr_assert(n > 0 && memcmp(data, text + at, (size_t)n) == 0, "not \"%s\"", text);
		at += (size_t)n;
	}
}

static void say(int fd, const char *text)
{
	cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

Test(vhost_vsock_relay, the_program_hears_when_the_guest_has_accepted)
{
	struct both b;

	cr_assert_eq(hand_both(CTL_VSOCK_GREET, &b), 0);
	expect_text(b.program, "OK 1234\n");
	say(b.program, "to the guest");
	expect_text(b.guest, "to the guest");
	say(b.guest, "and back");
	expect_text(b.program, "and back");
}

Test(vhost_vsock_relay, a_guest_that_refuses_is_the_end)
{
	int p[2], refused = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	/* A stream socket that is not connected has hung up, as one whose connection was refused. */
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p), 0);
	cr_assert_eq(hand(CTL_VSOCK_HALF, 0, refused), 0);
	cr_assert_eq(hand(BOTH | CTL_VSOCK_GREET, 1, p[0]), 0);
	cr_assert_eq(received(p[1], 1), 0);
}

Test(vhost_vsock_relay, half_closes_are_passed_on)
{
	struct both b = connected();

	say(b.program, "last");
	shutdown(b.program, SHUT_WR);
	expect_text(b.guest, "last");
	cr_assert_eq(received(b.guest, 1), 0);
	say(b.guest, "still heard");
	expect_text(b.program, "still heard");
	shutdown(b.guest, SHUT_WR);
	cr_assert_eq(received(b.program, 1), 0);
	settle();
	cr_assert_eq(send(b.guest, "x", 1, MSG_NOSIGNAL), -1, "the connection is over");
}

Test(vhost_vsock_relay, an_end_that_is_gone_ends_the_other_too)
{
	struct both b = connected();

	say(b.program, "last");
	close(b.program);
	expect_text(b.guest, "last");
	cr_assert_eq(received(b.guest, 1), 0);
	settle();
	cr_assert_eq(send(b.guest, "x", 1, MSG_NOSIGNAL), -1);
	cr_assert_eq(errno, EPIPE);
	b = connected();
	say(b.program, "never read");
	cr_assert(dev_child_wait(b.guest));
	close(b.guest);
	cr_assert_leq(received(b.program, 1), 0);
}

/* Fills a socket whose other end is not read: bytes taken */
static size_t fill(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	size_t sent = 0;

	while (poll(&p, 1, 300) == 1) {
		const ssize_t n = send(fd, data, sizeof(data), MSG_NOSIGNAL);

		cr_assert(n > 0 || errno == EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
	}
	return sent;
}

Test(vhost_vsock_relay, a_peer_that_does_not_read_holds_up_its_own_connection_alone)
{
	struct both slow = connected(), other = connected();
	size_t sent, got = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i % 251);
	sent = fill(slow.program);
	say(slow.guest, "the other direction too");
	expect_text(slow.program, "the other direction too");
	say(other.program, "others go on");
	expect_text(other.guest, "others go on");
	shutdown(slow.program, SHUT_WR);
	while (got < sent) {
		const ssize_t n = received(slow.guest, sizeof(data));

		cr_assert_gt(n, 0, "%zu of %zu bytes", got, sent);
		got += (size_t)n;
	}
	cr_assert_eq(received(slow.guest, 1), 0);
}

Test(vhost_vsock_relay, places_are_limited_and_come_free)
{
	struct both b[CONNS + 1];

	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < CONNS; i++)
			b[i] = connected();
		cr_assert_eq(hand_both(0, &b[CONNS]), ENOSPC);
		cr_assert_eq(received(b[CONNS].program, 1), 0);
		cr_assert_eq(received(b[CONNS].guest, 1), 0);
		for (unsigned int i = 0; i < CONNS; i++) {
			close(b[i].program);
			cr_assert_eq(received(b[i].guest, 1), 0);
			close(b[i].guest);
		}
	}
}

Test(vhost_vsock_relay, other_messages_are_refused)
{
	struct both b;
	int p[2];

	cr_assert_eq(hand_both(CTL_VSOCK_SEQPACKET, &b), EINVAL);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p), 0);
	cr_assert_eq(hand(BOTH, 1, dup(p[0])), EINVAL, "without the guest's end");
	cr_assert_eq(hand(CTL_VSOCK_HALF, 0, dup(p[0])), 0);
	cr_assert_eq(hand(CTL_VSOCK_HALF, 0, dup(p[0])), 0, "takes the place of the first");
	cr_assert_eq(hand(BOTH, 1ULL << 32, dup(p[0])), EINVAL);
	cr_assert_eq(hand(BOTH, 1, dup(p[0])), EINVAL, "one that is refused takes the half along");
	b = connected();
	say(b.program, "and goes on");
	expect_text(b.guest, "and goes on");
}

Test(vhost_vsock_relay, what_no_vsock_device_is_asked_ends_it, .fini = NULL)
{
	const struct ctl_msg m = {.type = CTL_VSOCK_FOUND};

	cr_assert_eq(ctl_send_whole(child.control, &m, -1), 0);
	cr_assert(dev_child_wait(child.control));
	cr_assert_eq(recv(child.control, data, 1, 0), 0);
}
