/* SPDX-License-Identifier: BSD-3-Clause */
/* The real-time clock: its interrupt arrives, at line 8, by way of the PICs; the time that was set runs on. */
#include "lib/guest.h"

#define PORT_INDEX 0x70
#define PORT_DATA  0x71
#define PORT_TIMER 0x608 /* ACPI's, 3579545 Hz, 32 bits */
#define PIC1	   0x20
#define PIC2	   0xa0
#define VECTOR	   0x28 /* of line 8, where the second PIC begins */
#define SELECTOR   0x08
#define GATE	   0x8e00U /* interrupt gate, present */
#define PATIENCE   (20U * 3579545U)

#define PERIODIC   0x40
#define ALARM	   0x20
#define UPDATE	   0x10
#define HOURS_24   0x02
#define SET	   0x80

struct gate {
	uint16_t low, selector, type, middle;
	uint32_t high, reserved;
};

extern const char entry[];
volatile uint32_t interrupts;
volatile uint8_t flags; /* register C, as the last one found it */
static struct gate idt[VECTOR + 1];

/* Reads register C, which guest code leaves selected, and signals both PICs the end of it. */
__asm__("entry:\n"
	"	push	%rax\n"
	"	inb	$0x71, %al\n"
	"	movb	%al, flags\n"
	"	incl	interrupts\n"
	"	movb	$0x20, %al\n"
	"	outb	%al, $0xa0\n"
	"	outb	%al, $0x20\n"
	"	pop	%rax\n"
	"	iretq\n");

static uint8_t get(uint8_t index)
{
	outb(PORT_INDEX, index);
	return inb(PORT_DATA);
}

static void set(uint8_t index, uint8_t value)
{
	outb(PORT_INDEX, index);
	outb(PORT_DATA, value);
}

static void take_interrupts(void)
{
	const uint64_t to = (uintptr_t)entry;
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof(idt) - 1, (uintptr_t)idt};

	idt[VECTOR] = (struct gate){(uint16_t)to,	  SELECTOR, GATE, (uint16_t)(to >> 16),
				    (uint32_t)(to >> 32), 0};
	__asm__ volatile("lidt %0" : : "m"(pointer));
	outb(PIC1, 0x11), outb(PIC2, 0x11); /* four words follow, the first at the other port */
	outb(PIC1 + 1, 0x20), outb(PIC2 + 1, VECTOR);
	outb(PIC1 + 1, 1 << 2), outb(PIC2 + 1, 2);
	outb(PIC1 + 1, 1), outb(PIC2 + 1, 1);
	outb(PIC1 + 1, (uint8_t) ~(1 << 2)), outb(PIC2 + 1, (uint8_t)~1);
}

/* Enables @events and waits for @nr interrupts, with a bound; true if as many came */
static bool wait_for(uint8_t events, uint32_t nr)
{
	uint32_t from = inl(PORT_TIMER);

	interrupts = 0;
	get(0x0c);
	set(0x0b, HOURS_24 | events);
	outb(PORT_INDEX, 0x0c);
	while (interrupts < nr && inl(PORT_TIMER) - from < PATIENCE)
		__asm__ volatile("sti\n\tnop\n\tcli" : : : "memory");
	set(0x0b, HOURS_24);
	return interrupts >= nr;
}

static void test_time(void)
{
	static const uint8_t regs[] = {0, 2, 4, 7, 8, 9, 0x32},
			     noon[] = {0, 0x00, 0x12, 0x31, 0x12, 0x99, 0x19};
	bool same = true;

	set(0x0b, HOURS_24 | SET);
	for (unsigned int i = 0; i < sizeof(regs); i++)
		set(regs[i], noon[i]);
	set(0x0b, HOURS_24);
	/* At most some minutes later, even on a slow machine */
	for (unsigned int i = 2; i < sizeof(regs); i++)
		same &= get(regs[i]) == noon[i];
	guest_check(same, "reads back what was set");
}

void guest_main(void)
{
	take_interrupts();
	set(0x0a, 0x2a); /* 64 Hz */
	guest_check(wait_for(PERIODIC, 3), "periodic interrupts");
	guest_check(flags & 0x80 && flags & PERIODIC, "which say what they are");
	set(1, 0xff), set(3, 0xff), set(5, 0xff);
	guest_check(wait_for(ALARM, 1) && flags & ALARM, "an alarm");
	guest_check(wait_for(UPDATE, 1) && flags & UPDATE, "an update");
	test_time();
	guest_puts("# rtc: done\n");
	guest_reset();
}
