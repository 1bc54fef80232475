/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/serial_port.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "devices/core/fdio.h"
#include "devices/core/serial_msg.h"
#include "tests/support/fake_vm.h"

static struct bus bus;
static struct vm vm;
static struct serial_port port;
static struct err err;
static int peer;
static unsigned int hook_calls;
static char hook_text[ERR_MSG_BYTES];

static void on_failed(void *arg UNUSED, const char *device, const struct err *why)
{
	cr_assert_str_eq(device, "serial0");
	hook_calls++;
	strcpy(hook_text, why->msg);
}

static void setup(void)
{
	int sv[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	peer = sv[1];
	bus_init(&bus);
	cr_assert_eq(serial_port_init(
			     &port, &(struct serial_port_args){"serial0", sv[0], &bus, &vm}, &err),
		     0, "%s", err.msg);
	port.hook = (struct device_hook){on_failed, NULL};
	port.timeout_ms = 20;
}

/* Answers are put into the socket before they are asked for: no second thread is needed. */
static void answer(uint8_t op, uint8_t reg, uint8_t value, size_t len)
{
	uint8_t m[8] = {op, reg, value};

	cr_assert_eq(send(peer, m, len, 0), (ssize_t)len);
}

static struct serial_msg next(void)
{
	struct serial_msg m = {0};

	cr_assert_eq(recv(peer, &m, sizeof(m), MSG_DONTWAIT), (ssize_t)sizeof(m));
	return m;
}

static uint32_t in(uint16_t p, unsigned int len)
{
	uint32_t v = 0;

	bus_access(&bus, BUS_PIO, false, p, &v, len);
	return v;
}

static void out(uint16_t p, unsigned int len, uint32_t v)
{
	bus_access(&bus, BUS_PIO, true, p, &v, len);
}

TestSuite(serial_port, .init = setup, .timeout = 60);

Test(serial_port, setup_carries_the_interrupt)
{
	int fds[FDIO_FDS_MAX];
	unsigned int nr = 0;
	struct serial_msg m;
	uint64_t count;

	cr_assert_eq(fd_recv(peer, &m, sizeof(m), fds, &nr), (ssize_t)sizeof(m));
	cr_expect_eq(m.op, SERIAL_SETUP);
	cr_assert_eq(nr, 1);
	cr_expect_eq(fake_gsi_of(port.irq_fd), 4);
	eventfd_write(fds[0], 1);
	cr_expect_eq(read(port.irq_fd, &count, 8), 8, "it is the same eventfd");
}

Test(serial_port, writes_are_posted_in_order)
{
	next();
	out(0x3f8, 1, 'a');
	out(0x3ff, 1, 0x5a);
	out(0x3f9, 2, 0x1234);
	for (unsigned int i = 0; i < 4; i++) {
		static const uint8_t want[4][2] = {{0, 'a'}, {7, 0x5a}, {1, 0x34}, {2, 0x12}};
		struct serial_msg m = next();

		cr_expect_eq(m.op, SERIAL_WRITE);
		cr_expect_eq(m.reg, want[i][0]);
		cr_expect_eq(m.value, want[i][1]);
	}
	cr_expect_eq(hook_calls, 0);
}

Test(serial_port, reads_are_answered)
{
	struct serial_msg m;

	next();
	answer(SERIAL_READ, 5, 0x60, 4);
	cr_expect_eq(in(0x3fd, 1), 0x60);
	m = next();
	cr_expect_eq(m.op, SERIAL_READ);
	cr_expect_eq(m.reg, 5);
	cr_expect_eq(hook_calls, 0);
}

Test(serial_port, hostile_answers)
{
	static const struct {
		uint8_t op, reg;
		size_t len;
	} rows[] = {{SERIAL_WRITE, 5, 4}, {SERIAL_READ, 4, 4}, {SERIAL_READ, 5, 3},
		    {SERIAL_READ, 5, 8},  {0, 5, 4},	       {SERIAL_READ, 5, 1}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (i > 0)
			setup();
		answer(rows[i].op, rows[i].reg, 0x60, rows[i].len);
		cr_expect_eq(in(0x3fd, 1), 0xff, "row %zu", i);
		cr_expect_eq(hook_calls, i + 1);
		cr_expect(port.dead);
	}
}

Test(serial_port, answer_with_an_fd)
{
	struct serial_msg m = {SERIAL_READ, 5, 0x60, 0};

	cr_assert_eq(fd_send(peer, &m, sizeof(m), &peer, 1), 0);
	cr_expect_eq(in(0x3fd, 1), 0xff);
	cr_expect_eq(hook_calls, 1);
}

Test(serial_port, silence_ends)
{
	cr_expect_eq(in(0x3fd, 1), 0xff);
	cr_expect_eq(hook_calls, 1);
	cr_expect_str_eq(hook_text, "read: Connection timed out");
	answer(SERIAL_READ, 5, 0x60, 4);
	cr_expect_eq(in(0x3fd, 1), 0xff, "an answer that comes late answers nothing");
	out(0x3f8, 1, 'x');
	cr_expect_eq(hook_calls, 1, "said once");
}

Test(serial_port, peer_gone)
{
	close(peer);
	out(0x3f8, 1, 'x');
	cr_expect_eq(hook_calls, 1);
	cr_expect_eq(in(0x3f8, 4), 0xffffffff);
}

Test(serial_port, peer_gone_is_noticed_without_an_access)
{
	struct loop loop;

	cr_assert_eq(loop_init(&loop, &err), 0);
	cr_assert_eq(serial_port_watch(&port, &loop, &err), 0);
	answer(SERIAL_READ, 0, 0, 4);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(hook_calls, 0);
	close(peer);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(hook_calls, 1);
	cr_expect_str_eq(hook_text, "the device's process is gone: Broken pipe");
	loop_done(&loop);
}

Test(serial_port, slow_output_is_lost_not_waited_for)
{
	unsigned int taken = 0;
	char buf[4];

	for (unsigned int i = 0; i < 10000 && !port.stalled; i++)
		out(0x3f8, 1, 'x');
	cr_assert(port.stalled);
	/* Waiting for each of these would take hours. */
	port.timeout_ms = 10000;
	for (unsigned int i = 0; i < 2000; i++)
		out(0x3f8, 1, 'y');
	cr_expect_eq(hook_calls, 0, "a slow device is no dead one");
	while (recv(peer, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		taken++;
	cr_expect_gt(taken, 0);
	out(0x3f8, 1, 'z');
	cr_expect_not(port.stalled);
	cr_expect_eq(next().value, 'z');
}

Test(serial_port, ports_that_are_taken)
{
	int sv[2];
	struct serial_port second;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	cr_expect_eq(serial_port_init(&second,
				      &(struct serial_port_args){"serial1", sv[0], &bus, &vm},
				      &err),
		     -EEXIST);
	cr_expect_eq(second.sock, -1);
	cr_expect_eq(second.irq_fd, -1);
}
