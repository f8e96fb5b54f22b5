/* xen_dom0less_report.c - print findings, and set GRUB's error  */
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

#include <grub/misc.h>
#include <grub/mm.h>

#include "xen_dom0less_boot.h"

/* The maximum length of a finding's line.  GRUB keeps 256 bytes of an error,
   and newer versions insert a source file and a line number.  */
#define TEXT_SIZE	192

/* Print "SEVERITY: TEXT", or keep that line for later.  */
static void
tell (struct dom0less_boot *boot, const char *severity, const char *text)
{
  const char *before = boot->findings.deferred;
  char *lines;

  if (!boot->findings.is_deferring)
    {
      grub_printf ("%s: %s\n", severity, text);
      return;
    }
  lines = grub_xasprintf ("%s%s: %s\n", before ? before : "", severity, text);
  if (!lines)
    return;
  grub_free (boot->findings.deferred);
  boot->findings.deferred = lines;
}

/* The last error about a particular place is not printed here.  It becomes
   GRUB's own error, which stops a menu entry, and GRUB prints it with the same
   prefix.  */
static void
report (void *data, const struct grub_dom0less_finding *finding)
{
  struct dom0less_boot *boot = data;
  char text[TEXT_SIZE];

  grub_dom0less_finding_text (finding, boot->tree.fdt, text, sizeof (text));
  if (finding->rule->severity == GRUB_DOM0LESS_WARNING)
    {
      if (!boot->findings.is_quiet)
	{
	  boot->findings.n_warnings += finding->more ? finding->more : 1;
	  tell (boot, "warning", text);
	}
      return;
    }
  if (finding->more)
    {
      tell (boot, "error", text);
      return;
    }
  if (boot->findings.error)
    tell (boot, "error", boot->findings.error);
  grub_free (boot->findings.error);
  boot->findings.error = grub_strdup (text);
}

void
dom0less_init_findings (struct dom0less_boot *boot)
{
  boot->context.facts = &boot->facts;
  boot->context.report = report;
  boot->context.data = boot;
  boot->context.tally = &boot->findings.tally;
}

void
dom0less_print_findings (const struct dom0less_boot *boot)
{
  if (boot->findings.deferred)
    grub_printf ("%s", boot->findings.deferred);
  /* GRUB prints the error itself, after all these lines.  */
  if (!grub_errno)
    grub_printf ("0 errors, %d warning%s\n", boot->findings.n_warnings,
		 boot->findings.n_warnings == 1 ? "" : "s");
}

grub_err_t
dom0less_set_error_from_findings (struct dom0less_boot *boot)
{
  grub_dom0less_report_more (&boot->context);
  if (boot->findings.error && !grub_errno)
    grub_error (GRUB_ERR_BAD_OS, "%s", boot->findings.error);
  return grub_errno;
}

grub_err_t
dom0less_fail (struct dom0less_boot *boot,
	       enum grub_dom0less_rule_number rule, int node,
	       const char *what)
{
  return dom0less_fail_with_hint (boot, rule, node, what, NULL);
}

grub_err_t
dom0less_fail_with_hint (struct dom0less_boot *boot,
			 enum grub_dom0less_rule_number rule, int node,
			 const char *what, const char *hint)
{
  grub_dom0less_report_with_hint (&boot->context, rule, node, what, hint);
  return dom0less_set_error_from_findings (boot);
}

struct grub_dom0less_module *
dom0less_first_module (const struct dom0less_boot *boot, int image)
{
  return boot->plan->modules + boot->plan->images[image].module;
}

grub_err_t
dom0less_refuse_image (struct dom0less_boot *boot, int image,
		       enum grub_dom0less_rule_number rule,
		       const char *separator, const char *what)
{
  const char *path = boot->paths[boot->plan->images[image].module];
  char *text;

  /* WHAT may be GRUB's own message, so format it before clearing the
     error.  */
  text = grub_xasprintf ("%s%s%s", path, separator, what);
  grub_errno = GRUB_ERR_NONE;
  dom0less_fail (boot, rule, dom0less_first_module (boot, image)->node,
		 text ? text : path);
  grub_free (text);
  return grub_errno;
}

const char *
dom0less_domain_name (const struct dom0less_boot *boot, int domain)
{
  if (domain == GRUB_DOM0LESS_DOM0)
    return "dom0";
  return grub_dom0less_node_name (boot->tree.fdt,
				  boot->plan->domains[domain].node);
}

void
dom0less_print (const char *text)
{
  char *copy = grub_strdup (text);

  if (!copy)
    return;
  grub_dom0less_make_plain (copy);
  grub_printf ("%s", copy);
  grub_free (copy);
}

const char *
dom0less_bare_message (const char *message)
{
  const char *at = grub_strstr (message, ".c:"), *number;

  at = at ? grub_strchr (at + 3, ':') : NULL;
  if (!at)
    return message;
  for (number = ++at; grub_isdigit (*at); at++)
    ;
  return at > number && *at == ':' ? at + 1 : message;
}
