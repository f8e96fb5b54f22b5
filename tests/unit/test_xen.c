/* test_xen.c - what a Xen image says of itself  */
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

static struct grub_dom0less_xen
version (int major, int minor)
{
  struct grub_dom0less_xen xen = { major, minor, 0, 0 };

  return xen;
}

TEST (versions_compare)
{
  struct grub_dom0less_xen xen = version (4, 17);

  assert_true (grub_dom0less_xen_before (&xen, 4, 18));
  assert_true (grub_dom0less_xen_before (&xen, 5, 0));
  assert_false (grub_dom0less_xen_before (&xen, 4, 17));
  assert_false (grub_dom0less_xen_before (&xen, 4, 9));
  assert_false (grub_dom0less_xen_before (&xen, 3, 20));
}

TEST (an_unknown_version_is_before_nothing)
{
  struct grub_dom0less_xen xen = version (0, 0);

  assert_false (grub_dom0less_xen_before (&xen, 4, 18));
}

/* Put TEXT into BYTES in UTF-16; returns its length in bytes.  */
static size_t
put_utf16 (char *bytes, const char *text)
{
  size_t i;

  for (i = 0; text[i]; i++)
    {
      bytes[2 * i] = text[i];
      bytes[2 * i + 1] = 0;
    }
  return 2 * i;
}

static const struct
{
  const char *text;
  int major, minor;
} greetings[] =
  {
    { "Xen 4.17.5 (c/s ) EFI loader\r\n", 4, 17 },
    { "Xen 4.20.3-pre", 4, 20 },
    { "Xen 4.9", 4, 9 },
    { "Xen 12.345", 12, 345 },
    { "Xen 1.2", 1, 2 },
    { "Xon 3.1, Xen 4.17", 4, 17 },
    /* What stands before the greeting.  */
    { "XXen XSM Xen heap Xen 4.Xen 4 Xen 4.22.0", 4, 22 },
    { "Xen 4.20 and Xen 4.17", 4, 20 },
    { "Xen 0.1", 0, 0 },
    { "Xen 4", 0, 0 },
    { "Xen 4.", 0, 0 },
    { "Xen 4.x", 0, 0 },
    { "Xen x.4", 0, 0 },
    { "Xen 1234.5", 0, 0 },
    { "Xen 1001.5", 0, 0 },
    { "Xen ", 0, 0 },
    { "Xen", 0, 0 },
    { "X", 0, 0 },
    { "", 0, 0 }
  };

TEST (the_version_is_found)
{
  size_t i, odd;

  for (i = 0; i < sizeof (greetings) / sizeof (greetings[0]); i++)
    for (odd = 0; odd < 2; odd++)
      {
	char text[256] = "\x07";
	size_t size = odd + put_utf16 (text + odd, greetings[i].text);
	/* Nothing behind the end is read: the sanitizer sees to it.  */
	char *image = allocate (size);
	struct grub_dom0less_xen xen = version (0, 0);

	memcpy (image, text, size);
	grub_dom0less_xen_version (&xen, image, size);
	free (image);
	assert_int_equal (xen.major, greetings[i].major);
	assert_int_equal (xen.minor, greetings[i].minor);
      }
}

/* Letters whose upper halves make others of them, and an end in the middle of
   one.  */
TEST (the_version_is_in_utf_16)
{
  static const char dot[] = "X\0e\0n\0 \0" "4\0.\1" "7";
  static const char digit[] = "X\0e\0n\0 \0" "4\1.\0" "7";
  static const char number[] = "X\0e\0n\0 \0" "4\0.\0" "7\1";
  static const char half[] = "X\0e\0n\0 \0" "4\0." "7";
  struct grub_dom0less_xen xen = version (0, 0);

  grub_dom0less_xen_version (&xen, dot, sizeof (dot));
  grub_dom0less_xen_version (&xen, digit, sizeof (digit));
  grub_dom0less_xen_version (&xen, number, sizeof (number));
  grub_dom0less_xen_version (&xen, half, 11);
  assert_int_equal (xen.major, 0);
}

