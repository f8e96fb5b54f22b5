/* variables.c - access the variables of a config  */
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

/* All known variables, and why they cannot be converted.  Variables without a
   reason are either converted or only used by U-Boot.  */

#define ONE_PLACE \
  "all files are looked for on one device, but for names (DEVICE)/NAME"
#define NO_LINUX \
  "it is for a boot without Xen: GRUB's own menu entries have that"

static const struct
{
  const char *name;
  const char *loss;
} known[] =
  {
    { "DEVICE_TREE", NULL },
    { "NUM_DT_OVERLAY", NULL },
    { "DT_OVERLAY", NULL },
    { "XEN", NULL },
    { "XEN_CMD", NULL },
    { "XEN_COLORS", NULL },
    { "XEN_POLICY", NULL },
    { "XEN_STATIC_HEAP", NULL },
    { "STATIC_HEAP", NULL },
    { "NUM_CPUPOOLS", NULL },
    { "CPUPOOL", NULL },
    { "DOM0_KERNEL", NULL },
    { "DOM0_RAMDISK", NULL },
    { "DOM0_ROOTFS", NULL },
    { "DOM0_CMD", NULL },
    { "DOM0_MEM", NULL },
    { "DOM0_VCPUS", NULL },
    { "DOM0_COLORS", NULL },
    { "NUM_DOMUS", NULL },
    { "DOMU_KERNEL", NULL },
    { "DOMU_RAMDISK", NULL },
    { "DOMU_ROOTFS", NULL },
    { "DOMU_NOBOOT", NULL },
    { "DOMU_CMD", NULL },
    { "DOMU_MEM", NULL },
    { "DOMU_VCPUS", NULL },
    { "DOMU_VCPU_HARD_AFFINITY", NULL },
    { "DOMU_COLORS", NULL },
    { "DOMU_CPUPOOL", NULL },
    { "DOMU_STATIC_MEM", NULL },
    { "DOMU_DIRECT_MAP", NULL },
    { "DOMU_SHARED_MEM", NULL },
    { "DOMU_STATIC_EVTCHNS", NULL },
    { "DOMU_ENHANCED", NULL },
    { "DOMU_VPL011", NULL },
    { "DOMU_NR_SPIS", NULL },
    { "DOMU_GRANT_VER", NULL },
    { "DOMU_GRANT_FRAMES", NULL },
    { "DOMU_MAPTRACK_FRAMES", NULL },
    { "DOMU_P2M_MEM_MB", NULL },
    { "DOMU_CAPS", NULL },
    { "DOMU_TRAP_UNMAP", NULL },
    { "DOMU_PASSTHROUGH_DTB", NULL },
    { "DOMU_PASSTHROUGH_PATHS", NULL },
    { "DOMU_PASSTHROUGH_PROP", NULL },

    /* These determine how U-Boot loads and starts files, and what ImageBuilder
       writes.  */
    { "MEMORY_START", NULL },
    { "MEMORY_END", NULL },
    { "LOAD_CMD", NULL },
    { "BOOT_CMD", NULL },
    { "EFI", NULL },
    { "UBOOT_SOURCE", NULL },
    { "UBOOT_SCRIPT", NULL },
    { "FDTEDIT", NULL },
    { "FIT", NULL },
    { "FIT_ENC_KEY_DIR", NULL },
    { "FIT_ENC_UB_DTB", NULL },
    { "CALC", NULL },
    /* These name the sources of partial device trees.  */
    { "PASSTHROUGH_DTS_REPO", NULL },
    { "LOPPER_PATH", NULL },
    { "LOPPER_CMD", NULL },
    /* These are used by disk_image.  */
    { "NUM_BOOT_AUX_FILE", NULL },
    { "BOOT_AUX_FILE", NULL },
    { "GPT", NULL },
    { "DOMU_DRIVER_DOMAIN", NULL },

    { "XEN_LOAD", ONE_PLACE },
    { "DOM0_LOAD", ONE_PLACE },
    { "DOMU_LOAD", ONE_PLACE },
    { "LINUX", NO_LINUX },
    { "LINUX_CMD", NO_LINUX },
    { "LINUX_RAMDISK", NO_LINUX },
    { "LINUX_ROOTFS", NO_LINUX },
    { "BITSTREAM",
      "GRUB programs no FPGA: let the firmware do it before GRUB starts" },
    { "APPEND_EXTRA_CMDS", "GRUB does not know U-Boot's commands" },
    { "DOMU_DOMID", "Xen numbers the domains itself" }
  };

/* Return NAME[INDEX], or NULL if it is not set or empty.  */
static struct ib_variable *
find (struct ib_import *import, const char *name, uint64_t index)
{
  struct ib_variable *variable
    = ib_lookup (import, name, strlen (name), index);

  if (!variable)
    return NULL;
  variable->used = 1;
  return *variable->value ? variable : NULL;
}

