/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Keyboard controller with an AT keyboard
 *
 * Linux' drivers i8042 and atkbd bind to it; a guest can reset itself (command 0xfe, or bit 0 of the output
 * port); the host can press Ctrl-Alt-Del. There is no mouse port. The controller starts as a PC's firmware
 * leaves it: interrupt on, translation to scan code set 1 on.
 */
#ifndef VMRUN_VMM_X86_I8042_H
#define VMRUN_VMM_X86_I8042_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "vmm/bus.h"

#define I8042_QUEUE_MAX 32

/**
 * struct i8042 - The controller and its keyboard
 * @irq:	Sets the level of the keyboard's interrupt line
 * @reset:	The guest asks for a reset
 * @queue:	Ring of @queued bytes for the guest, from @queue_at on
 * @command:	Controller command that waits for its data byte, 0 = none
 * @kbd_command: Keyboard command that waits for its parameter, 0 = none
 */
struct i8042 {
	void (*irq)(void *arg, bool high);
	void (*reset)(void *arg);
	void *arg;
	uint8_t queue[I8042_QUEUE_MAX];
	unsigned int queue_at, queued;
	uint8_t config;
	uint8_t command;
	uint8_t kbd_command;
	uint8_t kbd_set;
	bool kbd_scanning;
};

/**
 * i8042_init() - Set the state after reset
 * @irq, @reset: Called with @arg, bus lock held
 */
void i8042_init(struct i8042 *k, void (*irq)(void *, bool), void (*reset)(void *), void *arg);

/** i8042_add() - Add ports 0x60 and 0x64 to the bus */
MUST_CHECK int i8042_add(struct i8042 *k, struct bus *bus, struct err *err);

/** i8042_read() - The guest reads the data register, or with @command the status register */
uint8_t i8042_read(struct i8042 *k, bool command);

/** i8042_write() - The guest writes the data register, or with @command the command register */
void i8042_write(struct i8042 *k, bool command, uint8_t value);

/**
 * i8042_ctrl_alt_del() - Press and release the three keys
 *
 * The caller holds the bus lock. A guest that does not read its keyboard loses keys, as on a PC.
 */
void i8042_ctrl_alt_del(struct i8042 *k);

#endif
