/* dom0less_svg.c - draw the memory of a boot as SVG  */
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

#include <grub/misc.h>
#include <grub/safemath.h>
#include <grub/util/dom0less_output.h>
#include <grub/util/misc.h>

#include "xen_dom0less_boot.h"

/* Sizes in user units, which are pixels unless the picture is scaled.  */
#define WIDTH		960
#define MARGIN		16
#define BAR_HEIGHT	36
#define LINE_HEIGHT	18
#define MIN_WIDTH	1.5

#define MODULE_COLOUR	"#e15759"

/* One bar, which shows SIZE bytes from START on.  */
struct bar
{
  FILE *stream;
  double y;
  grub_uint64_t start, size;
};

static const char *const colours[] =
  {
    [GRUB_DOM0LESS_STATIC_MEM] = "#4e79a7",
    [GRUB_DOM0LESS_STATIC_HEAP] = "#59a14f",
    [GRUB_DOM0LESS_SHARED_MEM] = "#edc948",
    [GRUB_DOM0LESS_RESERVED] = "#9c755f",
    [GRUB_DOM0LESS_PLACED] = "#b07aa1"
  };

/* The colours of the domains, in turn.  */
static const char *const domain_colours[] =
  { "#4e79a7", "#f28e2b", "#76b7b2", "#e15759", "#59a14f", "#edc948" };

/* Write TEXT, and escape the only three special characters.  */
static void
write_text (FILE *stream, const char *text)
{
  char *plain = xstrdup (text), *at;

  grub_dom0less_make_plain (plain);
  for (at = plain; *at; at++)
    switch (*at)
      {
      case '<':
	fputs ("&lt;", stream);
	break;
      case '>':
	fputs ("&gt;", stream);
	break;
      case '&':
	fputs ("&amp;", stream);
	break;
      default:
	putc (*at, stream);
	break;
      }
  free (plain);
}

static void
begin_label (FILE *stream, double x, double y)
{
  fprintf (stream, "<text x=\"%.1f\" y=\"%.1f\">", x, y);
}

static void
end_label (FILE *stream)
{
  fputs ("</text>\n", stream);
}

static void
write_label (FILE *stream, double x, double y, const char *label)
{
  begin_label (stream, x, y);
  write_text (stream, label);
  end_label (stream);
}

/* Write one line of the legend, for what is drawn in COLOUR.  */
static void
write_legend (FILE *stream, double y, const char *colour, const char *label)
{
  fprintf (stream, "<rect x=\"%d\" y=\"%.1f\" width=\"10\" height=\"10\" "
	   "fill=\"%s\"/>\n", MARGIN, y - 10, colour);
  write_label (stream, MARGIN + 16, y, label);
}

/* Draw a rectangle for SIZE bytes from START on in BAR.  LABEL is shown when
   the mouse points at it.  */
static void
draw_box (const struct bar *bar, grub_uint64_t start, grub_uint64_t size,
	  const char *colour, const char *label)
{
  double scale = (double) (WIDTH - 2 * MARGIN) / bar->size;
  double width = size * scale;

  fprintf (bar->stream, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
	   "height=\"%d\" fill=\"%s\" stroke=\"#333\" stroke-width=\"0.5\">"
	   "<title>", MARGIN + (start - bar->start) * scale, bar->y,
	   width < MIN_WIDTH ? MIN_WIDTH : width, BAR_HEIGHT, colour);
  write_text (bar->stream, label);
  fputs ("</title></rect>\n", bar->stream);
}

static char *
range_label (const struct dom0less_boot *boot,
	     const struct grub_dom0less_range *range)
{
  char *path = dom0less_node_path (boot, range->node);
  char *label = xasprintf ("%s 0x%llx-0x%llx %s",
			   grub_dom0less_range_name (range->kind),
			   (unsigned long long) range->start,
			   (unsigned long long) (range->start + range->size
						 - 1), path ? path : "");

  free (path);
  return label;
}

/* Draw in BAR what MEMORY has of the files that have been loaded.  Those that
   the tree places are ranges as well, and have been drawn.  */
static void
draw_modules (const struct bar *bar, const struct dom0less_boot *boot,
	      const struct grub_dom0less_memory *memory)
{
  int i;

  for (i = 0; boot->paths && i < boot->plan->n_images; i++)
    {
      const struct grub_dom0less_module *module
	= boot->plan->modules + boot->plan->images[i].module;
      const char *path = boot->paths[boot->plan->images[i].module];
      grub_uint64_t start, size;
      char *label;

      if (!module->size || module->has_reg
	  || !grub_dom0less_clip_to_pages (memory, module->address, module->size,
					   &start, &size))
	continue;
      label = xasprintf ("%s %s 0x%llx-0x%llx %s",
			 dom0less_domain_name (boot, module->domain),
			 grub_dom0less_kinds[module->kind].name,
			 (unsigned long long) module->address,
			 (unsigned long long) (module->address + module->size
					       - 1), path ? path : "");
      draw_box (bar, start, size, MODULE_COLOUR, label);
      free (label);
    }
}

/* Draw one piece of RAM with the files and the tree's ranges in it, and a list
   of the ranges' names below.  Return the bottom of the drawing.  */
