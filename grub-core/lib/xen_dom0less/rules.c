/* rules.c - the table of rules, and the words of a finding  */
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

#include "rules.h"

const struct grub_dom0less_rule grub_dom0less_rules[GRUB_DOM0LESS_RULES] =
  {
#define RULE(number, name, severity, phase, check, says, hint)	\
    { name, GRUB_DOM0LESS_ ## severity, GRUB_DOM0LESS_PHASE_ ## phase, check, \
      says, hint },
#include <grub/xen_dom0less_rules.h>
#undef RULE
  };

void
grub_dom0less_check (const struct grub_dom0less_scene *scene,
		     enum grub_dom0less_phase phase)
{
  int i;

  for (i = 0; i < GRUB_DOM0LESS_RULES; i++)
    if (grub_dom0less_rules[i].check && grub_dom0less_rules[i].phase == phase)
      grub_dom0less_rules[i].check (scene);
}

void
grub_dom0less_report (const struct grub_dom0less_scene *scene,
		      enum grub_dom0less_rule_number rule, int node,
		      int other, const char *file,
		      uint64_t number0, uint64_t number1)
{
  struct grub_dom0less_finding finding;

  finding.rule = grub_dom0less_rules + rule;
  finding.node = node;
  finding.other = other;
  finding.file = file;
  finding.number[0] = number0;
  finding.number[1] = number1;
  scene->report (scene->data, &finding);
}


/* Text that grows in a buffer, and counts what does not fit.  */
struct text
{
  char *buf;
  size_t size;
  size_t length;
};

static void
put_char (struct text *text, char c)
{
  if (text->length + 1 < text->size)
    text->buf[text->length] = c;
  text->length++;
}

static void
put_string (struct text *text, const char *string)
{
  for (; *string; string++)
    put_char (text, *string);
}

static void
put_number (struct text *text, uint64_t number, unsigned int base)
{
  char digits[20];
  int n = 0;

  do
    {
      digits[n++] = "0123456789abcdef"[number % base];
      number /= base;
    }
  while (number);

  if (base == 16)
    put_string (text, "0x");
  while (n)
    put_char (text, digits[--n]);
}

/* The path is put together here, because libfdt's fdt_get_path wants a buffer
   for all of it.  */
static void
put_path (struct text *text, const void *fdt, int node)
{
  int depth, i;

  depth = fdt ? fdt_node_depth (fdt, node) : -1;
  if (depth < 0)
    {
      put_string (text, "?");
      return;
    }
  if (depth == 0)
    put_char (text, '/');
  for (i = 1; i <= depth; i++)
    {
      put_char (text, '/');
      put_string (text, grub_dom0less_node_name
		  (fdt, fdt_supernode_atdepth_offset (fdt, node, i, NULL)));
    }
}

static void
put_template (struct text *text, const char *template, const void *fdt,
	      const struct grub_dom0less_finding *finding)
{
  for (; *template; template++)
    {
      if (*template != '$')
	{
	  put_char (text, *template);
	  continue;
	}
      switch (*++template)
	{
	case 'f':
	  put_string (text, finding->file ? finding->file : "?");
	  break;
	case 'o':
	  put_path (text, fdt, finding->other);
	  break;
	case 'x':
	case 'y':
	  put_number (text, finding->number[*template - 'x'], 16);
	  break;
	default:
	  put_number (text, finding->number[*template == 'm'], 10);
	  break;
	}
    }
}

size_t
grub_dom0less_finding_text (const struct grub_dom0less_finding *finding,
			    const void *fdt, char *buf, size_t size)
{
  const struct grub_dom0less_rule *rule = finding->rule;
  struct text text = { buf, size, 0 };
  size_t without_hint;

  put_char (&text, '[');
  put_string (&text, rule->name);
  put_string (&text, "] ");
  if (finding->node != GRUB_DOM0LESS_NONE)
    {
      put_path (&text, fdt, finding->node);
      put_string (&text, ": ");
    }
  put_template (&text, rule->says, fdt, finding);

  without_hint = text.length;
  if (rule->hint)
    {
      put_string (&text, "; ");
      put_template (&text, rule->hint, fdt, finding);
      if (text.length >= size)
	text.length = without_hint;
    }

  if (!size)
    return 0;
  buf[text.length < size ? text.length : size - 1] = '\0';
  /* Names come from trees, and the cut may go through a character.  */
  return grub_dom0less_make_plain (buf);
}
