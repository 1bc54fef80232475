/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A hostile back-end, seen from the front-end
 *
 * The first byte says which device it is (low nibble: a row of kind_table), and what the front-end knows of
 * it: 0x10 it may return, 0x20 it is of others, 0x40 its configuration space is given. Then steps, an opcode
 * byte each (modulo their number), arguments behind it, numbers little endian:
 *
 *   0 answer  request u8, flags u8, fds u8 (low nibble: how many; high nibble: which kind of fd), bytes
 *             u16, that many bytes of payload (what the input lacks is zero)
 *   1 raw     bytes u8, the bytes: sent as they are
 *   2 say     as 0, on the back-end's own channel
 *   3 start   queues u8: a bit for each that the driver enables; 0x80 it accepts no feature of the device
 *   4 stop
 *   5 config  offset u8, length u8: the driver reads it
 *   6 write   the same, and writes it
 *   7 hear    the front-end looks at the channel
 *   8 again   the rings that were taken back are given again
 *   9 leave   the back-end closes its connection
 *  10 next    another process of it: 0, 1 and 9 are about its connection, until 12 joins it
 *  11 used    index u16: the rings' used index
 *  12 join    the front-end is given the connection of 10
 *  13 renew   the front-end reads the configuration space again
 *
 * The front-end asks, and finds the answers that the input has sent so far; where none is left it waits a
 * millisecond. It begins with the first step that is no answer.
 *
 * What it says obeys the rules of the protocol, whatever it hears. After a failure it is dead, and says why.
 * At the end it has closed every fd. tests/fuzz/seeds_vu_frontend writes the corpus.
 * Covers: vmm/virtio/vu_frontend.c vmm/virtio/vu_terms.c vmm/virtio/vu_rings.c vmm/virtio/vu_channel.c
 * Covers: vmm/virtio/vu_conn.c vmm/virtio/vu_region.c vmm/virtio/vu_rejoin.c vmm/virtio/vu_others.c
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "devices/core/kind.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_open.h"
#include "vmm/virtio/vu_rejoin.h"

#define RAM_BYTES   0x20000U
#define PAYLOAD_MAX 300 /* more than any message may have */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gmem mem;
static int mem_fd, area_fd, kind_of_fd[4];
static uint8_t *area;

/**
 * struct peer - One process of the back-end
 * @sock:	Its end; -1: closed, or none
 * @state, @seen: What vu_rule_check() needs
 */
struct peer {
	int sock;
	uint32_t state;
	uint64_t seen;
};

