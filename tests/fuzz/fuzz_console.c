/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A hostile driver of the console, with users and a supervisor that do anything too
 *
 * The device runs in this process, with three ports, a pipe pair at hvc0 and memory that it keeps. The first byte says
 * what the driver accepted: 1 multiport, 2 event index, 4 indirect. Then steps, an opcode byte each, arguments behind
 * it (numbers little endian; rings as in virtio 1.3 section 5.3.2, two a port and two of control messages):
 *
 *   0 print    port u8, length u16: output, of bytes that count
 *   1 control  id u16, event u16, value u16, length u8: a control message
 *   2 buffer   ring u8, length u16: to receive into
 *   3 desc     ring u8, index u8, address u16 in RAM / 4, length u16, flags u8, next u8; then offered
 *   4 attach   port u8, ticket u8
 *   5 type     user u8, length u8: what a user types, or at hvc0's pipe
 *   6 read     user u8: all that a user or hvc0's pipe has
 *   7 leave    user u8
 *   8 config   offset u8, length u8, u32: written
 *   9 size     u32
 *  10 reset
 *  11 stop     ring u8: is stopped and started anew where it was
 *  12 late     the timer goes off
 *  13 dies     another process goes on with what the device kept, of which byte u16 is changed by u8
 *
 * What hvc0's pipe gets is what the guest printed, each byte once and in order, but for what may be lost: a reader
 * that is late says so. Between two steps the device holds one chain at most of each ring. What a driver receives
 * fits into its buffer, and a control message is of a port that exists.
 * Covers: devices/console
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "devices/console/console_state.h"
#include "devices/core/ctl.h"
#include "tests/fuzz/fuzz_ring.h"

#define RAM   0x10000ULL
#define BYTES 0x80000ULL
#define RING  0x1000ULL
#define OUT   0x20000ULL
#define IN    0x60000ULL
#define SIZE  32
#define PORTS 3
#define RINGS (2 * PORTS + 2)
#define USERS 10 /* the last is hvc0's pipe pair */
#define PIPE  (USERS - 1)

extern const struct device_ops console_device;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct vqd_piece pieces[] = {{RAM, BYTES}};
static struct vqd_mem ram;
static struct device dev;
static struct loop loop;
static struct vqd drv[RINGS];
static int kept_fd, source[2], sink[2];

struct fuzz {
	struct fuzz_input in;
	unsigned int accepted;
	int user[USERS];
	bool exact; /* no ring was broken, no reader late, nothing was changed */
	uint64_t printed, seen;
	uint32_t next_out, next_in;
};