TEST (without_a_greeting_the_version_stays)
{
  struct grub_dom0less_xen xen = version (4, 20);

  grub_dom0less_xen_version (&xen, "nothing of the kind", 19);
  assert_int_equal (xen.major, 4);
  assert_int_equal (xen.minor, 20);
}

TEST (gzip_members_are_found)
{
  static const char image[] = "\x1f.\x1f\x8b\x1f\x8b\x08..\x1f\x8b\x08\x1f\x8b";
  size_t size = sizeof (image) - 1;

  assert_int_equal (grub_dom0less_xen_gzip (image, size, 0), 4);
  assert_int_equal (grub_dom0less_xen_gzip (image, size, 4), 4);
  assert_int_equal (grub_dom0less_xen_gzip (image, size, 5), 9);
  assert_int_equal (grub_dom0less_xen_gzip (image, size, 10), size);
  assert_int_equal (grub_dom0less_xen_gzip (image, size, size), size);
  assert_int_equal (grub_dom0less_xen_gzip (image, size, size + 1), size);
  assert_int_equal (grub_dom0less_xen_gzip (image, 0, 0), 0);
}

static int
read_config (struct grub_dom0less_xen *xen, const char *text)
{
  return grub_dom0less_xen_config (xen, text, strlen (text));
}

TEST (options_are_read)
{
  struct grub_dom0less_xen xen = version (4, 20);

  assert_true (read_config (&xen,
			    "#\n# Automatically generated\n#\nCONFIG_64BIT=y\n"
			    "CONFIG_ARM_64=y\nCONFIG_ARM=y\n"
			    "# CONFIG_STATIC_MEMORY is not set\n"
			    "CONFIG_STATIC_SHM=y\n\nCONFIG_LLC_COLORING=y"));
  assert_true (xen.has_config);
  assert_int_equal (xen.options, GRUB_DOM0LESS_XEN_STATIC_SHM
		    | GRUB_DOM0LESS_XEN_LLC_COLORING);
  assert_int_equal (xen.minor, 20);

  /* Read again, it is not added to.  */
  assert_true (read_config (&xen, "CONFIG_ARM=y\nCONFIG_ARM64_SVE=y\n"
			    "CONFIG_SBSA_VUART_CONSOLE=y\n"
			    "CONFIG_DOM0LESS_BOOT=y\nCONFIG_STATIC_MEMORY=y\n"
			    "CONFIG_STATIC_SHM=n\nXCONFIG_LLC_COLORING=y\n"));
  assert_int_equal (xen.options, GRUB_DOM0LESS_XEN_SVE
		    | GRUB_DOM0LESS_XEN_VPL011 | GRUB_DOM0LESS_XEN_DOM0LESS
		    | GRUB_DOM0LESS_XEN_STATIC_MEMORY);
}

TEST (other_text_is_no_config)
{
  struct grub_dom0less_xen xen = version (4, 20);

  assert_false (read_config (&xen, ""));
  assert_false (read_config (&xen, "\n\n"));
  assert_false (read_config (&xen, "CONFIG_X86=y\nCONFIG_STATIC_MEMORY=y\n"));
  assert_false (read_config (&xen, "CONFIG_ARM=yes\n"));
  assert_false (xen.has_config);
  assert_int_equal (xen.options, 0);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (versions_compare),
      cmocka_unit_test (an_unknown_version_is_before_nothing),
      cmocka_unit_test (the_version_is_found),
      cmocka_unit_test (the_version_is_in_utf_16),
      cmocka_unit_test (without_a_greeting_the_version_stays),
      cmocka_unit_test (gzip_members_are_found),
      cmocka_unit_test (options_are_read),
      cmocka_unit_test (other_text_is_no_config)
    };

  return RUN ("xen", tests);
}