struct fuzz {
	struct fuzz_input in;
	struct peer peer, next;
	int next_sock; /* the front-end's end of next.sock */
	int channel;   /* the back-end's end */
	bool begun, started, stopping, deaf;
	struct vu_frontend f;
	uint8_t config[BACKEND_CONFIG_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void prepare(void)
{
	mem_fd = memfd_create("ram", MFD_CLOEXEC);
	area_fd = memfd_create("inflight", MFD_CLOEXEC);
	vr_assert(ftruncate(mem_fd, RAM_BYTES) == 0 &&
		  ftruncate(area_fd, BOOT_INFLIGHT_BYTES) == 0);
	vr_assert(gmem_map(&mem, mem_fd, 0, 0, RAM_BYTES / 2, 0, &(struct err){0}) == 0);
	vr_assert(gmem_map(&mem, mem_fd, RAM_BYTES / 2, 1ULL << 32, RAM_BYTES / 2, 0,
			   &(struct err){0}) == 0);
	area = mmap(NULL, BOOT_INFLIGHT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, area_fd, 0);
	vr_assert(area != MAP_FAILED);
	kind_of_fd[0] = mem_fd;
	kind_of_fd[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	kind_of_fd[2] = open("/dev/null", O_RDWR | O_CLOEXEC);
	kind_of_fd[3] = area_fd;
}

/* The front-end's end; the other one is the peer's */
static int connect_peer(struct peer *p)
{
	int pair[2];

	vr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	*p = (struct peer){.sock = pair[1]};
	return pair[0];
}

static void close_fd(int *fd)
{
	cleanup_close_fd(fd);
	*fd = -1;
}

/* ---- what the front-end says ---- */

static void hear_one(struct fuzz *f, struct peer *p, struct vu_msg *m)
{
	struct err err;

	vr_assert(vu_rule_check(m, p->state, p->seen, &err) == 0);
	p->seen |= 1ULL << m->hdr.request;
	switch (m->hdr.request) {
	case VU_SET_OWNER: p->state |= VU_STATE_OWNED; break;
	case VU_SET_PROTOCOL_FEATURES: p->state |= VU_STATE_PROTOCOL; break;
	case VU_SET_FEATURES: p->state |= VU_STATE_FEATURES; break;
	case VU_SET_MEM_TABLE: p->state |= VU_STATE_MEMORY; break;
	case VU_SET_BACKEND_REQ_FD:
		close_fd(&f->channel);
		f->channel = TAKE_FD(m->fd[0]);
		vr_assert(fcntl(f->channel, F_SETFL, O_NONBLOCK) == 0);
		break;
	default: break;
	}
	vu_msg_close(m);
}

static void hear(struct fuzz *f, struct peer *p)
{
	struct err err;
	struct vu_msg m;
	uint8_t byte;

	while (p->sock >= 0 && recv(p->sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1) {
		vr_assert(vu_recv(p->sock, &m, &err) == 1);
		hear_one(f, p, &m);
	}
}

/* ---- what the back-end says ---- */

static void send_bytes(int sock, const void *bytes, size_t len, unsigned int nr, int fd)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec iov = {(void *)(uintptr_t)bytes, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c = &control.align;

	if (nr > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nr * sizeof(int));
		*c = (struct cmsghdr){CMSG_LEN(nr * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	}
	for (unsigned int i = 0; i < nr; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	if (sock >= 0)
		(void)!sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void say(struct fuzz *f, int sock)
{
	struct {
		struct vu_hdr hdr;
		uint8_t payload[PAYLOAD_MAX];
	} m;
	unsigned int how;

	m.hdr.request = fuzz_get8(&f->in);
	m.hdr.flags = fuzz_get8(&f->in);
	how = fuzz_get8(&f->in);
	m.hdr.bytes = fuzz_get16(&f->in) % (PAYLOAD_MAX + 1);
	fuzz_get(&f->in, m.payload, m.hdr.bytes);
	send_bytes(sock, &m, sizeof(m.hdr) + m.hdr.bytes, how & 15,
		   kind_of_fd[(how >> 4) % ARRAY_SIZE(kind_of_fd)]);
}

static void say_raw(struct fuzz *f, int sock)
{
	uint8_t bytes[UINT8_MAX];
	unsigned int nr = fuzz_get8(&f->in);

	fuzz_get(&f->in, bytes, nr);
	send_bytes(sock, bytes, nr, 0, -1);
}

/* ---- what the front-end does ---- */

static void check_dead(struct fuzz *f, int rc, const struct err *err)
{
	struct backend_queue q[BACKEND_QUEUES_MAX] = {{0}};
	struct err again;

	vr_assert(rc < 0 && err->msg[0] && f->f.dead);
	vr_assert(f->f.be.ops->stop(&f->f.be, 0, &again) < 0);
	vr_assert(f->f.be.ops->start(&f->f.be, 0, q, &again) < 0);
	f->in.left = 0;
}

/* What the transport relies on */
static void check_terms(const struct fuzz *f)
{
	const struct backend *be = &f->f.be;

	vr_assert(be->features & 1ULL << VIRTIO_F_VERSION_1);
	vr_assert((be->features & ~f->f.terms.offered) == 0);
	vr_assert(be->nr_queues > 0 && be->nr_queues <= BACKEND_QUEUES_MAX);
	vr_assert(be->queue_max >= 8 && be->queue_max <= 256 &&
		  (be->queue_max & (be->queue_max - 1)) == 0);
	vr_assert(be->config_bytes <= BACKEND_CONFIG_MAX);
	for (unsigned int i = 0; i < be->nr_queues; i++)
		vr_assert(be->kick_fd[i] >= 0 && be->call_fd[i] >= 0 && be->err_fd[i] >= 0);
}

static void begin(struct fuzz *f, unsigned int first, int sock)
{
	const struct kind *kind = &kind_table[(first & 15) % KIND_SERIAL];
	struct vu_frontend_args args = {
		.name = kind->name,
		.sock = sock,
		.ask = {.virtio_id = kind->virtio_id, .mem = &mem, .mem_fd = mem_fd},
		.returns = first & 0x10,
		.late_ms = 1,
	};
	struct err err = {0};
	int rc;

	args.ask.others = first & 0x20;
	if (first & 0x40) {
		args.ask.config = f->config;
		args.ask.config_bytes = kind->config_bytes;
	}
	if (args.returns)
		args.region = (struct vu_region){.fd = area_fd,
						 .base = area,
						 .ask = args.ask.others,
						 .area = {.bytes = BOOT_INFLIGHT_BYTES}};
	rc = vu_frontend_init(&f->f, &args, &err);
	f->begun = true;
	if (rc == 0) {
		check_terms(f);
		return;
	}
	vr_assert(err.msg[0] && f->f.conn.sock < 0);
	f->in.left = 0;
}

static void start(struct fuzz *f)
{
	unsigned int bits = fuzz_get8(&f->in);
	struct backend_queue q[BACKEND_QUEUES_MAX];
	struct err err = {0};
	int rc;

	if (f->started || f->stopping)
		return;
	for (unsigned int i = 0; i < BACKEND_QUEUES_MAX; i++)
		q[i] = (struct backend_queue){bits >> i % 7 & 1, f->f.be.queue_max, 0x1000, 0x3000,
					      0x5000};
	rc = f->f.be.ops->start(
		&f->f.be, bits & 0x80 ? 1ULL << VIRTIO_F_VERSION_1 : f->f.be.features, q, &err);
	f->started = true;
	if (rc < 0)
		check_dead(f, rc, &err);
}

static void resume(struct fuzz *f)
{
	struct err err = {0};
	int rc;

	if (!f->f.queue[0].size || f->started || f->stopping)
		return;
	rc = f->f.be.ops->resume(&f->f.be, &err);
	f->started = true;
	if (rc < 0)
		check_dead(f, rc, &err);
}

static void stop(struct fuzz *f)
{
	struct err err = {0};
	int rc;

	if (!f->started)
		return;
	rc = f->f.be.ops->stop(&f->f.be, 0, &err);
	f->stopping = rc == 1;
	f->started = rc == 1;
	if (rc < 0)
		check_dead(f, rc, &err);
}

static void config(struct fuzz *f, bool write)
{
	struct backend *be = &f->f.be;
	unsigned int off = fuzz_get8(&f->in) % (be->config_bytes + 1U);
	unsigned int len = fuzz_get8(&f->in) % (be->config_bytes - off + 1U);
	uint8_t buf[BACKEND_CONFIG_MAX] = {0};
	struct err err = {0};
	int rc;

	/* A driver's access has bytes, and write and answer wait for the rings to be given back. */
	if (len == 0 || (f->stopping && (write || be->config_stale)))
		return;
	rc = be->ops->config(be, write, off, buf, len, &err);
	if (rc == 0)
		vr_assert(write || memcmp(buf, f->f.terms.config + off, len) == 0);
	else if (rc != -EAGAIN)
		check_dead(f, rc, &err);
	else
		vr_assert(write && f->f.away);
}

static void reread(struct fuzz *f)
{
	struct err err = {0};
	int rc = f->stopping ? 0 : vu_frontend_reread(&f->f, &err);

	if (rc < 0)
		check_dead(f, rc, &err);
}

/* A violation is the transport's end of the device, too. */
static void hear_channel(struct fuzz *f)
{
	bool changed = false;
	struct err err = {0};
	int rc;

	if (f->f.be.change_fd < 0 || f->deaf)
		return;
	rc = f->f.be.ops->hear(&f->f.be, &changed, &err);
	vr_assert(rc == 1 || rc == 0 || (rc < 0 && err.msg[0]));
	f->deaf = rc <= 0;
	f->f.be.config_stale |= changed;
}

static void leave(struct fuzz *f)
{
	struct peer *p = f->next.sock >= 0 ? &f->next : &f->peer;

	if (p->sock < 0)
		return;
	hear(f, p);
	close_fd(&p->sock);
	if (p == &f->peer && !f->f.away && f->f.be.ops->hung_up(&f->f.be))
		vr_assert(f->f.away && f->f.be.peer_fd < 0);
}

static void next(struct fuzz *f)
{
	if (f->f.returns && f->next_sock < 0)
		f->next_sock = connect_peer(&f->next);
}

static void join(struct fuzz *f)
{
	struct err err = {0};
	enum vu_rejoined rejoined;

	if (f->next_sock < 0)
		return;
	rejoined = vu_rejoin(&f->f, TAKE_FD(f->next_sock), &lock, &err);
	vr_assert(!f->f.joining && (rejoined == VU_REJOINED_LOST) == f->f.away);
	hear(f, &f->next);
	close_fd(&f->peer.sock);
	f->peer = f->next;
	f->next.sock = -1;
	f->stopping = f->stopping && f->started;
	if (rejoined == VU_REJOINED_REFUSED)
		check_dead(f, -1, &err);
	else
		check_terms(f);
}

static void act(struct fuzz *f, unsigned int op)
{
	uint16_t idx;

	switch (op) {
	case 2: say(f, f->channel); break;
	case 3: start(f); break;
	case 4: stop(f); break;
	case 5: config(f, false); break;
	case 6: config(f, true); break;
	case 7: hear_channel(f); break;
	case 8: resume(f); break;
	case 9: leave(f); break;
	case 10: next(f); break;
	case 11:
		idx = fuzz_get16(&f->in);
		vr_assert(gmem_write(&mem, 0x5000 + 2, &idx, sizeof(idx)));
		break;
	case 12: join(f); break;
	case 13: reread(f); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	unsigned int first, before;
	int sock;

	if (!area)
		prepare();
	before = fuzz_open_fds();
	f = (struct fuzz){.in = {data, size}, .next = {.sock = -1}, .next_sock = -1, .channel = -1};
	sock = connect_peer(&f.peer);
	first = fuzz_get8(&f.in);
	while (f.in.left > 0) {
		unsigned int op = fuzz_get8(&f.in) % 14;
		int to = f.next.sock >= 0 ? f.next.sock : f.peer.sock;

		if (op == 0)
			say(&f, to);
		else if (op == 1)
			say_raw(&f, to);
		else if (!f.begun)
			begin(&f, first, sock);
		if (op > 1 && f.in.left > 0)
			act(&f, op);
		hear(&f, &f.peer);
	}
	if (!f.begun)
		begin(&f, first, sock);
	hear(&f, &f.peer);
	vu_frontend_done(&f.f);
	close_fd(&f.peer.sock);
	close_fd(&f.next.sock);
	close_fd(&f.next_sock);
	close_fd(&f.channel);
	vr_assert(fuzz_open_fds() == before);
	return 0;
}
