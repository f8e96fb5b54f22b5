/* xen_dom0less_start.c - load Xen's image, and start it  */
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

#include <grub/efi/efi.h>
#include <grub/misc.h>

#include "xen_dom0less_platform.h"

/* The device path of an image that was loaded from memory.  */
struct memory_path
{
  grub_efi_memory_mapped_device_path_t memory;
  grub_efi_device_path_t end;
} GRUB_PACKED;

grub_err_t
dom0less_platform_load_xen (struct dom0less_boot *boot)
{
  grub_efi_boot_services_t *b = grub_efi_system_table->boot_services;
  struct memory_path path;
  grub_efi_status_t status;

  grub_memset (&path, 0, sizeof (path));
  path.memory.header.type = GRUB_EFI_HARDWARE_DEVICE_PATH_TYPE;
  path.memory.header.subtype = GRUB_EFI_MEMORY_MAPPED_DEVICE_PATH_SUBTYPE;
  path.memory.header.length = sizeof (path.memory);
  path.memory.memory_type = GRUB_EFI_LOADER_DATA;
  path.memory.start_address = boot->xen.file.address;
  path.memory.end_address = grub_dom0less_end (boot->xen.file.address,
					       boot->xen.size);
  path.end.type = GRUB_EFI_END_DEVICE_PATH_TYPE;
  path.end.subtype = GRUB_EFI_END_ENTIRE_DEVICE_PATH_SUBTYPE;
  path.end.length = sizeof (path.end);

  /* Use the firmware's own LoadImage, which Secure Boot relies on, instead of
     GRUB's wrapper, which differs between versions.  */
  status = b->load_image (0, grub_efi_image_handle,
			  (grub_efi_device_path_t *) &path,
			  dom0less_platform_at (boot->xen.file.address),
			  boot->xen.size, &boot->xen.image);
  dom0less_platform_free (&boot->xen.file);
  if (status == GRUB_EFI_SUCCESS)
    {
      grub_efi_loaded_image_t *image
	= grub_efi_get_loaded_image (boot->xen.image);

      if (!image)
	return grub_error (GRUB_ERR_BAD_OS,
			   N_("the firmware does not say where %s is"),
			   boot->xen.path);
      boot->facts.xen_start = (grub_addr_t) image->image_base;
      boot->facts.xen_size = image->image_size;
      return GRUB_ERR_NONE;
    }

  /* After a security violation, the image has been loaded nevertheless.  */
  if (status != GRUB_EFI_SECURITY_VIOLATION)
    boot->xen.image = NULL;
  return grub_error (GRUB_ERR_BAD_OS,
		     N_("%s is no image that the firmware starts: 0x%lx"),
		     boot->xen.path, (unsigned long) status);
}

grub_err_t
dom0less_platform_start_xen (struct dom0less_boot *boot)
{
  grub_efi_boot_services_t *b = grub_efi_system_table->boot_services;
  grub_efi_status_t status;

  dom0less_platform_begin_handover (boot);
  status = b->start_image (boot->xen.image, NULL, NULL);
  dom0less_platform_end_handover (boot);
  return grub_error (GRUB_ERR_BAD_OS, N_("%s did not start: 0x%lx"),
		     boot->xen.path, (unsigned long) status);
}

/* The firmware has already unloaded an application that has returned, and
   answers that there is no such image.  It has not unloaded one that it has
   refused to start.  */
void
dom0less_platform_unload_xen (struct dom0less_boot *boot)
{
  if (boot->xen.image)
    grub_efi_system_table->boot_services->unload_image (boot->xen.image);
  boot->xen.image = NULL;
}
