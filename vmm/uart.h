/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The registers of a 16550A
 *
 * Bytes that the guest transmits go into a ring, from which the owner takes them; bytes that the owner
 * receives go into the receive FIFO. When the ring is nearly full, LSR says that the transmitter is busy:
 * a guest that waits loses nothing; one that does not loses bytes, as on a real line.
 *
 * Interrupts are edges. A source raises one when it becomes pending and enabled, and may raise another
 * after the guest has handled it (read the data, read IIR, written more) or disabled it.
 */
#ifndef VMRUN_VMM_UART_H
#define VMRUN_VMM_UART_H

#include "devices/core/base.h"
#include "devices/core/serial_msg.h"

#define UART_FIFO_BYTES SERIAL_IN_MAX
#define UART_RING_BYTES SERIAL_HELD_MAX

/**
 * struct uart - State of one port; all zeroes after reset
 * @ier:	Registers, by their data sheet names
 * @lsr_error:	Error bits of LSR not yet read
 * @msr_delta:	Change bits of MSR not yet read
 * @thre_pending: The transmitter became empty, and the guest has not read that from IIR yet
 * @raised:	Sources (as IER bits) that are pending and have raised their edge
 * @rx:		Receive FIFO: @rx_nr bytes, the next one first
 * @tx:		Ring of @tx_nr bytes from @tx_head on
 * @lost:	Bytes that the guest wrote into a full ring
 */
struct uart {
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t lsr_error, msr_delta;
	bool thre_pending;
	uint8_t raised;
	uint8_t rx[UART_FIFO_BYTES];
	unsigned int rx_nr;
	uint8_t tx[UART_RING_BYTES];
	unsigned int tx_head, tx_nr;
	uint64_t lost;
};

/** uart_read() - The guest reads register @reg, 0 to 7 */
uint8_t uart_read(struct uart *u, unsigned int reg);

/** uart_write() - The guest writes register @reg, 0 to 7 */
void uart_write(struct uart *u, unsigned int reg, uint8_t v);

/** uart_edge() - Whether to raise an interrupt now; to be called after each change */
bool uart_edge(struct uart *u);

/** uart_take() - Take up to @max bytes out of the ring; returns how many */
unsigned int uart_take(struct uart *u, uint8_t *buf, unsigned int max);

/**
 * uart_room() - How many bytes of input fit; 0 if the guest does not listen
 *
 * It listens while it asserts RTS or has enabled the receive interrupt. Linux does neither before a
 * program opens the port, at which time it empties the FIFO.
 */
unsigned int uart_room(const struct uart *u);

/** uart_receive() - Put @len bytes, at most uart_room(), into the FIFO */
void uart_receive(struct uart *u, const uint8_t *buf, unsigned int len);

#endif
