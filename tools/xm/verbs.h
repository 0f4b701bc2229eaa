/* SPDX-License-Identifier: MIT */
/* The commands' functions, as the table in commands.c names them; each is described by its rows there. */
#pragma once

#include "xm/xm.h"

verb xm_help, xm_completion;						/* help.c, completion.c */
verb xm_list, xm_vm_list, xm_domid, xm_domname, xm_domstate, xm_claims; /* list.c */
verb xm_uptime;								/* uptime.c */
verb xm_vcpu_list, xm_vcpu_pin, xm_vcpu_set, xm_memory;			/* vcpu.c */
verb xm_info, xm_dmesg, xm_log, xm_debug_keys;				/* node.c */
verb xm_sched, xm_cpupool_list;						/* sched.c */
verb xm_act, xm_destroy, xm_end, xm_trigger, xm_sysrq;			/* life.c */
verb xm_rename, xm_dump_core, xm_delete;				/* life.c */
verb xm_create, xm_start, xm_config_update;				/* create.c */
verb xm_devices_list, xm_device_attach, xm_device_detach, xm_device_configure; /* devices.c */
verb xm_console;							       /* console.c */
verb xm_top;								       /* top.c */

enum { CONSOLE_ESCAPE = 0x1d };

/* console.c: until @escape is typed or the domain's end. */
int console_attach(struct xm *x, long long domid, const char *type, long number, char escape);
