/* writer.c - write nodes and properties of the overlay  */
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

#include "internal.h"

#include <string.h>

void
ib_begin_node (struct ib_writer *writer, const char *name)
{
  if (!writer->err)
    writer->err = fdt_begin_node (writer->fdt, name);
}

void
ib_end_node (struct ib_writer *writer)
{
  if (!writer->err)
    writer->err = fdt_end_node (writer->fdt);
}

/* Add a property of SIZE bytes.  */
void
ib_add_bytes (struct ib_writer *writer, const char *name, const void *value,
	      size_t size)
{
  if (!writer->err)
    writer->err = fdt_property (writer->fdt, name, value, (int) size);
}

void
ib_add_empty (struct ib_writer *writer, const char *name)
{
  ib_add_bytes (writer, name, NULL, 0);
}

void
ib_add_string (struct ib_writer *writer, const char *name, const char *value)
{
  ib_add_bytes (writer, name, value, strlen (value) + 1);
}

void
ib_add_cell (struct ib_writer *writer, const char *name, uint64_t value)
{
  fdt32_t cell = cpu_to_fdt32 ((uint32_t) value);

  ib_add_bytes (writer, name, &cell, sizeof (cell));
}

/* Return space for a property of N cells, or NULL.  */
unsigned char *
ib_add_cells (struct ib_writer *writer, const char *name, size_t n)
{
  void *cells = NULL;

  if (!writer->err)
    writer->err = fdt_property_placeholder (writer->fdt, name, (int) (n * 4),
					    &cells);
  return writer->err ? NULL : cells;
}

void
ib_add_cell_counts (struct ib_writer *writer)
{
  ib_add_cell (writer, "#address-cells", 2);
  ib_add_cell (writer, "#size-cells", 2);
}

/* Write NUMBER in N big-endian cells.  It must fit.  */
void
ib_write_cells (unsigned char *at, uint64_t number, int n)
{
  int i;

  for (i = 4 * n - 1; i >= 0; i--, number >>= 8)
    at[i] = (unsigned char) number;
}

/* Add a module named NODE, with the file NAME[INDEX], and BOOTARGS unless they
   are NULL.  Do nothing if there is no file.  */
void
ib_add_module (struct ib_writer *writer, const char *node,
	       const char *compatible, size_t compatible_size,
	       const char *name, uint32_t index, const char *bootargs)
{
  const char *file = ib_file (writer->import, name, index);

  if (!file)
    return;
  ib_begin_node (writer, node);
  ib_add_bytes (writer, "compatible", compatible, compatible_size);
  ib_add_string (writer, "uefi,binary", file);
  if (bootargs)
    ib_add_string (writer, "bootargs", bootargs);
  ib_end_node (writer);
}

/* Add the property PROPERTY with the addresses and sizes in NAME[INDEX], in so
   many cells each.  Return the sum of the sizes.  */
uint64_t
ib_add_ranges (struct ib_writer *writer, const char *property,
	       const char *name, uint32_t index, int address_cells,
	       int size_cells)
{
  const char *value = ib_get (writer->import, name, index), *words, *word;
  size_t length, n = 0;
  uint64_t number, sum = 0;
  unsigned char *at;
  int is_size = 0, cells;

  if (address_cells < 1 || size_cells < 1)
    {
      ib_fail_variable (writer->import, name, index,
			"cannot be written in the cells that the root of"
			" DEVICE_TREE has");
      return 0;
    }
  for (words = value; ib_next_word (&words, " ", &length); n++)
    ;
  if (n == 0 || n % 2)
    {
      ib_fail_variable (writer->import, name, index,
			"is not addresses and sizes by turns");
      return 0;
    }
  at = ib_add_cells (writer, property,
		     n / 2 * (size_t) (address_cells + size_cells));
  for (words = value; (word = ib_next_word (&words, " ", &length));
       is_size = !is_size)
    {
      cells = is_size ? size_cells : address_cells;
      if (ib_parse_number (word, length, &number)
	  || (cells == 1 && number > UINT32_MAX)
	  || (is_size && sum > UINT64_MAX - number))
	{
	  ib_fail_variable (writer->import, name, index,
			    "has a word that is no number, or too big a one");
	  return 0;
	}
      if (is_size)
	sum += number;
      if (at)
	{
	  ib_write_cells (at, number, cells);
	  at += 4 * cells;
	}
    }
  return sum;
}
