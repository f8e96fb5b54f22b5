/* grub.h - what GCC's analyzer does not know of GRUB's functions  */
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

/* Included before every file of the loader.  */
#include <grub/file.h>
#include <grub/mm.h>

#define FREED_BY(function) __attribute__ ((malloc, malloc (function, 1)))

/* GRUB has these as functions without attributes: no leak, no second free and
   no use after it would be seen.  */
void *grub_malloc (grub_size_t size) FREED_BY (grub_free);
void *grub_zalloc (grub_size_t size) FREED_BY (grub_free);
void *grub_calloc (grub_size_t n, grub_size_t size) FREED_BY (grub_free);
char *grub_strdup (const char *string) FREED_BY (grub_free);
char *grub_strndup (const char *string, grub_size_t n) FREED_BY (grub_free);
char *grub_xasprintf (const char *format, ...) FREED_BY (grub_free);
grub_file_t grub_file_open (const char *name, enum grub_file_type type)
  FREED_BY (grub_file_close);
