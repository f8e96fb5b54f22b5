/* safemath.h - sums and products that may not fit  */
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

#ifndef XEN_DOM0LESS_SAFEMATH_HEADER
#define XEN_DOM0LESS_SAFEMATH_HEADER	1

/*
 * What grub/safemath.h is to GRUB, for the half that includes nothing of GRUB's.
 * Each stores A and B's sum, difference or product in *RESULT and returns
 * whether it did not fit there.  They are for every number that a file, a tree
 * or a memory map holds, also where a rule has looked at it before.
 */

#define dom0less_add(a, b, result)	__builtin_add_overflow (a, b, result)
#define dom0less_sub(a, b, result)	__builtin_sub_overflow (a, b, result)
#define dom0less_mul(a, b, result)	__builtin_mul_overflow (a, b, result)

#endif
