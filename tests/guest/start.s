/* start.s - the header and the first instructions of the small guest  */
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

	/* An arm64 Image (Linux: Documentation/arm64/booting.rst).  */
	.section .head, "ax"
	.globl	image
image:
	b	enter
	.long	0
	.quad	0			/* from a multiple of 2 MiB */
	.quad	0			/* its size: the tests write it */
	.quad	0xa			/* little endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	/* The device tree's address is in x0.  */
enter:
	adrp	x1, stack_top
	add	x1, x1, :lo12:stack_top
	mov	sp, x1
	bl	report
idle:
	wfi
	b	idle

	/* In the file, since what lies behind it belongs to the tests.  */
	.section .stack, "aw", @progbits
	.balign	16
	.skip	8192
stack_top:
