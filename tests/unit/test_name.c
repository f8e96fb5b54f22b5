/* test_name.c - names in the tree, and the files that they mean  */
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

#include "support.h"

#define XEN	"(hd0,gpt2)/boot/xen/xen.efi"

static const struct
{
  const char *xen, *name, *file;
} names[] =
  {
    /* Relative to Xen's folder, as Xen's own EFI stub means it.  */
    { XEN, "vmlinuz", "(hd0,gpt2)/boot/xen/vmlinuz" },
    { XEN, "guests/vmlinuz", "(hd0,gpt2)/boot/xen/guests/vmlinuz" },
    { XEN, "../vmlinuz", "(hd0,gpt2)/boot/xen/../vmlinuz" },
    { "(hd0,gpt2)/xen.efi", "vmlinuz", "(hd0,gpt2)/vmlinuz" },
    /* On its device.  */
    { XEN, "/vmlinuz", "(hd0,gpt2)/vmlinuz" },
    { XEN, "/", "(hd0,gpt2)/" },
    /* As it stands.  */
    { XEN, "(hd1)/vmlinuz", "(hd1)/vmlinuz" },
    { XEN, "(lvm/vg-boot)/x/vmlinuz", "(lvm/vg-boot)/x/vmlinuz" },
    /* Never a list of blocks.  */
    { XEN, "(hd1)vmlinuz", "(hd1)/vmlinuz" },
    { XEN, "(hd1)0+1", "(hd1)/0+1" },
    { XEN, "(hd1)", "(hd1)/" },
    /* A device without an end is none.  */
    { XEN, "(hd1", "(hd0,gpt2)/boot/xen/(hd1" },
    /* EFI's slashes.  */
    { XEN, "guests\\vmlinuz", "(hd0,gpt2)/boot/xen/guests/vmlinuz" },
    { XEN, "\\vmlinuz", "(hd0,gpt2)/vmlinuz" },
    { XEN, "(hd1)\\vmlinuz", "(hd1)/vmlinuz" },
    { "(hd0)\\efi\\xen.efi", "vmlinuz", "(hd0)/efi/vmlinuz" },
    /* A slash in the device's own name is not one of the path.  */
    { "(lvm/vg-boot)/xen.efi", "vmlinuz", "(lvm/vg-boot)/vmlinuz" },
    { "(lvm/vg-boot)/xen.efi", "/vmlinuz", "(lvm/vg-boot)/vmlinuz" },
    /* Xen's name without a device, or without anything.  */
    { "/boot/xen.efi", "vmlinuz", "/boot/vmlinuz" },
    { "/boot/xen.efi", "/vmlinuz", "/vmlinuz" },
    { "xen.efi", "vmlinuz", "vmlinuz" },
    { "", "vmlinuz", "vmlinuz" },
    { XEN, "", "(hd0,gpt2)/boot/xen/" }
  };

TEST (names_resolve)
{
  size_t i;

  for (i = 0; i < sizeof (names) / sizeof (names[0]); i++)
    {
      char buf[128];

      assert_int_equal (grub_dom0less_resolve (names[i].xen, names[i].name,
					       buf, sizeof (buf)),
			strlen (names[i].file));
      assert_string_equal (buf, names[i].file);
    }
}

/* Each buffer is a block of its own, guarded by the sanitizer.  */
TEST (short_buffers_are_cut_and_terminated)
{
  const char *file = "(hd0,gpt2)/boot/xen/vmlinuz";
  size_t size, length = strlen (file);

  assert_int_equal (grub_dom0less_resolve (XEN, "vmlinuz", NULL, 0), length);
  for (size = 1; size <= length + 1; size++)
    {
      char *buf = malloc (size);

      assert_non_null (buf);
      assert_int_equal (grub_dom0less_resolve (XEN, "vmlinuz", buf, size),
			length);
      assert_int_equal (strlen (buf), size - 1);
      assert_memory_equal (buf, file, size - 1);
      free (buf);
    }
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (names_resolve),
      cmocka_unit_test (short_buffers_are_cut_and_terminated)
    };

  return RUN ("name", tests);
}
