/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The library of freestanding guests: ports, memory, words over serial, ways to end
 *
 * A guest defines guest_main(), which runs on one vCPU in 64-bit mode, interrupts off, no IDT (an
 * exception is a triple fault), the first 4 GiB mapped one to one. Returning resets the machine.
 * Keep them short: where KVM only emulates supervisor code an instruction takes a microsecond.
 */
#ifndef VMRUN_TESTS_GUESTS_LIB_GUEST_H
#define VMRUN_TESTS_GUESTS_LIB_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_PORT_SERIAL  0x3f8
#define GUEST_PORT_I8042   0x64
#define GUEST_PORT_PVPANIC 0x505
#define GUEST_PORT_PM1_EVT 0x600
#define GUEST_PORT_PM1_CNT 0x604
#define GUEST_PORT_NOBODY  0xe9 /* no model claims it: the cheapest exit there is */

void guest_main(void);

/* hvm_start_info, or 0 when entered in 64-bit mode */
extern uint64_t guest_pvh_info;

/* words.c: the kernel's command line, "" without a start info; whether @word is one of its words */
const char *guest_cmdline(void);
bool guest_has_word(const char *word);

static inline void outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

/* One access of exactly this width; KVM decodes plain moves */
static inline uint8_t mmio_read8(uint64_t gpa)
{
	uint8_t v;

	__asm__ volatile("movb (%1), %0" : "=q"(v) : "r"(gpa) : "memory");
	return v;
}

static inline uint16_t mmio_read16(uint64_t gpa)
{
	uint16_t v;

	__asm__ volatile("movw (%1), %0" : "=r"(v) : "r"(gpa) : "memory");
	return v;
}

static inline uint32_t mmio_read32(uint64_t gpa)
{
	uint32_t v;

	__asm__ volatile("movl (%1), %0" : "=r"(v) : "r"(gpa) : "memory");
	return v;
}

static inline uint64_t mmio_read64(uint64_t gpa)
{
	uint64_t v;

	__asm__ volatile("movq (%1), %0" : "=r"(v) : "r"(gpa) : "memory");
	return v;
}

static inline void mmio_write8(uint64_t gpa, uint8_t v)
{
	__asm__ volatile("movb %0, (%1)" : : "q"(v), "r"(gpa) : "memory");
}

static inline void mmio_write16(uint64_t gpa, uint16_t v)
{
	__asm__ volatile("movw %0, (%1)" : : "r"(v), "r"(gpa) : "memory");
}

static inline void mmio_write32(uint64_t gpa, uint32_t v)
{
	__asm__ volatile("movl %0, (%1)" : : "r"(v), "r"(gpa) : "memory");
}

static inline void mmio_write64(uint64_t gpa, uint64_t v)
{
	__asm__ volatile("movq %0, (%1)" : : "r"(v), "r"(gpa) : "memory");
}

/* serial.c: posted, without looking whether the transmitter is ready: the device keeps up */
void guest_puts(const char *text);
void guest_put_hex(uint64_t v); /* without 0x or leading zeroes */
void guest_put_dec(uint64_t v);

/* "ok - NAME" or "not ok - NAME", one line; returns @ok */
bool guest_check(bool ok, const char *name);

/* end.c: none of these returns */
__attribute__((noreturn)) void guest_reset(void);        /* i8042; a triple fault if that does nothing */
__attribute__((noreturn)) void guest_poweroff(void);     /* ACPI S5 */
__attribute__((noreturn)) void guest_panic(void);        /* pvpanic */
__attribute__((noreturn)) void guest_triple_fault(void);

/* Whether the power button was pressed since the last call */
bool guest_button(void);

/* string.c: the functions that the compiler expects */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
int strcmp(const char *a, const char *b);
size_t strlen(const char *s);

#endif
