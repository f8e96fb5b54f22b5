/* fuzz_config.c - Xen's own configuration file  */
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

#define TREE_SIZE	256

/* Whether LINE, of LENGTH bytes and without indentation and comment, begins
   with KEY and a `='.  */
static int
has_key (const char *line, size_t length, const char *key)
{
  size_t key_length = strlen (key);

  return (length > key_length && memcmp (line, key, key_length) == 0
	  && line[key_length] == '=');
}

/* The bytes of the line at AT that count: no indentation, nothing behind a
   comment's beginning.  */
static const char *
trim (const char *at, const char *end, size_t *length)
{
  const char *line = at;

  while (line < end && *line == ' ')
    line++;
  at = line;
  if (at < end && *at == ';')
    end = at;
  while (at < end && *at != '#')
    at++;
  *length = (size_t) (at - line);
  return line;
}

static int
is_control (char c)
{
  return (unsigned char) c < 32 || c == 127;
}

/* What Xen's documentation makes of KEY in SECTION of the SIZE bytes at TEXT,
   which are as they were read; found in another way than config.c does it.
   Returns NULL, or the value and its LENGTH.  */
static const char *
find_value (const char *text, size_t size, const char *section,
	    const char *key, size_t *length)
{
  const char *end = text + size, *next, *line;
  size_t section_length = strlen (section);
  int within = 0;

  for (; text < end; text = next)
    {
      for (next = text; next < end && !is_control (*next); next++)
	;
      line = trim (text, next, length);
      next += next < end;

      if (*length && *line == '[')
	{
	  if (within)
	    return NULL;
	  within = (*length > section_length + 1
		    && memcmp (line + 1, section, section_length) == 0
		    && line[section_length + 1] == ']');
	}
      else if (within && has_key (line, *length, key))
	{
	  line += strlen (key) + 1;
	  *length -= strlen (key) + 1;
	  for (; *length && *line == ' '; line++)
	    --*length;
	  return line;
	}
    }
  return NULL;
}

static void
compare_values (const char *original, char *text, size_t size)
{
  static const char *const sections[] = { "global", "s", "xen" };
  static const char *const keys[] =
    { "default", "chain", "options", "kernel", "ramdisk", "xsm", "k" };
  size_t s, k, length;

  for (s = 0; s < sizeof (sections) / sizeof (sections[0]); s++)
    for (k = 0; k < sizeof (keys) / sizeof (keys[0]); k++)
      {
	const char *found = grub_dom0less_config_value (text, size,
							sections[s], keys[k]);
	const char *expected = find_value (original, size, sections[s],
					   keys[k], &length);

	if (!found || !expected)
	  require (found == expected, "found, or not, as Xen does not");
	else
	  require (strlen (found) == length
		   && memcmp (found, expected, length) == 0,
		   "another value than Xen's");
      }
}

static void
list_entries (char *text, size_t size)
{
  struct grub_dom0less_entry entry;
  const char *last = text;
  size_t n = 0;

  memset (&entry, 0, sizeof (entry));
  while (grub_dom0less_config_next (text, size, &entry))
    {
      require (entry.key >= last && entry.value > entry.key
	       && entry.value <= text + size, "an entry is elsewhere");
      require (entry.key[entry.key_length] == '=', "no key");
      grub_dom0less_config_known (&entry);
      grub_dom0less_config_in_section (&entry, "s");
      last = entry.key + entry.key_length;
      require (++n <= size, "without end");
    }
}

/* Apply the text to a tree with as much room as is promised, and without
   /chosen in every second.  */
static void
apply (char *text, size_t size, const char *section, int with_chosen)
{
  char base[TREE_SIZE];
  static struct grub_dom0less_plan plan;
  size_t tree_size;
  void *fdt;
  int err;

  require (fdt_create_empty_tree (base, sizeof (base)) == 0, "no tree");
  if (with_chosen)
    require (fdt_add_subnode (base, 0, "chosen") > 0
	     && fdt_setprop_empty (base, fdt_path_offset (base, "/chosen"),
				   "xen,uefi-cfg-load") == 0, "no /chosen");
  require (fdt_pack (base) == 0, "no packed tree");

  tree_size = fdt_totalsize (base) + grub_dom0less_config_growth (size);
  fdt = malloc (tree_size);
  require (fdt != NULL, "out of memory");
  require (fdt_open_into (base, fdt, (int) tree_size) == 0, "not opened");

  err = grub_dom0less_config_apply (fdt, text, size, section);
  require (err == 0, "an error with all the room that was promised");
  require (fdt_check_full (fdt, tree_size) == 0, "a malformed tree");
  grub_dom0less_plan_read (&plan, fdt);
  require (plan.n_modules <= 3 && plan.n_domains == 0, "other modules");
  free (fdt);
}

static void
fuzz_config_name (const char *xen, int attempt)
{
  size_t length = grub_dom0less_config_name (xen, attempt, NULL, 0);
  char *buf = malloc (length + 1);

  require (buf != NULL, "out of memory");
  require (length <= strlen (xen) + 4, "far too long");
  require (grub_dom0less_config_name (xen, attempt, buf, length + 1) == length,
	   "another length");
  if (length)
    require (strlen (buf) == length
	     && strcmp (buf + length - 4, ".cfg") == 0
	     && memcmp (buf, xen, length - 4) == 0, "another name");
  free (buf);
}

/* The input is a byte of choices, Xen's name and the file.  */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const sections[] = { "s", "global", NULL, "xen" };
  struct input input = { data, data + size };
  uint8_t choices = take8 (&input);
  char *xen = take_string (&input);
  size_t text_size = (size_t) (input.end - input.at);
  char *text = guard_string (input.at, text_size);

  fuzz_config_name (xen, choices >> 4);
  grub_dom0less_config_cut (text, text_size);
  compare_values ((const char *) input.at, text, text_size);
  list_entries (text, text_size);
  apply (text, text_size, sections[choices & 3], choices & 4);

  free (text);
  free (xen);
  return 0;
}
