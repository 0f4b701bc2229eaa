/* SPDX-License-Identifier: MIT */
/*
 * CPUID as a paravirtual guest sees it. Four policies stand from boot on: what the CPU says (raw), what of it the hypervisor uses
 * (host), the most a guest may be shown (max), and what it is shown unless the tools say otherwise (default). A domain starts
 * with a copy of the default.
 *
 * Invariant: a domain's feature bits are a subset of max's, and everything derived from features (XSAVE leaves, the bits that AMD
 * keeps twice) agrees with them. Which features a PV guest can use is told by the annotations of <xen/arch-x86/cpufeatureset.h>;
 * those that need model-specific registers we do not virtualize (speculation control, TSC_AUX) are left out.
 */
#include "pv/cpuid.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/desc.h"
#include "x86/time.h"
#include <xen/arch-x86/cpufeatureset.h>
#include <xen/arch-x86/cpuid.h>

#define ABI_VERSION (4 << 16 | 17)
#define F(name)	    (1u << (XEN_X86_FEATURE_##name % 32))
#define W(name)	    (XEN_X86_FEATURE_##name / 32)

/* Bits of 0x80000001.edx that AMD repeats from leaf 1 (APM vol. 3 E.4.2): all of word 0 but its own. */
#define COMMON_1D 0x0183f3ffu

#define XCR0_FP_SSE 0x3u
#define XCR0_YMM    0x4u
#define XCR0_ZMM    0xe0u

static const uint32_t pv_features[CPUID_NR_FEATURE_WORDS] = {
	[0] = F(FPU) | F(DE) | F(TSC) | F(MSR) | F(PAE) | F(MCE) | F(CX8) | F(APIC) | F(SEP) |
	      F(MCA) | F(CMOV) | F(PAT) | F(CLFLUSH) | F(ACPI) | F(MMX) | F(FXSR) | F(SSE) |
	      F(SSE2) | F(SS) | F(HTT),
	[1] = F(SSE3) | F(PCLMULQDQ) | F(SSSE3) | F(FMA) | F(CX16) | F(SSE4_1) | F(SSE4_2) |
	      F(MOVBE) | F(POPCNT) | F(AESNI) | F(XSAVE) | F(AVX) | F(F16C) | F(RDRAND) |
	      F(HYPERVISOR),
	[2] = F(SYSCALL) | F(NX) | F(MMXEXT) | F(FFXSR) | F(LM) | F(3DNOWEXT) | F(3DNOW),
	[3] = F(LAHF_LM) | F(CMP_LEGACY) | F(ABM) | F(SSE4A) | F(MISALIGNSSE) | F(3DNOWPREFETCH) |
	      F(XOP) | F(FMA4) | F(TBM),
	[4] = F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1),
	[5] = F(FSGSBASE) | F(BMI1) | F(AVX2) | F(BMI2) | F(ERMS) | F(RTM) | F(AVX512F) |
	      F(AVX512DQ) | F(RDSEED) | F(ADX) | F(AVX512_IFMA) | F(CLFLUSHOPT) | F(CLWB) |
	      F(AVX512PF) | F(AVX512ER) | F(AVX512CD) | F(SHA) | F(AVX512BW) | F(AVX512VL),
	[6] = F(PREFETCHWT1) | F(AVX512_VBMI) | F(AVX512_VBMI2) | F(GFNI) | F(VAES) |
	      F(VPCLMULQDQ) | F(AVX512_VNNI) | F(AVX512_BITALG) | F(AVX512_VPOPCNTDQ) | F(CLDEMOTE),
	[7] = F(ITSC),
	[8] = F(CLZERO) | F(RSTR_FP_ERR_PTRS) | F(SSB_NO) | F(BTC_NO),
	[9] = F(AVX512_4VNNIW) | F(AVX512_4FMAPS) | F(FSRM) | F(MD_CLEAR) | F(SERIALIZE),
	[10] = F(AVX_VNNI) | F(AVX512_BF16) | F(FZRM) | F(FSRS) | F(FSRCS),
	[11] = F(LFENCE_DISPATCH) | F(VERW_CLEAR) | F(NSCB) | F(SRSO_NO),
	[13] = F(MCDT_NO),
	[18] = F(TSA_SQ_NO) | F(TSA_L1_NO),
};

