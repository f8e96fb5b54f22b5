/* dom0less_output.h - show the results of a boot to people and programs  */
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

#ifndef GRUB_UTIL_DOM0LESS_OUTPUT_HEADER
#define GRUB_UTIL_DOM0LESS_OUTPUT_HEADER	1

#include <stdio.h>

#include <grub/xen_dom0less.h>

struct dom0less_boot;

/* A finding, or an error of GRUB's without a rule.  */
struct dom0less_line
{
  enum grub_dom0less_severity severity;
  const char *rule;			/* or NULL */
  const char *hint;			/* of the rule, or NULL */
  int count;				/* number of findings it stands for */
  char *node;				/* its path, or NULL */
  char *text;				/* the whole line */
};

struct dom0less_lines
{
  struct dom0less_line *line;
  int n;
};

/* Return the model in BOOT's tree, or NULL.  */
const char *dom0less_model (const struct dom0less_boot *boot);

/* Return NODE's path, in memory that the caller has to free.  */
char *dom0less_node_path (const struct dom0less_boot *boot, int node);

/* dom0less_json.c: write BOOT, as far as it has been read, and LINES as one
   JSON object (RFC 8259) to STREAM.  Sizes are in bytes, addresses in
   decimal.  */
void dom0less_write_json (FILE *stream, const struct dom0less_boot *boot,
			  const struct dom0less_lines *lines);

/* dom0less_diff.c: whether TEXT is a plan that dom0less_write_json has
   written.  */
int dom0less_is_plan (const char *text);

/* dom0less_diff.c: print to STREAM, a line each, what has changed from the plan
   BEFORE to the plan AFTER.  Returns how many lines, or -1 if one of them is no
   plan.  */
int dom0less_compare_plans (FILE *stream, const char *before,
			    const char *after);

/* dom0less_svg.c: draw the memory of BOOT, which has a plan, as SVG 1.1 to
   STREAM.  */
void dom0less_write_map (FILE *stream, const struct dom0less_boot *boot);

#endif
