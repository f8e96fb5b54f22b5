/* support.c - files and trees for the tests  */
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

#include <unistd.h>

void *
allocate (size_t size)
{
  void *memory = calloc (1, size ? size : 1);

  assert_non_null (memory);
  return memory;
}

void *
read_file (const char *path, size_t *size)
{
  FILE *file = fopen (path, "rb");
  char *bytes;

  *size = 0;
  if (!file)
    return NULL;
  fseek (file, 0, SEEK_END);
  *size = (size_t) ftell (file);
  rewind (file);
  bytes = allocate (*size);
  assert_int_equal (fread (bytes, 1, *size, file), *size);
  fclose (file);
  return bytes;
}

void *
load_tree (const char *path)
{
  size_t size;
  void *fdt = read_file (path, &size);

  if (!fdt)
    fail_msg ("cannot read %s", path);
  assert_int_equal (fdt_check_full (fdt, size), 0);
  return fdt;
}

void *
load_fixture (const char *name)
{
  char *path = format (COMPILED "/%s.dtb", name);
  void *fdt = load_tree (path);

  free (path);
  return fdt;
}

static void *
compile (const char *base, const char *source)
{
  char *file = format (SCRATCH "/scratch-%ld.dtb", (long) getpid ());
  char *command = format ("dtc -q -f -I dts -O dtb -o %s", file);
  FILE *dtc = popen (command, "w");
  void *fdt;

  assert_non_null (dtc);
  fputs (base, dtc);
  fputs (source, dtc);
  if (pclose (dtc) != 0)
    fail_msg ("dtc refuses %s", source);
  fdt = load_tree (file);
  remove (file);
  free (command);
  free (file);
  return fdt;
}

void *
make_tree (const char *source)
{
  return compile ("/dts-v1/;\n", source);
}

void *
make_machine_tree (const char *source)
{
  size_t size;
  char *bytes = read_file (FIXTURES "/base.dtsi", &size);
  char *base;
  void *fdt;

  assert_non_null (bytes);
  base = format ("%.*s", (int) size, bytes);
  fdt = compile (base, source);
  free (base);
  free (bytes);
  return fdt;
}

void *
copy_tree (const void *fdt, size_t room)
{
  size_t size = fdt_totalsize (fdt) + 64;
  void *copy = allocate (size);
  void *exact;

  assert_int_equal (fdt_open_into (fdt, copy, (int) size), 0);
  size = fdt_off_dt_strings (copy) + fdt_size_dt_strings (copy) + room;
  exact = allocate (size);
  assert_int_equal (fdt_open_into (fdt, exact, (int) size), 0);
  free (copy);
  return exact;
}

int
node_at (const void *fdt, const char *path)
{
  int node = fdt_path_offset (fdt, path);

  if (node < 0)
    fail_msg ("no node %s", path);
  return node;
}

char *
format (const char *template, ...)
{
  va_list arguments;
  char *text;
  int length;

  va_start (arguments, template);
  length = vsnprintf (NULL, 0, template, arguments);
  va_end (arguments);
  assert_true (length >= 0);

  text = allocate ((size_t) length + 1);
  va_start (arguments, template);
  vsnprintf (text, (size_t) length + 1, template, arguments);
  va_end (arguments);
  return text;
}

char *
repeat (char c, size_t length)
{
  char *text = allocate (length + 1);

  memset (text, c, length);
  return text;
}
