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
#include "xen_dom0less_vectors.h"

static struct grub_dom0less_xen
version (int major, int minor)
{
  struct grub_dom0less_xen xen = { major, minor, GRUB_DOM0LESS_NONE, 0, 0 };

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

TEST (the_version_is_found)
{
  size_t i, odd;

  for (i = 0; i < N_VECTORS (version_vectors); i++)
    for (odd = 0; odd < 2; odd++)
      {
	char text[256] = "\x07";
	size_t size = odd + put_utf16 (text + odd, version_vectors[i].text);
	/* Nothing behind the end is read: the sanitizer sees to it.  */
	char *image = allocate (size);
	struct grub_dom0less_xen xen = version (0, 0);

	memcpy (image, text, size);
	grub_dom0less_xen_version (&xen, image, size);
	free (image);
	assert_int_equal (xen.major, version_vectors[i].major);
	assert_int_equal (xen.minor, version_vectors[i].minor);
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

TEST (options_are_read)
{
  struct grub_dom0less_xen xen = version (4, 20);
  size_t i;

  for (i = 0; i < N_VECTORS (option_vectors); i++)
    {
      const char *text = option_vectors[i].text;

      assert_int_equal (grub_dom0less_xen_config (&xen, text, strlen (text)),
			option_vectors[i].is_config);
      assert_int_equal (xen.options, option_vectors[i].options);
      assert_int_equal (xen.has_config, xen.options != 0);
    }
  assert_int_equal (xen.minor, 20);
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
      cmocka_unit_test (options_are_read)
    };

  return RUN ("xen", tests);
}
