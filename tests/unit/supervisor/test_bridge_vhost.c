/* SPDX-License-Identifier: BSD-3-Clause */
/* The sockets of a vsock device whose connections the kernel carries; the kernel and the device are the test's */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/supervisor/bridge.h"
#include "runtime/util/unix_path.h"
#include "runtime/util/vsock_socket.h"
#include "tests/support/temp_dir.h"

#define CID   42
#define FLAGS (CTL_VSOCK_IN | CTL_VSOCK_OUT)

static struct bridge b;
static struct loop loop;
static struct err err;
static char path[512], text[600];

/* ---- the kernel: its sockets are Unix sockets in the same directory ---- */

static uint32_t dialled_cid, dialled_port;
static int dial_rc, accept_rc;

int vsock_socket_connect(uint32_t cid, uint32_t port, uint32_t *ret_own)
{
	int pair[2];

	dialled_cid = cid;
	dialled_port = port;
	if (dial_rc < 0)
		return dial_rc;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	*ret_own = 7777;
	return pair[0];
}

int vsock_socket_listen(uint32_t port)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), rc;

	snprintf(text, sizeof(text), "%s/kernel%u", temp_dir, port);
	rc = unix_bind(fd, text);
	cr_assert(rc < 0 || listen(fd, 64) == 0);
	return rc < 0 ? rc : fd;
}

int vsock_socket_accept(int listener, uint32_t cid)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	cr_assert_eq(cid, CID);
	if (fd >= 0 && accept_rc < 0) {
		close(fd);
		return accept_rc;
	}
	return fd < 0 ? -errno : fd;
}

/* ---- the device ---- */

static struct ctl_msg handed[512];
static int handed_fd[512];
static unsigned int nr_handed, refuse_at = UINT32_MAX;

static int hand(void *arg UNUSED, const struct ctl_msg *m, int fd)
{
	if (nr_handed >= refuse_at)
		return -EPIPE;
	cr_assert_geq(fd, 0);
	handed[nr_handed] = *m;
	handed_fd[nr_handed++] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return 0;
}

/* Whether message @i and the one behind it hand in a connection */
static bool is_pair(unsigned int i, uint32_t flags, uint64_t port)
{
	return i + 1 < nr_handed && handed[i].type == CTL_VSOCK_CONNECT &&
	       handed[i].code == CTL_VSOCK_HALF && handed[i + 1].type == CTL_VSOCK_CONNECT &&
	       handed[i + 1].code == (FLAGS | flags) && handed[i + 1].arg == port;
}

/* ---- the rest ---- */

static void setup(void)
{
	static const uint32_t ports[] = {5000, 5001};

	temp_dir_make();
	snprintf(path, sizeof(path), "%s/vm", temp_dir);
	cr_assert_eq(loop_init(&loop, &err), 0);
	bridge_init(&b);
	cr_assert_eq(bridge_listen(&b, CID, ports, 2, &loop, &err), 0, "%s", err.msg);
	cr_assert_eq(bridge_open(&b, path, &loop, hand, NULL, &err), 0, "%s", err.msg);
}

static void teardown(void)
{
	bridge_done(&b);
	temp_dir_remove();
}

TestSuite(bridge_vhost, .init = setup, .fini = teardown);

static void turn(void)
{
	struct pollfd p = {.fd = loop.epoll_fd, .events = POLLIN};

	while (poll(&p, 1, 0) == 1)
		cr_assert_eq(loop_once(&loop, 0, &err), 0);
}

static int dial(const char *line)
{
	int fd = unix_connect(path, SOCK_STREAM, 0);

	cr_assert_geq(fd, 0, "%s", strerror(-fd));
	cr_assert_eq(send(fd, line, strlen(line), 0), (ssize_t)strlen(line));
	turn();
	return fd;
}

/* The guest connects to a port of the host's */
static int call(uint32_t port)
{
	int fd;

	snprintf(text, sizeof(text), "%s/kernel%u", temp_dir, port);
	fd = unix_connect(text, SOCK_STREAM, 0);
	cr_assert_geq(fd, 0, "%s", strerror(-fd));
	return fd;
}

static int listen_for(const char *suffix, int backlog)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(text, sizeof(text), "%s%s", path, suffix);
	cr_assert_eq(unix_bind(fd, text), 0);
	cr_assert_eq(listen(fd, backlog), 0);
	return fd;
}

static bool ended(int fd)
{
	return recv(fd, &(char){0}, 1, MSG_DONTWAIT) == 0;
}