static uint8_t pattern(uint64_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* ---- the device's process ---- */

static void place(int fd, int number)
{
	if (fd == number)
		return;
	vr_assert(dup2(fd, number) == number);
	close(fd);
}

static void live(void)
{
	struct boot_dev rec = {.name = "console0", .type = "console", .nr_res = 3};
	const struct console_settings settings = {.cols = 80,
						  .rows = 25,
						  .nr_ports = PORTS,
						  .keeps = 1,
						  .name = {"", "org.example.agent", "log"}};
	struct err err;

	vr_assert(loop_init(&loop, &err) == 0);
	boot_set_settings(&rec, &settings, sizeof(settings));
	vr_assert(device_init(&dev, &console_device, &loop, &err) == 0);
	vr_assert(console_device.init(&dev, &rec, &err) == 0);
	vqd_mem_map(&ram, &dev.mem);
}

/* As a process's end does it, without telling the device */
static void die(void)
{
	struct console *c = dev.state;

	for (unsigned int i = 0; i < CONSOLE_READERS_MAX; i++)
		if (c->reader[i].role == CONSOLE_PEER && c->reader[i].line.fd >= 0)
			close(c->reader[i].line.fd);
	close(c->timer_fd);
	for (unsigned int q = 0; q < BOOT_QUEUES_MAX; q++)
		dev.kick_fd[q] = dev.call_fd[q] = dev.err_fd[q] = -1;
	loop_done(&loop);
	device_done(&dev);
}

static void prepare(void)
{
	signal(SIGPIPE, SIG_IGN); /* as log_init() does */
	/* First, as what is made later must not be where the resources go */
	for (int fd = BOOT_FD_RES; fd < BOOT_FD_RES + 3; fd++)
		place(open("/dev/null", O_RDWR), fd);
	kept_fd = memfd_create("kept", 0);
	vr_assert(kept_fd >= 0 && ftruncate(kept_fd, CONSOLE_KEPT_BYTES) == 0);
	vr_assert(dup2(kept_fd, BOOT_FD_RES + 2) >= 0);
	vqd_mem_init(&ram, pieces, ARRAY_SIZE(pieces));
}

static void start(struct fuzz *f)
{
	dev.acked = (f->accepted & 1 ? 1ULL << VIRTIO_CONSOLE_F_MULTIPORT : 0) |
		    (f->accepted & 2 ? VQD_F_EVENT_IDX : 0) |
		    (f->accepted & 4 ? VQD_F_INDIRECT : 0);
	for (unsigned int q = 0; q < RINGS; q++) {
		vqd_init(&drv[q], &ram, SIZE, RAM + RING * q, dev.acked);
		fuzz_ring_start(&dev, q, &drv[q], 0);
	}
	vr_assert(console_device.start(&dev, dev.acked) == 0);
}

static void let_run(void)
{
	for (unsigned int i = 0; i < 4; i++)
		vr_assert(loop_once(&loop, 0, &(struct err){0}) == 0);
	loop.stop = false;
}

/* ---- the driver ---- */

static unsigned int tx_of(unsigned int port)
{
	return 2 * port + (port > 0 ? 3 : 1);
}

/* Makes a buffer available and rings, if the ring has a free descriptor */
static void submit(unsigned int q, const struct vqd_buf *buf)
{
	unsigned int i = 0;

	while (i < SIZE && drv[q].taken[i])
		i++;
	if (i < SIZE)
		vqd_add(&drv[q], buf, 1);
	fuzz_ring_kick(&dev, q);
}

static void print(struct fuzz *f)
{
	unsigned int port = fuzz_get8(&f->in) % PORTS, bytes = fuzz_get16(&f->in) % 0x3000 + 1,
		     q = tx_of(port);
	const struct vqd_buf buf = {OUT + f->next_out % 12 * 0x4000, bytes, false};

	for (unsigned int i = 0; i < bytes; i++)
		*(uint8_t *)vqd_at(&ram, buf.gpa + i, 1) = pattern(f->printed + i);
	/* A chain that waits has its bytes there still; so many never wait that the ring is full. */
	f->exact = f->exact && !dev.vq[q].broken && f->next_out < 12;
	if (port == 0)
		f->printed += bytes;
	f->next_out++;
	submit(q, &buf);
}

static void send_control(struct fuzz *f)
{
	struct virtio_console_control m = {
		.id = fuzz_get16(&f->in), .event = fuzz_get16(&f->in), .value = fuzz_get16(&f->in)};
	const struct vqd_buf buf = {OUT + 0x3800, fuzz_get8(&f->in) % 64 + 1U, false};

	memcpy(vqd_at(&ram, buf.gpa, sizeof(m)), &m, sizeof(m));
	submit(3, &buf);
}

static void offer(struct fuzz *f)
{
	unsigned int q = fuzz_get8(&f->in) % RINGS;
	const struct vqd_buf buf = {IN + f->next_in++ % 32 * 0x1000,
				    fuzz_get16(&f->in) % 0x1000 + 1U, true};

	submit(q, &buf);
}

static void raw_desc(struct fuzz *f)
{
	unsigned int q = fuzz_get8(&f->in) % RINGS, i = fuzz_get8(&f->in) % SIZE;
	uint64_t gpa = RAM + fuzz_get16(&f->in) * 4ULL;
	uint32_t len = fuzz_get16(&f->in);
	uint16_t flags = (uint16_t)(fuzz_get8(&f->in) & 7);

	vqd_put_desc(&drv[q], (uint16_t)i, gpa, len, flags, (uint16_t)fuzz_get8(&f->in));
	vqd_offer(&drv[q], (uint16_t)i);
	f->exact = false;
	fuzz_ring_kick(&dev, q);
}

/* ---- users, the supervisor ---- */

static void attach(struct fuzz *f)
{
	static const char *const names[] = {"", "org.example.agent", "log", "none"};
	const char *const name = names[fuzz_get8(&f->in) % 4];
	struct ctl_msg m = {.type = CTL_CONSOLE_ATTACH, .arg = fuzz_get8(&f->in)};
	struct err err;
	unsigned int i = 0;
	int sv[2];

	while (i < PIPE && f->user[i] >= 0)
		i++;
	vr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == 0);
	strcpy(m.text, name);
	if (console_device.control(&dev, &m, &sv[1], &err) < 0 || i == PIPE) {
		close(sv[0]);
		cleanup_close_fd(&sv[1]);
		return;
	}
	vr_assert(sv[1] == -1);
	f->user[i] = sv[0];
}

