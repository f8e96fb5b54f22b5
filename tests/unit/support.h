/* support.h - files, trees and what every test program includes  */
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

#ifndef UNIT_SUPPORT_HEADER
#define UNIT_SUPPORT_HEADER	1

/* What cmocka.h wants to have been included.  */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <grub/xen_dom0less.h>

/* The programs run in the repository's root.  */
#define FIXTURES	"tests/dts"
#define COMPILED	"build/dts"
#define SCRATCH		"build/unit"

/* A test, for cmocka_unit_test; its name says what holds.  */
#define TEST(name)	static void name (void **state __attribute__ ((unused)))

/* Run the tests of TABLE as a group named after the source file they are
   for.  */
#define RUN(group, table) \
  cmocka_run_group_tests_name (group, table, NULL, NULL)

/* The bytes of the file PATH, in a block of exactly its size (and so guarded
   by the sanitizer), or NULL.  */
void *read_file (const char *path, size_t *size);

/* The tree that the file PATH holds.  The test fails without.  */
void *load_tree (const char *path);

/* The tree of fixture NAME.  */
void *load_fixture (const char *name);

/* The tree of SOURCE, as dtc compiles it; a version line is put before it.  */
void *make_tree (const char *source);

/* The tree of SOURCE laid over the fixtures' hardware.  */
void *make_machine_tree (const char *source);

/* Memory of SIZE bytes, zeroed.  The test fails without.  */
void *allocate (size_t size);

/* A copy of FDT in a block of exactly the size that its parts take and ROOM
   bytes more.  */
void *copy_tree (const void *fdt, size_t room);

/* The offset of the node PATH.  The test fails without.  */
int node_at (const void *fdt, const char *path);

/* Text written as by printf.  The caller frees it.  */
char *format (const char *template, ...)
  __attribute__ ((format (printf, 1, 2)));

/* LENGTH times the character C, as a string.  The caller frees it.  */
char *repeat (char c, size_t length);

#endif
