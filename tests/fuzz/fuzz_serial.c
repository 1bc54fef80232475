/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Both ends of the protocol of a serial line (devices/core/serial_msg.h), each with the other one in enemy hands
 *
 * The first byte: 1 the device is ours and the VMM hostile, otherwise the VMM's port is ours, device and guest hostile.
 * Then steps, an opcode byte each (modulo their number), arguments behind it, numbers little endian:
 *
 *   0 message  op u8, room u8, length u16, cut u8: with so many bytes of a pattern, of which the last ones are cut off
 *   1 raw      bytes u8, the bytes
 *   2 file     a message with a file
 *   3 type     bytes u8: input of the line; to a port: the guest reads that many registers
 *   4 take     the line's output is read; of a port: what it says to the device
 *   5 guest    register u8, value u8: the guest writes; to a device: the VMM reads what it said
 *   6 leave    the hostile end closes
 *   7 wait     a millisecond: for the device's timer
 *
 * The device writes what it accepted, each byte once and in order, and says no more than it was asked for. The port sends
 * one piece of output at a time, and is dead after the first violation, which is reported once. No fd is left.
 * tests/fuzz/seeds_serial writes the corpus.
 * Covers: devices/serial.c vmm/serial_port.c vmm/uart.c devices/core/line.c
 */
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/core/device.h"
#include "devices/core/fdio.h"
#include "devices/core/serial_msg.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_open.h"
#include "tests/support/fake_vm.h"
#include "vmm/arch.h"
#include "vmm/serial_port.h"

extern const struct device_ops serial_device;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	struct fuzz_input in;
	bool is_device;
	int peer;	     /* the hostile end */
	int source, sink;    /* the line's other ends */
	int timer;	     /* the device's */
	unsigned int room;   /* that our end was told of, or told, and that is not used up */
	bool outstanding;    /* output of the port, which the device has not answered */
	uint64_t sent, seen; /* bytes of output */
	struct loop loop;
	struct device dev;
	struct bus bus;
	struct serial_port port;
};

static struct vm vm;
static unsigned int failures;

