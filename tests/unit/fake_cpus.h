/* SPDX-License-Identifier: MIT */
/*
 * CPUs, time and interrupts for the tests of timers and of the scheduler: a simulation of one thread. Time stands still
 * while code runs and leaps to the next deadline of any CPU's timer; softirqs and switches happen as on the real
 * machine, one CPU after the other.
 */
#ifndef FAKE_CPUS_H
#define FAKE_CPUS_H

#include "core/domain.h"

extern s_time_t fake_now;
extern unsigned int fake_ipis;	     /* softirqs raised on, and kicks sent to, another CPU */
extern unsigned int fake_programmed; /* how often a CPU's timer was set */
extern s_time_t fake_deadline[NR_CPUS];
extern void (*fake_time_hook)(
	void); /* whenever somebody looks at the time: what another CPU does */

void fake_cpus_reset(unsigned int nr); /* time 0, CPUs idle, timers set up */
void fake_enter(unsigned int cpu);     /* the code that follows runs there */
void fake_settle(void);		       /* run softirqs until none is pending anywhere */
void fake_run_until(s_time_t end);
struct vcpu *fake_running(unsigned int cpu);
void fake_set_running(unsigned int cpu, struct vcpu *v); /* at the start, and in context_switch() */

#endif
