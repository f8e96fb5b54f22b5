/* config.c - Xen's own configuration file, xen.cfg  */
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

#include <grub/xen_dom0less.h>

#include <string.h>

#include "safemath.h"

static int
is_control (char c)
{
  return (unsigned char) c < ' ' || c == 0x7f;
}

static int
is_blank (char c)
{
  return c == ' ' || c == '\t';
}

void
grub_dom0less_config_cut (char *text, size_t size)
{
  int at_start = 1, in_comment = 0;
  size_t i;

  for (i = 0; i < size; i++)
    {
      if (is_control (text[i]))
	{
	  at_start = 1;
	  in_comment = 0;
	  text[i] = '\0';
	}
      else if (in_comment || (at_start && is_blank (text[i])))
	text[i] = '\0';
      else if (text[i] == '#' || (at_start && text[i] == ';'))
	{
	  in_comment = 1;
	  text[i] = '\0';
	}
      else
	at_start = 0;
    }
  text[size] = '\0';
}

int
grub_dom0less_config_next (char *text, size_t size,
			   struct grub_dom0less_entry *entry)
{
  char *line = entry->next ? entry->next : text, *sign;

  for (; line < text + size; line += strlen (line) + 1)
    {
      if (*line == '[')
	{
	  entry->section = line + 1;
	  continue;
	}
      sign = strchr (line, '=');
      if (!sign)
	continue;

      entry->key = line;
      entry->key_length = sign - line;
      entry->value = sign + 1;
      while (is_blank (*entry->value))
	entry->value++;
      entry->next = line + strlen (line) + 1;
      return 1;
    }
  return 0;
}

/* Return whether NAME, which follows a `[', is SECTION's name.  */
static int
is_section (const char *name, const char *section)
{
  size_t length = strlen (section);

  return (strlen (name) > length && memcmp (name, section, length) == 0
	  && name[length] == ']');
}

int
grub_dom0less_config_in_section (const struct grub_dom0less_entry *entry,
				 const char *section)
{
  return !section || (entry->section && is_section (entry->section, section));
}

/* Return the position after the `[' of the first SECTION, even if that section
   has no entry, because a second section of the same name is ignored.  */
static const char *
find_section (const char *text, size_t size, const char *section)
{
  const char *line;

  for (line = text; line < text + size; line += strlen (line) + 1)
    if (*line == '[' && is_section (line + 1, section))
      return line + 1;
  return NULL;
}

int
grub_dom0less_config_is (const struct grub_dom0less_entry *entry,
			 const char *key)
{
  return (entry->key_length == strlen (key)
	  && memcmp (entry->key, key, entry->key_length) == 0);
}

char *
grub_dom0less_config_value (char *text, size_t size, const char *section,
			    const char *key)
{
  struct grub_dom0less_entry entry;
  const char *first = section ? find_section (text, size, section) : NULL;

  if (section && !first)
    return NULL;
  memset (&entry, 0, sizeof (entry));
  while (grub_dom0less_config_next (text, size, &entry))
    if ((!section || entry.section == first)
	&& grub_dom0less_config_is (&entry, key))
      return entry.value;
  return NULL;
}

int
grub_dom0less_config_known (const struct grub_dom0less_entry *entry)
{
  /* The last two are used by Xen on x86 only.  */
  static const char *const keys[] =
    {
      "default", "chain", "options", "kernel", "ramdisk", "xsm", "dtb",
      "binary", "video", "ucode"
    };
  size_t i;

  for (i = 0; i < sizeof (keys) / sizeof (keys[0]); i++)
    if (grub_dom0less_config_is (entry, keys[i]))
      return 1;
  return 0;
}

char *
grub_dom0less_config_split (char *value)
{
  while (*value && !is_blank (*value))
    value++;
  if (!*value)
    return NULL;
  *value++ = '\0';
  while (is_blank (*value))
    value++;
  return *value ? value : NULL;
}

size_t
grub_dom0less_config_name (const char *xen, int attempt,
			   char *buf, size_t size)
{
  size_t length = strlen (xen);

  /* Each attempt cuts the name at the next such character from its end.  */
  for (; attempt >= 0; attempt--)
    {
      do
	{
	  if (length == 0)
	    return 0;
	  length--;
	  if (xen[length] == '/' || xen[length] == '\\'
	      || xen[length] == ')')
	    return 0;
	}
      while (xen[length] != '.' && xen[length] != '-'
	     && xen[length] != '_');
    }

  if (length + sizeof (".cfg") <= size)
    {
      memcpy (buf, xen, length);
      memcpy (buf + length, ".cfg", sizeof (".cfg"));
    }
  return length + sizeof (".cfg") - 1;
}

/* Add a module to /chosen, with FILE's name and, unless it is NULL,
   BOOTARGS.  */
static int
add_module (void *fdt, int chosen, const char *name, const char *compatible,
	    int compatible_size, const char *file, const char *bootargs)
{
  int node, err;

  node = fdt_add_subnode (fdt, chosen, name);
  if (node < 0)
    return node;
  err = fdt_setprop (fdt, node, "compatible", compatible, compatible_size);
  if (!err)
    err = fdt_setprop_string (fdt, node, "xen,uefi-binary", file);
  if (!err && bootargs)
    err = fdt_setprop_string (fdt, node, "bootargs", bootargs);
  return err;
}

#define COMPATIBLE(kind) \
  kind "\0multiboot,module", sizeof (kind "\0multiboot,module")

/* The modules that a section names.  Each becomes a node with the name of its
   key.  Only a kernel's file may be followed by a command line.  */
static const struct
{
  const char *key;
  const char *compatible;
  int compatible_size;
  int has_bootargs;
} config_modules[] =
  {
    { "kernel", COMPATIBLE ("multiboot,kernel"), 1 },
    { "ramdisk", COMPATIBLE ("multiboot,ramdisk"), 0 },
    { "xsm", COMPATIBLE ("xen,xsm-policy"), 0 }
  };

size_t
grub_dom0less_config_growth (size_t text_size)
{
  /* Three nodes with their properties, /chosen, and the names of properties;
     everything else is in the text.  */
  size_t room;

  return dom0less_add (text_size, 4 * 160, &room) ? SIZE_MAX : room;
}

int
grub_dom0less_config_apply (void *fdt, char *text, size_t size,
			    const char *section)
{
  char *options, *file, *bootargs;
  int chosen, err;
  size_t i;

  chosen = fdt_path_offset (fdt, "/chosen");
  if (chosen < 0)
    chosen = fdt_add_subnode (fdt, 0, "chosen");
  if (chosen < 0)
    return chosen;
  err = fdt_delprop (fdt, chosen, "xen,uefi-cfg-load");
  if (err && err != -FDT_ERR_NOTFOUND)
    return err;

  options = grub_dom0less_config_value (text, size, section, "options");
  if (options
      && (err = fdt_setprop_string (fdt, chosen, "xen,xen-bootargs",
				    options)))
    return err;

  for (i = 0; i < sizeof (config_modules) / sizeof (config_modules[0]); i++)
    {
      file = grub_dom0less_config_value (text, size, section,
					 config_modules[i].key);
      if (!file)
	continue;
      bootargs = grub_dom0less_config_split (file);
      err = add_module (fdt, chosen, config_modules[i].key,
			config_modules[i].compatible,
			config_modules[i].compatible_size, file,
			config_modules[i].has_bootargs ? bootargs : NULL);
      if (err)
	return err;
    }
  return 0;
}
