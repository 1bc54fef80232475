/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest in the place of Linux and vmrun-init: speaks devices/core/agent_msg.h, and plays the programs that it is to run.
 * What their first argument says:
 *
 *   cat            standard input to standard output, to its end
 *   out N, err N   N bytes to standard output, or error
 *   exit N         ends with that status; out, err and cat end with 0
 *   args           says its arguments, a line each
 *   sleep          ends at a signal, with 128 + its number, having said it
 *   size           says each new size that its terminal gets, and ends at the third
 *   fail STEP NR   cannot be begun
 *   break TYPE     a record of that type, which may be none
 *   gone           closes the control connection
 *   hold STEP NR   cannot be begun, or with STEP 0 ends at once; keeps its streams open all the same
 */
#include "devices/core/agent_msg.h"
#include "devices/core/agent_spec.h"
#include "lib/guest.h"
#include "lib/ring3.h"
#include "lib/vsock_drv.h"

#define CONTROL_PORT 999 /* ours, of the control connection */
#define CONNS	     260
#define SESSIONS     64
#define IN_BYTES     8192U
#define SPEC_BYTES   65536U
#define ARGS	     4

/* One connection; @in holds what has come and was not used */
struct conn {
	bool used, ended, closed;
	uint32_t guest_port, host_port;
	uint32_t sent, peer_alloc, peer_fwd; /* credit of ours */
	uint32_t used_bytes, held;	     /* of the peer's */
	uint8_t in[IN_BYTES];
};

struct session {
	bool used, runs, dead;
	uint32_t id;
	uint32_t port[AGENT_STREAMS];
	uint32_t left, status, signal, rows, cols, size, sizes;
	uint32_t spec_len, nr_args;
	const char *arg[ARGS];
	uint8_t spec[SPEC_BYTES];
};

static struct conn conns[CONNS];
static struct session sessions[SESSIONS];
static bool up, over;

/* ---- connections ---- */

static struct conn *conn_of(uint32_t guest_port, uint32_t host_port)
{
	for (unsigned int i = 0; i < CONNS; i++)
		if (conns[i].used && conns[i].guest_port == guest_port &&
		    conns[i].host_port == host_port)
			return &conns[i];
	return NULL;
}

static struct conn *conn_new(uint32_t guest_port, uint32_t host_port)
{
	for (unsigned int i = 0; i < CONNS; i++) {
		if (conns[i].used)
			continue;
		memset(&conns[i], 0, sizeof(conns[i]));
		conns[i].used = true;
		conns[i].guest_port = guest_port;
		conns[i].host_port = host_port;
		return &conns[i];
	}
	return NULL;
}

static void conn_say(struct conn *c, uint16_t op, uint32_t len)
{
	vsock_say(op, c->guest_port, c->host_port, len, IN_BYTES, c->used_bytes);
}

static uint32_t conn_room(const struct conn *c)
{
	const uint32_t credit = c->peer_alloc - (c->sent - c->peer_fwd);

	return credit < VSOCK_DATA ? credit : VSOCK_DATA;
}

static void conn_write(struct conn *c, const void *data, uint32_t len)
{
	memcpy(vsock_out.data, data, len);
	c->sent += len;
	conn_say(c, VSOCK_RW, len);
}

/* The first @len held bytes are used up */
static void conn_take(struct conn *c, uint32_t len)
{
	memmove(c->in, c->in + len, c->held - len);
	c->held -= len;
	c->used_bytes += len;
	conn_say(c, VSOCK_CREDIT_UPDATE, 0);
}

static void conn_close(struct conn *c)
{
	if (c && !c->closed)
		conn_say(c, VSOCK_SHUTDOWN, 0);
	if (c)
		c->closed = true;
}

static void conn_receive(struct conn *c, const struct vsock_packet *p)
{
	c->peer_alloc = p->buf_alloc;
	c->peer_fwd = p->fwd_cnt;
	if (p->op == VSOCK_RW && c->held + p->len <= IN_BYTES) {
		memcpy(c->in + c->held, p->data, p->len);
		c->held += p->len;
	} else if (p->op == VSOCK_SHUTDOWN) {
		c->ended = c->ended || p->flags & VSOCK_NO_MORE_WRITES;
	} else if (p->op == VSOCK_RST) {
		c->used = false;
	} else if (p->op == VSOCK_CREDIT_REQUEST) {
		conn_say(c, VSOCK_CREDIT_UPDATE, 0);
	}
}

static void packet(const struct vsock_packet *p)
{
	struct conn *c = conn_of(p->dst_port, p->src_port);

	if (c) {
		conn_receive(c, p);
		return;
	}
	if (p->op != VSOCK_REQUEST || p->dst_port != AGENT_PORT)
		return;
	c = conn_new(p->dst_port, p->src_port);
	if (!c)
		return;
	conn_receive(c, p);
	conn_say(c, VSOCK_RESPONSE, 0);
}

/* ---- records ---- */

static void tell(uint32_t type, uint32_t session, uint32_t code, uint32_t arg)
{
	const struct agent_msg m = {.type = type, .session = session, .code = code, .arg = {arg}};

	conn_write(conn_of(CONTROL_PORT, AGENT_PORT), &m, sizeof(m));
}

static struct session *session_of(uint32_t id)
{
	for (unsigned int i = 0; i < SESSIONS; i++)
		if (sessions[i].used && sessions[i].id == id)
			return &sessions[i];
	return NULL;
}

static void begin(const struct agent_msg *m)
{
	struct session *s = sessions;

	while (s < sessions + SESSIONS && s->used)
		s++;
	if (s == sessions + SESSIONS) {
		tell(AGENT_FAILED, m->session, 11, AGENT_STEP_PROCESS);
		return;
	}
	memset(s, 0, sizeof(*s));
	s->used = true;
	s->id = m->session;
	memcpy(s->port, m->port, sizeof(s->port));
}

static void record(const struct agent_msg *m)
{
	struct session *s = session_of(m->session);

	if (m->type == AGENT_RUN) {
		begin(m);
	} else if (s && m->type == AGENT_SIGNAL) {
		s->signal = m->code;
	} else if (s && m->type == AGENT_SIZE && s->size != (m->arg[0] << 16 | m->arg[1])) {
		s->size = m->arg[0] << 16 | m->arg[1];
		s->rows = m->arg[0];
		s->cols = m->arg[1];
		s->sizes++;
	}
}

static void serve_control(void)
{
	struct conn *c = conn_of(CONTROL_PORT, AGENT_PORT);
	struct agent_msg m;

	if (!c)
		return;
	if (!up && c->peer_alloc) {
		up = true;
		tell(AGENT_HELLO, 0, AGENT_VERSION, 0);
	}
	while (c->held >= sizeof(m)) {
		memcpy(&m, c->in, sizeof(m));
		conn_take(c, sizeof(m));
		record(&m);
	}
}

/* ---- sessions ---- */

static struct conn *stream(const struct session *s, enum agent_stream i)
{
	return s->port[i] ? conn_of(AGENT_PORT, s->port[i]) : NULL;
}

/* A terminal is one stream, in the place of standard input. */
static struct conn *output(const struct session *s)
{
	return stream(s, s->port[AGENT_STDOUT] ? AGENT_STDOUT : AGENT_STDIN);
}

