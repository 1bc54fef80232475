/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/i8042.h"

#include "vmm/x86/layout.h"

#define STATUS_FULL	 0x01 /* a byte waits in the data register */
#define STATUS_SYSTEM	 0x04 /* self test passed */
#define STATUS_UNLOCK	 0x10 /* no key lock */

#define CONFIG_IRQ	 0x01
#define CONFIG_SYSTEM	 0x04
#define CONFIG_KBD_OFF	 0x10
#define CONFIG_AUX_OFF	 0x20
#define CONFIG_TRANSLATE 0x40

#define OUTPUT_RUN	 0x01 /* 0 holds the processor in reset */
#define OUTPUT_A20	 0x02
#define OUTPUT_KBD_FULL	 0x10

#define KBD_ACK		 0xfa
#define KBD_RESEND	 0xfe

static void i8042_update_irq(struct i8042 *k)
{
	k->irq(k->arg, k->queued > 0 && (k->config & CONFIG_IRQ));
}

static void i8042_put(struct i8042 *k, uint8_t byte)
{
	if (k->queued == I8042_QUEUE_MAX)
		return;
	k->queue[(k->queue_at + k->queued++) % I8042_QUEUE_MAX] = byte;
	if (k->queued == 1)
		i8042_update_irq(k);
}

static uint8_t i8042_get(struct i8042 *k)
{
	uint8_t byte = k->queue[k->queue_at];

	/* An empty data register repeats the last byte, as the hardware does. */
	if (k->queued == 0)
		return k->queue[(k->queue_at + I8042_QUEUE_MAX - 1) % I8042_QUEUE_MAX];
	k->queue_at = (k->queue_at + 1) % I8042_QUEUE_MAX;
	k->queued--;
	/* The line is edge triggered: each byte needs an edge. */
	k->irq(k->arg, false);
	i8042_update_irq(k);
	return byte;
}

/* ---- the keyboard ----------------------------------------------------------------------- */

static void i8042_kbd_defaults(struct i8042 *k)
{
	k->kbd_set = 2;
	k->kbd_scanning = true;
	k->kbd_command = 0;
}

/* Commands that are only acknowledged have neither @more nor a parameter. */
static const struct {
	uint8_t command;
	uint8_t nr_more;
	bool parameter;
	uint8_t more[2]; /* answered after KBD_ACK */
} kbd_commands[] = {
	{.command = 0xed, .parameter = true},		       /* LEDs */
	{.command = 0xf0, .parameter = true},		       /* scan code set */
	{.command = 0xf2, .nr_more = 2, .more = {0xab, 0x83}}, /* identify */
	{.command = 0xf3, .parameter = true},		       /* typematic rate */
	{.command = 0xf4},				       /* scan */
	{.command = 0xf5},				       /* do not scan */
	{.command = 0xf6},				       /* defaults */
	{.command = 0xf7}, /* all keys typematic, and so on to 0xfa */
	{.command = 0xf8},
	{.command = 0xf9},
	{.command = 0xfa},
	{.command = 0xff, .nr_more = 1, .more = {0xaa}}, /* reset, self test passed */
};

/* Translation affects all bytes of the keyboard, also answers that look like a scan code. */
static void i8042_kbd_answer(struct i8042 *k, uint8_t byte)
{
	static const uint8_t translated[][2] = {
		{0x01, 0x43}, {0x02, 0x41}, {0x03, 0x3f}, {0x83, 0x41}};

	for (size_t i = 0; i < ARRAY_SIZE(translated) && (k->config & CONFIG_TRANSLATE); i++) {
		if (translated[i][0] == byte) {
			i8042_put(k, translated[i][1]);
			return;
		}
	}
	i8042_put(k, byte);
}

static void i8042_kbd_parameter(struct i8042 *k, uint8_t value)
{
	uint8_t command = k->kbd_command;

	k->kbd_command = 0;
	if (command == 0xf0 && value > 3) {
		i8042_kbd_answer(k, KBD_RESEND);
		return;
	}
	i8042_kbd_answer(k, KBD_ACK);
	if (command == 0xf0 && value == 0)
		i8042_kbd_answer(k, k->kbd_set);
	else if (command == 0xf0)
		k->kbd_set = value;
}

static void i8042_kbd_write(struct i8042 *k, uint8_t value)
{
	if (k->kbd_command != 0 && value < 0xed) {
		i8042_kbd_parameter(k, value);
		return;
	}
	k->kbd_command = 0;
	if (value == 0xee) { /* echo: not acknowledged */
		i8042_kbd_answer(k, 0xee);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kbd_commands); i++) {
		if (kbd_commands[i].command != value)
			continue;
		if (value == 0xf4 || value == 0xf5)
			k->kbd_scanning = value == 0xf4;
		else if (value == 0xf6 || value == 0xff)
			i8042_kbd_defaults(k);
		if (kbd_commands[i].parameter)
			k->kbd_command = value;
		i8042_kbd_answer(k, KBD_ACK);
		for (unsigned int b = 0; b < kbd_commands[i].nr_more; b++)
			i8042_kbd_answer(k, kbd_commands[i].more[b]);
		return;
	}
	i8042_kbd_answer(k, KBD_RESEND);
}

