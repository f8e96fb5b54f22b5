/* test.h - what GRUB's functional tests stand on, as cmocka has it  */
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

#ifndef UNIT_GRUB_TEST_HEADER
#define UNIT_GRUB_TEST_HEADER	1

#define GRUB_MOD_LICENSE(license)

#define grub_test_assert(condition, ...) \
  do { if (!(condition)) fail_msg (__VA_ARGS__); } while (0)

#define GRUB_FUNCTIONAL_TEST(name, function) \
  TEST (name ## _passes) { function (); }

#endif
