/* test_text.c - what of a string can be shown  */
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

static void
check_plain (const char *text, const char *expected)
{
  char *copy = strdup (text);

  assert_int_equal (grub_dom0less_make_plain (copy), strlen (expected));
  assert_string_equal (copy, expected);
  free (copy);
}

TEST (plain_stays)
{
  check_plain ("", "");
  check_plain ("/chosen/DomA: \xc3\xa9 \xe6\x9d\xbf \xf0\x9f\x98\x80",
	       "/chosen/DomA: \xc3\xa9 \xe6\x9d\xbf \xf0\x9f\x98\x80");
  check_plain ("\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
	       "\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
}

TEST (controls_go)
{
  check_plain ("a\x1b[2J\n\t\x7f" "b", "a?[2J???b");
  check_plain ("\xc2\x80\xc2\x9b\xc2\x9f", "???");
  check_plain ("\xd8\x9c\xe2\x80\x8e\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6",
	       "?????");
  check_plain ("\xef\xbb\xbf\xef\xbf\xbe", "??");
}

/* A byte that is no character must not hide the one behind it.  */
TEST (what_is_no_utf8_goes)
{
  check_plain ("\x80\x9b\xff", "???");
  check_plain ("\xc3", "?");
  check_plain ("\xe2\x80", "??");
  check_plain ("\xe2\x80\x1b[m", "???[m");
  check_plain ("\xc2\xc2\x9b", "??");
  check_plain ("\xc0\x9b\xc1\x9b", "????");
  check_plain ("\xe0\x82\x9b", "???");
  check_plain ("\xf0\x80\x82\x9b", "????");
  check_plain ("\xed\xa0\x80", "???");
  check_plain ("\xf4\x90\x80\x80\xf5\x80\x80\x80", "????????");
}

TEST (code_of_no_character_is_its_byte)
{
  uint32_t code;

  assert_int_equal (grub_dom0less_character ("\xe9x", &code), 0);
  assert_int_equal (code, 0xe9);
  assert_int_equal (grub_dom0less_character ("\xe9\x9b", &code), 0);
  assert_int_equal (code, 0xe9);
  assert_int_equal (grub_dom0less_character ("\xe6\x9d\xbf", &code), 3);
  assert_int_equal (code, 0x677f);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (plain_stays),
      cmocka_unit_test (controls_go),
      cmocka_unit_test (what_is_no_utf8_goes),
      cmocka_unit_test (code_of_no_character_is_its_byte)
    };

  return RUN ("text", tests);
}
