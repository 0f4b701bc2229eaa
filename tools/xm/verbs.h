/* SPDX-License-Identifier: MIT */
/* The commands' functions, as the table in commands.c names them; each is described by its row there. */
#pragma once

#include "xm/xm.h"

typedef int verb(struct xm *x, const struct call *call, struct error *e);

verb xm_help, xm_completion;						  /* help.c */
verb xm_list, xm_vm_list, xm_domid, xm_domname, xm_domstate, xm_claims;	  /* list.c */
verb xm_uptime;								  /* uptime.c */
verb xm_vcpu_list, xm_vcpu_pin, xm_vcpu_set;				  /* vcpu.c */
verb xm_mem_set, xm_mem_max;						  /* memory.c */
verb xm_info, xm_dmesg, xm_log, xm_debug_keys;				  /* node.c */
verb xm_sched_credit, xm_sched_credit2, xm_cpupool_list;		  /* sched.c */
verb xm_pause, xm_unpause, xm_destroy, xm_shutdown, xm_reboot, xm_reset;  /* life.c */
verb xm_trigger, xm_sysrq, xm_rename, xm_dump_core, xm_delete;		  /* life.c */
verb xm_create, xm_new, xm_start, xm_config_update;			  /* create.c */
verb xm_block_list, xm_block_attach, xm_block_detach, xm_block_configure; /* devices.c */
verb xm_network_list, xm_network_attach, xm_network_detach;		  /* devices.c */
verb xm_console;							  /* console.c */
verb xm_top;								  /* top.c */

enum { CONSOLE_ESCAPE = 0x1d };

/* console.c: until @escape is typed or the domain's end. */
int console_attach(const char *domid, const char *type, long number, char escape, struct error *e);
