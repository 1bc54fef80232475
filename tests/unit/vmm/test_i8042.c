/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/i8042.h"

#include <criterion/criterion.h>
#include <string.h>

static struct i8042 k;
static unsigned int resets, rises;
static bool line;

static void irq(void *arg, bool high)
{
	cr_assert(arg == &k);
	rises += high && !line;
	line = high;
}

static void reset(void *arg)
{
	cr_assert(arg == &k);
	resets++;
}

static void start(void)
{
	i8042_init(&k, irq, reset, &k);
	resets = rises = 0;
	line = false;
}

TestSuite(i8042, .init = start);

static bool full(void)
{
	return i8042_read(&k, true) & 1;
}

/* What waits has to be exactly these bytes. */
static void expect(const char *what, const uint8_t *bytes, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		cr_assert(full(), "%s: byte %zu does not come", what, i);
		cr_assert_eq(i8042_read(&k, false), bytes[i], "%s: byte %zu", what, i);
	}
	cr_assert(!full(), "%s: too much", what);
}

#define EXPECT(what, ...)                                                                          \
	do {                                                                                       \
		static const uint8_t _b[] = {__VA_ARGS__};                                         \
		expect(what, _b, sizeof(_b));                                                      \
	} while (0)

static void command(uint8_t c)
{
	i8042_write(&k, true, c);
}

static void data(uint8_t c)
{
	i8042_write(&k, false, c);
}

Test(i8042, controller_commands)
{
	command(0xaa);
	EXPECT("self test", 0x55);
	command(0xab);
	EXPECT("line test", 0x00);
	command(0xd0);
	EXPECT("output port", 0x13);
	command(0x20);
	EXPECT("configuration", 0x65);
	command(0x60);
	data(0x47);
	command(0x20);
	EXPECT("configuration as written", 0x47);
	command(0xd3); /* loop-back of the mouse port, which is not there */
	data(0x5a);
	EXPECT("no mouse", );
	command(0xd2);
	data(0x77);
	EXPECT("as if typed", 0x77);
}

Test(i8042, only_the_reset_line_resets)
{
	static const struct {
		uint8_t command;
		int data; /* -1 none */
		unsigned int resets;
	} cases[] = {
		{0xfe, -1, 1}, {0xff, -1, 0}, {0xfd, -1, 0},   {0xf0, -1, 1},
		{0xd1, 3, 0},  {0xd1, 2, 1},  {0xd1, 0xfe, 1}, {0x60, 0xfe, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start();
		command(cases[i].command);
		if (cases[i].data >= 0)
			data((uint8_t)cases[i].data);
		cr_assert_eq(resets, cases[i].resets, "case %zu", i);
	}
}

Test(i8042, keyboard_answers)
{
	data(0xff);
	EXPECT("reset", 0xfa, 0xaa);
	data(0xf2);
	EXPECT("identity, translated", 0xfa, 0xab, 0x41);
	command(0x60);
	data(0x25); /* no translation */
	data(0xf2);
	EXPECT("identity", 0xfa, 0xab, 0x83);
	data(0xed);
	data(0x07);
	EXPECT("LEDs", 0xfa, 0xfa);
	data(0xf0);
	data(0x00);
	EXPECT("scan code set", 0xfa, 0xfa, 0x02);
	data(0xf0);
	data(0x09);
	EXPECT("no such set", 0xfa, 0xfe);
	data(0xee);
	EXPECT("echo", 0xee);
	data(0x33);
	EXPECT("no such command", 0xfe);
}

Test(i8042, ctrl_alt_del_in_each_coding)
{
	i8042_ctrl_alt_del(&k);
	EXPECT("translated", 0x1d, 0x38, 0xe0, 0x53, 0xe0, 0xd3, 0xb8, 0x9d);
	cr_assert_eq(rises, 8, "an edge for each byte");
	cr_assert(!line);
	command(0x60);
	data(0x25);
	i8042_ctrl_alt_del(&k);
	EXPECT("set 2", 0x14, 0x11, 0xe0, 0x71, 0xe0, 0xf0, 0x71, 0xf0, 0x11, 0xf0, 0x14);
}

Test(i8042, keys_that_cannot_be_typed_are_lost_whole)
{
	command(0xad); /* keyboard off */
	i8042_ctrl_alt_del(&k);
	cr_assert(!full());
	command(0xae);
	data(0xf5); /* does not scan */
	EXPECT("acknowledged", 0xfa);
	i8042_ctrl_alt_del(&k);
	cr_assert(!full());
	data(0xf4);
	EXPECT("acknowledged", 0xfa);
	for (unsigned int i = 0; i < 100; i++)
		i8042_ctrl_alt_del(&k);
	cr_assert_eq(k.queued, I8042_QUEUE_MAX / 8 * 8);
}

Test(i8042, no_interrupt_unless_enabled)
{
	command(0x60);
	data(0x44);
	i8042_ctrl_alt_del(&k);
	cr_assert_eq(rises, 0);
	command(0x60);
	data(0x45);
	cr_assert(line, "what waits is announced as soon as interrupts are on");
}

Test(i8042, ports)
{
	struct bus bus;
	uint8_t v = 0xaa;

	bus_init(&bus);
	cr_assert_eq(i8042_add(&k, &bus, &(struct err){0}), 0);
	bus_access(&bus, BUS_PIO, true, 0x64, &v, 1);
	bus_access(&bus, BUS_PIO, false, 0x64, &v, 1);
	cr_assert_eq(v & 1, 1);
	bus_access(&bus, BUS_PIO, false, 0x60, &v, 1);
	cr_assert_eq(v, 0x55);
}

Test(i8042, a_full_queue_loses_what_comes)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < 1000; i++)
		data(0xee); /* echo */
	for (; full() && nr < 1000; nr++)
		cr_expect_eq(i8042_read(&k, false), 0xee);
	cr_expect_eq(nr, I8042_QUEUE_MAX);
}