/* Features of a word that mean nothing without another one; ordered so that one pass suffices. */
#define WITHOUT(name) XEN_X86_FEATURE_##name
static const struct {
	uint16_t missing;
	uint8_t word;
	uint32_t useless;
} feature_deps[] = {
	{WITHOUT(FXSR), 0, F(SSE)},
	{WITHOUT(SSE), 0, F(SSE2)},
	{WITHOUT(SSE2), 1, F(SSE3) | F(AESNI) | F(PCLMULQDQ)},
	{WITHOUT(SSE2), 5, F(SHA)},
	{WITHOUT(SSE2), 6, F(GFNI)},
	{WITHOUT(SSE3), 1, F(SSSE3)},
	{WITHOUT(SSE3), 3, F(SSE4A)},
	{WITHOUT(SSSE3), 1, F(SSE4_1)},
	{WITHOUT(SSE4_1), 1, F(SSE4_2)},
	{WITHOUT(SSE4_2), 1, F(AVX)},
	{WITHOUT(XSAVE), 1, F(AVX)},
	{WITHOUT(XSAVE), 4, F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1)},
	{WITHOUT(AVX), 1, F(FMA) | F(F16C)},
	{WITHOUT(AVX), 3, F(FMA4) | F(XOP)},
	{WITHOUT(AVX), 5, F(AVX2)},
	{WITHOUT(AVX), 6, F(VAES) | F(VPCLMULQDQ)},
	{WITHOUT(AVX), 10, F(AVX_VNNI)},
	{WITHOUT(AVX2), 5, F(AVX512F)},
	{WITHOUT(AVX512F), 5,
	 F(AVX512DQ) | F(AVX512_IFMA) | F(AVX512PF) | F(AVX512ER) | F(AVX512CD) | F(AVX512BW) |
		 F(AVX512VL)},
	{WITHOUT(AVX512F), 6, F(AVX512_VNNI) | F(AVX512_VPOPCNTDQ)},
	{WITHOUT(AVX512F), 9, F(AVX512_4VNNIW) | F(AVX512_4FMAPS)},
	{WITHOUT(AVX512BW), 6, F(AVX512_VBMI) | F(AVX512_VBMI2) | F(AVX512_BITALG)},
	{WITHOUT(AVX512BW), 10, F(AVX512_BF16)},
	{WITHOUT(LM), 3, F(LAHF_LM)},
	{WITHOUT(3DNOW), 2, F(3DNOWEXT)},
};

static struct pv_cpuid policies[CPUID_PV_DEFAULT + 1];
static bool policies_ready;

uint32_t *pv_cpuid_word(struct pv_cpuid *p, unsigned int w)
{
	uint32_t *const at[CPUID_NR_FEATURE_WORDS] = {
		&p->basic[1].d, &p->basic[1].c,	  &p->extd[1].d,    &p->extd[1].c,  &p->xstate[1].a,
		&p->feat[0].b,	&p->feat[0].c,	  &p->extd[7].d,    &p->extd[8].b,  &p->feat[0].d,
		&p->feat[1].a,	&p->extd[33].a,	  &p->feat[1].b,    &p->feat[2].d,  &p->feat[1].c,
		&p->feat[1].d,	&p->arch_caps[0], &p->arch_caps[1], &p->extd[33].c,
	};

	return at[w];
}

bool pv_cpuid_is_amd(const struct pv_cpuid *p)
{
	/* "AuthenticAMD" and "HygonGenuine" by their first register */
	return p->basic[0].b == 0x68747541 || p->basic[0].b == 0x6f677948;
}