static uint8_t pattern(uint64_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static void on_failed(void *arg UNUSED, const char *device UNUSED, const struct err *why)
{
	vr_assert(why->code != 0 && why->msg[0]);
	failures++;
}

/* ---- set-up ---- */

static void place(int fd, int number)
{
	vr_assert(fd >= 0 && dup2(fd, number) == number);
	close(fd);
}

/* Puts placeholders where the device's fds go, so that nothing else is there */
static void prepare(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (int fd = BOOT_FD_VMM; fd < BOOT_FD_RES + 2; fd++)
		vr_assert(dup2(STDIN_FILENO, fd) == fd);
}

static void start_device(struct fuzz *f, int vmm)
{
	static const struct boot_dev rec = {.name = "serial0", .type = "serial", .nr_res = 2};
	int source[2], sink[2];

	vr_assert(pipe2(source, O_NONBLOCK | O_CLOEXEC) == 0 &&
		  pipe2(sink, O_NONBLOCK | O_CLOEXEC) == 0);
	f->source = source[1];
	f->sink = sink[0];
	place(vmm, BOOT_FD_VMM);
	place(source[0], BOOT_FD_RES);
	place(sink[1], BOOT_FD_RES + 1);
	vr_assert(device_init(&f->dev, &serial_device, &f->loop, &(struct err){0}) == 0);
	/* The device's own, which a process that ends does not close, gets the lowest free number. */
	f->timer = dup(STDIN_FILENO);
	close(f->timer);
	vr_assert(serial_device.init(&f->dev, &rec, &(struct err){0}) == 0);
}

static void start_port(struct fuzz *f, int sock)
{
	bus_init(&f->bus);
	fake_vm = (struct fake_vm){0};
	failures = 0;
	vr_assert(serial_port_init(&f->port,
				   &(struct serial_port_args){"serial0", sock, &f->bus, &vm},
				   &(struct err){0}) == 0);
	vr_assert(serial_port_watch(&f->port, &f->loop, &(struct err){0}) == 0);
	f->port.hook = (struct device_hook){on_failed, NULL};
}

static void start(struct fuzz *f)
{
	int pair[2];

	vr_assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	f->peer = pair[0];
	vr_assert(loop_init(&f->loop, &(struct err){0}) == 0);
	if (f->is_device)
		start_device(f, pair[1]);
	else
		start_port(f, pair[1]);
}

/* ---- the hostile end ---- */

/* Sends it if there is room; what an honest end may say is noted */
static bool say(struct fuzz *f, const void *bytes, size_t len)
{
	return f->peer >= 0 && send(f->peer, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static void message(struct fuzz *f)
{
	struct serial_msg m = {.op = fuzz_get8(&f->in), .room = fuzz_get8(&f->in)};
	unsigned int cut;

	m.len = fuzz_get16(&f->in) % (SERIAL_OUT_MAX + 1);
	cut = fuzz_get8(&f->in);
	for (unsigned int i = 0; i < m.len; i++)
		m.data[i] = pattern(f->sent + i);
	if (cut > SERIAL_HEAD_BYTES + m.len || !say(f, &m, SERIAL_HEAD_BYTES + m.len - cut))
		return;
	if (cut == 0 && m.op == SERIAL_OUT && m.room == 0)
		f->sent += m.len;
	if (cut == 0 && m.op == SERIAL_ROOM && m.len == 0)
		f->room = m.room;
	if (cut == 0 && m.op == SERIAL_DONE && m.len == 0 && m.room == 0)
		f->outstanding = false;
	if (cut == 0 && m.op == SERIAL_IN && m.room == 0)
		f->room = 0;
}

static void raw(struct fuzz *f)
{
	uint8_t bytes[UINT8_MAX];
	size_t len = fuzz_get8(&f->in);

	fuzz_get(&f->in, bytes, len);
	/* What was counted does not hold any more. */
	if (say(f, bytes, len))
		f->sent = f->seen = UINT64_MAX;
	f->room = UINT8_MAX;
	f->outstanding = false;
}

static void send_file(struct fuzz *f)
{
	const struct serial_msg m = {.op = f->is_device ? SERIAL_ROOM : SERIAL_DONE,
				     .room = f->is_device};
	const int fd = STDIN_FILENO;

	if (f->peer >= 0)
		(void)!fd_send(f->peer, &m, SERIAL_HEAD_BYTES, &fd, 1);
}

/* Reads what our end has said, and judges it */
static void hear(struct fuzz *f)
{
	struct serial_msg m;
	ssize_t n;

	while (f->peer >= 0 && (n = recv(f->peer, &m, sizeof(m), MSG_DONTWAIT | MSG_TRUNC)) > 0) {
		vr_assert(n == (ssize_t)SERIAL_HEAD_BYTES + m.len);
		if (f->is_device) {
			vr_assert(m.op == SERIAL_DONE || m.op == SERIAL_IN);
			vr_assert(m.room == 0 &&
				  (m.op == SERIAL_IN ? m.len > 0 && m.len <= f->room : m.len == 0));
			f->room = m.op == SERIAL_IN && f->room != UINT8_MAX ? 0 : f->room;
			continue;
		}
		vr_assert(m.op == SERIAL_OUT || m.op == SERIAL_ROOM);
		if (m.op == SERIAL_OUT)
			vr_assert(!f->outstanding && m.room == 0 && m.len > 0 &&
				  m.len <= SERIAL_OUT_MAX);
		else
			vr_assert(m.len == 0 && m.room > 0 && m.room <= SERIAL_IN_MAX);
		f->outstanding |= m.op == SERIAL_OUT;
	}
}

/* ---- the honest surroundings: the line, the guest ---- */

static void type(struct fuzz *f)
{
	static const uint8_t text[UINT8_MAX] = {'t'};
	unsigned int nr = fuzz_get8(&f->in);

	if (f->is_device && f->source >= 0)
		(void)!write(f->source, text, nr);
	for (unsigned int i = 0; i < nr && !f->is_device; i++) {
		uint64_t v = 0;

		bus_access(&f->bus, arch.serial_space, false,
			   arch.serial_base + i % SERIAL_PORT_BYTES, &v, 1);
	}
}

static void take(struct fuzz *f)
{
	uint8_t out[4096];
	ssize_t n;

	if (!f->is_device)
		return;
	while ((n = read(f->sink, out, sizeof(out))) > 0) {
		for (ssize_t i = 0; i < n && f->seen != UINT64_MAX; i++)
			vr_assert(out[i] == pattern(f->seen++));
		vr_assert(f->seen <= f->sent);
	}
}

static void write_register(struct fuzz *f)
{
	unsigned int reg = fuzz_get8(&f->in) % SERIAL_PORT_BYTES;
	uint64_t v = fuzz_get8(&f->in);

	if (!f->is_device)
		bus_access(&f->bus, arch.serial_space, true, arch.serial_base + reg, &v, 1);
}

static void check_port(const struct fuzz *f)
{
	const struct serial_port *p = &f->port;

	vr_assert(failures == p->dead);
	vr_assert(p->in_nr <= SERIAL_IN_MAX && p->room <= SERIAL_IN_MAX);
	vr_assert(p->uart.rx_nr <= UART_FIFO_BYTES && p->uart.tx_nr <= UART_RING_BYTES);
	vr_assert(!p->dead || p->uart.tx_nr == 0);
}

static void step(struct fuzz *f)
{
	int wait_ms = 0;

	switch (fuzz_get8(&f->in) % 8) {
	case 0: message(f); break;
	case 1: raw(f); break;
	case 2: send_file(f); break;
	case 3: type(f); break;
	case 4: take(f); break;
	case 5: write_register(f); break;
	case 6:
		cleanup_close_fd(&f->peer);
		f->peer = -1;
		break;
	case 7: wait_ms = 1; break;
	}
	for (unsigned int i = 0; i < 3 && !f->loop.stop; i++)
		vr_assert(loop_once(&f->loop, i == 0 ? wait_ms : 0, &(struct err){0}) == 0);
	hear(f);
	if (!f->is_device)
		check_port(f);
}

static void finish(struct fuzz *f)
{
	if (f->is_device) {
		close(f->source);
		/* Its reader is gone: what it still has is lost, and it does not wait. */
		close(f->sink);
		serial_device.finish(&f->dev);
		device_done(&f->dev);
		close(f->timer);
		prepare();
	} else {
		serial_port_finish(&f->port);
		serial_port_done(&f->port);
	}
	cleanup_close_fd(&f->peer);
	loop_done(&f->loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	unsigned int before;

	prepare();
	before = fuzz_open_fds();
	f = (struct fuzz){.in = {data, size}};
	f.is_device = fuzz_get8(&f.in) & 1;
	start(&f);
	for (unsigned int i = 0; i < 64 && f.in.left > 0 && !f.loop.stop; i++)
		step(&f);
	finish(&f);
	vr_assert(fuzz_open_fds() == before);
	return 0;
}
