/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: MC146818 real-time clock with 128 bytes of CMOS RAM
 *
 * The time is the host's, UTC. It is the host's to set: what a guest writes into the time registers
 * is dropped. Alarm and periodic interrupts do not come; Linux has better timers. The CMOS bytes say
 * how much RAM there is, as firmware on a PC leaves them.
 */
#ifndef VMRUN_VMM_RTC_H
#define VMRUN_VMM_RTC_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "vmm/bus.h"

#define RTC_CMOS_BYTES 128
#define RTC_CENTURY    0x32 /* FADT tells this offset */

/**
 * struct rtc - The clock
 * @now:	Seconds since 1970, UTC
 * @index:	Register that the data port accesses
 * @cmos:	What was stored; time registers are made up when read
 */
struct rtc {
	int64_t (*now)(void);
	uint8_t index;
	uint8_t cmos[RTC_CMOS_BYTES];
};

/**
 * rtc_init() - A clock, and CMOS bytes for this machine
 * @mem_bytes:	All RAM
 * @now:	NULL for the host's clock; tests bring their own
 */
void rtc_init(struct rtc *r, uint64_t mem_bytes, unsigned int nr_vcpus, int64_t (*now)(void));

/** rtc_add() - Claim ports 0x70 and 0x71 */
MUST_CHECK int rtc_add(struct rtc *r, struct bus *bus, struct err *err);

/** rtc_read() - The register selected.  Syscalls: clock_gettime (vDSO) */
uint8_t rtc_read(struct rtc *r);

/** rtc_select() - The guest writes the index port */
void rtc_select(struct rtc *r, uint8_t index);

/** rtc_write() - The guest writes the register selected */
void rtc_write(struct rtc *r, uint8_t value);

#endif
