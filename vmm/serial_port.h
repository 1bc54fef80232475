/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The VMM's end of a serial port that lives in a device process
 *
 * Ports 0x3f8 to 0x3ff become messages of devices/core/serial_msg.h. Writes are posted, reads wait
 * for the answer, both within a bound; what the device answers is checked like any peer's message.
 */
#ifndef VMRUN_VMM_SERIAL_PORT_H
#define VMRUN_VMM_SERIAL_PORT_H

#include "devices/core/log.h"
#include "devices/core/loop.h"
#include "vmm/backend.h"
#include "vmm/bus.h"
#include "vmm/kvm.h"

#define SERIAL_PORT_BASE       0x3f8
#define SERIAL_PORT_BYTES      8
#define SERIAL_PORT_GSI        4
#define SERIAL_PORT_TIMEOUT_MS 5000

/**
 * struct serial_port - One port
 * @sock:	Owned, SOCK_SEQPACKET
 * @irq_fd:	Owned; bound to SERIAL_PORT_GSI
 * @dead:	The device is gone: reads answer ones, writes vanish
 * @stalled:	The device does not take writes: they are lost, without waiting, until it does
 * @hook:	Set by the machine after init
 */
struct serial_port {
	const char *name;
	struct bus *bus;
	int sock;
	int irq_fd;
	struct loop *loop;
	int timeout_ms;
	bool dead, stalled;
	struct log_limit limit;
	struct device_hook hook;
};

/** struct serial_port_args - What a port is made of */
struct serial_port_args {
	const char *name; /* borrowed for the port's life, as @bus */
	int sock;         /* taken, even on failure */
	struct bus *bus;
	struct vm *vm; /* borrowed during the call */
};

/**
 * serial_port_init() - Make the interrupt, send SERIAL_SETUP, claim the ports
 *
 * Context: setup.  Syscalls: eventfd2 ioctl sendmsg
 * Return: 0 or -errno
 */
MUST_CHECK int serial_port_init(struct serial_port *s, const struct serial_port_args *args,
				struct err *err);

/** serial_port_watch() - Have the main loop notice the device's death.  Syscalls: epoll_ctl */
MUST_CHECK int serial_port_watch(struct serial_port *s, struct loop *loop, struct err *err);

/** serial_port_done() - Close what init made; safe on a zeroed struct */
void serial_port_done(struct serial_port *s);

#endif
