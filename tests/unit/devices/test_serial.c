/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/serial_reg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "devices/core/fdio.h"
#include "devices/core/serial_msg.h"
#include "tests/support/dev_child.h"

extern const struct device_ops serial_device;

#define RING 65536U

static struct dev_child child;
static int in, out, irq;

/* ---- the VMM's end ---- */

static void start_on(int res_in, int res_out)
{
	static struct boot_dev rec = {.name = "serial0", .type = "serial", .nr_res = 2};
	const struct serial_msg setup_msg = {.op = SERIAL_SETUP};
	const int res[] = {res_in, res_out};

	cr_assert(dev_child_start(&child, &serial_device, &rec, res, "serial_device"));
	close(res_in);
	close(res_out);
	irq = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	cr_assert_eq(fd_send(child.bus, &setup_msg, sizeof(setup_msg), &irq, 1), 0);
}

static void setup(void)
{
	int input[2], output[2];

	cr_assert(pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0);
	in = input[1];
	out = output[0];
	start_on(input[0], output[1]);
}

static void teardown(void)
{
	cr_assert_eq(dev_child_stop(&child), 0, "the device did not end well");
}

TestSuite(serial, .init = setup, .fini = teardown);

static void outb(uint8_t reg, uint8_t v)
{
	const struct serial_msg m = {.op = SERIAL_WRITE, .reg = reg, .value = v};

	cr_assert_eq(fd_send(child.bus, &m, sizeof(m), NULL, 0), 0);
}

static uint8_t inb(uint8_t reg)
{
	struct serial_msg m = {.op = SERIAL_READ, .reg = reg};

	cr_assert_eq(fd_send(child.bus, &m, sizeof(m), NULL, 0), 0);
	cr_assert(dev_child_wait(child.bus), "a read was not answered");
	cr_assert_eq(recv(child.bus, &m, sizeof(m), 0), (ssize_t)sizeof(m));
	cr_assert(m.op == SERIAL_READ && m.reg == reg);
	return m.value;
}

/* Edges since last asked. Reading a register first makes sure that what was sent was done. */
static uint64_t edges(void)
{
	eventfd_t v = 0;

	inb(UART_SCR);
	return eventfd_read(irq, &v) == 0 ? v : 0;
}

static void expect_output(const char *text)
{
	char buf[256];
	size_t len = strlen(text);

	cr_assert(dev_child_wait(out), "no output");
	cr_assert_eq(fd_read_full(out, buf, len), 0);
	cr_assert(!memcmp(buf, text, len), "output is %.*s", (int)len, buf);
}

/* Waits for an interrupt, as a driver does */
static void wait_irq(void)
{
	eventfd_t v;

	cr_assert(dev_child_wait(irq), "no interrupt");
	cr_assert_eq(eventfd_read(irq, &v), 0);
}

/* ---- registers ---- */