static bool policy_has(const struct pv_cpuid *p, unsigned int feature)
{
	return *pv_cpuid_word((struct pv_cpuid *)p, feature / 32) >> (feature % 32) & 1;
}
#define HAS(p, name) policy_has(p, XEN_X86_FEATURE_##name)

static void leaf_read(struct cpuid_regs *r, uint32_t leaf, uint32_t sub)
{
	cpuid_count(leaf, sub, &r->a, &r->b, &r->c, &r->d);
}

static void leaves_read(struct cpuid_regs *r, uint32_t leaf, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		leaf_read(&r[i], leaf, i);
}

static void raw_read(struct pv_cpuid *p)
{
	struct cpuid_regs top;
	uint32_t max;

	leaf_read(&top, 0, 0);
	max = min(top.a, CPUID_NR_BASIC - 1u);
	for (uint32_t l = 0; l <= max; l++)
		if (l != 4 && l != 7 && l != 0xb && l != 0xd)
			leaf_read(&p->basic[l], l, 0);
	if (max >= 4)
		leaves_read(p->cache, 4, CPUID_NR_CACHE);
	if (max >= 7) {
		leaf_read(&p->feat[0], 7, 0);
		leaves_read(p->feat, 7, min(p->feat[0].a, CPUID_NR_FEAT - 1u) + 1);
	}
	if (max >= 0xb)
		leaves_read(p->topo, 0xb, CPUID_NR_TOPO);
	if (max >= 0xd && HAS(p, XSAVE))
		leaves_read(p->xstate, 0xd, CPUID_NR_XSTATE);
	leaf_read(&top, 0x80000000, 0);
	if (top.a >> 16 == 0x8000)
		for (uint32_t l = 0; l <= min(top.a & 0xffff, CPUID_NR_EXTD - 1u); l++)
			leaf_read(&p->extd[l], 0x80000000 + l, 0);
	/* Bits that mirror a control register, and sizes that depend on one, are not part of a policy. */
	p->basic[1].c &= ~F(OSXSAVE);
	p->feat[0].c &= ~F(OSPKE);
	p->xstate[0].b = p->xstate[1].b = 0;
}

static void limit_leaves(struct pv_cpuid *p, const struct pv_cpuid *max)
{
	uint32_t ext = pv_cpuid_is_amd(p) ? CPUID_NR_EXTD : CPUID_NR_INTEL;

	p->basic[0].a = min(p->basic[0].a, max->basic[0].a);
	p->feat[0].a = min(p->feat[0].a, max->feat[0].a);
	p->extd[0].a = 0x80000000u | min(p->extd[0].a & 0xffff, ext - 1);
}

/* What the hypervisor itself has not turned on, nobody can use. */
static void host_features(struct pv_cpuid *p)
{
	unsigned long cr4 = hyp_cr4;

	if (!(cr4 & CR4_OSXSAVE))
		p->basic[1].c &= ~F(XSAVE);
	if (!(cr4 & CR4_FSGSBASE))
		p->feat[0].b &= ~F(FSGSBASE);
	/* AMD's CPUs in long mode have no SYSENTER (APM vol. 3). */
	if (pv_cpuid_is_amd(p))
		p->basic[1].d &= ~F(SEP);
}

static void features_close(struct pv_cpuid *p)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(feature_deps); i++)
		if (!policy_has(p, feature_deps[i].missing))
			*pv_cpuid_word(p, feature_deps[i].word) &= ~feature_deps[i].useless;
}

uint64_t pv_cpuid_xcr0(const struct pv_cpuid *p)
{
	if (!HAS(p, XSAVE))
		return 0;
	return XCR0_FP_SSE | (HAS(p, AVX) ? XCR0_YMM : 0) | (HAS(p, AVX512F) ? XCR0_ZMM : 0);
}

/*
 * SDM vol. 1 13.5: the legacy area and header, then each component at its offset. The compacted form packs the components,
 * aligned where they ask for it.
 */
