/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/rtc.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>

#include "vmm/x86/layout.h"
#include "vmm/x86/rtc_date.h"

#define RTC_UIP_TICKS 8
#define NS_PER_S      1000000000LL

static const uint8_t rtc_time_regs[] = {0, 2, 4, RTC_WEEKDAY, 7, 8, 9, RTC_CENTURY};

static int64_t rtc_host_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * RTC_HZ + ts.tv_nsec * RTC_HZ / NS_PER_S;
}

static int64_t rtc_ticks(const struct rtc *r)
{
	return r->now() + r->ahead;
}

static bool rtc_is_time(uint8_t index)
{
	for (size_t i = 0; i < sizeof(rtc_time_regs); i++) {
		if (rtc_time_regs[i] == index)
			return true;
	}
	return false;
}

static uint8_t rtc_time_reg(const struct rtc *r, uint8_t index)
{
	struct rtc_date t = rtc_date_of(rtc_regs_seconds(rtc_ticks(r)));

	switch (index) {
	case 0: return rtc_regs_coded(r->cmos, t.second);
	case 2: return rtc_regs_coded(r->cmos, t.minute);
	case 4: return rtc_regs_coded_hour(r->cmos, t.hour);
	case RTC_WEEKDAY: return rtc_regs_coded(r->cmos, (t.weekday + r->weekdays - 1) % 7 + 1);
	case 7: return rtc_regs_coded(r->cmos, t.day);
	case 8: return rtc_regs_coded(r->cmos, t.month);
	case 9: return rtc_regs_coded(r->cmos, t.year % 100);
	default: return rtc_regs_coded(r->cmos, t.year / 100);
	}
}

/* ---- running and stopped ----------------------------------------------------------------- */

/* Sets the guest's clock; register C is complete for the time before. */
static void rtc_shift(struct rtc *r, int64_t ticks)
{
	r->ahead += ticks;
	r->seen += ticks;
}

static void rtc_freeze(struct rtc *r)
{
	for (size_t i = 0; i < sizeof(rtc_time_regs); i++)
		r->cmos[rtc_time_regs[i]] = rtc_time_reg(r, rtc_time_regs[i]);
}

/* Continues from the time registers. The oscillator did not stop, so the change is in whole seconds. */
static void rtc_thaw(struct rtc *r)
{
	const struct rtc_date t = {
		.second = rtc_regs_decoded(r->cmos, r->cmos[0]),
		.minute = rtc_regs_decoded(r->cmos, r->cmos[2]),
		.hour = rtc_regs_decoded_hour(r->cmos, r->cmos[4]),
		.day = rtc_regs_decoded(r->cmos, r->cmos[7]),
		.month = rtc_regs_decoded(r->cmos, r->cmos[8]),
		.year = rtc_regs_decoded(r->cmos, r->cmos[9]) +
			100 * rtc_regs_decoded(r->cmos, r->cmos[RTC_CENTURY]),
	};
	int64_t seconds = rtc_date_seconds(&t);

	rtc_shift(r, (seconds - rtc_regs_seconds(rtc_ticks(r))) * RTC_HZ);
	r->weekdays = rtc_regs_decoded(r->cmos, r->cmos[RTC_WEEKDAY]) + 7 -
		      rtc_date_of(seconds).weekday;
}

/* ---- interrupts -------------------------------------------------------------------------- */

static const struct {
	uint8_t event;
	int64_t (*next)(const uint8_t *cmos, int64_t from);
} rtc_events[] = {
	{RTC_PERIODIC, rtc_regs_next_period},
	{RTC_ALARM, rtc_regs_next_alarm},
	{RTC_UPDATE, rtc_regs_next_update},
};

/* Adds the events since the last call to register C */
static void rtc_look(struct rtc *r)
{
	int64_t now = rtc_ticks(r), from = r->seen;

	r->seen = now;
	/* If the host's clock was set back, nothing has happened. */
	for (size_t i = 0; from < now && i < ARRAY_SIZE(rtc_events); i++) {
		if (rtc_events[i].next(r->cmos, from) <= now)
			r->cmos[RTC_REG_C] |= rtc_events[i].event;
	}
}

