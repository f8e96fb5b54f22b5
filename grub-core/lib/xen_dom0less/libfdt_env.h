/* libfdt_env.h - the environment that libfdt needs, inside GRUB  */
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

#ifndef LIBFDT_ENV_H
#define LIBFDT_ENV_H	1

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* GRUB's wrappers define bool in another header.  */
#ifdef GRUB_UTIL
# include <stdbool.h>
#endif

#include <grub/misc.h>
#include <grub/types.h>

/* Depending on the version, GRUB's POSIX wrappers lack these functions or
   declare them with other types, so libfdt gets functions with names of our
   own.  */

static inline size_t
grub_dom0less_strnlen (const char *string, size_t max)
{
  const char *end = memchr (string, '\0', max);

  return end ? (size_t) (end - string) : max;
}

static inline unsigned long
grub_dom0less_strtoul (const char *string, char **end, int base)
{
  const char *stop;
  unsigned long value = grub_strtoul (string, &stop, base);

  if (end)
    *end = (char *) (grub_addr_t) stop;
  return value;
}

#undef strnlen
#undef strtoul
#undef strrchr
#define strnlen		grub_dom0less_strnlen
#define strtoul		grub_dom0less_strtoul
#define strrchr		grub_strrchr

#ifndef INT32_MAX
# define INT32_MAX	0x7fffffff
#endif
#ifndef UINT32_MAX
# define UINT32_MAX	0xffffffffU
#endif
#ifndef UINT64_MAX
# define UINT64_MAX	0xffffffffffffffffULL
#endif
#ifndef UINT64_C
# define UINT64_C(c)	c ## ULL
#endif

typedef uint16_t fdt16_t;
typedef uint32_t fdt32_t;
typedef uint64_t fdt64_t;

#define fdt16_to_cpu	grub_be_to_cpu16
#define cpu_to_fdt16	grub_cpu_to_be16
#define fdt32_to_cpu	grub_be_to_cpu32
#define cpu_to_fdt32	grub_cpu_to_be32
#define fdt64_to_cpu	grub_be_to_cpu64
#define cpu_to_fdt64	grub_cpu_to_be64

#endif