unsigned int pv_xstate_size(uint64_t xcr0, bool compacted)
{
	const struct cpuid_regs *x = policies[CPUID_RAW].xstate;
	uint32_t size = 512 + 64;

	for (unsigned int i = 2; i < CPUID_NR_XSTATE; i++) {
		if (!(xcr0 >> i & 1))
			continue;
		if (!compacted)
			size = max(size, x[i].a + x[i].b);
		else
			size = (x[i].c & 2 ? ROUND_UP(size, 64u) : size) + x[i].a;
	}
	return size;
}

static void derive_xstate(struct pv_cpuid *p)
{
	const struct pv_cpuid *raw = &policies[CPUID_RAW];
	uint32_t da1 = p->xstate[1].a;
	uint64_t xcr0 = pv_cpuid_xcr0(p);

	memset(p->xstate, 0, sizeof(p->xstate));
	if (!xcr0)
		return;
	for (unsigned int i = 2; i < CPUID_NR_XSTATE; i++)
		if (xcr0 >> i & 1) {
			p->xstate[i] = raw->xstate[i];
			p->xstate[i].c &= da1 & F(XSAVEC) ? 2 : 0;
			p->xstate[i].d = 0;
		}
	p->xstate[0].a = (uint32_t)xcr0;
	p->xstate[0].d = (uint32_t)(xcr0 >> 32);
	p->xstate[0].c = pv_xstate_size(xcr0, false);
	p->xstate[1].a = da1;
}

/* Zeroes the leaves whose bits are set in @which. */
static void hide_leaves(struct cpuid_regs *r, unsigned int nr, uint64_t which)
{
	for (unsigned int i = 0; i < nr; i++)
		if (which >> i & 1)
			memset(&r[i], 0, sizeof(*r));
}

static void hide_intel(struct pv_cpuid *p)
{
	p->extd[0].b = p->extd[0].c = p->extd[0].d = 0;
	p->extd[1].a = p->extd[1].b = 0;
	hide_leaves(p->extd, CPUID_NR_EXTD, BIT32(5));
	p->extd[6].a = p->extd[6].b = p->extd[6].d = 0;
	p->extd[8].c = 0;
}

static void hide_amd(struct pv_cpuid *p)
{
	hide_leaves(p->basic, CPUID_NR_BASIC, BIT32(2));
	memset(p->cache, 0, sizeof(p->cache));
	p->extd[0].b = p->basic[0].b;
	p->extd[0].c = p->basic[0].c;
	p->extd[0].d = p->basic[0].d;
	p->extd[1].a = p->basic[1].a;
	p->extd[1].b &= 0xff00ffff;
	p->extd[1].d |= p->basic[1].d & COMMON_1D;
	p->extd[8].c &= 0x3f0ff;
	hide_leaves(p->extd, CPUID_NR_EXTD,
		    0x1f9fffa00); /* all from 9 on but 0xa, 0x19, 0x1a, 0x21 */
	p->extd[0x21].b = p->extd[0x21].d = 0;
}

/* Leaves and fields that are the host's business: power, serial numbers, performance counters, topology. */
static void hide_fields(struct pv_cpuid *p)
{
	hide_leaves(p->basic, CPUID_NR_BASIC,
		    BIT32(3) | BIT32(5) | BIT32(6) | BIT32(8) | BIT32(9) | BIT32(0xa) | BIT32(0xc));
	p->basic[1].a &= 0x0fff0fff;
	p->basic[1].b &= 0x00ffffff;
	memset(p->topo, 0, sizeof(p->topo));
	p->extd[1].d &= ~COMMON_1D;
	p->extd[7].a = p->extd[7].b = p->extd[7].c = 0;
	p->extd[8].a &= 0xffff;
	p->extd[8].d = 0;
	hide_leaves(p->extd, CPUID_NR_EXTD, BIT32(0xa)); /* no SVM for PV guests */
	if (pv_cpuid_is_amd(p))
		hide_amd(p);
	else
		hide_intel(p);
}

