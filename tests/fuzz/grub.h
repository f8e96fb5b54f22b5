/* grub.h - as much of GRUB as the steps of a boot need without it  */
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

#ifndef FUZZ_GRUB_HEADER
#define FUZZ_GRUB_HEADER	1

/* Each of the headers in grub/ is this one: with them the loader's own files are
   compiled, unchanged, on a machine that fuzz_boot.c makes up.  */

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t grub_uint8_t;
typedef uint32_t grub_uint32_t;
typedef uint64_t grub_uint64_t;
typedef size_t grub_size_t;
typedef ptrdiff_t grub_ssize_t;
typedef struct grub_file *grub_file_t;

#define GRUB_INT_MAX		INT_MAX
#define PRIuGRUB_UINT64_T	PRIu64
#define PRIxGRUB_UINT64_T	PRIx64
#define N_(text)		text
#define grub_add(a, b, sum)	__builtin_add_overflow (a, b, sum)
#define grub_mul(a, b, product)	__builtin_mul_overflow (a, b, product)
#define grub_sub(a, b, rest)	__builtin_sub_overflow (a, b, rest)

typedef enum
  {
    GRUB_ERR_NONE,
    GRUB_ERR_ACCESS_DENIED,
    GRUB_ERR_BAD_ARGUMENT,
    GRUB_ERR_BAD_OS,
    GRUB_ERR_FILE_NOT_FOUND,
    GRUB_ERR_FILE_READ_ERROR,
    GRUB_ERR_IO,
    GRUB_ERR_OUT_OF_MEMORY,
    GRUB_ERR_OUT_OF_RANGE
  } grub_err_t;

enum grub_file_type
  {
    GRUB_FILE_TYPE_CONFIG,
    GRUB_FILE_TYPE_DEVICE_TREE_IMAGE,
    GRUB_FILE_TYPE_XEN_HYPERVISOR,
    GRUB_FILE_TYPE_XEN_MODULE
  };

enum grub_verify_string_type
  {
    GRUB_VERIFY_KERNEL_CMDLINE,
    GRUB_VERIFY_MODULE_CMDLINE
  };

extern grub_err_t grub_errno;
extern char grub_errmsg[256];

grub_err_t grub_error (grub_err_t code, const char *format, ...)
  __attribute__ ((format (printf, 2, 3)));
int grub_printf (const char *format, ...)
  __attribute__ ((format (printf, 1, 2)));
char *grub_xasprintf (const char *format, ...)
  __attribute__ ((format (printf, 1, 2)));
const char *grub_env_get (const char *name);
void grub_error_push (void);
void grub_error_pop (void);

/* An input that takes so much ends the run, so no allocation fails.  */
#define grub_malloc		malloc
#define grub_calloc		calloc
#define grub_zalloc(size)	calloc (1, size)
#define grub_realloc		realloc
#define grub_free		free
#define grub_strdup		strdup
#define grub_strndup		strndup
#define grub_snprintf		snprintf
#define grub_memcpy		memcpy
#define grub_memcmp		memcmp
#define grub_memmove		memmove
#define grub_memset		memset
#define grub_strchr		strchr
#define grub_strcmp		strcmp
#define grub_strncmp		strncmp
#define grub_strlen		strlen
#define grub_strstr		strstr
#define grub_isdigit(c)		isdigit ((unsigned char) (c))

#include <stdio.h>

#endif