const char *
ib_get (struct ib_import *import, const char *name, uint64_t index)
{
  struct ib_variable *variable = find (import, name, index);

  return variable ? variable->value : NULL;
}

/* Record that LOSS of NAME[INDEX], if it is set, is not converted.  */
void
ib_note_part (struct ib_import *import, const char *name, uint64_t index,
	      const char *loss)
{
  struct ib_variable *variable = find (import, name, index);

  if (!variable)
    return;
  variable->loss = loss;
  variable->is_part = 1;
}

/* Record that NAME[INDEX], if it is set, is not converted.  */
void
ib_note_loss (struct ib_import *import, const char *name, uint64_t index,
	      const char *loss)
{
  struct ib_variable *variable = find (import, name, index);

  if (variable)
    variable->loss = loss;
}

void
ib_put (struct ib_import *import, const char *string)
{
  while (*string)
    ib_put_char (import, *string++);
}

void
ib_put_number (struct ib_import *import, uint64_t number)
{
  if (number >= 10)
    ib_put_number (import, number / 10);
  ib_put_char (import, (char) ('0' + number % 10));
}

/* Begin a string, to which ib_put appends until `ib_end_string'.  */
const char *
ib_begin_string (struct ib_import *import)
{
  return import->room + import->filled;
}

const char *
ib_end_string (struct ib_import *import, const char *string)
{
  ib_put_char (import, '\0');
  return import->error ? "" : string;
}

/* Return PREFIX followed by the LENGTH bytes at WORD.  */
const char *
ib_join (struct ib_import *import, const char *prefix, const char *word,
	 size_t length)
{
  const char *string = ib_begin_string (import);

  ib_put (import, prefix);
  while (length--)
    ib_put_char (import, *word++);
  return ib_end_string (import, string);
}

/* Return PREFIX followed by NUMBER.  */
const char *
ib_join_number (struct ib_import *import, const char *prefix, uint64_t number)
{
  const char *string = ib_begin_string (import);

  ib_put (import, prefix);
  ib_put_number (import, number);
  return ib_end_string (import, string);
}

/* Record the error ERROR of NAME[INDEX], which is written as in the config.
   If the variable is not known, it is an element of an array.  */
int
ib_fail_variable (struct ib_import *import, const char *name, uint64_t index,
		  const char *error)
{
  struct ib_variable *variable
    = ib_lookup (import, name, strlen (name), index);
  const char *subject = ib_begin_string (import);

  ib_put (import, name);
  if (!variable || variable->has_index)
    {
      ib_put (import, "[");
      ib_put_number (import, IB_FIRST (index));
      if (IB_IS_PAIR (index))
	{
	  ib_put (import, ",");
	  ib_put_number (import, IB_SECOND (index));
	}
      ib_put (import, "]");
    }
  subject = ib_end_string (import, subject);
  return ib_fail (import, variable ? variable->line : 0, subject, error);
}

static int
is_digit (char c)
{
  return c >= '0' && c <= '9';
}

/* Read the LENGTH bytes at TEXT as the shell reads a number: decimal or with
   0x.  Numbers that look octal are refused, because U-Boot and the shell
   interpret them differently.  Return 0, or -1.  */
int
ib_parse_number (const char *text, size_t length, uint64_t *number)
{
  unsigned int base = 10, digit;
  size_t i = 0;

  if (length > 2 && text[0] == '0' && (text[1] | 0x20) == 'x')
    {
      base = 16;
      i = 2;
    }
  else if (length > 1 && text[0] == '0')
    return -1;
  if (i == length)
    return -1;

  *number = 0;
  for (; i < length; i++)
    {
      char lower = text[i] | 0x20;

      if (is_digit (text[i]))
	digit = (unsigned int) (text[i] - '0');
      else if (lower >= 'a' && lower <= 'f')
	digit = (unsigned int) (lower - 'a') + 10;
      else
	return -1;
      if (digit >= base || *number > (UINT64_MAX - digit) / base)
	return -1;
      *number = *number * base + digit;
    }
  return 0;
}

/* Return NAME[INDEX] as a number up to MAX; MISSING if it is not set; 0 after
   an error.  */
uint64_t
ib_get_number (struct ib_import *import, const char *name, uint32_t index,
	       uint64_t max, uint64_t missing)
{
  const char *value = ib_get (import, name, index);
  uint64_t number;

  if (!value)
    return missing;
  if (ib_parse_number (value, strlen (value), &number) || number > max)
    {
      ib_fail_variable (import, name, index, max == 1 ? "is neither 0 nor 1"
			: "is no number, or too big a one");
      return 0;
    }
  return number;
}

/* Return the next word at *TEXT and its LENGTH, and advance *TEXT past it.
   Words are separated by characters of SEPARATORS.  Return NULL after the last
   word.  */
