/* dom0less_json.c - write a boot as JSON  */
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

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <grub/util/dom0less_host.h>
#include <grub/util/dom0less_output.h>
#include <grub/util/misc.h>

#include "rules.h"
#include "xen_dom0less_boot.h"

/* The version of the object's format.  Adding keys does not change it;
   removing a key or changing its meaning does.  The format is described in
   docs/grub-dom0less-check.schema.json.  */
#define JSON_FORMAT	1

const char *
dom0less_model (const struct dom0less_boot *boot)
{
  return boot->tree.fdt ? grub_dom0less_string (boot->tree.fdt, 0, "model") : NULL;
}

char *
dom0less_node_path (const struct dom0less_boot *boot, int node)
{
  size_t size = GRUB_DOM0LESS_MAX_DEPTH * (GRUB_DOM0LESS_MAX_NAME + 1) + 1;
  char *path = xmalloc (size);

  grub_dom0less_node_path (boot->plan, boot->tree.fdt, node, path, size);
  return path;
}

/* Write TEXT as a JSON string, or null if it is NULL.  Each byte that is not
   part of a character becomes U+FFFD, and each character that could control a
   terminal is written as its number.  */
static void
write_string (FILE *stream, const char *text)
{
  if (!text)
    {
      fputs ("null", stream);
      return;
    }
  putc ('"', stream);
  while (*text)
    {
      uint32_t code;
      int length = grub_dom0less_character (text, &code);

      if (!length)
	fputs ("\\ufffd", stream);
      else if (*text == '"' || *text == '\\')
	fprintf (stream, "\\%c", *text);
      else if (!grub_dom0less_is_shown (code))
	fprintf (stream, "\\u%04x", (unsigned int) code);
      else
	fwrite (text, 1, length, stream);
      text += length ? length : 1;
    }
  putc ('"', stream);
}

static void
write_pair (FILE *stream, const char *before, const char *name,
	    const char *value)
{
  fprintf (stream, "%s\"%s\": ", before, name);
  write_string (stream, value);
}

static void
write_number (FILE *stream, const char *name, grub_uint64_t number)
{
  fprintf (stream, ", \"%s\": %llu", name, (unsigned long long) number);
}

static void
write_node (FILE *stream, const struct dom0less_boot *boot, int node)
{
  char *path = dom0less_node_path (boot, node);

  write_pair (stream, ", ", "node", path);
  free (path);
}

/* Return the command line of MODULE; that of a dom0 may be in /chosen.  */
static const char *
module_bootargs (const struct dom0less_boot *boot,
		 const struct grub_dom0less_module *module)
{
  const char *bootargs = grub_dom0less_string (boot->tree.fdt, module->node,
					       "bootargs");

  if (!bootargs && module->domain == GRUB_DOM0LESS_DOM0
      && module->kind == GRUB_DOM0LESS_KERNEL)
    bootargs = grub_dom0less_string (boot->tree.fdt, boot->plan->chosen,
				     "xen,dom0-bootargs");
  return bootargs;
}

static void
write_modules (FILE *stream, const struct dom0less_boot *boot, int domain)
{
  const char *separator = "";
  int i;

  fputs (", \"modules\": [", stream);
  for (i = 0; i < boot->plan->n_modules; i++)
    {
      const struct grub_dom0less_module *module = boot->plan->modules + i;

      if (module->domain != domain)
	continue;
      fprintf (stream, "%s\n      {", separator);
      write_pair (stream, "", "kind", grub_dom0less_kinds[module->kind].name);
      write_node (stream, boot, module->node);
      write_pair (stream, ", ", "file", boot->paths[i]);
      if (module->size)
	write_number (stream, "size", module->size);
      if (module->has_reg)
	write_number (stream, "address", module->address);
      if (module_bootargs (boot, module))
	write_pair (stream, ", ", "bootargs", module_bootargs (boot, module));
      putc ('}', stream);
      separator = ",";
    }
  putc (']', stream);
}

/* Return whether BOOT has a plan and the names of its files.  */
static int
has_plan (const struct dom0less_boot *boot)
{
  return boot->plan && boot->paths;
}

