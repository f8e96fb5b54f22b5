/* libfdt_env.h - what libfdt finds around it inside the small guest  */
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

/* The compiler is told to read this first.  libfdt's own, of the same guard,
   would ask for a C library.  */
#ifndef LIBFDT_ENV_H
#define LIBFDT_ENV_H	1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INT_MAX		__INT_MAX__

typedef uint16_t fdt16_t;
typedef uint32_t fdt32_t;
typedef uint64_t fdt64_t;

#define fdt16_to_cpu	__builtin_bswap16
#define cpu_to_fdt16	__builtin_bswap16
#define fdt32_to_cpu	__builtin_bswap32
#define cpu_to_fdt32	__builtin_bswap32
#define fdt64_to_cpu	__builtin_bswap64
#define cpu_to_fdt64	__builtin_bswap64

static inline void *
memchr (const void *start, int byte, size_t size)
{
  const unsigned char *at = start;

  for (; size--; at++)
    if (*at == (unsigned char) byte)
      return (void *) at;
  return NULL;
}

static inline int
memcmp (const void *start, const void *other, size_t size)
{
  const unsigned char *a = start, *b = other;

  for (; size--; a++, b++)
    if (*a != *b)
      return *a - *b;
  return 0;
}

static inline size_t
strnlen (const char *string, size_t max)
{
  const char *end = memchr (string, '\0', max);

  return end ? (size_t) (end - string) : max;
}

static inline size_t
strlen (const char *string)
{
  return strnlen (string, PTRDIFF_MAX);
}

static inline char *
strrchr (const char *string, int byte)
{
  const char *last = NULL;

  for (; *string; string++)
    if (*string == (char) byte)
      last = string;
  return (char *) last;
}

/* Only for functions of libfdt's that change a tree, which the linker drops
   since the guest has no use for them.  */
void *memcpy (void *to, const void *from, size_t size);
void *memmove (void *to, const void *from, size_t size);
void *memset (void *start, int byte, size_t size);

#endif
