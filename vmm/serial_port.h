/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A serial port: a UART here, its line in a device process
 *
 * The UART (vmm/uart.h) is at the address that vmm/arch.h gives, and answers at once. The device gets the
 * output in messages of devices/core/serial_msg.h, one at a time; output that comes meanwhile goes into
 * the next. So a guest never waits for the device, only for room in the UART, which LSR shows. A device
 * may be slow to write; it is broken when it closes its socket or violates the protocol.
 */
#ifndef VMRUN_VMM_SERIAL_PORT_H
#define VMRUN_VMM_SERIAL_PORT_H

#include "devices/core/log.h"
#include "devices/core/loop.h"
#include "vmm/bus.h"
#include "vmm/device_hook.h"
#include "vmm/kvm.h"
#include "vmm/uart.h"

#define SERIAL_PORT_BYTES 8

/**
 * struct serial_port - One port; the bus lock protects all but the fds
 * @sock:	Owned, SOCK_SEQPACKET
 * @irq_fd:	Owned; raises the interrupt line
 * @dead:	The device is gone: output is dropped
 * @writing:	A SERIAL_OUT is not yet answered
 * @room:	Of a SERIAL_ROOM not yet answered, else 0
 * @in:		Input that arrived when the guest had stopped listening
 * @lost:	uart.lost when it was last logged
 * @hook:	Set by the machine after init
 */
struct serial_port {
	const char *name;
	struct bus *bus;
	int sock;
	int irq_fd;
	struct loop *loop;
	bool dead, writing;
	unsigned int room;
	unsigned int in_nr;
	uint8_t in[SERIAL_IN_MAX];
	struct uart uart;
	uint64_t lost;
	struct log_limit limit;
	struct device_hook hook;
};

/** struct serial_port_args - What a port is made of */
struct serial_port_args {
	const char *name; /* borrowed for the port's life, as @bus */
	int sock;	  /* taken, even on failure */
	struct bus *bus;
	struct vm *vm; /* borrowed during the call */
};

/**
 * serial_port_init() - Create the interrupt, add the registers to the bus
 *
 * Context: setup
 * Syscalls: eventfd2 ioctl setsockopt
 * Return: 0 or -errno
 */
MUST_CHECK int serial_port_init(struct serial_port *s, const struct serial_port_args *args,
				struct err *err);

/** serial_port_watch() - Have the main loop watch the device.  Syscalls: epoll_ctl */
MUST_CHECK int serial_port_watch(struct serial_port *s, struct loop *loop, struct err *err);

/**
 * serial_port_finish() - Send the rest of the output; the guest has ended
 *
 * Context: main thread
 * Syscalls: sendto, futex
 */
void serial_port_finish(struct serial_port *s);

/** serial_port_done() - Close the fds; safe on a zeroed struct */
void serial_port_done(struct serial_port *s);

#endif
