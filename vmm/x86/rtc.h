/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: MC146818 real-time clock with 128 bytes of CMOS RAM
 *
 * It shows the host's time in UTC plus an offset in ticks of its oscillator. When the guest sets the time,
 * the offset changes, for the life of the VM. While register B's SET is 1, or register A holds the divider in
 * reset, the time registers do not advance and are plain memory; the first update comes half a second after
 * the divider is released. The CMOS bytes contain the size of RAM, as firmware on a PC writes them.
 *
 * The flags of register C are computed when they are needed: all periods since the last time count as one
 * event. A timer runs only while an interrupt is enabled and not raised. So a guest that ignores interrupts
 * costs nothing, and one that handles them gets one wake-up per read of register C, at most 8192 a second.
 */
#ifndef VMRUN_VMM_X86_RTC_H
#define VMRUN_VMM_X86_RTC_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/core/loop.h"
#include "vmm/bus.h"
#include "vmm/x86/rtc_regs.h"

/**
 * struct rtc_args - Arguments of rtc_init()
 * @mem_bytes:	Size of RAM
 * @now:	Returns ticks since 1970, UTC; NULL = the host's clock
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
 * @ahead:	The guest's clock minus @now
 * @seen:	Time on the guest's clock up to which register C is complete
 * @weekdays:	The guest's day of the week minus the calendar's
 * @wake_at:	Time on @now at which to call rtc_tick(), or RTC_NEVER
 * @timer_fd:	Timer for @wake_at; -1 without rtc_watch()
 * @high:	Level of the interrupt line
 * @index:	Register that the data port accesses
 * @cmos:	Stored bytes; those of the time are valid only while the clock does not run
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

/** rtc_init() - Set the state after reset, with CMOS bytes for this machine.  Syscalls: clock_gettime (vDSO) */
void rtc_init(struct rtc *r, const struct rtc_args *args);

/** rtc_add() - Add ports 0x70 and 0x71 to the bus */
MUST_CHECK int rtc_add(struct rtc *r, struct bus *bus, struct err *err);

/**
 * rtc_watch() - Have @loop raise interrupts when they are due
 * @loop:	Runs on the main thread
 * @bus:	Its lock protects the clock
 *
 * Context: setup
 * Syscalls: timerfd_create epoll_ctl
 */
MUST_CHECK int rtc_watch(struct rtc *r, struct loop *loop, struct bus *bus, struct err *err);

/** rtc_tick() - @wake_at is reached, or the host's clock was set; bus lock held.  Syscalls: ioctl timerfd_settime */
void rtc_tick(struct rtc *r);

/** rtc_read() - The guest reads the selected register.  Syscalls: clock_gettime (vDSO) ioctl timerfd_settime */
uint8_t rtc_read(struct rtc *r);

/** rtc_select() - The guest writes the index port */
void rtc_select(struct rtc *r, uint8_t index);

/** rtc_write() - The guest writes the selected register.  Syscalls: clock_gettime (vDSO) ioctl timerfd_settime */
void rtc_write(struct rtc *r, uint8_t value);

#endif
