/* rules.c - the table of rules, and the text of a finding  */
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

#include <string.h>

const struct grub_dom0less_rule grub_dom0less_rules[GRUB_DOM0LESS_RULES] =
  {
#define RULE(number, name, severity, phase, check, message, hint)	\
    { name, GRUB_DOM0LESS_ ## severity, GRUB_DOM0LESS_ ## phase, check, \
      message, hint },
#include <grub/xen_dom0less_rules.h>
#undef RULE
  };

/* If not all findings against RULE were reported, report the number of the
   others.  Then reset the count.  */
static void
report_more (const struct grub_dom0less_context *context, int rule)
{
  struct grub_dom0less_finding finding;
  unsigned int found = context->tally ? context->tally->found[rule] : 0;

  if (context->tally)
    context->tally->found[rule] = 0;
  if (found <= GRUB_DOM0LESS_MAX_REPORTED)
    return;
  memset (&finding, 0, sizeof (finding));
  finding.rule = grub_dom0less_rules + rule;
  finding.node = finding.other = GRUB_DOM0LESS_NONE;
  finding.more = found - GRUB_DOM0LESS_MAX_REPORTED;
  context->report (context->data, &finding);
}

void
grub_dom0less_apply_rules (const struct grub_dom0less_context *context,
			   enum grub_dom0less_phase phase)
{
  int i;

  for (i = 0; i < GRUB_DOM0LESS_RULES; i++)
    if (grub_dom0less_rules[i].check && grub_dom0less_rules[i].phase == phase)
      {
	grub_dom0less_rules[i].check (context);
	report_more (context, i);
      }
}

void
grub_dom0less_report_more (const struct grub_dom0less_context *context)
{
  int i;

  for (i = 0; i < GRUB_DOM0LESS_RULES; i++)
    if (!grub_dom0less_rules[i].check)
      report_more (context, i);
}

/* Report FINDING, whose rule is RULE, unless there have been enough.  */
static void
report (const struct grub_dom0less_context *context,
	enum grub_dom0less_rule_number rule,
	struct grub_dom0less_finding *finding)
{
  if (context->tally && context->tally->found[rule]++ >= GRUB_DOM0LESS_MAX_REPORTED)
    return;
  finding->rule = grub_dom0less_rules + rule;
  finding->plan = context->plan;
  context->report (context->data, finding);
}

void
grub_dom0less_report (const struct grub_dom0less_context *context,
		      enum grub_dom0less_rule_number rule, int node,
		      int other, const char *file,
		      uint64_t number0, uint64_t number1)
{
  struct grub_dom0less_finding finding;

  memset (&finding, 0, sizeof (finding));
  finding.node = node;
  finding.other = other;
  finding.file = file;
  finding.number[0] = number0;
  finding.number[1] = number1;
  report (context, rule, &finding);
}

void
grub_dom0less_report_with_hint (const struct grub_dom0less_context *context,
				enum grub_dom0less_rule_number rule, int node,
				const char *file, const char *hint)
{
  struct grub_dom0less_finding finding;

  memset (&finding, 0, sizeof (finding));
  finding.node = node;
  finding.other = GRUB_DOM0LESS_NONE;
  finding.file = file;
  finding.hint = hint;
  report (context, rule, &finding);
}

const char *
grub_dom0less_finding_hint (const struct grub_dom0less_finding *finding)
{
  if (finding->more)
    return NULL;
  return finding->hint ? finding->hint : finding->rule->hint;
}


/* A buffer for text that also counts the bytes that do not fit.  */
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

/* Store the node of each level from the first to DEPTH in WAY.  */
static void
put_way (struct text *text, const void *fdt, const int *way, int depth)
{
  int i;

  if (depth == 0)
    put_char (text, '/');
  for (i = 1; i <= depth; i++)
    {
      put_char (text, '/');
      put_string (text, grub_dom0less_node_name (fdt, way[i]));
    }
}

/* Find the ancestors of NODE from what PLAN contains, and store them in WAY.
   Return its depth, or 0 if it is not known.  */
static int
find_plan_way (const struct grub_dom0less_plan *plan, int node, int *way)
{
  int i, domain = GRUB_DOM0LESS_NONE, is_found, depth = 1;

  way[depth] = plan->chosen;
  is_found = node == plan->chosen;
  for (i = 0; !is_found && i < plan->n_domains; i++)
    if (plan->domains[i].node == node)
      {
	domain = i;
	is_found = 1;
      }
  for (i = 0; !is_found && i < plan->n_modules; i++)
    if (plan->modules[i].node == node)
      {
	domain = plan->modules[i].domain;
	is_found = 1;
      }
  for (i = 0; !is_found && i < plan->n_ranges; i++)
    if (plan->ranges[i].node == node)
      {
	domain = plan->ranges[i].domain;
	if (plan->ranges[i].kind == GRUB_DOM0LESS_RESERVED)
	  way[depth] = plan->reserved;
	is_found = 1;
      }
  if (!is_found)
    return 0;

  if (domain >= 0)
    way[++depth] = plan->domains[domain].node;
  if (way[depth] != node)
    way[++depth] = node;
  return depth;
}