static void type(struct fuzz *f)
{
	uint8_t text[256];
	unsigned int i = fuzz_get8(&f->in) % USERS, bytes = fuzz_get8(&f->in);
	int fd = i == PIPE ? source[1] : f->user[i];

	memset(text, 't', sizeof(text));
	if (fd >= 0 && write(fd, text, bytes) < 0)
		vr_assert(errno == EAGAIN || errno == EPIPE);
	let_run();
}

static void look(struct fuzz *f, unsigned int i)
{
	uint8_t buf[4096];
	int fd = i == PIPE ? sink[0] : f->user[i];
	ssize_t n;

	for (unsigned int turns = 0; fd >= 0 && turns < 64; turns++) {
		n = read(fd, buf, sizeof(buf));
		let_run();
		for (ssize_t k = 0; i == PIPE && f->exact && k < n; k++)
			vr_assert(buf[k] == pattern(f->seen++));
		if (n <= 0)
			return;
	}
}

static void leave(struct fuzz *f)
{
	int *fd = &f->user[fuzz_get8(&f->in) % PIPE];

	cleanup_close_fd(fd);
	*fd = -1;
	let_run();
}

static void write_config(struct fuzz *f)
{
	uint32_t off = fuzz_get8(&f->in) % 12, len = fuzz_get8(&f->in) % (13 - off),
		 v[4] = {fuzz_get16(&f->in), fuzz_get16(&f->in)};

	/* An emergency write is a byte of output, for which the guest waits for no reader. */
	if (len > 0 && console_device.config(&dev, true, off, v, len) == 0)
		f->exact = false;
}

static void resize(struct fuzz *f)
{
	struct ctl_msg m = {.type = CTL_CONSOLE_SIZE, .arg = fuzz_get16(&f->in)};
	struct err err;
	int fd = -1;

	m.arg |= (uint64_t)fuzz_get16(&f->in) << 16 | (uint64_t)(m.arg == 0xffff) << 40;
	(void)console_device.control(&dev, &m, &fd, &err);
}

static void go_off(struct fuzz *f)
{
	struct console *c = dev.state;
	struct itimerspec now = {.it_value.tv_nsec = 1};

	for (unsigned int i = 0; i < PORTS; i++)
		if (c->port[i].due_ns)
			c->port[i].due_ns = 1;
	vr_assert(timerfd_settime(c->timer_fd, 0, &now, NULL) == 0);
	while (loop_once(&loop, 1, &(struct err){0}) == 0 && c->armed_ns == 1)
		;
	f->exact = false;
	let_run();
}