static uint32_t number(const struct session *s, unsigned int i)
{
	uint32_t n = 0;

	for (const char *p = i < s->nr_args ? s->arg[i] : ""; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (uint32_t)(*p - '0');
	return n;
}

static bool is(const struct session *s, const char *name)
{
	return s->nr_args > 0 && strcmp(s->arg[0], name) == 0;
}

static void put(const struct session *s, const char *text)
{
	if (output(s))
		conn_write(output(s), text, (uint32_t)strlen(text));
}

static void put_number(const struct session *s, uint32_t n, const char *after)
{
	char text[16];
	unsigned int at = sizeof(text) - 1;

	text[at] = 0;
	do
		text[--at] = (char)('0' + n % 10);
	while (n /= 10);
	put(s, text + at);
	put(s, after);
}

static void close_streams(struct session *s)
{
	for (unsigned int i = AGENT_STDIN; i < AGENT_STREAMS; i++)
		conn_close(stream(s, i));
}

static void end(struct session *s, uint32_t status)
{
	if (!is(s, "hold"))
		close_streams(s);
	tell(AGENT_EXITED, s->id, status, 0);
	s->used = false;
	over = over || s->id == 0;
}

static void read_args(struct session *s)
{
	struct agent_item item;

	for (uint32_t at = 0; at + sizeof(item) <= s->spec_len; at += item.bytes) {
		memcpy(&item, s->spec + at, sizeof(item));
		at += sizeof(item);
		if (item.type == AGENT_ARG && s->nr_args < ARGS)
			s->arg[s->nr_args++] = (const char *)s->spec + at;
	}
}

/* Its description has come: the program begins, or what is asked for in its place happens */
static void launch(struct session *s)
{
	read_args(s);
	conn_close(stream(s, AGENT_SPEC));
	if (is(s, "fail") || (is(s, "hold") && number(s, 1))) {
		if (is(s, "fail"))
			close_streams(s);
		tell(AGENT_FAILED, s->id, number(s, 2), number(s, 1));
		s->used = false;
		return;
	}
	s->runs = true;
	tell(AGENT_STARTED, s->id, 0, 0);
	if (is(s, "break"))
		tell(number(s, 1), s->id, 0, 0);
	if (is(s, "gone"))
		conn_close(conn_of(CONTROL_PORT, AGENT_PORT));
	s->left = is(s, "out") || is(s, "err") ? number(s, 1) : 0;
	for (unsigned int i = 0; is(s, "args") && i < s->nr_args; i++) {
		put(s, s->arg[i]);
		put(s, "\n");
	}
}

static void await_spec(struct session *s)
{
	struct conn *c = stream(s, AGENT_SPEC);

	for (unsigned int i = 0; i < AGENT_STREAMS; i++)
		if (s->port[i] && !stream(s, i))
			return;
	if (c->held > 0 && s->spec_len + c->held <= SPEC_BYTES) {
		memcpy(s->spec + s->spec_len, c->in, c->held);
		s->spec_len += c->held;
		conn_take(c, c->held);
	}
	if (c->ended && c->held == 0)
		launch(s);
}

/* As much as the reader's credit allows; true when there is no more */
static bool pour(struct session *s, struct conn *to)
{
	static uint8_t bytes[VSOCK_DATA];
	uint32_t n;

	while (to && s->left > 0 && (n = conn_room(to)) > 0) {
		n = n < s->left ? n : s->left;
		memset(bytes, 'x', n);
		conn_write(to, bytes, n);
		s->left -= n;
	}
	return !to || s->left == 0;
}

/* Likewise */
static bool copy(struct session *s)
{
	struct conn *in = stream(s, AGENT_STDIN), *out = output(s);
	const uint32_t room = out ? conn_room(out) : 0;
	uint32_t n;

	if (!in || !out)
		return true;
	n = in->held < room ? in->held : room;
	if (n > 0) {
		conn_write(out, in->in, n);
		conn_take(in, n);
	}
	return in->ended && in->held == 0;
}

static void step(struct session *s)
{
	if (!s->runs) {
		await_spec(s);
	} else if (s->signal) {
		put(s, "signal ");
		put_number(s, s->signal, "\n");
		end(s, 128 + s->signal);
	} else if (is(s, "size")) {
		if (s->rows) {
			put_number(s, s->rows, " ");
			put_number(s, s->cols, "\r\n");
			s->rows = 0;
		}
		if (s->sizes == 3)
			end(s, 0);
	} else if (is(s, "exit")) {
		end(s, number(s, 1));
	} else if (is(s, "args") || is(s, "hold") || (is(s, "cat") && copy(s)) ||
		   (is(s, "out") && pour(s, output(s))) ||
		   (is(s, "err") && pour(s, stream(s, AGENT_STDERR)))) {
		end(s, 0);
	}
}

static void serve(void)
{
	const struct vsock_packet *p;
	int32_t at;

	conn_say(conn_new(CONTROL_PORT, AGENT_PORT), VSOCK_REQUEST, 0);
	while (!over) {
		for (unsigned int i = 0; i < VIRTIO_RING_SIZE && (p = vsock_poll(&at)); i++) {
			packet(p);
			vsock_give_back(at);
		}
		serve_control();
		for (unsigned int i = 0; i < SESSIONS; i++)
			if (sessions[i].used)
				step(&sessions[i]);
	}
	for (;;)
		;
}

void guest_main(void)
{
	uint64_t features;

	if (!vsock_open(&features))
		guest_poweroff();
	for (uint64_t at = 0; at < 64 << 20; at += 2 << 20)
		ring3_may(at);
	vsock_ring3();
	ring3_run(serve);
}