const char *
ib_next_word (const char **text, const char *separators, size_t *length)
{
  const char *word = *text;

  while (*word && strchr (separators, *word))
    word++;
  *length = 0;
  while (word[*length] && !strchr (separators, word[*length]))
    ++*length;
  *text = word + *length;
  return *length ? word : NULL;
}

/* Return whether Xen starts domain INDEX.  */
int
ib_is_booted (struct ib_import *import, uint32_t index)
{
  if (ib_get (import, "DOMU_NOBOOT", index))
    return 0;
  if (!ib_get (import, "DOMU_ROOTFS", index))
    return 1;
  ib_note_loss (import, "DOMU_ROOTFS", index, "the domain is left out, as by"
		" ImageBuilder: without dom0 it cannot have a disk");
  return 0;
}

/* Return the colors or processors in NAME[INDEX], or NULL.  Xen uses the same
   syntax.  */
const char *
ib_get_colors (struct ib_import *import, const char *name, uint64_t index)
{
  const char *value = ib_get (import, name, index), *c;

  if (value)
    for (c = value; *c; c++)
      if (!is_digit (*c) && *c != '-' && *c != ',')
	{
	  ib_fail_variable (import, name, index,
			    "is no list of NUMBER or FIRST-LAST");
	  return NULL;
	}
  return value;
}

/* Return the part of NAME below the folder of all files, where GRUB's names
   begin; or NAME itself if it is outside of that folder.  */
static const char *
below_directory (const struct ib_import *import, const char *name)
{
  size_t length = import->directory ? strlen (import->directory) : 0;

  if (length > 1 && strncmp (name, import->directory, length) == 0
      && name[length] == '/')
    return name + length;
  return name;
}

/* Remove the last folder from the string that begins at START.  Return 0, or
   -1 if there is none.  */
static int
drop_folder (struct ib_import *import, size_t start)
{
  if (import->filled == start)
    return -1;
  while (import->filled > start && import->room[--import->filled] != '/')
    ;
  return 0;
}

/* Append the folders and the file of NAME.  Entries `.' and `..' are removed,
   because some of GRUB's file systems do not have them, and ImageBuilder
   removes them as well.  */
static int
put_path (struct ib_import *import, size_t start, const char *name)
{
  const char *word;
  size_t length;

  while ((word = ib_next_word (&name, "/", &length)))
    if (length == 2 && word[0] == '.' && word[1] == '.')
      {
	if (drop_folder (import, start))
	  return -1;
      }
    else if (length != 1 || *word != '.')
      {
	ib_put (import, "/");
	while (length--)
	  ib_put_char (import, *word++);
      }
  return 0;
}

const char *
ib_file (struct ib_import *import, const char *name, uint32_t index)
{
  const char *value = ib_get (import, name, index), *file;
  size_t start = import->filled;

  if (!value)
    return NULL;
  file = ib_begin_string (import);
  if (*value == '(')
    ib_put (import, value);
  else if (put_path (import, start, import->prefix)
	   || put_path (import, start, below_directory (import, value)))
    {
      ib_fail_variable (import, name, index,
			"leads out of the file system: give --prefix, or name"
			" the file otherwise");
      return "";
    }
  if (import->filled == start)
    ib_fail_variable (import, name, index, "names no file");
  return ib_end_string (import, file);
}

void
ib_check_text (struct ib_import *import, const char *name, uint32_t index)
{
  const char *value = ib_get (import, name, index), *c;

  for (c = value ? strchr (value, '$') : NULL; c; c = strchr (c + 1, '$'))
    if (c[1] == '{' || c[1] == '_' || ((c[1] | 0x20) >= 'a'
				      && (c[1] | 0x20) <= 'z'))
      {
	ib_fail_variable (import, name, index,
			  "has a $ with the name of a variable, which U-Boot"
			  " would replace and GRUB cannot: write the value");
	return;
      }
}

int
ib_dt_overlays (struct ib_import *import)
{
  uint64_t n = ib_get_number (import, "NUM_DT_OVERLAY", 0,
			      IB_MAX_DT_OVERLAYS, 0);

  return import->error ? -1 : (int) n;
}

/* Variables that have not been used by now are either not needed or not
   known.  */
void
ib_note_losses (struct ib_import *import)
{
  struct ib_variable *variable = import->variables;
  size_t n;
  int i;

  for (i = 0; i < import->n_variables; i++, variable++)
    {
      for (n = 0; n < sizeof (known) / sizeof (known[0]); n++)
	if (strcmp (variable->name, known[n].name) == 0)
	  break;
      if (n < sizeof (known) / sizeof (known[0]))
	{
	  if (known[n].loss && *variable->value)
	    variable->loss = known[n].loss;
	}
      else if (!variable->used)
	variable->loss = "it is not known";
    }
}
