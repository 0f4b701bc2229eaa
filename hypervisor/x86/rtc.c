/* SPDX-License-Identifier: MIT */
/*
 * The CMOS real-time clock (Motorola MC146818 data sheet): read once, at boot. It is not waited for
 * until its second changes: half a second of error is domain 0's to correct, which sets the wall
 * clock from a better source anyway.
 *
 * Domain 0 owns the device afterwards; nothing here is called again.
 */
#include "x86/time.h"
#include "acpi/acpi.h"

#define RTC_SECONDS 0
#define RTC_MINUTES 2
#define RTC_HOURS   4
#define RTC_DAY	    7
#define RTC_MONTH   8
#define RTC_YEAR    9
#define RTC_REG_A   10
#define RTC_REG_B   11
#define RTC_A_UIP   0x80 /* an update begins within 244 us */
#define RTC_B_24H   0x02
#define RTC_B_BIN   0x04

struct rtc_time {
	unsigned int second, minute, hour, day, month, year;
};

static uint8_t __init cmos_read(unsigned int reg)
{
	outb(0x70, (uint8_t)reg);
	return inb(0x71);
}

static unsigned int __init from_bcd(unsigned int v)
{
	return (v >> 4) * 10 + (v & 15);
}

static void __init rtc_read_raw(struct rtc_time *t)
{
	t->second = cmos_read(RTC_SECONDS);
	t->minute = cmos_read(RTC_MINUTES);
	t->hour = cmos_read(RTC_HOURS);
	t->day = cmos_read(RTC_DAY);
	t->month = cmos_read(RTC_MONTH);
	t->year = cmos_read(RTC_YEAR);
}

/* The top bit of the hour says "afternoon" on a 12-hour clock. */
static void __init rtc_decode(struct rtc_time *t, unsigned int reg_b)
{
	bool pm = !(reg_b & RTC_B_24H) && (t->hour & 0x80);

	t->hour &= 0x7f;
	if (!(reg_b & RTC_B_BIN)) {
		t->second = from_bcd(t->second);
		t->minute = from_bcd(t->minute);
		t->hour = from_bcd(t->hour);
		t->day = from_bcd(t->day);
		t->month = from_bcd(t->month);
		t->year = from_bcd(t->year);
	}
	if (!(reg_b & RTC_B_24H))
		t->hour = t->hour % 12 + (pm ? 12 : 0);
	t->year += t->year < 70 ? 2000 : 1900;
}

/*
 * Days since 1970-01-01; years are counted from March, so that the leap day is the last of its
 * year.
 */
static uint64_t __init days_from_date(unsigned int y, unsigned int m, unsigned int d)
{
	if (m <= 2) {
		m += 12;
		y--;
	}
	return 365UL * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + d - 1 - 719468;
}

uint64_t __init cmos_read_seconds(void)
{
	struct rtc_time t;
	unsigned int tries;

	if (acpi_info.no_cmos_rtc)
		return 0;
	/* An update lasts 2 ms; a clock that is absent reads as all ones for ever. */
	for (tries = 0; cmos_read(RTC_REG_A) & RTC_A_UIP; tries++) {
		if (tries == 50)
			return 0;
		delay_us(50);
	}
	rtc_read_raw(&t);
	rtc_decode(&t, cmos_read(RTC_REG_B));
	if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31 || t.hour > 23 ||
	    t.minute > 59 || t.second > 59)
		return 0;
	return ((days_from_date(t.year, t.month, t.day) * 24 + t.hour) * 60 + t.minute) * 60 +
	       t.second;
}