/* Its rings begin anew: without a region for what is in flight, what it held is lost for the driver */
static void die_and_return(struct fuzz *f)
{
	unsigned int off = fuzz_get16(&f->in) * 8U, change = fuzz_get8(&f->in);
	uint8_t byte;

	die();
	if (change) {
		vr_assert(pread(kept_fd, &byte, 1, off % CONSOLE_KEPT_BYTES) == 1);
		byte = (uint8_t)(byte ^ change);
		vr_assert(pwrite(kept_fd, &byte, 1, off % CONSOLE_KEPT_BYTES) == 1);
	}
	f->exact = false;
	live();
	start(f);
	let_run();
}

/* ---- what is always true ---- */

static void check(const struct fuzz *f)
{
	const struct console *c = dev.state;

	for (unsigned int q = 0; q < RINGS; q++)
		vr_assert(fuzz_ring_held(&dev, q) <= 1);
	for (unsigned int i = 0; i < CONSOLE_READERS_MAX; i++) {
		const struct console_reader *r = &c->reader[i];

		vr_assert(r->role <= CONSOLE_PEER && r->port < PORTS);
		vr_assert(r->role == CONSOLE_FREE || r->at <= c->port[r->port].kept->history.end);
	}
	vr_assert(f->seen <= f->printed);
}

static void drain(void)
{
	for (unsigned int q = 0; q < RINGS; q++) {
		uint32_t head, len;

		for (unsigned int n = 0; n < SIZE && !dev.vq[q].broken; n++) {
			struct virtio_console_control m;

			if (!vqd_take(&drv[q], &head, &len))
				break;
			vr_assert(q % 2 == 0 || len == 0);
			if (q != 2 || head >= SIZE)
				continue;
			vr_assert(len >= sizeof(m) && len <= sizeof(m) + CONSOLE_NAME_BYTES);
		}
	}
}

static void step(struct fuzz *f)
{
	unsigned int op = fuzz_get8(&f->in) % 14, q;
	uint16_t next;

	switch (op) {
	case 0: print(f); return;
	case 1: send_control(f); return;
	case 2: offer(f); return;
	case 3: raw_desc(f); return;
	case 4: attach(f); return;
	case 5: type(f); return;
	case 6: look(f, fuzz_get8(&f->in) % USERS); return;
	case 7: leave(f); return;
	case 8: write_config(f); return;
	case 9: resize(f); return;
	case 10:
		for (q = 0; q < RINGS; q++)
			(void)fuzz_ring_stop(&dev, q);
		console_device.reset(&dev);
		f->exact = false;
		start(f);
		return;
	case 11:
		q = fuzz_get8(&f->in) % RINGS;
		next = fuzz_ring_stop(&dev, q);
		f->exact = false;
		fuzz_ring_start(&dev, q, &drv[q], next);
		fuzz_ring_kick(&dev, q);
		return;
	case 12: go_off(f); return;
	default: die_and_return(f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = {.in = {data, size}, .exact = true};

	if (!ram.base)
		prepare();
	for (unsigned int i = 0; i < USERS; i++)
		f.user[i] = -1;
	vr_assert(pipe2(source, O_NONBLOCK) == 0 && pipe2(sink, O_NONBLOCK) == 0);
	vr_assert(dup2(source[0], BOOT_FD_RES) >= 0 && dup2(sink[1], BOOT_FD_RES + 1) >= 0);
	vr_assert(ftruncate(kept_fd, 0) == 0 && ftruncate(kept_fd, CONSOLE_KEPT_BYTES) == 0);
	memset(ram.base, 0, ram.bytes);
	live();
	f.accepted = fuzz_get8(&f.in);
	start(&f);
	for (unsigned int i = 0; i < 64 && f.in.left > 0; i++) {
		step(&f);
		check(&f);
		drain();
	}
	for (unsigned int i = 0; i < PIPE; i++)
		cleanup_close_fd(&f.user[i]);
	for (unsigned int q = 0; q < RINGS; q++)
		(void)fuzz_ring_stop(&dev, q);
	die();
	close(source[0]);
	close(source[1]);
	close(sink[0]);
	close(sink[1]);
	return 0;
}
