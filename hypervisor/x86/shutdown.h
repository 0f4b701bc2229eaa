/* SPDX-License-Identifier: MIT */
/* Ending the machine's run: halt, reboot, power off. None returns. */
#ifndef X86_SHUTDOWN_H
#define X86_SHUTDOWN_H

#include "lib/types.h"

void machine_halt(void) __noreturn;
void machine_restart(unsigned int delay_ms) __noreturn;
void machine_power_off(void) __noreturn;
/*
 * ACPI sleep by domain 0's word (XENPF_enter_acpi_sleep): the values for PM1a and PM1b control. S5
 * only.
 */
void machine_enter_s5(uint32_t pm1a, uint32_t pm1b) __noreturn;

#endif
