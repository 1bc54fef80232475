/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/copier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#define COPIER_BYTES 65536
/* A turn, after which others have one */
#define COPIER_ROUNDS 4
/* The most that a pipe may hold (fs.pipe-max-size): what the program wrote before it ended is among that. */
#define COPIER_FINISH (1U << 20)

void copier_end(struct copier *c)
{
	if (!c->running)
		return;
	c->running = false;
	/* Where they are sockets, their other direction goes on. */
	(void)!shutdown(c->from.fd, SHUT_RD);
	(void)!shutdown(c->to.fd, SHUT_WR);
	watch_end(&c->from);
	watch_end(&c->to);
	free(TAKE_PTR(c->buf));
}

static void copier_fill(struct copier *c)
{
	size_t room = c->finishing && c->left < COPIER_BYTES ? c->left : COPIER_BYTES;
	ssize_t n = room ? read(c->from.fd, c->buf, room) : 0;

	c->at = c->len = 0;
	if (n > 0) {
		c->len = (size_t)n;
		c->left -= c->finishing ? (size_t)n : 0;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR) || c->finishing) {
		c->ended = true; /* EIO: no one has the terminal any more */
	}
}

static void copier_drain(struct copier *c)
{
	while (c->at < c->len && !c->broken) {
		ssize_t n = write(c->to.fd, c->buf + c->at, c->len - c->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			c->broken = true;
		else
			c->at += (size_t)n;
	}
	if (c->broken && !c->discard)
		c->ended = true;
	if (c->broken)
		c->at = c->len;
}

/* One turn; true: it is at its end */
static bool copier_turn(struct copier *c)
{
	for (unsigned int i = 0; i < COPIER_ROUNDS || c->finishing; i++) {
		copier_drain(c);
		if (c->at < c->len)
			break;
		if (c->ended)
			return true;
		copier_fill(c);
		if (c->len == 0 && !c->ended)
			break;
	}
	if (c->at < c->len)
		return watch_set(&c->from, 0) < 0 || watch_set(&c->to, EPOLLOUT) < 0;
	return watch_set(&c->to, 0) < 0 || watch_set(&c->from, EPOLLIN) < 0;
}

static void copier_ready(void *arg, uint32_t events)
{
	struct copier *c = arg;

	(void)events;
	if (!copier_turn(c))
		return;
	copier_end(c);
	c->over(c->arg);
}

int copier_start(struct copier *c, struct poller *p, int from, int to, void (*over)(void *arg),
		 void *arg)
{
	int rc;

	*c = (struct copier){.running = true, .discard = c->discard, .over = over, .arg = arg};
	watch_init(&c->from, p, from, copier_ready, c);
	watch_init(&c->to, p, to, copier_ready, c);
	c->buf = malloc(COPIER_BYTES);
	rc = c->buf ? 0 : -ENOMEM;
	if (rc == 0 && (fcntl(from, F_SETFL, O_NONBLOCK) < 0 || fcntl(to, F_SETFL, O_NONBLOCK) < 0))
		rc = -errno;
	if (rc == 0)
		rc = watch_set(&c->from, EPOLLIN);
	if (rc < 0)
		copier_end(c);
	return rc;
}

void copier_finish(struct copier *c)
{
	if (!c->running)
		return;
	c->finishing = true;
	c->left = COPIER_FINISH;
	copier_ready(c, 0);
}