Test(serial, looks_like_a_16550a)
{
	outb(UART_SCR, 0x5a);
	cr_assert_eq(inb(UART_SCR), 0x5a);
	outb(UART_IER, 0xff);
	cr_assert_eq(inb(UART_IER), 0x0f);
	outb(UART_IER, 0);
	cr_assert_eq(inb(UART_IIR), UART_IIR_NO_INT);
	outb(UART_FCR, UART_FCR_ENABLE_FIFO);
	cr_assert_eq(inb(UART_IIR), 0xc0 | UART_IIR_NO_INT);
	outb(UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	outb(UART_DLL, 0x0c);
	outb(UART_DLM, 0x01);
	cr_assert(inb(UART_DLL) == 0x0c && inb(UART_DLM) == 0x01);
	outb(UART_LCR, UART_LCR_WLEN8);
	cr_assert_eq(inb(UART_LCR), UART_LCR_WLEN8);
	cr_assert_eq(inb(UART_IER), 0, "the divisor is another register");
	cr_assert_eq(inb(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
	cr_assert_eq(inb(UART_MSR), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
	outb(UART_LSR, 0xff);
	outb(UART_MSR, 0xff);
	cr_assert_eq(inb(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
	cr_assert_eq(inb(UART_RX), 0);
}

Test(serial, loops_back)
{
	outb(UART_FCR, UART_FCR_ENABLE_FIFO);
	outb(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	cr_assert_eq(inb(UART_MSR) & 0xf0, UART_MSR_DCD | UART_MSR_CTS, "as Linux probes it");
	outb(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1 | UART_MCR_DTR);
	cr_assert_eq(inb(UART_MSR),
		     UART_MSR_RI | UART_MSR_DSR | UART_MSR_DDCD | UART_MSR_DCTS | UART_MSR_DDSR);
	cr_assert_eq(inb(UART_MSR), UART_MSR_RI | UART_MSR_DSR, "changes are told once");
	outb(UART_MCR, UART_MCR_LOOP);
	cr_assert_eq(inb(UART_MSR) & UART_MSR_TERI, UART_MSR_TERI);
	for (int i = 0; i < 17; i++)
		outb(UART_TX, (uint8_t)('a' + i));
	cr_assert_eq(inb(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT | UART_LSR_DR | UART_LSR_OE);
	cr_assert_eq(inb(UART_LSR) & UART_LSR_OE, 0);
	for (int i = 0; i < 16; i++)
		cr_assert_eq(inb(UART_RX), 'a' + i);
	cr_assert_eq(inb(UART_LSR) & UART_LSR_DR, 0);
	outb(UART_TX, 'x');
	outb(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	cr_assert_eq(inb(UART_LSR) & UART_LSR_DR, 0);
	outb(UART_MCR, 0);
	outb(UART_TX, '!');
	expect_output("!");
}

/* ---- output ---- */

Test(serial, prints)
{
	for (const char *p = "hello, world\r\n"; *p; p++)
		outb(UART_TX, (uint8_t)*p);
	expect_output("hello, world\r\n");
}

Test(serial, interrupts_when_the_transmitter_is_empty)
{
	outb(UART_FCR, UART_FCR_ENABLE_FIFO);
	cr_assert_eq(edges(), 0);
	outb(UART_IER, UART_IER_THRI);
	cr_assert_eq(edges(), 1, "enabled while it is empty");
	cr_assert_eq(inb(UART_IIR), 0xc0 | UART_IIR_THRI);
	cr_assert_eq(inb(UART_IIR), 0xc0 | UART_IIR_NO_INT, "reading it is the acknowledgement");
	for (int i = 0; i < 16; i++)
		outb(UART_TX, 'x');
	cr_assert_eq(edges(), 1, "one for the FIFO full");
	cr_assert_eq(inb(UART_IIR), 0xc0 | UART_IIR_THRI);
	outb(UART_TX, 'x');
	cr_assert_eq(edges(), 1);
	outb(UART_IER, 0);
	cr_assert_eq(inb(UART_IIR), 0xc0 | UART_IIR_NO_INT);
	outb(UART_IER, UART_IER_THRI);
	cr_assert_eq(edges(), 1, "and again when it is enabled again");
}

Test(serial, a_slow_sink_holds_the_guest_back_and_loses_nothing)
{
	uint32_t sent = 0, got = 0;

	cr_assert_gt(fcntl(out, F_SETPIPE_SZ, 4096), 0);
	outb(UART_FCR, UART_FCR_ENABLE_FIFO);
	while (inb(UART_LSR) & UART_LSR_THRE) {
		for (int i = 0; i < 16; i++, sent++)
			outb(UART_TX, (uint8_t)(sent * 7));
		cr_assert_leq(sent, 2 * RING, "nothing holds it back");
	}
	cr_assert_geq(sent, RING - 16);
	outb(UART_IER, UART_IER_THRI);
	cr_assert_eq(edges(), 0, "it is not empty");
	while (got < sent) {
		uint8_t buf[1024];
		ssize_t n;

		cr_assert(dev_child_wait(out), "%u of %u bytes came", got, sent);
		n = read(out, buf, sizeof(buf));
		cr_assert_gt(n, 0);
		for (ssize_t i = 0; i < n; i++, got++)
			cr_assert_eq(buf[i], (uint8_t)(got * 7), "byte %u", got);
	}
	wait_irq();
	cr_assert_eq(inb(UART_IIR), 0xc0 | UART_IIR_THRI);
	cr_assert(inb(UART_LSR) & UART_LSR_THRE);
}

Test(serial, a_sink_that_is_gone_swallows_everything)
{
	close(out);
	for (unsigned int i = 0; i < 2 * RING; i += 16) {
		for (int k = 0; k < 16; k++)
			outb(UART_TX, 'x');
		cr_assert(inb(UART_LSR) & UART_LSR_THRE, "the guest is held back");
	}
}

Test(serial, what_was_printed_last_comes_out_when_the_vmm_is_gone)
{
	cr_assert_gt(fcntl(out, F_SETPIPE_SZ, 4096), 0);
	for (int i = 0; i < 20000; i++)
		outb(UART_TX, (uint8_t)i);
	close(child.bus);
	child.bus = -1;
	for (int i = 0; i < 20000; i++) {
		uint8_t c;

		cr_assert(dev_child_wait(out) && read(out, &c, 1) == 1, "ends after %d", i);
		cr_assert_eq(c, (uint8_t)i);
	}
}

Test(serial, a_file_takes_output_and_null_gives_no_input)
{
	char path[] = "/var/tmp/vmrun-test-serial-XXXXXX", buf[2] = "";
	int file = mkostemp(path, O_CLOEXEC);
	int keep = dup(file);

	teardown();
	unlink(path);
	start_on(open("/dev/null", O_RDONLY | O_CLOEXEC), file);
	outb(UART_MCR, UART_MCR_RTS);
	outb(UART_TX, 'o');
	outb(UART_TX, 'k');
	cr_assert_eq(inb(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
	inb(UART_SCR);
	teardown();
	cr_assert_eq(pread(keep, buf, 2, 0), 2);
	cr_assert(!memcmp(buf, "ok", 2));
	setup();
}

/* ---- input ---- */

Test(serial, input_waits_for_the_guest)
{
	char text[] = "the quick brown fox jumps over the lazy dog";
	char got[sizeof(text)] = "";

	outb(UART_FCR, UART_FCR_ENABLE_FIFO);
	cr_assert_eq(fd_write_full(in, text, strlen(text)), 0);
	cr_assert_eq(inb(UART_LSR) & UART_LSR_DR, 0, "no one listens yet");
	outb(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	outb(UART_IER, UART_IER_RDI);
	outb(UART_MCR, UART_MCR_RTS | UART_MCR_DTR | UART_MCR_OUT2);
	for (size_t i = 0; i < strlen(text);) {
		wait_irq();
		cr_assert_eq(inb(UART_IIR) & 0xc7, 0xc0 | UART_IIR_RDI);
		while (inb(UART_LSR) & UART_LSR_DR)
			got[i++] = (char)inb(UART_RX);
	}
	cr_assert_str_eq(got, text);
}

Test(serial, the_end_of_input_is_not_the_end)
{
	outb(UART_MCR, UART_MCR_RTS);
	outb(UART_IER, UART_IER_RDI);
	cr_assert_eq(write(in, "z", 1), 1);
	close(in);
	wait_irq();
	cr_assert_eq(inb(UART_RX), 'z');
	cr_assert_eq(inb(UART_LSR) & UART_LSR_DR, 0);
	outb(UART_TX, '!');
	expect_output("!");
}

Test(serial, input_from_a_file)
{
	char path[] = "/var/tmp/vmrun-test-serial-XXXXXX";
	int file = mkostemp(path, O_CLOEXEC);

	teardown();
	unlink(path);
	for (int i = 0; i < 40; i++)
		cr_assert_eq(write(file, &(char){(char)('A' + i)}, 1), 1);
	lseek(file, 0, SEEK_SET);
	start_on(file, open("/dev/null", O_WRONLY | O_CLOEXEC));
	outb(UART_MCR, UART_MCR_RTS);
	for (int i = 0; i < 40; i++) {
		int polls = 0;

		while (!(inb(UART_LSR) & UART_LSR_DR))
			cr_assert_lt(polls++, 1000000, "byte %d does not come", i);
		cr_assert_eq(inb(UART_RX), 'A' + i);
	}
	cr_assert_eq(inb(UART_LSR) & UART_LSR_DR, 0);
}

/* ---- the protocol ---- */

static void check_ends(const void *msg, size_t bytes, unsigned int nr_fds)
{
	const int fds[2] = {irq, irq};
	char c;

	cr_assert_eq(fd_send(child.bus, msg, bytes, fds, nr_fds), 0);
	cr_assert(dev_child_wait(child.bus));
	cr_assert_leq(recv(child.bus, &c, 1, 0), 0, "it was answered");
}

struct bad_msg {
	struct serial_msg m;
	size_t bytes;
	unsigned int nr_fds;
};

Test(serial, anything_else_ends_the_device)
{
	static const struct bad_msg bad[] = {
		{{0, 0, 0, 0}, 4, 0},
		{{4, 0, 0, 0}, 4, 0},
		{{SERIAL_READ, 8, 0, 0}, 4, 0},
		{{SERIAL_WRITE, 8, 0, 0}, 4, 0},
		{{SERIAL_READ, 0, 0, 0}, 3, 0},
		{{SERIAL_WRITE, 0, 0, 0}, 4, 1},
		{{SERIAL_SETUP, 0, 0, 0}, 4, 1},
	};
	static const char long_one[5] = {SERIAL_READ};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		check_ends(&bad[i].m, bad[i].bytes, bad[i].nr_fds);
		teardown();
		setup();
	}
	check_ends(long_one, sizeof(long_one), 0);
}

Test(serial, the_first_message_is_the_setup)
{
	static struct boot_dev rec = {.name = "serial0", .type = "serial", .nr_res = 2};
	static const struct serial_msg bad[] = {{.op = SERIAL_SETUP}, {.op = SERIAL_WRITE}};
	const int res[] = {STDIN_FILENO, STDERR_FILENO};

	for (unsigned int i = 0; i < 4; i++) {
		teardown();
		cr_assert(dev_child_start(&child, &serial_device, &rec, res, "serial_device"));
		check_ends(&bad[i % 2], sizeof(bad[0]), i == 0 ? 0 : i == 1 ? 1 : 2);
	}
}
