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

#define RTC_REG_A 10
#define RTC_REG_B 11
#define RTC_A_UIP 0x80 /* an update begins within 244 us */
#define RTC_B_24H 0x02
#define RTC_B_BIN 0x04

enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, NR_FIELDS };
static const uint8_t field_regs[NR_FIELDS] = {0, 2, 4, 7, 8, 9};

static uint8_t __init cmos_read(unsigned int reg)
{
	outb(0x70, (uint8_t)reg);
	return inb(0x71);
}

/* The top bit of the hour says "afternoon" on a 12-hour clock. */
static void __init rtc_read(unsigned int *t)
{
	unsigned int format = cmos_read(RTC_REG_B);
	bool pm;

	for (unsigned int i = 0; i < NR_FIELDS; i++)
		t[i] = cmos_read(field_regs[i]);
	pm = !(format & RTC_B_24H) && (t[HOUR] & 0x80);
	t[HOUR] &= 0x7f;
	for (unsigned int i = 0; i < NR_FIELDS && !(format & RTC_B_BIN); i++)
		t[i] = (t[i] >> 4) * 10 + (t[i] & 15);
	if (!(format & RTC_B_24H))
		t[HOUR] = t[HOUR] % 12 + (pm ? 12 : 0);
	t[YEAR] += t[YEAR] < 70 ? 2000 : 1900;
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
	unsigned int t[NR_FIELDS], tries;

	if (acpi_info.no_cmos_rtc)
		return 0;
	/* An update lasts 2 ms; a clock that is absent reads as all ones for ever. */
	for (tries = 0; cmos_read(RTC_REG_A) & RTC_A_UIP; tries++) {
		if (tries == 50)
			return 0;
		delay_us(50);
	}
	rtc_read(t);
	if (t[MONTH] < 1 || t[MONTH] > 12 || t[DAY] < 1 || t[DAY] > 31 || t[HOUR] > 23 ||
	    t[MINUTE] > 59 || t[SECOND] > 59)
		return 0;
	return ((days_from_date(t[YEAR], t[MONTH], t[DAY]) * 24 + t[HOUR]) * 60 + t[MINUTE]) * 60 +
	       t[SECOND];
}