void pv_cpuid_sanitise(struct pv_cpuid *p)
{
	struct pv_cpuid *max = &policies[CPUID_PV_MAX];

	limit_leaves(p, max);
	for (unsigned int w = 0; w < CPUID_NR_FEATURE_WORDS; w++)
		*pv_cpuid_word(p, w) &= *pv_cpuid_word(max, w);
	features_close(p);
	hide_fields(p);
	if ((p->extd[8].a & 0xff) > (max->extd[8].a & 0xff)) /* width of physical addresses */
		p->extd[8].a = (p->extd[8].a & ~0xffu) | (max->extd[8].a & 0xff);
	derive_xstate(p);
}

/* Hints and topology are the tools' to choose, whatever this host has: a guest may come from one that has them. */
static void policy_make_max(struct pv_cpuid *p)
{
	*pv_cpuid_word(p, W(HTT)) |= F(HTT);
	*pv_cpuid_word(p, W(CMP_LEGACY)) |= F(CMP_LEGACY);
	*pv_cpuid_word(p, W(ERMS)) |= F(ERMS);
	p->basic[0].a = CPUID_NR_BASIC - 1;
	p->feat[0].a = CPUID_NR_FEAT - 1;
	p->extd[0].a = 0x80000000u + CPUID_NR_EXTD - 1;
	features_close(p);
	hide_fields(p);
	derive_xstate(p);
}

static void policies_make(void)
{
	struct pv_cpuid *raw = &policies[CPUID_RAW], *host = &policies[CPUID_HOST];
	struct pv_cpuid *max = &policies[CPUID_PV_MAX], *def = &policies[CPUID_PV_DEFAULT];

	raw_read(raw);
	*host = *raw;
	host->basic[0].a = min(host->basic[0].a, CPUID_NR_BASIC - 1u);
	host->feat[0].a = min(host->feat[0].a, CPUID_NR_FEAT - 1u);
	host->extd[0].a = 0x80000000u | min(host->extd[0].a & 0xffff, CPUID_NR_EXTD - 1u);
	host_features(host);
	features_close(host);
	derive_xstate(host);
	*max = *host;
	for (unsigned int w = 0; w < CPUID_NR_FEATURE_WORDS; w++)
		*pv_cpuid_word(max, w) &= pv_features[w];
	*pv_cpuid_word(max, W(HYPERVISOR)) |= F(HYPERVISOR);
	*def = *max;
	policy_make_max(max);
	/* A guest that relies on the TSC's rate cannot be moved: opt-in. */
	def->extd[7].d &= ~F(ITSC);
	pv_cpuid_sanitise(def);
	policies_ready = true;
}

/* Made when first asked for: boot builds domain 0 on one CPU, with the control registers in their final state. */
const struct pv_cpuid *pv_cpuid_policy(enum cpuid_policy which)
{
	if (!policies_ready)
		policies_make();
	return &policies[which];
}

int pv_cpuid_init_domain(struct domain *d)
{
	struct pv_cpuid *p = knew(struct pv_cpuid);

	if (!p)
		return -ENOMEM;
	*p = *pv_cpuid_policy(CPUID_PV_DEFAULT);
	if (d->is_hardware) /* it never moves */
		p->extd[7].d |= policies[CPUID_PV_MAX].extd[7].d & F(ITSC);
	p->tsc_khz = cpu_khz;
	spin_lock_init(&p->lock);
	d->pv.cpuid = p;
	return 0;
}

void pv_cpuid_free_domain(struct domain *d)
{
	if (d->pv.cpuid)
		kfree(d->pv.cpuid->e820);
	kfree(d->pv.cpuid);
}

static void hypervisor_leaf(const struct pv_cpuid *p, uint32_t leaf, uint32_t sub,
			    struct cpuid_regs *r)
{
	const struct pv_cpuid *host = &policies[CPUID_HOST];
	uint32_t limit = p->hv_limit & 0xff;

