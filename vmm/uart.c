/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/uart.h"

#include <linux/serial_reg.h>
#include <string.h>

/* The guest may write a whole FIFO before it reads LSR again, so that much must fit. */
static bool uart_thre(const struct uart *u)
{
	return UART_RING_BYTES - u->tx_nr >= UART_FIFO_BYTES;
}

static unsigned int uart_fifo_room(const struct uart *u)
{
	unsigned int bytes = u->fcr & UART_FCR_ENABLE_FIFO ? UART_FIFO_BYTES : 1;

	return bytes > u->rx_nr ? bytes - u->rx_nr : 0;
}

/* Interrupt sources that are pending and enabled, as IER bits */
static uint8_t uart_pending(const struct uart *u)
{
	unsigned int p = 0;

	p |= u->lsr_error ? UART_IER_RLSI : 0;
	p |= u->rx_nr > 0 ? UART_IER_RDI : 0;
	p |= u->thre_pending ? UART_IER_THRI : 0;
	p |= u->msr_delta ? UART_IER_MSI : 0;
	return (uint8_t)(p & u->ier);
}

bool uart_edge(struct uart *u)
{
	uint8_t pending = uart_pending(u);
	bool edge = (pending & ~u->raised) != 0;

	u->raised = pending;
	return edge;
}

