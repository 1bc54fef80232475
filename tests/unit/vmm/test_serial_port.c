/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/serial_port.h"

#include <criterion/criterion.h>
#include <linux/serial_reg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "devices/core/fdio.h"
#include "tests/support/fake_vm.h"

#define PORT(reg) (arch.serial_base + (reg))

static struct bus bus;
static struct vm vm;
static struct loop loop;
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
	fake_vm = (struct fake_vm){0};
	cr_assert_eq(loop_init(&loop, &err), 0);
	cr_assert_eq(serial_port_init(
			     &port, &(struct serial_port_args){"serial0", sv[0], &bus, &vm}, &err),
		     0, "%s", err.msg);
	cr_assert_eq(serial_port_watch(&port, &loop, &err), 0);
	port.hook = (struct device_hook){on_failed, NULL};
}

/* The device says something, and the main loop hears it */
static void say(uint8_t op, const char *text, size_t len)
{
	struct serial_msg m = {.op = op, .len = (uint16_t)len};

	memcpy(m.data, text, len);
	cr_assert_eq(fd_send(peer, &m, SERIAL_HEAD_BYTES + len, NULL, 0), 0);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
}

/* What the VMM said last; op 0 when there is nothing */
static struct serial_msg next(void)
{
	struct serial_msg m = {0};
	ssize_t n = recv(peer, &m, sizeof(m), MSG_DONTWAIT);

	cr_assert(n <= 0 || n == (ssize_t)SERIAL_HEAD_BYTES + m.len);
	return m;
}

static void expect_out(const char *text)
{
	struct serial_msg m = next();

	cr_assert_eq(m.op, SERIAL_OUT);
	cr_assert_eq(m.room, 0);
	cr_assert_eq(m.len, strlen(text));
	cr_assert_arr_eq(m.data, text, m.len);
}

static uint32_t in(unsigned int reg, unsigned int len)
{
	uint32_t v = 0;

	bus_access(&bus, arch.serial_space, false, PORT(reg), &v, len);
	return v;
}

static void out(unsigned int reg, unsigned int len, uint32_t v)
{
	bus_access(&bus, arch.serial_space, true, PORT(reg), &v, len);
}

static void print(const char *text)
{
	for (; *text; text++)
		out(UART_TX, 1, (uint8_t)*text);
}

static bool interrupted(void)
{
	eventfd_t v;

	return eventfd_read(port.irq_fd, &v) == 0;
}

TestSuite(serial_port, .init = setup, .timeout = 60);

/* ---- output ---- */

Test(serial_port, the_guest_prints_while_the_device_writes)
{
	print("a");
	expect_out("a");
	print("bcd");
	cr_assert_eq(next().op, 0, "one at a time");
	say(SERIAL_DONE, "", 0);
	expect_out("bcd");
	say(SERIAL_DONE, "", 0);
	cr_assert_eq(next().op, 0);
	print("e");
	expect_out("e");
	cr_assert_eq(hook_calls, 0);
}

Test(serial_port, wide_accesses_are_several)
{
	out(UART_LCR, 2, 0x0b00 | UART_LCR_WLEN8);
	cr_assert_eq(in(UART_LCR, 1), UART_LCR_WLEN8);
	cr_assert_eq(in(UART_MCR, 1), 0x0b);
	cr_assert_eq(in(UART_LCR, 4), 0xb0600b03U);
}

/* A device that stands in a write for as long as it takes is no broken one: the guest sees a busy line. */
Test(serial_port, a_device_that_stands_still_costs_the_guest_nothing)
{
	unsigned int sent = 0, got = 0;

	while (in(UART_LSR, 1) & UART_LSR_THRE) {
		out(UART_TX, 1, 'x');
		cr_assert_leq(++sent, SERIAL_HELD_MAX + SERIAL_OUT_MAX, "nothing holds it back");
	}
	cr_assert_geq(sent, SERIAL_HELD_MAX - 16);
	cr_assert_eq(hook_calls, 0);
	cr_assert_eq(port.uart.lost, 0);
	for (struct serial_msg m = next(); m.op == SERIAL_OUT; m = next()) {
		got += m.len;
		say(SERIAL_DONE, "", 0);
	}
	cr_assert_eq(got, sent);
	cr_assert(in(UART_LSR, 1) & UART_LSR_THRE);
}

Test(serial_port, what_is_left_at_the_end_is_handed_over_at_once)
{
	unsigned int sent = 0, got = 0;

	for (; in(UART_LSR, 1) & UART_LSR_THRE; sent++)
		out(UART_TX, 1, (uint8_t)(sent * 7));
	serial_port_finish(&port);
	close(port.sock);
	for (struct serial_msg m = next(); m.op == SERIAL_OUT; m = next())
		for (unsigned int i = 0; i < m.len; i++, got++)
			cr_assert_eq(m.data[i], (uint8_t)(got * 7));
	cr_assert_eq(got, sent);
	cr_assert_eq(hook_calls, 0);
}

/* ---- input ---- */

