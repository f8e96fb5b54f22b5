/* fuzz_kernel.c - what a kernel file is  */
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

#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  /* Of a longer file no more than the header is read.  */
  size_t header_size = size < GRUB_DOM0LESS_HEADER_SIZE
    ? size : GRUB_DOM0LESS_HEADER_SIZE;
  void *header = guard (data, header_size), *file = guard (data, size);
  enum grub_dom0less_format format
    = grub_dom0less_kernel_format (header, size);
  struct grub_dom0less_zboot zboot;
  struct grub_dom0less_gzip gzip;

  require (format <= GRUB_DOM0LESS_FORMAT_OTHER, "no format");
  require (strlen (grub_dom0less_format_name (format)) > 0, "no name");
  require (format == grub_dom0less_kernel_format (file, size),
	   "another format for the whole file");
  if (grub_dom0less_kernel_consumed (header, size))
    require (grub_dom0less_format_ok (format), "consumed and refused");

  require (grub_dom0less_is_policy (header, header_size)
	   == grub_dom0less_is_policy (file, size),
	   "a policy, and none for the whole file");

  if (grub_dom0less_read_zboot (&zboot, file, size) == 0)
    {
      require (format == GRUB_DOM0LESS_FORMAT_ZBOOT, "no zboot file");
      require (zboot.size && zboot.offset <= size
	       && zboot.size <= size - zboot.offset, "outside the file");
      require (strlen (zboot.compression) < sizeof (zboot.compression),
	       "no string");
    }
  if (grub_dom0less_read_gzip (&gzip, file, size) == 0)
    {
      require (format == GRUB_DOM0LESS_FORMAT_GZIP, "no gzip file");
      require (gzip.size && gzip.offset < size
	       && gzip.size < size - gzip.offset, "outside the file");
    }
  free (file);
  free (header);
  return 0;
}
