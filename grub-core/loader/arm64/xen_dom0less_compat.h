/* xen_dom0less_compat.h - all differences between the versions of GRUB  */
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

#ifndef XEN_DOM0LESS_COMPAT_HEADER
#define XEN_DOM0LESS_COMPAT_HEADER	1

/*
 * GRUB 2.06 and later are supported.  Distributions backport patches, so
 * nothing here tests the version number; the compiler is asked about the
 * feature.
 */

#include <grub/disk.h>
#include <grub/efi/api.h>
#include <grub/lib/cmdline.h>
#include <grub/verify.h>

/* The type of a GUID has two names, so pointers to one are passed as void
   *.  */
typedef __typeof__ (((grub_efi_configuration_table_t *) 0)->vendor_guid)
  dom0less_guid_t __attribute__ ((aligned (8)));

/* GRUB 2.06 does not declare EFI_DT_FIXUP_PROTOCOL.  Source: the protocol's
   specification, https://github.com/U-Boot-EFI/EFI_DT_FIXUP_PROTOCOL.  */
#define DOM0LESS_DT_FIXUP_GUID						\
  { 0xe617d64c, 0xfe08, 0x46da,						\
    { 0xf4, 0xdc, 0xbb, 0xd5, 0x87, 0x0c, 0x73, 0x00 } }
#define DOM0LESS_DT_APPLY_FIXUPS	1
#define DOM0LESS_DT_RESERVE_MEMORY	2

struct dom0less_dt_fixup
{
  grub_efi_uint64_t revision;
  grub_efi_status_t (*fixup) (struct dom0less_dt_fixup *self, void *fdt,
			      grub_efi_uintn_t *size,
			      grub_efi_uint32_t flags);
};

/* A read hook of GRUB 2.06 does not get the buffer, and returns nothing.  */
typedef void (*dom0less_short_hook_t) (grub_disk_addr_t, unsigned, unsigned,
				       void *);
typedef grub_err_t (*dom0less_long_hook_t) (grub_disk_addr_t, unsigned,
					    unsigned, char *, void *);

#define DOM0LESS_SHORT_HOOK						\
  __builtin_types_compatible_p (grub_disk_read_hook_t, dom0less_short_hook_t)

/* Select the one of two functions that has the type of GRUB's hook.  */
#define DOM0LESS_READ_HOOK(short_hook, long_hook)			\
  ((grub_disk_read_hook_t) (DOM0LESS_SHORT_HOOK				\
			    ? (void (*) (void)) (short_hook)		\
			    : (void (*) (void)) (long_hook)))

/* Notify HOOK that LENGTH bytes have been read into BUFFER.  */
static inline void
dom0less_call_read_hook (grub_disk_read_hook_t hook, unsigned int length,
			 char *buffer, void *data)
{
  void (*function) (void) = (void (*) (void)) hook;

  if (DOM0LESS_SHORT_HOOK)
    ((dom0less_short_hook_t) function) (0, 0, length, data);
  else
    ((dom0less_long_hook_t) function) (0, 0, length, buffer, data);
}

/* From GRUB 2.14 on, a digest's init takes flags.  */
typedef void (*dom0less_short_md_init_t) (void *);

/* That of the two functions which GRUB can call.  */
#define DOM0LESS_MD_INIT(short_init, long_init)				\
  ((gcry_md_init_t) (__builtin_types_compatible_p (gcry_md_init_t,	\
						   dom0less_short_md_init_t) \
		     ? (void (*) (void)) (short_init)			\
		     : (void (*) (void)) (long_init)))

/* Debian's versions of both cmdline functions have a further parameter,
   `noescape'.  */
typedef grub_err_t (*dom0less_cmdline_t) (int, char **, char *, grub_size_t,
					  enum grub_verify_string_type);
typedef grub_err_t (*dom0less_cmdline_noescape_t)
  (int, char **, char *, grub_size_t, enum grub_verify_string_type, int);
typedef unsigned int (*dom0less_cmdline_size_t) (int, char **);
typedef unsigned int (*dom0less_cmdline_size_noescape_t) (int, char **, int);

#define DOM0LESS_NOESCAPE						\
  __builtin_types_compatible_p (__typeof__ (&grub_create_loader_cmdline), \
				dom0less_cmdline_noescape_t)

static inline unsigned int
dom0less_cmdline_size (int argc, char **argv)
{
  void (*function) (void) = (void (*) (void)) grub_loader_cmdline_size;

  return DOM0LESS_NOESCAPE
    ? ((dom0less_cmdline_size_noescape_t) function) (argc, argv, 0)
    : ((dom0less_cmdline_size_t) function) (argc, argv);
}

static inline grub_err_t
dom0less_create_cmdline (int argc, char **argv, char *buf, grub_size_t size)
{
  void (*function) (void) = (void (*) (void)) grub_create_loader_cmdline;

  return DOM0LESS_NOESCAPE
    ? ((dom0less_cmdline_noescape_t) function)
	(argc, argv, buf, size, GRUB_VERIFY_KERNEL_CMDLINE, 0)
    : ((dom0less_cmdline_t) function)
	(argc, argv, buf, size, GRUB_VERIFY_KERNEL_CMDLINE);
}

#endif
