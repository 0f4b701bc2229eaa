/* SPDX-License-Identifier: MIT */
/*
 * User mode.  The user page table is the kernel's own root, so a function of the image can run in user
 * mode as it stands; a test about separate tables builds its own.  Every trap from user mode ends the
 * function, except the system calls that the test's hook takes.
 */
#include "guest.h"

#define USER_EXIT_CALL 0x55534552ul
#define USER_FLAGS     0x202ul

bool (*user_syscall_hook)(struct regs *r);

static unsigned char user_stack[8192] PAGE_ALIGNED;
static unsigned char trap_stack[16384] PAGE_ALIGNED;
static bool user_running;

unsigned long user_enter(struct iret_frame *f, unsigned long arg);
void user_leave(unsigned long value) __attribute__((noreturn));
extern char user_exit[];

void user_init(void)
{
	long rc = mmuext(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(root_table));

	if (rc)
		verdict_error("NEW_USER_BASEPTR: %ld", rc);
	rc = hypercall_stack_switch(FLAT_KERNEL_SS, (unsigned long)trap_stack + sizeof(trap_stack));
	if (rc)
		verdict_error("stack_switch: %ld", rc);
}

unsigned long user_call_flags(unsigned long (*fn)(unsigned long), unsigned long arg,
			      unsigned long rflags)
{
	unsigned long *sp = (unsigned long *)(user_stack + sizeof(user_stack)) - 3;
	struct iret_frame f = {
		.rip = (unsigned long)fn,
		.cs = FLAT_USER_CS,
		.rflags = rflags,
		.rsp = (unsigned long)sp,
		.ss = FLAT_USER_SS,
	};
	unsigned long ret;

	*sp = (unsigned long)user_exit;
	fault_clear();
	user_running = true;
	ret = user_enter(&f, arg);
	user_running = false;
	return ret;
}

unsigned long user_call(unsigned long (*fn)(unsigned long), unsigned long arg)
{
	return user_call_flags(fn, arg, USER_FLAGS);
}

bool user_trap(struct regs *r)
{
	if (!user_running)
		return false;
	if (r->vector == TRAP_SYSCALL) {
		if (r->rax == USER_EXIT_CALL) {
			last_fault.vector = TRAP_NONE;
			user_leave(r->rdi);
		}
		if (user_syscall_hook && user_syscall_hook(r))
			return true;
	}
	user_leave(USER_FAULTED);
}