/* Modem lines, the upper half of MSR; in loopback they are MCR's outputs */
static uint8_t uart_lines(const struct uart *u)
{
	unsigned int v = 0;

	if (!(u->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	v |= u->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0;
	v |= u->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0;
	v |= u->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0;
	v |= u->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0;
	return (uint8_t)v;
}

/* ---- reading ---- */

static uint8_t uart_read_rbr(struct uart *u)
{
	uint8_t v = u->rx[0];

	if (u->rx_nr == 0)
		return 0;
	u->rx_nr--;
	memmove(u->rx, u->rx + 1, u->rx_nr);
	return v;
}

static uint8_t uart_read_iir(struct uart *u)
{
	static const uint8_t trigger[] = {1, 4, 8, 14};
	uint8_t fifo = u->fcr & UART_FCR_ENABLE_FIFO ? 0xc0 : 0;
	uint8_t pending = uart_pending(u);

	if (pending & UART_IER_RLSI)
		return fifo | UART_IIR_RLSI;
	if (pending & UART_IER_RDI) /* below the trigger: report the timeout at once */
		return fifo | (fifo && u->rx_nr < trigger[UART_FCR_R_TRIG_BITS(u->fcr)]
				       ? UART_IIR_RX_TIMEOUT
				       : UART_IIR_RDI);
	if (pending & UART_IER_THRI) {
		u->thre_pending = false;
		return fifo | UART_IIR_THRI;
	}
	return fifo | (pending & UART_IER_MSI ? UART_IIR_MSI : UART_IIR_NO_INT);
}

static uint8_t uart_read_lsr(struct uart *u)
{
	unsigned int v = u->lsr_error;

	v |= u->rx_nr > 0 ? UART_LSR_DR : 0;
	v |= uart_thre(u) ? UART_LSR_THRE | UART_LSR_TEMT : 0;
	u->lsr_error = 0;
	return (uint8_t)v;
}

static uint8_t uart_read_msr(struct uart *u)
{
	uint8_t v = uart_lines(u) | u->msr_delta;

	u->msr_delta = 0;
	return v;
}

uint8_t uart_read(struct uart *u, unsigned int reg)
{
	bool dlab = u->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_RX: return dlab ? u->dll : uart_read_rbr(u);
	case UART_IER: return dlab ? u->dlm : u->ier;
	case UART_IIR: return uart_read_iir(u);
	case UART_LCR: return u->lcr;
	case UART_MCR: return u->mcr;
	case UART_LSR: return uart_read_lsr(u);
	case UART_MSR: return uart_read_msr(u);
	default: return u->scr;
	}
}

/* ---- writing ---- */

static void uart_write_thr(struct uart *u, uint8_t v)
{
	if (u->mcr & UART_MCR_LOOP) {
		if (uart_fifo_room(u) > 0)
			u->rx[u->rx_nr++] = v;
		else
			u->lsr_error |= UART_LSR_OE;
	} else if (u->tx_nr < UART_RING_BYTES) {
		u->tx[(u->tx_head + u->tx_nr++) % UART_RING_BYTES] = v;
	} else {
		u->lost++;
	}
	/* The transmitter was full for a moment, so being empty is a new event, even if IIR was never read. */
	u->raised &= (uint8_t)~UART_IER_THRI;
	u->thre_pending = uart_thre(u);
}

static void uart_write_ier(struct uart *u, uint8_t v)
{
	/* Enabling it with an empty transmitter raises the interrupt at once; drivers rely on that. */
	if (v & ~u->ier & UART_IER_THRI)
		u->thre_pending = uart_thre(u);
	u->ier = v & 0x0f;
}

static void uart_write_fcr(struct uart *u, uint8_t v)
{
	if ((v & UART_FCR_CLEAR_RCVR) || ((v ^ u->fcr) & UART_FCR_ENABLE_FIFO))
		u->rx_nr = 0;
	/* CLEAR_XMIT has nothing to clear: bytes leave the transmit FIFO at once. */
	u->fcr = v & UART_FCR_ENABLE_FIFO ? v & (UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_MASK) : 0;
}

static void uart_write_mcr(struct uart *u, uint8_t v)
{
	uint8_t before = uart_lines(u);
	uint8_t after;

	u->mcr = v & 0x1f;
	after = uart_lines(u);
	u->msr_delta |= (uint8_t)((before ^ after) >> 4 &
				  (UART_MSR_DCTS | UART_MSR_DDSR | UART_MSR_DDCD));
	u->msr_delta |= before & ~after & UART_MSR_RI ? UART_MSR_TERI : 0;
}

void uart_write(struct uart *u, unsigned int reg, uint8_t v)
{
	bool dlab = u->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_TX:
		if (dlab)
			u->dll = v;
		else
			uart_write_thr(u, v);
		return;
	case UART_IER:
		if (dlab)
			u->dlm = v;
		else
			uart_write_ier(u, v);
		return;
	case UART_FCR: uart_write_fcr(u, v); return;
	case UART_LCR: u->lcr = v; return;
	case UART_MCR: uart_write_mcr(u, v); return;
	case UART_SCR: u->scr = v; return;
	default: return; /* LSR and MSR are read-only */
	}
}

/* ---- the line ---- */

unsigned int uart_take(struct uart *u, uint8_t *buf, unsigned int max)
{
	bool was_full = !uart_thre(u);
	unsigned int n = u->tx_nr < max ? u->tx_nr : max;
	unsigned int first = UART_RING_BYTES - u->tx_head < n ? UART_RING_BYTES - u->tx_head : n;

	memcpy(buf, u->tx + u->tx_head, first);
	memcpy(buf + first, u->tx, n - first);
	u->tx_nr -= n;
	/* An empty ring starts over, so that most of its memory is never touched. */
	u->tx_head = u->tx_nr > 0 ? (u->tx_head + n) % UART_RING_BYTES : 0;
	if (was_full && uart_thre(u))
		u->thre_pending = true;
	return n;
}

unsigned int uart_room(const struct uart *u)
{
	bool listens = u->mcr & UART_MCR_RTS || u->ier & UART_IER_RDI;

	return listens && !(u->mcr & UART_MCR_LOOP) ? uart_fifo_room(u) : 0;
}

void uart_receive(struct uart *u, const uint8_t *buf, unsigned int len)
{
	vr_assert(len <= uart_fifo_room(u));
	memcpy(u->rx + u->rx_nr, buf, len);
	u->rx_nr += len;
}
