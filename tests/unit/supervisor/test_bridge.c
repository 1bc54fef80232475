/* SPDX-License-Identifier: BSD-3-Clause */
/* The sockets of a vsock device between clients, listeners and a device that is played by the test */
#include "runtime/supervisor/bridge.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runtime/util/clock.h"
#include "runtime/util/unix_path.h"
#include "tests/support/temp_dir.h"

static struct bridge b;
static struct loop loop;
static struct err err;
static char path[512], text[600];

/* What the device was handed, oldest first */
static struct ctl_msg handed[512];
static int handed_fd[512];
static unsigned int nr_handed;
static int refuse;

static int hand(void *arg UNUSED, const struct ctl_msg *m, int fd)
{
	if (refuse)
		return refuse;
	handed[nr_handed] = *m;
	handed_fd[nr_handed++] = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	return 0;
}

static void setup(void)
{
	temp_dir_make();
	snprintf(path, sizeof(path), "%s/vm", temp_dir);
	cr_assert_eq(loop_init(&loop, &err), 0);
	bridge_init(&b);
	cr_assert_eq(bridge_open(&b, path, &loop, hand, NULL, &err), 0, "%s", err.msg);
}

static void teardown(void)
{
	bridge_done(&b);
	temp_dir_remove();
}

TestSuite(bridge, .init = setup, .fini = teardown);

/* Lets the bridge work until nothing is ready */
static void turn(void)
{
	struct pollfd p = {.fd = loop.epoll_fd, .events = POLLIN};

	while (poll(&p, 1, 0) == 1)
		cr_assert_eq(loop_once(&loop, 0, &err), 0);
}

static int dial(const char *at, int type, const char *line)
{
	int fd = unix_connect(at, type, 0);

	cr_assert_geq(fd, 0, "%s", strerror(-fd));
	if (line)
		cr_assert_eq(send(fd, line, strlen(line), 0), (ssize_t)strlen(line));
	turn();
	return fd;
}

static bool ended(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

static const char *with(const char *suffix)
{
	snprintf(text, sizeof(text), "%s%s", path, suffix);
	return text;
}

static int listen_for(const char *suffix, int type, int backlog)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	cr_assert_eq(unix_bind(fd, with(suffix)), 0);
	cr_assert_eq(listen(fd, backlog), 0);
	return fd;
}

static void ask(uint64_t ticket, uint32_t port, bool seqpacket)
{
	const struct ctl_msg m = {
		.type = CTL_VSOCK_ASK, .arg = ticket, .code = port, .value = {seqpacket}};

	cr_assert(bridge_may_ask(&b));
	bridge_asked(&b, &m);
}