	if (!limit || limit > XEN_CPUID_MAX_NUM_LEAVES)
		limit = XEN_CPUID_MAX_NUM_LEAVES;
	limit = max(limit, 2u);
	if (leaf > limit)
		return;
	switch (leaf) {
	case 0:
		*r = (struct cpuid_regs){XEN_CPUID_FIRST_LEAF + limit, XEN_CPUID_SIGNATURE_EBX,
					 XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX};
		break;
	case 1:
		r->a = ABI_VERSION;
		break;
	case 2:
		*r = (struct cpuid_regs){1, 0x40000000, XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD};
		break;
	case 3: /* time */
		if (sub == 0)
			*r = (struct cpuid_regs){HAS(host, ITSC) << 1 | HAS(host, RDTSCP) << 2,
						 p->tsc_mode, p->tsc_khz, p->tsc_incarnation};
		else if (sub == 1)
			*r = (struct cpuid_regs){.c = time_scale.mul_frac,
						 .d = (uint32_t)time_scale.shift};
		else if (sub == 2)
			r->a = cpu_khz;
		break;
	case 5:
		if (sub == 0)
			r->b = fls64(max_page - 1) + 1 + PAGE_SHIFT;
		break;
	}
}

static const struct cpuid_regs *leaf_at(const struct cpuid_regs *r, uint32_t nr, uint32_t i)
{
	return i < nr ? &r[array_index_nospec(i, nr)] : NULL;
}

/* A leaf as the policy has it; NULL beyond its limits. */
static const struct cpuid_regs *static_leaf(const struct pv_cpuid *p, uint32_t leaf, uint32_t sub)
{
	if (leaf >> 31)
		return leaf_at(p->extd, min((p->extd[0].a & 0xffff) + 1, (uint32_t)CPUID_NR_EXTD),
			       leaf - 0x80000000u);
	if (leaf > p->basic[0].a)
		return NULL;
	switch (leaf) {
	case 4:
		return leaf_at(p->cache, CPUID_NR_CACHE, sub);
	case 7:
		return leaf_at(p->feat, min(p->feat[0].a + 1, (uint32_t)CPUID_NR_FEAT), sub);
	case 0xb:
		return leaf_at(p->topo, CPUID_NR_TOPO, sub);
	case 0xd:
		return leaf_at(p->xstate, CPUID_NR_XSTATE, sub);
	default:
		return leaf_at(p->basic, CPUID_NR_BASIC, leaf);
	}
}

/* What depends on the vCPU's registers. */
static void adjust_dynamic(const struct vcpu *v, const struct pv_cpuid *p, uint32_t leaf,
			   uint32_t sub, struct cpuid_regs *r)
{
	/*
	 * PV kernels have come to take OSXSAVE for "the hypervisor has turned XSAVE on": Linux clears the feature for
	 * good if it is missing before its own CR4 is set.
	 */
	if (leaf == 1 && ((v->pv.ctrlreg[4] & CR4_OSXSAVE) || (HAS(p, XSAVE) && v->in_kernel)))
		r->c |= F(OSXSAVE);
	if (leaf == 0xd && HAS(p, XSAVE) && (sub == 0 || (sub == 1 && HAS(p, XSAVEC))))
		r->b = pv_xstate_size(v->pv.xcr0, sub);
}

void pv_cpuid(struct cpu_user_regs *regs)
{
	const struct pv_cpuid *p = current->domain->pv.cpuid;
	uint32_t leaf = (uint32_t)regs->rax, sub = (uint32_t)regs->rcx;
	const struct cpuid_regs *l = static_leaf(p, leaf, sub);
	struct cpuid_regs r = {0};

	if (l) {
		r = *l;
		adjust_dynamic(current, p, leaf, sub, &r);
	} else if (leaf >> 8 == XEN_CPUID_FIRST_LEAF >> 8) {
		hypervisor_leaf(p, leaf & 0xff, sub, &r);
	}
	regs->rax = r.a;
	regs->rbx = r.b;
	regs->rcx = r.c;
	regs->rdx = r.d;
}