static uint8_t rtc_raised(const struct rtc *r)
{
	return r->cmos[RTC_REG_C] & r->cmos[RTC_REG_B] & RTC_EVENTS;
}

/* Time on the host's clock at which the line will rise */
static int64_t rtc_next_wake(const struct rtc *r)
{
	int64_t first = RTC_NEVER;

	for (size_t i = 0; i < ARRAY_SIZE(rtc_events) && !rtc_raised(r); i++) {
		int64_t next = RTC_NEVER;

		if (r->cmos[RTC_REG_B] & rtc_events[i].event)
			next = rtc_events[i].next(r->cmos, r->seen);
		first = next < first ? next : first;
	}
	return first == RTC_NEVER ? RTC_NEVER : first - r->ahead;
}

static void rtc_arm(struct rtc *r, int64_t at)
{
	struct itimerspec t = {0};

	r->wake_at = at;
	if (r->timer_fd < 0)
		return;
	if (at != RTC_NEVER) {
		int64_t part = at & (RTC_HZ - 1);

		t.it_value.tv_sec = rtc_regs_seconds(at);
		t.it_value.tv_nsec = (part * NS_PER_S + RTC_HZ - 1) / RTC_HZ;
	}
	/* ECANCELED: the host's clock was set before; the timer is armed all the same. */
	if (timerfd_settime(r->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL) < 0)
		vr_assert(errno == ECANCELED);
}

/* Called after every change: sets line and timer as the registers require */
static void rtc_settle(struct rtc *r)
{
	bool high = rtc_raised(r) != 0;
	int64_t at = rtc_next_wake(r);

	if (high != r->high)
		r->irq(r->arg, high);
	r->high = high;
	if (at != r->wake_at)
		rtc_arm(r, at);
}

void rtc_tick(struct rtc *r)
{
	rtc_look(r);
	r->wake_at = 0; /* the timer is no longer armed */
	rtc_settle(r);
}

static void rtc_on_timer(void *arg, int fd UNUSED, uint32_t events UNUSED)
{
	struct rtc *r = arg;

	pthread_mutex_lock(&r->bus->lock);
	rtc_tick(r);
	pthread_mutex_unlock(&r->bus->lock);
}

int rtc_watch(struct rtc *r, struct loop *loop, struct bus *bus, struct err *err)
{
	r->bus = bus;
	r->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (r->timer_fd < 0)
		return err_set(err, errno, "timer of the real-time clock");
	return loop_add(loop, r->timer_fd, EPOLLIN, rtc_on_timer, r, err);
}

/* ---- registers --------------------------------------------------------------------------- */

static uint8_t rtc_read_a(const struct rtc *r)
{
	bool soon = (rtc_ticks(r) & (RTC_HZ - 1)) >= RTC_HZ - RTC_UIP_TICKS;

	return r->cmos[RTC_REG_A] | (rtc_regs_runs(r->cmos) && soon ? RTC_A_UIP : 0);
}

static uint8_t rtc_read_c(struct rtc *r)
{
	uint8_t value;

	rtc_look(r);
	value = r->cmos[RTC_REG_C] | (rtc_raised(r) ? RTC_C_IRQ : 0);
	r->cmos[RTC_REG_C] = 0;
	rtc_settle(r);
	return value;
}

uint8_t rtc_read(struct rtc *r)
{
	if (r->index == RTC_REG_A)
		return rtc_read_a(r);
	if (r->index == RTC_REG_C)
		return rtc_read_c(r);
	if (rtc_regs_runs(r->cmos) && rtc_is_time(r->index))
		return rtc_time_reg(r, r->index);
	return r->cmos[r->index];
}

void rtc_select(struct rtc *r, uint8_t index)
{
	r->index = index & (RTC_CMOS_BYTES - 1); /* bit 7 masks NMIs on a PC */
}