Test(bridge_vhost, a_client_is_handed_in_with_a_socket_to_the_guest)
{
	char buf[8];

	dial("CONNECT 4294967295\nmore");
	cr_assert_eq(nr_handed, 2);
	cr_assert(is_pair(0, CTL_VSOCK_GREET, 7777));
	cr_assert(dialled_cid == CID && dialled_port == UINT32_MAX);
	cr_assert_eq(recv(handed_fd[1], buf, sizeof(buf), 0), 4);
	cr_assert_eq(b.handed, 1);
	bridge_answered(&b, false);
	cr_assert_eq(b.handed, 0);
}

Test(bridge_vhost, a_guest_that_cannot_be_dialled_is_the_end)
{
	dial_rc = -ENODEV;
	cr_assert(ended(dial("CONNECT 1\n")));
	cr_assert_eq(nr_handed, 0);
	dial_rc = 0;
	refuse_at = 1;
	cr_assert(ended(dial("CONNECT 1\n")), "the device takes the first half alone");
	cr_assert_eq(b.handed, 0);
}

Test(bridge_vhost, the_guest_reaches_a_listener)
{
	int listener = listen_for("_5001", 8), guest = call(5001), program, none = call(5000);

	turn();
	cr_assert_eq(nr_handed, 2);
	cr_assert(is_pair(0, 0, 5001));
	cr_assert(ended(none), "no program listens");
	program = accept(listener, NULL, NULL);
	cr_assert_geq(program, 0);
	cr_assert_eq(send(handed_fd[0], "g", 1, 0), 1);
	cr_assert_eq(recv(guest, text, 1, 0), 1);
	cr_assert_eq(send(handed_fd[1], "p", 1, 0), 1);
	cr_assert_eq(recv(program, text, 1, 0), 1);
	cr_assert_eq(b.calls, 0);
}

Test(bridge_vhost, another_guests_connection_is_closed)
{
	int listener = listen_for("_5000", 8), other;

	accept_rc = -ECONNABORTED;
	other = call(5000);
	turn();
	cr_assert(ended(other));
	cr_assert_eq(accept(listener, NULL, NULL), -1);
	accept_rc = 0;
	call(5000);
	turn();
	cr_assert_eq(nr_handed, 2);
}

Test(bridge_vhost, a_listener_without_room_has_time)
{
	int listener = listen_for("_5000", 0), guest = -1;

	while (b.calls == 0) {
		guest = call(5000);
		turn();
		for (unsigned int i = b.handed; i > 0; i--)
			bridge_answered(&b, false);
	}
	cr_assert_gt(b.at_ns, 0);
	nr_handed = 0;
	cr_assert_geq(accept(listener, NULL, NULL), 0);
	bridge_late(&b);
	cr_assert(is_pair(0, 0, 5000) && b.calls == 0);
	while (b.calls == 0) {
		guest = call(5000);
		turn();
	}
	b.call[0].deadline_ns = 1;
	bridge_late(&b);
	cr_assert(ended(guest), "it is over");
	cr_assert_eq(b.at_ns, 0);
}

Test(bridge_vhost, a_guest_that_calls_without_end_waits_in_the_kernel)
{
	int listener = listen_for("_5000", 100);
	unsigned int nr = 0;

	for (unsigned int i = 0; i < 50; i++)
		call(5000);
	turn();
	cr_assert_leq(nr_handed, 2 * BRIDGE_HANDED_MAX);
	cr_assert_gt(b.at_ns, 0);
	while (accept(listener, NULL, NULL) >= 0)
		nr++;
	cr_assert_eq(nr, BRIDGE_HANDED_MAX);
	for (unsigned int i = 0; i < 50; i++) {
		bridge_answered(&b, false);
		turn();
	}
	cr_assert_eq(nr_handed, 100);
}

Test(bridge_vhost, the_device_asks_nothing_and_there_is_no_socket_for_messages)
{
	cr_assert(!bridge_may_ask(&b));
	snprintf(text, sizeof(text), "%s_seqpacket", path);
	cr_assert_eq(unix_connect(text, SOCK_SEQPACKET, 0), -ENOENT);
}

Test(bridge_vhost, a_port_in_use)
{
	static const uint32_t ports[] = {6000, 5001};
	struct bridge other;

	bridge_init(&other);
	cr_assert_eq(bridge_listen(&other, CID, ports, 2, &loop, &err), -EADDRINUSE);
	cr_assert_str_eq(err.msg, "port 5001: Address already in use");
	bridge_done(&other);
}