/* The path is composed here, because libfdt's fdt_get_path needs a buffer for
   all of it.  */
static void
put_path (struct text *text, const struct grub_dom0less_plan *plan,
	  const void *fdt, int node)
{
  int way[GRUB_DOM0LESS_MAX_DEPTH] = { 0 }, at, depth = 0;

  if (fdt && plan && (depth = find_plan_way (plan, node, way)) > 0)
    {
      put_way (text, fdt, way, depth);
      return;
    }
  for (at = 0; fdt && at >= 0 && depth >= 0 && depth < GRUB_DOM0LESS_MAX_DEPTH
       && at <= node; at = fdt_next_node (fdt, at, &depth))
    {
      way[depth] = at;
      if (at == node)
	{
	  put_way (text, fdt, way, depth);
	  return;
	}
    }
  put_string (text, "?");
}

size_t
grub_dom0less_node_path (const struct grub_dom0less_plan *plan,
			 const void *fdt, int node, char *buf, size_t size)
{
  struct text text = { buf, size, 0 };

  put_path (&text, plan, fdt, node);
  if (size)
    buf[text.length < size ? text.length : size - 1] = '\0';
  return text.length;
}

static void
put_placeholder (struct text *text, enum grub_dom0less_placeholder placeholder,
		 const void *fdt, const struct grub_dom0less_finding *finding)
{
  switch (placeholder)
    {
    case GRUB_DOM0LESS_FILE:
      put_string (text, finding->file ? finding->file : "?");
      break;
    case GRUB_DOM0LESS_OTHER:
      put_path (text, finding->plan, fdt, finding->other);
      break;
    case GRUB_DOM0LESS_NUMBER:
    case GRUB_DOM0LESS_NUMBER2:
      put_number (text,
		  finding->number[placeholder == GRUB_DOM0LESS_NUMBER2], 10);
      break;
    case GRUB_DOM0LESS_HEX:
    case GRUB_DOM0LESS_HEX2:
      put_number (text, finding->number[placeholder == GRUB_DOM0LESS_HEX2],
		  16);
      break;
    case GRUB_DOM0LESS_NO_PLACEHOLDER:
      break;
    }
}

enum grub_dom0less_placeholder
grub_dom0less_read_placeholder (const char **template)
{
  static const char *const placeholders[] =
    {
      [GRUB_DOM0LESS_FILE] = "{file}",
      [GRUB_DOM0LESS_OTHER] = "{other}",
      [GRUB_DOM0LESS_NUMBER] = "{number}",
      [GRUB_DOM0LESS_NUMBER2] = "{number2}",
      [GRUB_DOM0LESS_HEX] = "{hex}",
      [GRUB_DOM0LESS_HEX2] = "{hex2}"
    };
  size_t i, length;

  for (i = 1; i < sizeof (placeholders) / sizeof (placeholders[0]); i++)
    {
      for (length = 0; placeholders[i][length]; length++)
	if ((*template)[length] != placeholders[i][length])
	  break;
      if (!placeholders[i][length])
	{
	  *template += length;
	  return (enum grub_dom0less_placeholder) i;
	}
    }
  return GRUB_DOM0LESS_NO_PLACEHOLDER;
}

static void
put_template (struct text *text, const char *template, const void *fdt,
	      const struct grub_dom0less_finding *finding)
{
  while (*template)
    {
      enum grub_dom0less_placeholder placeholder
	= grub_dom0less_read_placeholder (&template);

      if (placeholder)
	put_placeholder (text, placeholder, fdt, finding);
      else
	put_char (text, *template++);
    }
}

size_t
grub_dom0less_finding_text (const struct grub_dom0less_finding *finding,
			    const void *fdt, char *buf, size_t size)
{
  const struct grub_dom0less_rule *rule = finding->rule;
  const char *hint = grub_dom0less_finding_hint (finding);
  struct text text = { buf, size, 0 };
  size_t without_hint;

  put_char (&text, '[');
  put_string (&text, rule->name);
  put_string (&text, "] ");
  if (finding->node != GRUB_DOM0LESS_NONE)
    {
      put_path (&text, finding->plan, fdt, finding->node);
      put_string (&text, ": ");
    }
  if (finding->more)
    {
      put_string (&text, "and ");
      put_number (&text, finding->more, 10);
      put_string (&text, " more");
    }
  else
    put_template (&text, rule->message, fdt, finding);

  without_hint = text.length;
  if (hint)
    {
      put_string (&text, "; ");
      put_template (&text, hint, fdt, finding);
      if (text.length >= size)
	text.length = without_hint;
    }

  if (!size)
    return 0;
  buf[text.length < size ? text.length : size - 1] = '\0';
  /* Names come from trees, and the text may have been cut within a
     character.  */
  return grub_dom0less_make_plain (buf);
}
