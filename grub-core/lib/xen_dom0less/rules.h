/* rules.h - declarations for the files of rules  */
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

#ifndef XEN_DOM0LESS_RULES_HEADER
#define XEN_DOM0LESS_RULES_HEADER	1

#include <grub/xen_dom0less.h>

typedef const struct grub_dom0less_context *context_t;

/* The checks.  Each check looks at the context for its own rule only, and
   reports a finding for each violation.  Rules that only the loader can decide
   have none.  */
#define DECLARE_WITH_TREE(check)	void check (context_t context);
#define DECLARE_WITH_ADDRESSES(check)	void check (context_t context);
#define DECLARE_BY_LOADER(check)
#define RULE(number, name, severity, phase, check, message, hint)	\
  DECLARE_ ## phase (check)
#include <grub/xen_dom0less_rules.h>
#undef RULE

/* Report a finding about NODE.  */
#define REPORT(context, rule, node) \
  REPORT_FILE (context, rule, node, NULL)

/* Report a finding about NODE and the file or property FILE.  */
#define REPORT_FILE(context, rule, node, file) \
  grub_dom0less_report (context, GRUB_DOM0LESS_RULE_ ## rule, node, \
			GRUB_DOM0LESS_NONE, file, 0, 0)

/* Report a finding about NODE, with two numbers.  */
#define REPORT_NUMBERS(context, rule, node, number0, number1) \
  grub_dom0less_report (context, GRUB_DOM0LESS_RULE_ ## rule, node, \
			GRUB_DOM0LESS_NONE, NULL, number0, number1)

#define FOR_DOMAINS(domain, context) \
  for ((domain) = (context)->plan->domains; \
       (domain) < (context)->plan->domains + (context)->plan->n_domains; \
       (domain)++)

#define FOR_MODULES(module, context) \
  for ((module) = (context)->plan->modules; \
       (module) < (context)->plan->modules + (context)->plan->n_modules; \
       (module)++)

#define FOR_RANGES(range, context) \
  for ((range) = (context)->plan->ranges; \
       (range) < (context)->plan->ranges + (context)->plan->n_ranges; \
       (range)++)

#define FOR_STRAYS(stray, context) \
  for ((stray) = (context)->plan->strays; \
       (stray) < (context)->plan->strays + (context)->plan->n_strays; \
       (stray)++)

/* rules_module.c: return the first module of KIND that belongs to DOMAIN,
   before LIMIT if that is not NULL.  */
const struct grub_dom0less_module *
dom0less_find_module (context_t context, int domain, enum grub_dom0less_kind kind,
		      const struct grub_dom0less_module *limit);

/* rules_tree.c: return the command line that Xen will use, or NULL.  */
const char *dom0less_xen_args (context_t context);

/* rules_tree.c: find the last argument NAME in ARGS, which may be NULL.
   Return the text after its `=', of *LENGTH bytes; the empty string if there
   is no `='; NULL if there is no such argument.  */
const char *dom0less_find_argument (const char *args, const char *name,
				    size_t *length);

/* rules_reference.c: return whether any domain serves xenstore.  */
int dom0less_has_xenstore (context_t context);

/* rules_domain.c: return whether Xen ignores NODE because of its status.  */
int dom0less_is_disabled (const void *fdt, int node);

/* rules_domain.c: return whether DOMAIN has PROPERTY.  */
int dom0less_has (context_t context, const struct grub_dom0less_domain *domain,
		  const char *property);

/* rules_domain.c: return whether Xen's .config is known to have OPTION, or
   known not to have it.  */
int dom0less_is_built_in (context_t context, unsigned int option);
int dom0less_is_left_out (context_t context, unsigned int option);

/* The nodes of shared memory.  */
#define FOR_SHARED(shared, context) \
  for ((shared) = (context)->plan->shared; \
       (shared) < (context)->plan->shared + (context)->plan->n_shared; \
       (shared)++)

/* rules_domain.c: read a domain's memory property, in KiB.  Return whether it
   is valid.  */
int dom0less_domain_memory (context_t context,
			    const struct grub_dom0less_domain *domain,
			    uint64_t *kib);

#endif