/* Registers A and B can stop and start the clock. */
static void rtc_write_mode(struct rtc *r, uint8_t value)
{
	bool ran = rtc_regs_runs(r->cmos), held = rtc_regs_held(r->cmos);

	if (r->index == RTC_REG_A)
		value &= (uint8_t)~RTC_A_UIP;
	else if (value & RTC_B_SET)
		value &= (uint8_t)~RTC_UPDATE; /* no update will come */
	r->cmos[r->index] = value;
	if (held && !rtc_regs_held(r->cmos))
		rtc_shift(r, (RTC_HZ / 2 - rtc_ticks(r)) & (RTC_HZ - 1));
	if (ran && !rtc_regs_runs(r->cmos))
		rtc_freeze(r);
	else if (!ran && rtc_regs_runs(r->cmos))
		rtc_thaw(r);
}

void rtc_write(struct rtc *r, uint8_t value)
{
	if (r->index == RTC_REG_C || r->index == RTC_REG_D)
		return;
	rtc_look(r);
	if (r->index == RTC_REG_A || r->index == RTC_REG_B) {
		rtc_write_mode(r, value);
	} else if (rtc_regs_runs(r->cmos) && rtc_is_time(r->index)) {
		rtc_freeze(r);
		r->cmos[r->index] = value;
		rtc_thaw(r);
	} else {
		r->cmos[r->index] = value;
	}
	rtc_settle(r);
}

static void rtc_access(void *dev, bool write, uint64_t off, void *data, unsigned int len)
{
	struct rtc *r = dev;
	uint8_t *byte = data;

	for (unsigned int i = 0; i < len; i++) {
		bool index = off + i == 0;

		if (write && index)
			rtc_select(r, byte[i]);
		else if (write)
			rtc_write(r, byte[i]);
		else
			byte[i] = index ? 0xff : rtc_read(r);
	}
}

/* ---- set-up ------------------------------------------------------------------------------ */

/* Stores a little-endian number in @nr CMOS bytes from @at on; the maximum if it does not fit */
static void rtc_store(struct rtc *r, unsigned int at, unsigned int nr, uint64_t value)
{
	uint64_t max = (1ULL << (8 * nr)) - 1;

	if (value > max)
		value = max;
	for (unsigned int i = 0; i < nr; i++)
		r->cmos[at + i] = (uint8_t)(value >> (8 * i));
}

static uint64_t rtc_above(uint64_t bytes, uint64_t limit)
{
	return bytes > limit ? bytes - limit : 0;
}

void rtc_init(struct rtc *r, const struct rtc_args *args)
{
	uint64_t low = args->mem_bytes < X86_HOLE ? args->mem_bytes : X86_HOLE;

	*r = (struct rtc){
		.now = args->now ? args->now : rtc_host_now,
		.irq = args->irq,
		.arg = args->arg,
		.wake_at = RTC_NEVER,
		.timer_fd = -1,
	};
	r->seen = r->now();
	r->cmos[RTC_REG_A] = RTC_A_32KHZ;
	r->cmos[RTC_REG_B] = RTC_B_24H;
	r->cmos[RTC_REG_D] = RTC_D_POWERED;
	rtc_store(r, 0x15, 2, 640); /* KiB of base memory */
	rtc_store(r, 0x17, 2, rtc_above(low, 1 << 20) >> 10);
	rtc_store(r, 0x30, 2, rtc_above(low, 1 << 20) >> 10);
	rtc_store(r, 0x34, 2, rtc_above(low, 16 << 20) >> 16);
	rtc_store(r, 0x5b, 3, rtc_above(args->mem_bytes, X86_HOLE) >> 16);
	rtc_store(r, 0x5f, 1, args->nr_vcpus - 1);
}

int rtc_add(struct rtc *r, struct bus *bus, struct err *err)
{
	return bus_add(bus, BUS_PIO, X86_PORT_RTC, 2, rtc_access, r, err);
}
