/* fuzz_xen.c - what a Xen image says of itself  */
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

static void
fuzz_version (const void *image, size_t size)
{
  struct grub_dom0less_xen xen = { .major = -1, .minor = -1 };

  grub_dom0less_xen_version (&xen, image, size);
  require (xen.has_config == 0 && xen.options == 0, "not the version");
  require ((xen.major == -1 && xen.minor == -1)
	   || (xen.major > 0 && xen.major < 1000
	       && xen.minor >= 0 && xen.minor < 1000), "no version");
  if (xen.major > 0)
    {
      require (!grub_dom0less_xen_before (&xen, xen.major, xen.minor),
	       "before itself");
      require (grub_dom0less_xen_before (&xen, xen.major, xen.minor + 1)
	       && grub_dom0less_xen_before (&xen, xen.major + 1, 0),
	       "not before the next");
    }
}

/* Every member is found, and nothing else.  */
static void
fuzz_gzip (const uint8_t *image, size_t size)
{
  size_t at, found = grub_dom0less_xen_gzip (image, size, 0);

  for (at = 0; at < size; at++)
    if (size - at >= 3 && image[at] == 0x1f && image[at + 1] == 0x8b
	&& image[at + 2] == 8)
      {
	require (found == at, "a member is missed");
	found = grub_dom0less_xen_gzip (image, size, at + 1);
      }
  require (found == size, "what is no member is found");
}

static void
fuzz_config (const char *text, size_t size)
{
  struct grub_dom0less_xen xen = { .major = 4, .minor = 20 };
  int found = grub_dom0less_xen_config (&xen, text, size);

  require (xen.major == 4 && xen.minor == 20, "not the config");
  require (found == xen.has_config, "found and not, or not and found");
  require (found || !xen.options, "options of nothing");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  void *image = guard (data, size);

  fuzz_version (image, size);
  fuzz_gzip (image, size);
  fuzz_config (image, size);
  free (image);
  return 0;
}