static void
write_domains (FILE *stream, const struct dom0less_boot *boot)
{
  int i;

  fputs (",\n  \"domains\": [", stream);
  for (i = GRUB_DOM0LESS_DOM0; has_plan (boot) && i < boot->plan->n_domains; i++)
    {
      grub_uint64_t memory;
      grub_uint32_t cpus;

      fprintf (stream, "%s\n    {", i == GRUB_DOM0LESS_DOM0 ? "" : ",");
      write_pair (stream, "", "name", dom0less_domain_name (boot, i));
      write_number (stream, "id", dom0less_domain_id (i));
      if (dom0less_domain_needs (boot, i, &memory, &cpus))
	{
	  write_number (stream, "memory_kib", memory);
	  write_number (stream, "cpus", cpus);
	}
      write_modules (stream, boot, i);
      putc ('}', stream);
    }
  putc (']', stream);
}

static void
write_ranges (FILE *stream, const struct dom0less_boot *boot)
{
  int i;

  fputs (",\n  \"ranges\": [", stream);
  for (i = 0; has_plan (boot) && i < boot->plan->n_ranges; i++)
    {
      const struct grub_dom0less_range *range = boot->plan->ranges + i;

      fprintf (stream, "%s\n    {", i ? "," : "");
      write_pair (stream, "", "kind", grub_dom0less_range_name (range->kind));
      write_node (stream, boot, range->node);
      write_number (stream, "start", range->start);
      write_number (stream, "size", range->size);
      putc ('}', stream);
    }
  putc (']', stream);
}

static void
write_xen (FILE *stream, const struct dom0less_boot *boot)
{
  const struct grub_dom0less_xen *xen = &boot->facts.xen;

  /* If there is no Xen, its path is that of the folder.  */
  write_pair (stream, ",\n  ", "xen", boot->xen.path
	      && boot->xen.path[strlen (boot->xen.path) - 1] != '/'
	      ? boot->xen.path : NULL);
  fputs (",\n  \"xen_version\": ", stream);
  if (xen->major)
    fprintf (stream, "\"%d.%d\"", xen->major, xen->minor);
  else
    fputs ("null", stream);
  write_pair (stream, ",\n  ", "xen_args",
	      boot->plan ? dom0less_xen_args (&boot->context) : NULL);
}

static void
write_measurements (FILE *stream)
{
  const struct dom0less_measurement *measured;
  size_t i, j, n;

  measured = dom0less_host_measured (&n);
  fputs (",\n  \"measurements\": [", stream);
  for (i = 0; i < n; i++)
    {
      fprintf (stream, "%s\n    {\"pcr\": %d, \"sha256\": ", i ? "," : "",
	       measured[i].pcr);
      if (measured[i].is_known)
	{
	  putc ('"', stream);
	  for (j = 0; j < DOM0LESS_SHA256_SIZE; j++)
	    fprintf (stream, "%02x", measured[i].digest[j]);
	  putc ('"', stream);
	}
      else
	fputs ("null", stream);
      write_pair (stream, ", ", "what", measured[i].what);
      putc ('}', stream);
    }
  putc (']', stream);
}

void
dom0less_write_json (FILE *stream, const struct dom0less_boot *boot,
		     const struct dom0less_lines *lines)
{
  int i;

  fprintf (stream, "{\n  \"format\": %d", JSON_FORMAT);
  write_pair (stream, ",\n  ", "tree", boot->tree.name);
  write_pair (stream, ",\n  ", "model", dom0less_model (boot));
  write_xen (stream, boot);
  write_domains (stream, boot);
  write_ranges (stream, boot);
  write_measurements (stream);
  fputs (",\n  \"findings\": [", stream);
  for (i = 0; i < lines->n; i++)
    {
      const struct dom0less_line *line = lines->line + i;

      fprintf (stream, "%s\n    {", i ? "," : "");
      write_pair (stream, "", "severity",
		  line->severity == GRUB_DOM0LESS_ERROR ? "error" : "warning");
      write_pair (stream, ", ", "rule", line->rule);
      write_pair (stream, ", ", "node", line->node);
      write_pair (stream, ", ", "text", line->text);
      write_pair (stream, ", ", "hint", line->hint);
      putc ('}', stream);
    }
  fputs ("]\n}\n", stream);
}
