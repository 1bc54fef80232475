/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/uart.h"

#include <criterion/criterion.h>
#include <linux/serial_reg.h>

static struct uart uart;

static void setup(void)
{
	uart = (struct uart){0};
}

TestSuite(uart, .init = setup);

static void outb(unsigned int reg, uint8_t v)
{
	uart_write(&uart, reg, v);
}

static uint8_t inb(unsigned int reg)
{
	return uart_read(&uart, reg);
}

Test(uart, looks_like_a_16550a)
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

Test(uart, loops_back)
{
	outb(UART_FCR, UART_FCR_ENABLE_FIFO);
	outb(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	cr_assert_eq(inb(UART_MSR) & 0xf0, UART_MSR_DCD | UART_MSR_CTS, "as Linux probes it");
	outb(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1 | UART_MCR_DTR);
	cr_assert_eq(inb(UART_MSR),
		     UART_MSR_RI | UART_MSR_DSR | UART_MSR_DDCD | UART_MSR_DCTS | UART_MSR_DDSR);
	cr_assert_eq(inb(UART_MSR), UART_MSR_RI | UART_MSR_DSR, "changes are reported once");
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
	cr_assert_eq(uart.tx_nr, 0, "none of it went out");
	outb(UART_TX, '!');
	cr_assert_eq(uart.tx_nr, 1);
}

Test(uart, interrupts_when_the_transmitter_is_empty)
{
	outb(UART_FCR, UART_FCR_ENABLE_FIFO);
	cr_assert_not(uart_edge(&uart));
	outb(UART_IER, UART_IER_THRI);
	cr_assert(uart_edge(&uart), "enabled while it is empty");
	cr_assert_not(uart_edge(&uart), "once");
	cr_assert_eq(inb(UART_IIR), 0xc0 | UART_IIR_THRI);
	cr_assert_eq(inb(UART_IIR), 0xc0 | UART_IIR_NO_INT, "reading it is the acknowledgement");
	cr_assert_not(uart_edge(&uart));
	for (int i = 0; i < 16; i++)
		outb(UART_TX, 'x');
	cr_assert(uart_edge(&uart), "one for the FIFO full");
	cr_assert_eq(inb(UART_IIR), 0xc0 | UART_IIR_THRI);
	cr_assert_not(uart_edge(&uart));
	outb(UART_TX, 'x');
	cr_assert(uart_edge(&uart));
	outb(UART_TX, 'x');
	cr_assert(uart_edge(&uart), "also for a driver that does not read IIR");
	cr_assert_not(uart_edge(&uart));
	outb(UART_IER, 0);
	cr_assert_not(uart_edge(&uart));
	cr_assert_eq(inb(UART_IIR), 0xc0 | UART_IIR_NO_INT);
	outb(UART_IER, UART_IER_THRI);
	cr_assert(uart_edge(&uart), "and again when it is enabled again");
}

Test(uart, a_full_ring_holds_the_guest_back_and_loses_nothing)
{
	uint8_t buf[1000];
	uint32_t sent = 0, got = 0;
	unsigned int n;

	/* Twice, from different places in the ring. */
	for (int turn = 0; turn < 2; turn++) {
		outb(UART_IER, 0);
		while (inb(UART_LSR) & UART_LSR_THRE) {
			for (int i = 0; i < 16; i++, sent++)
				outb(UART_TX, (uint8_t)(sent * 7));
			cr_assert_leq(sent - got, UART_RING_BYTES, "nothing holds it back");
		}
		cr_assert_gt(sent - got, UART_RING_BYTES - 16);
		outb(UART_IER, UART_IER_THRI);
		cr_assert_not(uart_edge(&uart), "it is not empty");
		for (int i = 0; i < 50; i++) {
			n = uart_take(&uart, buf, sizeof(buf));
			cr_assert_eq(n, sizeof(buf));
			for (unsigned int k = 0; k < n; k++, got++)
				cr_assert_eq(buf[k], (uint8_t)(got * 7), "byte %u", got);
		}
		cr_assert(uart_edge(&uart));
		cr_assert_eq(inb(UART_IIR), UART_IIR_THRI);
		cr_assert(inb(UART_LSR) & UART_LSR_THRE);
	}
	while ((n = uart_take(&uart, buf, sizeof(buf))) > 0)
		got += n;
	cr_assert_eq(got, sent);
	cr_assert_eq(uart.lost, 0);
	cr_assert_eq(uart.tx_head, 0, "an empty ring begins anew");
}

Test(uart, a_guest_without_manners_loses_bytes_that_are_counted)
{
	uint8_t first;

	for (unsigned int i = 0; i < UART_RING_BYTES + 5; i++)
		outb(UART_TX, i < UART_RING_BYTES ? 'x' : 'y');
	cr_assert_eq(uart.lost, 5);
	cr_assert_eq(uart_take(&uart, &first, 1), 1);
	cr_assert_eq(first, 'x');
}

Test(uart, input_waits_until_the_guest_listens)
{
	static const uint8_t text[] = "the quick brown fox";

	outb(UART_FCR, UART_FCR_ENABLE_FIFO);
	cr_assert_eq(uart_room(&uart), 0, "no reader yet");
	outb(UART_MCR, UART_MCR_RTS);
	cr_assert_eq(uart_room(&uart), 16);
	outb(UART_MCR, 0);
	outb(UART_IER, UART_IER_RDI);
	cr_assert_eq(uart_room(&uart), 16);
	outb(UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
	cr_assert_eq(uart_room(&uart), 0);
	outb(UART_MCR, 0);
	uart_receive(&uart, text, 5);
	cr_assert_eq(uart_room(&uart), 11);
	cr_assert(uart_edge(&uart));
	cr_assert_eq(inb(UART_IIR), 0xc0 | UART_IIR_RDI);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(inb(UART_RX), text[i]);
	cr_assert_not(uart_edge(&uart));
	cr_assert_eq(inb(UART_LSR) & UART_LSR_DR, 0);
	outb(UART_FCR, 0);
	cr_assert_eq(uart_room(&uart), 1, "without the FIFO there is one register");
}
