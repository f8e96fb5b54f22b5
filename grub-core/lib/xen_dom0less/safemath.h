/* safemath.h - arithmetic that detects overflow  */
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
 * The counterpart of grub/safemath.h for the library, which includes nothing
 * of GRUB's.  Each function stores the sum, difference or product of A and B
 * in *RESULT, and returns whether it overflowed.  Use them for every number
 * from a file, a tree or a memory map, even if a rule has checked it before.
 */

#define dom0less_add(a, b, result)	__builtin_add_overflow (a, b, result)
#define dom0less_sub(a, b, result)	__builtin_sub_overflow (a, b, result)
#define dom0less_mul(a, b, result)	__builtin_mul_overflow (a, b, result)

#endif
