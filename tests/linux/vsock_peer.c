/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both ends of vsock connections, in Linux guests and on their host. Static, so it runs in a guest as it is.
 *
 *   vsock_peer echo WHERE           accept for ever, send back all that comes; at its end close the sending side
 *   vsock_peer test WHERE N BYTES   N connections at once: send so much, half-close, compare what comes back
 *   vsock_peer pour WHERE N BYTES   as test, but one after the other, and the echo is only counted
 *   vsock_peer storm WHERE N        N connections, one after the other: a byte there and back
 *   vsock_peer hold WHERE N         N connections, all open at once: then a byte there and back on each
 *   vsock_peer flood WHERE          send and never read, as long as anything is taken; then stay
 *   vsock_peer messages WHERE N     N messages of all sizes there and back
 *
 * WHERE is unix:PATH, vsock:CID:PORT (the CID does not matter to echo), or bridge:PATH:PORT, a VM's socket. With
 * "messages:" before it the sockets are SOCK_SEQPACKET. The result is one line; status 0 if all went well.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNS_MAX   4000
#define BLOCK	    65536
#define WAIT_MS	    60000
#define MESSAGE_MAX 60000

struct conn {
	int fd;
	uint64_t sent, got;
	uint8_t *held; /* echo: what is still to be sent back, from @at on */
	size_t at, nr;
	bool end;
};

static struct conn conn[CONNS_MAX];
static struct pollfd wait_for[CONNS_MAX + 1];
static int type = SOCK_STREAM;
static uint8_t pattern[BLOCK + 251], buf[1 << 18];

static void die(const char *what)
{
	printf("failed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What connection @i sends at offset @at */
static const uint8_t *expected(unsigned int i, uint64_t at)
{
	return pattern + (at + i * 7) % 251;
}

static int unix_socket(const char *path, bool to_listen)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s%s", path,
		 type == SOCK_SEQPACKET && !to_listen ? "_seqpacket" : "");
	if ((to_listen ? bind : connect)(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		die(sun.sun_path);
	return fd;
}

static int vsock_socket(unsigned int cid, unsigned int port, bool to_listen)
{
	struct sockaddr_vm svm = {.svm_family = AF_VSOCK,
				  .svm_port = port,
				  .svm_cid = to_listen ? VMADDR_CID_ANY : cid};
	int fd = socket(AF_VSOCK, type | SOCK_CLOEXEC, 0);

	if ((to_listen ? bind : connect)(fd, (struct sockaddr *)&svm, sizeof(svm)) < 0)
		die("vsock");
	return fd;
}

/* A connection by a VM's socket, once the guest has accepted it */
static int bridge_socket(const char *path, const char *port)
{
	int fd = unix_socket(path, false);
	char line[64];
	int len = snprintf(line, sizeof(line), "CONNECT %s\n", port);

	if (send(fd, line, (size_t)len, MSG_NOSIGNAL) != len)
		die("CONNECT");
	for (len = 0; len == 0 || line[len - 1] != '\n';) {
		ssize_t n = recv(fd, line + len, type == SOCK_STREAM ? 1 : sizeof(line), 0);

		if (n <= 0)
			die("the guest does not accept");
		len += (int)n;
	}
	return fd;
}

static int open_at(const char *where, bool to_listen)
{
	char path[108], port[16];
	unsigned int a, b;

	if (sscanf(where, "vsock:%u:%u", &a, &b) == 2)
		return vsock_socket(a, b, to_listen);
	if (sscanf(where, "bridge:%107[^:]:%15s", path, port) == 2)
		return bridge_socket(path, port);
	if (sscanf(where, "unix:%107s", path) == 1)
		return unix_socket(path, to_listen);
	errno = EINVAL;
	die(where);
	return -1;
}

static bool would_block(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* ---- echo ---- */

static void echo_close(struct conn *c)
{
	close(c->fd);
	free(c->held);
	*c = (struct conn){.fd = -1};
}

/* Moves what can be moved; a connection whose peer does not read holds one block */
static void echo_serve(struct conn *c)
{
	ssize_t n;

	if (c->nr == 0 && !c->end) {
		n = recv(c->fd, c->held, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && !would_block(n)) {
			echo_close(c);
			return;
		}
		c->end = n == 0;
		c->at = 0;
		c->nr = n > 0 ? (size_t)n : 0;
	}
	if (c->nr > 0) {
		n = send(c->fd, c->held + c->at, c->nr, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && !would_block(n)) {
			echo_close(c);
			return;
		}
		c->at += n > 0 ? (size_t)n : 0;
		c->nr -= n > 0 ? (size_t)n : 0;
	}
	if (c->end && c->nr == 0)
		echo_close(c);
}

/* Into the first free place; the number of places in use or before one that is */
static unsigned int echo_accept(int listener, unsigned int top)
{
	unsigned int i = 0;

	while (i < top && conn[i].fd >= 0)
		i++;
	if (i == CONNS_MAX)
		return top;
	conn[i] = (struct conn){.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)};
	if (conn[i].fd >= 0)
		conn[i].held = malloc(sizeof(buf));
	return i < top ? top : i + 1;
}

static void echo(const char *where)
{
	int listener = open_at(where, true);
	unsigned int top = 0;

	if (listen(listener, 1000) < 0)
		die("listen");
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		for (unsigned int i = 0; i < top; i++)
			wait_for[i] = (struct pollfd){.fd = conn[i].fd,
						      .events = conn[i].nr ? POLLOUT : POLLIN};
		wait_for[top] = (struct pollfd){.fd = listener, .events = POLLIN};
		if (poll(wait_for, top + 1, -1) < 0)
			die("poll");
		for (unsigned int i = 0; i < top; i++)
			if (conn[i].fd >= 0 && wait_for[i].revents)
				echo_serve(&conn[i]);
		if (wait_for[top].revents)
			top = echo_accept(listener, top);
		while (top > 0 && conn[top - 1].fd < 0)
			top--;
	}
}

/* ---- test ---- */

static void test_send(struct conn *c, unsigned int i, uint64_t bytes)
{
	while (c->sent < bytes) {
		const uint64_t left = bytes - c->sent;
		ssize_t n = send(c->fd, expected(i, c->sent), left < BLOCK ? left : BLOCK,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (would_block(n))
			return;
		if (n < 0)
			die("send");
		c->sent += (uint64_t)n;
	}
	if (!c->end && shutdown(c->fd, SHUT_WR) < 0)
		die("shutdown");
	c->end = true;
}

/* Whether the end has come, with all bytes before it */
static bool test_receive(struct conn *c, unsigned int i, uint64_t bytes)
{
	ssize_t n;

	while ((n = recv(c->fd, buf, BLOCK, MSG_DONTWAIT)) > 0) {
		if (memcmp(buf, expected(i, c->got), (size_t)n) != 0) {
			errno = EBADMSG;
			die("other bytes came back");
		}
		c->got += (uint64_t)n;
	}
	if (would_block(n))
		return false;
	if (n < 0)
		die("receive");
	if (c->got != bytes) {
		printf("failed: connection %u ended after %llu bytes\n", i,
		       (unsigned long long)c->got);
		exit(1);
	}
	return true;
}

static void test_all(unsigned int nr, uint64_t bytes)
{
	unsigned int open = nr;

	while (open > 0) {
		for (unsigned int i = 0; i < nr; i++)
			wait_for[i] = (struct pollfd){
				.fd = conn[i].fd,
				.events = (short)(conn[i].end ? POLLIN : POLLIN | POLLOUT)};
		if (poll(wait_for, nr, WAIT_MS) <= 0)
			die("nothing moves");
		for (unsigned int i = 0; i < nr; i++) {
			if (conn[i].fd < 0 || !wait_for[i].revents)
				continue;
			if (!conn[i].end)
				test_send(&conn[i], i, bytes);
			if (test_receive(&conn[i], i, bytes)) {
				close(conn[i].fd);
				conn[i].fd = -1;
				open--;
			}
		}
	}
}

static int test(const char *where, unsigned int nr, uint64_t bytes)
{
	const double begin = now();
	double took;

	for (unsigned int i = 0; i < nr; i++)
		conn[i] = (struct conn){.fd = open_at(where, false)};
	test_all(nr, bytes);
	took = now() - begin;
	printf("ok: %u connections, %llu bytes each way, %.1f MB/s\n", nr,
	       (unsigned long long)bytes, (double)bytes * nr / 1e6 / took);
	return 0;
}

static int pour(const char *where, unsigned int nr, uint64_t bytes)
{
	const double begin = now();

	for (unsigned int i = 0; i < nr; i++) {
		conn[0] = (struct conn){.fd = open_at(where, false)};
		test_all(1, bytes);
	}
	printf("ok: %.1f MB/s\n", (double)bytes * nr / 1e6 / (now() - begin));
	return 0;
}

/* ---- many ---- */

static void ping(int fd)
{
	char c = 'x';

	if (send(fd, &c, 1, MSG_NOSIGNAL) != 1 || recv(fd, &c, 1, 0) != 1 || c != 'x')
		die("a byte there and back");
}

static int storm(const char *where, unsigned int nr)
{
	const double begin = now();

	for (unsigned int i = 0; i < nr; i++) {
		int fd = open_at(where, false);

		ping(fd);
		close(fd);
	}
	printf("ok: %.0f connections/s\n", nr / (now() - begin));
	return 0;
}

static int hold(const char *where, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		conn[i].fd = open_at(where, false);
	for (unsigned int i = 0; i < nr; i++)
		ping(conn[i].fd);
	printf("ok: %u at once\n", nr);
	return 0;
}

static int flood(const char *where)
{
	struct pollfd p = {.fd = open_at(where, false), .events = POLLOUT};
	uint64_t sent = 0;

	while (poll(&p, 1, 2000) == 1) {
		ssize_t n = send(p.fd, pattern, BLOCK, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && !would_block(n))
			die("flood");
		sent += n > 0 ? (uint64_t)n : 0;
	}
	printf("full after %llu bytes\n", (unsigned long long)sent);
	fflush(stdout);
	pause();
	return 0;
}

static int messages(const char *where, unsigned int nr)
{
	int fd = open_at(where, false);

	for (unsigned int i = 0; i < nr; i++) {
		const size_t len = 1 + i * 7919UL % MESSAGE_MAX;
		ssize_t n;

		if (send(fd, expected(i, 0), len, MSG_NOSIGNAL) != (ssize_t)len)
			die("send a message");
		n = recv(fd, buf, sizeof(buf), 0);
		if (n != (ssize_t)len || memcmp(buf, expected(i, 0), len) != 0) {
			printf("failed: message %u of %zu bytes came back as %zd\n", i, len, n);
			return 1;
		}
	}
	/* Several on the way at a time keep their borders too. */
	for (unsigned int i = 0; i < 10; i++)
		if (send(fd, expected(i, 0), 100 + i, MSG_NOSIGNAL) != 100 + (ssize_t)i)
			die("send a message");
	for (unsigned int i = 0; i < 10; i++)
		if (recv(fd, buf, sizeof(buf), 0) != 100 + (ssize_t)i)
			die("a border moved");
	printf("ok: %u messages\n", nr);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "", *where = argc > 2 ? argv[2] : "";
	const unsigned int nr = argc > 3 ? (unsigned int)atoi(argv[3]) : 1;
	const uint64_t bytes = argc > 4 ? strtoull(argv[4], NULL, 0) : 0;
	const struct rlimit files = {CONNS_MAX + 100, CONNS_MAX + 100};

	signal(SIGPIPE, SIG_IGN);
	(void)!setrlimit(RLIMIT_NOFILE, &files);
	for (unsigned int i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i % 251);
	if (strncmp(where, "messages:", 9) == 0) {
		type = SOCK_SEQPACKET;
		where += 9;
	}
	if (nr > CONNS_MAX)
		return 2;
	if (strcmp(what, "echo") == 0)
		echo(where);
	if (strcmp(what, "test") == 0)
		return test(where, nr, bytes);
	if (strcmp(what, "pour") == 0)
		return pour(where, nr, bytes);
	if (strcmp(what, "storm") == 0)
		return storm(where, nr);
	if (strcmp(what, "hold") == 0)
		return hold(where, nr);
	if (strcmp(what, "flood") == 0)
		return flood(where);
	return strcmp(what, "messages") == 0 ? messages(where, nr) : 2;
}
