/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * What domain 0 can have Poncho ask of a Xen below it: the one hypercall of our own, for drivers of the outer Xen's PV devices.
 *
 *	long nested_op(unsigned int call, unsigned int op, void *arg)
 *
 * Call 0, op 0 fills struct nested_info. Any other @call is the outer Xen's hypercall number, @op its sub-operation and @arg that
 * sub-operation's structure as in Xen's public headers, NULL where it takes none; the answer is the outer Xen's own. Before that:
 *
 *	-ENOSYS      no outer Xen below, or this hypervisor does not know the hypercall at all
 *	-EPERM       the caller is not the hardware domain; or a domain other than DOMID_SELF, a frame that is not for
 *	             grants, a parameter or a shutdown reason that is not meant for drivers, a vCPU other than 0
 *	-EOPNOTSUPP  not one of these operations:
 *
 *	xen_version (17)	version (0; returns the version, takes no structure), get_features (6)
 *	memory_op (12)		add_to_physmap (7) of the grant table, space 1, to one of the frames told below, [grant_mfn,
 *				grant_mfn + nr_grant_mfns); remove_from_physmap (15) of the same
 *	hvm_op (34)		get_param (1): STORE_PFN 1, STORE_EVTCHN 2, CONSOLE_PFN 17, CONSOLE_EVTCHN 18
 *	grant_table_op (20)	query_size (6): one structure
 *	event_channel_op (32)	bind_interdomain (0), close (3), send (4), status (5), alloc_unbound (6), bind_vcpu (8), unmask (9)
 *	sched_op (29)		shutdown (2): poweroff 0, reboot 1, crash 3; unlike the domain's own SCHEDOP_shutdown it ends
 *				the whole machine, at once
 *
 * Events: new channels notify the outer vCPU 0, and shall stay there; all are masked at first: unmask them by the operation. The
 * outer shared info page is mapped by domain 0 from shared_info_mfn, writable. For each upcall Poncho clears
 * vcpu_info[0].evtchn_upcall_pending, leaves set in evtchn_pending_sel the words with pending unmasked events, and if there are any
 * sends the global NESTED_VIRQ to domain 0, whose handler exchanges vcpu_info[0].evtchn_pending_sel for 0 and scans, in the
 * 2-level layout. The bit of Poncho's own port never stays set. Whoever binds the VIRQ late scans once: it may have been sent.
 *
 * Frames: an outer guest-physical frame number is a machine frame number of ours. What the outer Xen's store and console
 * parameters name, shared_info_mfn, and the frames for grants are no RAM of ours; domain 0 can map them, cached, as it maps device
 * memory. The frames for grants are the same with and without a platform PCI device (5853:0001), whose BAR 1 is not used.
 *
 * Where Poncho's own console is the outer Xen's (console=xen, and always as a PVH guest) get_param of CONSOLE_* is -EBUSY.
 */
#ifndef NESTED_ABI_H
#define NESTED_ABI_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

#define __HYPERVISOR_nested_op 55 /* __HYPERVISOR_arch_7 */
#define NESTED_ABI	       1
#define NESTED_VIRQ	       20 /* VIRQ_ARCH_4 */
#define NESTED_CALL_info       0

struct nested_info {
	uint32_t abi;		  /* NESTED_ABI */
	uint32_t virq;		  /* NESTED_VIRQ */
	uint64_t shared_info_mfn; /* the outer Xen's shared_info of us */
	uint32_t outer_version;	  /* major << 16 | minor */
	uint32_t nr_vcpus;	  /* outer vCPUs, that is, CPUs of ours */
	uint64_t grant_mfn;	  /* the first frame set aside for the outer grant table */
	uint32_t nr_grant_mfns;	  /* and how many */
	uint32_t pad;
};

#endif
