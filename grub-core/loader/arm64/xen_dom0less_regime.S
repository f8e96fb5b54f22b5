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
 * Load the registers of EL2 from REGIME, in which HCR_EL2.E2H differs from its
 * current value, and leave DAIF masked.  Return 0, or 1 if HCR_EL2.E2H has
 * kept its value; nothing has changed then.  In both regimes this code has to
 * be mapped one to one.  It has to have been cleaned to the Point of Coherency.
 *
 * HCR_EL2.E2H may be cached in TLBs and determines the meaning of the other
 * registers, so it may only be changed while SCTLR_EL2.M is 0.  During that
 * time
 *  - data accesses would be Device-nGnRnE and would bypass the caches.  There
 *    are none: everything needed is loaded into registers beforehand, and the
 *    contents of the caches are valid again afterwards;
 *  - instructions may be fetched from memory, bypassing the caches, which is
 *    why the code has to have been cleaned;
 *  - no table is walked, and no exception is taken: interrupts and SError are
 *    masked, and debug exceptions occur only if somebody has enabled them.
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

	/* Make all stores, including those to tables, visible to all observers
	   before the MMU is switched off.  Qualcomm's Falkor requires an ISB
	   before the write that clears M (erratum 1041).  */
	dsb	sy
	bic	x10, x8, #1		/* M */
	isb
	msr	sctlr_el2, x10
	isb

	/* TLBI ALLE2 affects the regime that E2H selects when it is executed, so
	   it is executed once with each value.  Only this processor uses EL2's
	   tables, so NSH is sufficient.  */
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
	/* Instructions may have been cached with the attributes of another
	   regime.  */
	ic	iallu
	dsb	nsh
	isb
	msr	sctlr_el2, x5
	isb
	ret
FUNCTION(dom0less_change_regime_end)