static double
draw_piece (FILE *stream, const struct dom0less_boot *boot,
	    const struct grub_dom0less_memory *memory, double y)
{
  struct bar bar = { stream, y + LINE_HEIGHT, memory->start, memory->size };
  char *label;
  int i;

  label = xasprintf ("RAM 0x%llx-0x%llx, %llu MiB",
		     (unsigned long long) memory->start,
		     (unsigned long long) (memory->start + memory->size - 1),
		     (unsigned long long) (memory->size >> 20));
  write_label (stream, MARGIN, y + LINE_HEIGHT - 5, label);
  draw_box (&bar, memory->start, memory->size, "#eee", label);
  free (label);

  y = bar.y + BAR_HEIGHT;
  for (i = 0; i < boot->plan->n_ranges; i++)
    {
      const struct grub_dom0less_range *range = boot->plan->ranges + i;
      grub_uint64_t start, size;

      if (!grub_dom0less_clip_to_pages (memory, range->start, range->size,
					&start, &size))
	continue;
      label = range_label (boot, range);
      draw_box (&bar, start, size, colours[range->kind], label);
      y += LINE_HEIGHT;
      write_legend (stream, y, colours[range->kind], label);
      free (label);
    }
  draw_modules (&bar, boot, memory);
  return y + LINE_HEIGHT;
}

/* Read DOMAIN's memory, in bytes too, and its number of virtual processors.
   Return 0 if the tree does not specify them, or if the memory needs more than
   64 bits.  */
static int
domain_needs (const struct dom0less_boot *boot, int domain,
	      grub_uint64_t *kib, grub_uint64_t *bytes, grub_uint32_t *cpus)
{
  return (dom0less_domain_needs (boot, domain, kib, cpus)
	  && !grub_mul (*kib, 1024, bytes));
}

/* Draw the whole of RAM and, side by side, the memory of the domains.  */
static double
draw_domains (FILE *stream, const struct dom0less_boot *boot,
	      grub_uint64_t ram, double y)
{
  grub_uint64_t wanted = 0, at = 0, memory, bytes;
  grub_uint32_t cpus;
  struct bar bar = { stream, y + LINE_HEIGHT, 0, ram };
  char *label;
  int i;

  for (i = 0; i < boot->plan->n_domains; i++)
    if (domain_needs (boot, i, &memory, &bytes, &cpus))
      wanted = grub_dom0less_end (wanted, bytes);
  if (wanted > bar.size)
    bar.size = wanted;
  if (!bar.size)
    return y;

  label = xasprintf ("domains: %llu of %llu MiB",
		     (unsigned long long) (wanted >> 20),
		     (unsigned long long) (ram >> 20));
  write_label (stream, MARGIN, y + LINE_HEIGHT - 5, label);
  if (ram)
    draw_box (&bar, 0, ram, "#eee", label);
  free (label);

  y = bar.y + BAR_HEIGHT;
  for (i = 0; i < boot->plan->n_domains; i++)
    {
      const char *colour
	= domain_colours[i % (sizeof (domain_colours)
			      / sizeof (domain_colours[0]))];

      if (!domain_needs (boot, i, &memory, &bytes, &cpus))
	continue;
      label = xasprintf ("%s: %llu KiB, %u vCPUs",
			 dom0less_domain_name (boot, i),
			 (unsigned long long) memory, cpus);
      draw_box (&bar, at, bytes, colour, label);
      at = grub_dom0less_end (at, bytes);
      y += LINE_HEIGHT;
      write_legend (stream, y, colour, label);
      free (label);
    }
  return y + LINE_HEIGHT;
}

/* List the files, which have no address before they are loaded.  */
static double
list_modules (FILE *stream, const struct dom0less_boot *boot, double y)
{
  int i;

  for (i = 0; i < boot->plan->n_images; i++)
    {
      const struct grub_dom0less_module *module
	= boot->plan->modules + boot->plan->images[i].module;

      y += LINE_HEIGHT;
      begin_label (stream, MARGIN, y);
      write_text (stream, dom0less_domain_name (boot, module->domain));
      fprintf (stream, " %s: ", grub_dom0less_kinds[module->kind].name);
      write_text (stream, boot->paths[boot->plan->images[i].module]);
      if (module->size)
	fprintf (stream, ", %llu KiB",
		 (unsigned long long) (module->size + 1023) >> 10);
      end_label (stream);
    }
  return y + LINE_HEIGHT;
}

void
dom0less_write_map (FILE *stream, const struct dom0less_boot *boot)
{
  const struct grub_dom0less_plan *plan = boot->plan;
  grub_uint64_t ram = 0;
  double y = MARGIN;
  int i, pieces = 0;

  for (i = 0; i < boot->facts.n_memory; i++)
    if (boot->memory[i].type != GRUB_DOM0LESS_MEMORY_FIRMWARE)
      {
	ram = grub_dom0less_end (ram, boot->memory[i].size);
	pieces++;
      }

  /* Each piece lists each line at most once.  */
  fprintf (stream, "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" "
	   "width=\"%d\" height=\"%d\" font-family=\"sans-serif\" "
	   "font-size=\"12\">\n", WIDTH,
	   2 * MARGIN + (pieces + 1) * (BAR_HEIGHT + 2 * LINE_HEIGHT)
	   + (pieces * plan->n_ranges + plan->n_domains + plan->n_images + 2)
	     * LINE_HEIGHT);
  /* The letters are black, whatever the picture is shown on.  */
  fputs ("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", stream);
  y = draw_domains (stream, boot, ram, y);
  for (i = 0; i < boot->facts.n_memory; i++)
    if (boot->memory[i].type != GRUB_DOM0LESS_MEMORY_FIRMWARE)
      y = draw_piece (stream, boot, boot->memory + i, y);
  if (boot->paths)
    list_modules (stream, boot, y);
  fputs ("</svg>\n", stream);
}