Test(bridge, a_client_goes_to_the_device_with_what_follows_its_line)
{
	int fd = dial(path, SOCK_STREAM, "CONNECT 4294967295\nmore");
	char buf[8];

	cr_assert_eq(nr_handed, 1);
	cr_assert_eq(handed[0].type, CTL_VSOCK_CONNECT);
	cr_assert_eq(handed[0].arg, UINT32_MAX);
	cr_assert_eq(handed[0].code, CTL_VSOCK_IN | CTL_VSOCK_OUT | CTL_VSOCK_GREET);
	cr_assert_eq(recv(handed_fd[0], buf, sizeof(buf), 0), 4);
	cr_assert(memcmp(buf, "more", 4) == 0);
	cr_assert_eq(fcntl(handed_fd[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	close(handed_fd[0]);
	cr_assert(ended(fd), "the bridge keeps nothing of it");
	cr_assert_eq(b.at_ns, 0, "and waits for nothing");
}

Test(bridge, a_line_may_come_byte_by_byte)
{
	static const char line[] = "CONNECT 22\n";
	int fd = dial(path, SOCK_STREAM, NULL);

	for (unsigned int i = 0; i < sizeof(line) - 1; i++) {
		cr_assert_eq(nr_handed, 0);
		cr_assert_eq(send(fd, line + i, 1, 0), 1);
		turn();
	}
	cr_assert_eq(nr_handed, 1);
	cr_assert_eq(handed[0].arg, 22);
}

Test(bridge, a_seqpacket_client_says_its_line_in_one_message)
{
	int fd = dial(with("_seqpacket"), SOCK_SEQPACKET, "CONNECT 22\n");
	char buf[8];

	cr_assert_eq(nr_handed, 1);
	cr_assert_eq(handed[0].code & CTL_VSOCK_SEQPACKET, CTL_VSOCK_SEQPACKET);
	cr_assert_eq(send(fd, "abcdef", 6, 0), 6);
	cr_assert_eq(recv(handed_fd[0], buf, 2, MSG_PEEK), 2);
	cr_assert_eq(recv(handed_fd[0], buf, 8, MSG_PEEK | MSG_TRUNC), 4, "SO_PEEK_OFF is set");
	dial(with("_seqpacket"), SOCK_SEQPACKET, "CONNECT ");
	cr_assert_eq(nr_handed, 1);
}

Test(bridge, other_lines_are_the_end)
{
	static const char *const lines[] = {
		"\n",
		"CONNECT\n",
		"CONNECT \n",
		"CONNECT -1\n",
		"CONNECT 1:\n",
		"CONNECT 1x\n",
		"CONNECT 1 \n",
		"CONNECT 4294967296\n",
		"connect 1\n",
		"CONNECT  1\n",
		"CONNECT 1\r\n",
		"GET / HTTP/1.1\n",
		"CONNECT 0000000000000000000000000000000001\n",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++) {
		int fd = dial(path, SOCK_STREAM, lines[i]);
		const ssize_t n = recv(fd, text, 1, MSG_DONTWAIT);

		cr_expect(n == 0 || (n < 0 && errno == ECONNRESET), "%s", lines[i]);
		close(fd);
	}
	cr_assert_eq(nr_handed, 0);
}

Test(bridge, clients_that_say_nothing_lose_their_places_in_time)
{
	int silent[BRIDGE_CLIENTS], late;

	for (unsigned int i = 0; i < BRIDGE_CLIENTS; i++)
		silent[i] = dial(path, SOCK_STREAM, NULL);
	late = dial(path, SOCK_STREAM, "CONNECT 1\n");
	cr_assert_eq(nr_handed, 0, "it waits for a place");
	for (unsigned int i = 0; i < BRIDGE_CLIENTS; i++)
		b.client[i].deadline_ns = 1;
	bridge_late(&b);
	turn();
	for (unsigned int i = 0; i < BRIDGE_CLIENTS; i++)
		cr_assert(ended(silent[i]));
	cr_assert_eq(nr_handed, 1);
	(void)late;
}

Test(bridge, few_are_handed_in_at_a_time)
{
	for (unsigned int i = 0; i < 100; i++)
		dial(path, SOCK_STREAM, "CONNECT 1\n");
	cr_assert_geq(nr_handed, BRIDGE_HANDED_MAX);
	cr_assert_leq(nr_handed, BRIDGE_HANDED_MAX + BRIDGE_CLIENTS);
	for (unsigned int i = 0; i < 100; i++) {
		bridge_answered(&b, false);
		turn();
	}
	cr_assert_eq(nr_handed, 100);
	cr_assert_eq(b.handed, 0);
}

Test(bridge, a_device_that_takes_none_means_the_end)
{
	refuse = -EPIPE;
	cr_assert(ended(dial(path, SOCK_STREAM, "CONNECT 1\n")));
	ask(7, 5000, false);
	cr_assert_eq(b.calls, 0);
	cr_assert_eq(b.handed, 0);
}

Test(bridge, the_guest_reaches_a_listener_of_its_type)
{
	int stream = listen_for("_5000", SOCK_STREAM, 8),
	    seq = listen_for("_5001", SOCK_SEQPACKET, 8);

	ask(1, 5000, false);
	ask(2, 5001, true);
	ask(3, 5000, true);
	ask(4, 5002, false);
	cr_assert_eq(nr_handed, 4);
	for (unsigned int i = 0; i < 4; i++) {
		cr_assert_eq(handed[i].type, CTL_VSOCK_FOUND);
		cr_assert_eq(handed[i].arg, i + 1);
		cr_assert_eq(handed_fd[i] >= 0, i < 2, "ticket %u", i + 1);
	}
	cr_assert_geq(accept(stream, NULL, NULL), 0);
	cr_assert_geq(accept(seq, NULL, NULL), 0);
}

/* A container's device is for its init alone. */
Test(bridge, without_a_path_the_guest_reaches_nothing)
{
	static struct bridge own;
	const struct ctl_msg m = {.type = CTL_VSOCK_ASK, .arg = 9, .code = 5000};
	int dir = open(".", O_PATH | O_CLOEXEC), fd;

	/* What an empty path would lead to */
	cr_assert_eq(chdir(temp_dir), 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(unix_bind(fd, "_5000"), 0);
	cr_assert_eq(listen(fd, 1), 0);
	bridge_init(&own);
	cr_assert_eq(bridge_open(&own, NULL, &loop, hand, NULL, &err), 0);
	bridge_asked(&own, &m);
	cr_assert_eq(nr_handed, 1);
	cr_expect_eq(handed[0].type, CTL_VSOCK_FOUND);
	cr_expect_eq(handed[0].arg, 9);
	cr_expect_eq(handed_fd[0], -1);
	cr_expect_eq(accept(fd, NULL, NULL), -1);
	cr_assert_eq(fchdir(dir), 0);
	bridge_done(&own);
}

Test(bridge, a_symbolic_link_leads_nowhere)
{
	int elsewhere = listen_for("-elsewhere", SOCK_STREAM, 8);
	char link[600];

	snprintf(link, sizeof(link), "%s_5000", path);
	cr_assert_eq(symlink(with("-elsewhere"), link), 0);
	ask(1, 5000, false);
	cr_assert(nr_handed == 1 && handed_fd[0] < 0);
	cr_assert_lt(accept(elsewhere, NULL, NULL), 0);
}

Test(bridge, a_listener_without_room_has_time)
{
	int fd = listen_for("_5000", SOCK_STREAM, 0);
	unsigned int n = 0;

	while (nr_handed == n && n < 20)
		ask(n++, 5000, false);
	ask(n, 5000, false);
	cr_assert_lt(nr_handed, n + 1, "it waits");
	cr_assert_gt(b.at_ns, 0);
	n = nr_handed;
	cr_assert_geq(accept(fd, NULL, NULL), 0);
	bridge_late(&b);
	cr_assert(nr_handed == n + 1 && handed_fd[n] >= 0);
	for (unsigned int i = 0; i < BRIDGE_CALLS; i++)
		b.call[i].deadline_ns = b.call[i].deadline_ns ? 1 : 0;
	bridge_late(&b);
	cr_assert(handed_fd[nr_handed - 1] < 0, "it is over");
	cr_assert_eq(b.at_ns, 0);
}

Test(bridge, a_device_may_not_ask_without_end)
{
	for (unsigned int i = 0; i < BRIDGE_CALLS; i++)
		ask(i, 5000, false);
	cr_assert(!bridge_may_ask(&b));
	bridge_answered(&b, true);
	cr_assert(bridge_may_ask(&b));
}

Test(bridge, what_is_at_its_path_stays)
{
	struct bridge other;

	bridge_init(&other);
	cr_assert_eq(bridge_open(&other, path, &loop, hand, NULL, &err), -EADDRINUSE);
	bridge_done(&other);
	dial(path, SOCK_STREAM, "CONNECT 1\n");
	cr_assert_eq(nr_handed, 1);
	bridge_done(&b);
	cr_assert_eq(unix_connect(path, SOCK_STREAM, 0), -ENOENT);
	cr_assert_eq(unix_connect(with("_seqpacket"), SOCK_SEQPACKET, 0), -ENOENT);
	bridge_init(&b);
}
