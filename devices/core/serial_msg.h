/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The register protocol between the VMM and the serial device
 *
 * SOCK_SEQPACKET; every message is one struct serial_msg. SERIAL_SETUP comes first, once, from the
 * VMM with one fd: the eventfd that raises the UART's interrupt line (KVM_IRQFD), one event an edge.
 * Writes are posted; a read is answered by one message of the same op with @value filled in. Anything
 * else, of another size, or with fds where none belong, ends the device.
 */
#ifndef VMRUN_DEVICES_CORE_SERIAL_MSG_H
#define VMRUN_DEVICES_CORE_SERIAL_MSG_H

#include <stdint.h>

enum serial_op { SERIAL_SETUP = 1, SERIAL_READ = 2, SERIAL_WRITE = 3 };

/** struct serial_msg - @reg: 16550 register, 0 to 7; @value: the byte */
struct serial_msg {
	uint8_t op;
	uint8_t reg;
	uint8_t value;
	uint8_t reserved;
};

#endif