void i8042_ctrl_alt_del(struct i8042 *k)
{
	static const uint8_t set1[] = {0x1d, 0x38, 0xe0, 0x53, 0xe0, 0xd3, 0xb8, 0x9d};
	static const uint8_t set2[] = {0x14, 0x11, 0xe0, 0x71, 0xe0, 0xf0,
				       0x71, 0xf0, 0x11, 0xf0, 0x14};
	bool translate = k->config & CONFIG_TRANSLATE;
	const uint8_t *keys = translate || k->kbd_set == 1 ? set1 : set2;
	size_t nr = keys == set1 ? sizeof(set1) : sizeof(set2);

	/* All or nothing: a part would leave a key pressed. */
	if (!k->kbd_scanning || (k->config & CONFIG_KBD_OFF) || nr > I8042_QUEUE_MAX - k->queued)
		return;
	for (size_t i = 0; i < nr; i++)
		i8042_put(k, keys[i]);
}

/* ---- the controller --------------------------------------------------------------------- */

static void i8042_command(struct i8042 *k, uint8_t command)
{
	static const struct {
		uint8_t command, answer;
	} answers[] = {
		{0xaa, 0x55}, /* self test */
		{0xab, 0x00}, /* keyboard line test */
		{0xa9, 0x01}, /* mouse line test: clock stuck low, there is none */
		{0xd0, OUTPUT_RUN | OUTPUT_A20 | OUTPUT_KBD_FULL},
	};

	k->command = 0;
	if (command >= 0xf0) { /* pulse output lines whose bit is 0 */
		if (!(command & OUTPUT_RUN))
			k->reset(k->arg);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		if (answers[i].command == command)
			i8042_put(k, answers[i].answer);
	}
	switch (command) {
	case 0x20: i8042_put(k, k->config); break;
	case 0xa7: k->config |= CONFIG_AUX_OFF; break;
	case 0xa8: k->config &= (uint8_t)~CONFIG_AUX_OFF; break;
	case 0xad: k->config |= CONFIG_KBD_OFF; break;
	case 0xae: k->config &= (uint8_t)~CONFIG_KBD_OFF; break;
	case 0x60: /* these wait for a byte at the data register */
	case 0xd1:
	case 0xd2:
	case 0xd3:
	case 0xd4: k->command = command; break;
	default: break;
	}
}

static void i8042_data(struct i8042 *k, uint8_t value)
{
	uint8_t command = k->command;

	k->command = 0;
	switch (command) {
	case 0: i8042_kbd_write(k, value); break;
	case 0x60:
		k->config = value;
		i8042_update_irq(k);
		break;
	case 0xd1:
		if (!(value & OUTPUT_RUN))
			k->reset(k->arg);
		break;
	case 0xd2: i8042_put(k, value); break;
	default: break; /* for the mouse */
	}
}

uint8_t i8042_read(struct i8042 *k, bool command)
{
	if (!command)
		return i8042_get(k);
	return (uint8_t)(STATUS_UNLOCK | (k->config & CONFIG_SYSTEM ? STATUS_SYSTEM : 0) |
			 (k->queued > 0 ? STATUS_FULL : 0));
}

void i8042_write(struct i8042 *k, bool command, uint8_t value)
{
	if (command)
		i8042_command(k, value);
	else
		i8042_data(k, value);
}

/* Each range is one byte, so every access is. */
static void i8042_access(struct i8042 *k, bool command, bool write, uint8_t *data)
{
	if (write)
		i8042_write(k, command, *data);
	else
		*data = i8042_read(k, command);
}

static void i8042_data_port(void *dev, bool write, uint64_t off UNUSED, void *data,
			    unsigned int len UNUSED)
{
	i8042_access(dev, false, write, data);
}

static void i8042_command_port(void *dev, bool write, uint64_t off UNUSED, void *data,
			       unsigned int len UNUSED)
{
	i8042_access(dev, true, write, data);
}

void i8042_init(struct i8042 *k, void (*irq)(void *, bool), void (*reset)(void *), void *arg)
{
	*k = (struct i8042){
		.irq = irq,
		.reset = reset,
		.arg = arg,
		.config = CONFIG_IRQ | CONFIG_SYSTEM | CONFIG_AUX_OFF | CONFIG_TRANSLATE,
	};
	i8042_kbd_defaults(k);
}

int i8042_add(struct i8042 *k, struct bus *bus, struct err *err)
{
	int rc = bus_add(bus, BUS_PIO, X86_PORT_I8042_DATA, 1, i8042_data_port, k, err);

	if (rc < 0)
		return rc;
	return bus_add(bus, BUS_PIO, X86_PORT_I8042_COMMAND, 1, i8042_command_port, k, err);
}
