/* xen_dom0less_regime.S - from one translation regime of EL2 to another  */
/*
 *  xen_dom0less - start Xen and its domains from a device tree
 *
 *  This program is free software: you can redistribute it and/or modify
 *  it under the terms of the GNU General Public License as published by
 *  the Free Software Foundation, either version 3 of the License, or
 *  (at your option) any later version.
 *
 *  SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <grub/symbol.h>

	.file	"xen_dom0less_regime.S"
	.text

/*
 * int dom0less_change_regime (const struct grub_dom0less_regime *regime)
 *
 * Give EL2 what REGIME says, whose HCR_EL2.E2H is not what it is, and leave
 * DAIF masked.  Returns 0, or 1 if HCR_EL2.E2H has kept its value: nothing has
 * changed then.  The code has to be mapped where it is, and to have been
 * cleaned to the Point of Coherency, in both regimes.
 *
 * HCR_EL2.E2H may be cached in TLBs and decides what the other registers mean,
 * so it changes only while SCTLR_EL2.M is 0.  Then
 *  - data accesses are Device-nGnRnE and go past the caches, so there are none:
 *    all that is wanted is in registers before, and what is in the caches is
 *    found there afterwards;
 *  - instructions may be fetched past the caches, hence the cleaning;
 *  - no table is walked, and no exception is taken: interrupts and SError are
 *    masked, and a debug exception wants somebody to have armed it.
 */
	.balign	64
FUNCTION(dom0less_change_regime)
	msr	DAIFSet, #15
	ldp	x2, x3, [x0]		/* HCR_EL2, TCR_EL2 */
	ldp	x4, x5, [x0, #16]	/* TTBR0_EL2, SCTLR_EL2 */
	ldp	x6, x7, [x0, #32]	/* CPTR_EL2, CNTHCTL_EL2 */
	mrs	x8, sctlr_el2
	mrs	x9, hcr_el2
	mov	x0, #0

	/* What was stored is seen by all observers, tables among them, before
	   the MMU goes.  An ISB has to stand before the write that clears M on
	   Qualcomm's Falkor (erratum 1041).  */
	dsb	sy
	bic	x10, x8, #1		/* M */
	isb
	msr	sctlr_el2, x10
	isb

	/* TLBI ALLE2 is about the regime that E2H names at that time: once with
	   its old value, once with its new one.  Others are not concerned: EL2's
	   tables are this processor's alone, hence NSH.  */
	tlbi	alle2
	dsb	nsh
	msr	hcr_el2, x2
	isb
	mrs	x10, hcr_el2
	eor	x10, x10, x9
	tbnz	x10, #34, 1f		/* E2H has changed */
	msr	hcr_el2, x9
	mov	x5, x8
	mov	x0, #1
	b	2f

1:	msr	tcr_el2, x3
	msr	ttbr0_el2, x4
	msr	cptr_el2, x6
	msr	cnthctl_el2, x7
2:	isb
	tlbi	alle2
	/* Instructions may have been fetched with other attributes.  */
	ic	iallu
	dsb	nsh
	isb
	msr	sctlr_el2, x5
	isb
	ret
FUNCTION(dom0less_change_regime_end)
