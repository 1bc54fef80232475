/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: MC146818 real-time clock with 128 bytes of CMOS RAM
 *
 * The clock is the host's, UTC, and so many ticks of its oscillator ahead as the guest has set it: what
 * a guest sets is its own and lasts as long as its VM. While register B's SET is 1, or register A holds
 * the divider in reset, the time registers stand still and are memory; half a second after the divider
 * is let go comes the first update. The CMOS bytes say how much RAM there is, as firmware on a PC
 * leaves them.
 *
 * The flags of register C are not made when they are due but when somebody looks: what lies between two
 * looks is one event, however many periods it had. A timer runs only for an interrupt that is enabled and
 * not raised already. So a guest that does not answer costs nothing, and one that does gets no more
 * wake-ups than it reads register C, at most 8192 a second.
 */
#ifndef VMRUN_VMM_X86_RTC_H
#define VMRUN_VMM_X86_RTC_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/core/loop.h"
#include "vmm/bus.h"
#include "vmm/x86/rtc_regs.h"

/**
 * struct rtc_args - What a clock is made of
 * @mem_bytes:	All RAM
 * @now:	Ticks since 1970, UTC; NULL for the host's clock, tests bring their own
 * @irq:	Sets the level of the interrupt line; called with @arg, bus lock held
 */
struct rtc_args {
	uint64_t mem_bytes;
	unsigned int nr_vcpus;
	int64_t (*now)(void);
	void (*irq)(void *arg, bool high);
	void *arg;
};

/**
 * struct rtc - The clock
 * @ahead:	What the guest's clock is ahead of @now
 * @seen:	Up to where on the guest's clock register C knows what happened
 * @weekdays:	The guest's day of the week is so many after the calendar's
 * @wake_at:	When on @now rtc_tick() is wanted, or RTC_NEVER
 * @timer_fd:	Does that, in @bus' VM's main loop; -1 without rtc_watch()
 * @high:	Level of the line
 * @index:	Register that the data port accesses
 * @cmos:	What was stored; the time registers only while the clock stands still
 */
struct rtc {
	int64_t (*now)(void);
	void (*irq)(void *arg, bool high);
	void *arg;
	int64_t ahead, seen, wake_at;
	unsigned int weekdays;
	int timer_fd;
	struct bus *bus;
	bool high;
	uint8_t index;
	uint8_t cmos[RTC_CMOS_BYTES];
};

/** rtc_init() - A clock, and CMOS bytes for this machine.  Syscalls: clock_gettime (vDSO) */
void rtc_init(struct rtc *r, const struct rtc_args *args);

/** rtc_add() - Claim ports 0x70 and 0x71 */
MUST_CHECK int rtc_add(struct rtc *r, struct bus *bus, struct err *err);

/**
 * rtc_watch() - Have interrupts come by themselves
 * @loop:	The main thread's
 * @bus:	Whose lock is held for them
 *
 * Context: setup.  Syscalls: timerfd_create epoll_ctl
 */
MUST_CHECK int rtc_watch(struct rtc *r, struct loop *loop, struct bus *bus, struct err *err);

/** rtc_tick() - @wake_at has come, or the host's clock was set; bus lock held.  Syscalls: ioctl timerfd_settime */
void rtc_tick(struct rtc *r);

/** rtc_read() - The register selected.  Syscalls: clock_gettime (vDSO) ioctl timerfd_settime */
uint8_t rtc_read(struct rtc *r);

/** rtc_select() - The guest writes the index port */
void rtc_select(struct rtc *r, uint8_t index);

/** rtc_write() - The guest writes the register selected.  Syscalls: clock_gettime (vDSO) ioctl timerfd_settime */
void rtc_write(struct rtc *r, uint8_t value);

#endif