Test(serial_port, input_is_asked_for_when_the_guest_listens)
{
	struct serial_msg m;

	cr_assert_eq(fake_irq_of(port.irq_fd), 4);
	out(UART_FCR, 1, UART_FCR_ENABLE_FIFO);
	cr_assert_eq(next().op, 0);
	out(UART_IER, 1, UART_IER_RDI);
	m = next();
	cr_assert(m.op == SERIAL_ROOM && m.room == 16 && m.len == 0);
	in(UART_LSR, 1);
	cr_assert_eq(next().op, 0, "asked once");
	cr_assert_not(interrupted());
	say(SERIAL_IN, "hello", 5);
	cr_assert(interrupted());
	m = next();
	cr_assert(m.op == SERIAL_ROOM && m.room == 11);
	for (int i = 0; i < 5; i++) {
		cr_assert(in(UART_LSR, 1) & UART_LSR_DR);
		cr_assert_eq(in(UART_RX, 1), (uint8_t) "hello"[i]);
	}
	cr_assert_not(in(UART_LSR, 1) & UART_LSR_DR);
	cr_assert_eq(hook_calls, 0);
}

Test(serial_port, input_that_comes_too_late_waits)
{
	out(UART_FCR, 1, UART_FCR_ENABLE_FIFO);
	out(UART_MCR, 1, UART_MCR_RTS);
	out(UART_MCR, 1, UART_MCR_LOOP);
	say(SERIAL_IN, "hello", 5);
	cr_assert_not(in(UART_LSR, 1) & UART_LSR_DR, "looped back");
	out(UART_FCR, 1, 0);
	out(UART_MCR, 1, UART_MCR_RTS);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(in(UART_RX, 1), (uint8_t) "hello"[i], "one at a time, without FIFO");
	cr_assert_eq(hook_calls, 0);
}

/* ---- a device that breaks the rules, or ends ---- */

struct bad_msg {
	uint8_t op, room;
	uint16_t len;
	size_t bytes;
	unsigned int nr_fds;
};

Test(serial_port, hostile_messages)
{
	/* The VMM waits for SERIAL_DONE, and has room for 16 bytes. */
	static const struct bad_msg rows[] = {
		{0, 0, 0, 4, 0},
		{SERIAL_OUT, 0, 1, 5, 0},
		{SERIAL_ROOM, 16, 0, 4, 0},
		{SERIAL_DONE, 0, 0, 3, 0},
		{SERIAL_DONE, 0, 0, 5, 0},
		{SERIAL_DONE, 1, 0, 4, 0},
		{SERIAL_DONE, 0, 1, 5, 0},
		{SERIAL_DONE, 0, 0, 4, 1},
		{SERIAL_IN, 0, 0, 4, 0},
		{SERIAL_IN, 0, 17, 21, 0},
		{SERIAL_IN, 0, 16, 19, 0},
		{SERIAL_IN, 0, 15, 20, 0},
		{SERIAL_IN, 0, 0xffff, 4100, 0},
		{SERIAL_IN, 0, 4096, 4100, 0},
		{SERIAL_IN, 1, 1, 5, 0},
		{5, 0, 0, 4, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct serial_msg m = {.op = rows[i].op, .room = rows[i].room, .len = rows[i].len};

		if (i > 0)
			setup();
		out(UART_FCR, 1, UART_FCR_ENABLE_FIFO);
		out(UART_MCR, 1, UART_MCR_RTS);
		print("x");
		cr_assert_eq(fd_send(peer, &m, rows[i].bytes, &peer, rows[i].nr_fds), 0);
		cr_assert_eq(loop_once(&loop, 0, &err), 0);
		cr_expect_eq(hook_calls, i + 1, "row %zu", i);
		cr_expect_str_eq(hook_text, "message from the device: Protocol error");
		print("the guest goes on until the VM is ended");
		cr_expect(in(UART_LSR, 1) & UART_LSR_THRE);
		cr_expect_eq(hook_calls, i + 1, "said once");
	}
}

Test(serial_port, answers_that_were_not_asked_for)
{
	say(SERIAL_DONE, "", 0);
	cr_expect_eq(hook_calls, 1);
	setup();
	say(SERIAL_IN, "x", 1);
	cr_expect_eq(hook_calls, 2);
	setup();
	out(UART_MCR, 1, UART_MCR_RTS);
	say(SERIAL_IN, "x", 1);
	say(SERIAL_IN, "y", 1);
	cr_expect_eq(hook_calls, 3);
}

Test(serial_port, a_message_that_is_too_long)
{
	static const char text[sizeof(struct serial_msg) + 1] = {SERIAL_DONE};

	print("x");
	cr_assert_eq(fd_send(peer, text, sizeof(text), NULL, 0), 0);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(hook_calls, 1);
}

Test(serial_port, a_device_that_is_gone_is_noticed_by_an_access)
{
	close(peer);
	print("x");
	cr_expect_eq(hook_calls, 1);
	for (unsigned int i = 0; i < 2 * SERIAL_HELD_MAX; i++)
		out(UART_TX, 1, 'x');
	cr_expect(in(UART_LSR, 1) & UART_LSR_THRE);
	cr_expect_eq(hook_calls, 1, "said once");
}

Test(serial_port, a_device_that_is_gone_is_noticed_without_an_access)
{
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(hook_calls, 0);
	close(peer);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(hook_calls, 1);
	cr_expect_str_eq(hook_text, "the device's process is gone: Broken pipe");
}

Test(serial_port, ports_that_are_taken)
{
	int sv[2];
	static struct serial_port second;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	cr_expect_eq(serial_port_init(&second,
				      &(struct serial_port_args){"serial1", sv[0], &bus, &vm},
				      &err),
		     -EEXIST);
	cr_expect_eq(second.sock, -1);
	cr_expect_eq(second.irq_fd, -1);
}
