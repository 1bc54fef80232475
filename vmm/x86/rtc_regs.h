/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The registers of the real-time clock: bits, number formats, events
 *
 * MC146818 data sheet. Everything here follows from the CMOS bytes and a time, which counts ticks of the
 * oscillator since 1970.
 */
#ifndef VMRUN_VMM_X86_RTC_REGS_H
#define VMRUN_VMM_X86_RTC_REGS_H

#include "devices/core/base.h"

#define RTC_CMOS_BYTES 128
#define RTC_HZ	       32768
#define RTC_NEVER      INT64_MAX

#define RTC_REG_A     0x0a
#define RTC_REG_B     0x0b
#define RTC_REG_C     0x0c
#define RTC_REG_D     0x0d
#define RTC_WEEKDAY   0x06
#define RTC_CENTURY   0x32 /* FADT has this offset */

#define RTC_A_UIP     0x80 /* an update comes within 244 us */
#define RTC_A_RESET   0x60 /* both: the divider is held */
#define RTC_A_RATE    0x0f
#define RTC_A_32KHZ   0x26 /* oscillator on, 1024 Hz */
#define RTC_B_SET     0x80
#define RTC_B_BINARY  0x04
#define RTC_B_24H     0x02
#define RTC_C_IRQ     0x80
#define RTC_PERIODIC  0x40 /* these three in B, to enable, and in C */
#define RTC_ALARM     0x20
#define RTC_UPDATE    0x10
#define RTC_EVENTS    (RTC_PERIODIC | RTC_ALARM | RTC_UPDATE)
#define RTC_D_POWERED 0x80
#define RTC_PM	      0x80 /* in the hours of a 12-hour clock */
#define RTC_ANY	      0xc0 /* in an alarm register: this and anything above matches all values */

/** rtc_regs_seconds() - Whole seconds; rounds down, before 1970 too */
int64_t rtc_regs_seconds(int64_t ticks);

/** rtc_regs_held() - Whether register A holds the divider in reset */
bool rtc_regs_held(const uint8_t *cmos);

/** rtc_regs_runs() - Whether the clock runs: not held, and not being set */
bool rtc_regs_runs(const uint8_t *cmos);

/** rtc_regs_coded() - Encode a number as register B requires, binary or BCD */
uint8_t rtc_regs_coded(const uint8_t *cmos, unsigned int value);

/** rtc_regs_coded_hour() - Encode an hour, 0 to 23, as register B requires */
uint8_t rtc_regs_coded_hour(const uint8_t *cmos, unsigned int hour);

/** rtc_regs_decoded() - Decode a time register */
unsigned int rtc_regs_decoded(const uint8_t *cmos, uint8_t byte);

/** rtc_regs_decoded_hour() - Decode the register of hours; 0 to 23 if it is valid */
unsigned int rtc_regs_decoded_hour(const uint8_t *cmos, uint8_t byte);

/**
 * rtc_regs_next_period() - The first periodic event after the tick @from of the guest's clock
 *
 * rtc_regs_next_update(), rtc_regs_next_alarm(): likewise.
 * Return: its tick, or RTC_NEVER
 */
int64_t rtc_regs_next_period(const uint8_t *cmos, int64_t from);
int64_t rtc_regs_next_update(const uint8_t *cmos, int64_t from);
int64_t rtc_regs_next_alarm(const uint8_t *cmos, int64_t from);

#endif
