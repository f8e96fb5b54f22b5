/* rules_domain.c - rules about the nodes of domains  */
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

/* Xen's DT_MAX_NAME and MAX_VIRT_CPUS, and the number of interrupts that its
   domain_vgic_init accepts: 1020 - 32, in whole ranks of 32.  */
#define MAX_NAME	40
#define MAX_CPUS	128
#define MAX_OLD_CPUS	32
#define MAX_GICV2_CPUS	8
#define MAX_SPIS	960

/* Since 4.21, with GICV3_ESPI: SPIs up to 1019, and 1024 extended ones.  */
#define LEAST_ESPIS	4064
#define MAX_ESPIS	5088

#define XEN_PAGE_IN_KIB	4

int
dom0less_has (context_t context, const struct grub_dom0less_domain *domain,
	      const char *property)
{
  return fdt_getprop (context->fdt, domain->node, property, NULL) != NULL;
}

static int
has_bootargs (context_t context, const struct grub_dom0less_domain *domain)
{
  const struct grub_dom0less_module *module;

  FOR_MODULES (module, context)
    if (module->domain == domain - context->plan->domains
	&& fdt_getprop (context->fdt, module->node, "bootargs", NULL))
      return 1;
  return 0;
}

/* Xen looks up bootargs by the name without the unit address, but has stored
   them under the name with it.  */
void
dom0less_check_domain_name_unit (context_t context)
{
  const struct grub_dom0less_domain *domain;

  FOR_DOMAINS (domain, context)
    if (strchr (grub_dom0less_node_name (context->fdt, domain->node), '@')
	&& has_bootargs (context, domain))
      REPORT (context, DOMAIN_NAME_UNIT, domain->node);
}

void
dom0less_check_domain_name_long (context_t context)
{
  const struct grub_dom0less_domain *domain;
  size_t length;

  FOR_DOMAINS (domain, context)
    {
      length = strlen (grub_dom0less_node_name (context->fdt, domain->node));
      if (length > MAX_NAME && has_bootargs (context, domain))
	REPORT_NUMBERS (context, DOMAIN_NAME_LONG, domain->node, length,
			MAX_NAME);
    }
}

int
dom0less_is_disabled (const void *fdt, int node)
{
  int len;
  const char *status = fdt_getprop (fdt, node, "status", &len);

  /* The same condition as in device_tree_node_is_available of Xen's
     bootfdt.c.  */
  return status && len > 0 && memchr (status, '\0', (size_t) len)
    && strcmp (status, "ok") && strcmp (status, "okay");
}

/* Since 4.19, Xen does not reserve the ranges of a disabled node, and panics
   when it tries to give them to DOMAIN.  */
static int
loses_static_mem (context_t context, const struct grub_dom0less_domain *domain)
{
  return grub_dom0less_xen_since (&context->facts->xen, 19)
    && dom0less_is_disabled (context->fdt, domain->node)
    && dom0less_has (context, domain, "xen,static-mem");
}

void
dom0less_check_domain_disabled (context_t context)
{
  const struct grub_dom0less_domain *domain;

  FOR_DOMAINS (domain, context)
    if (dom0less_is_disabled (context->fdt, domain->node)
	&& !loses_static_mem (context, domain))
      REPORT (context, DOMAIN_DISABLED, domain->node);
}

void
dom0less_check_disabled_static_mem (context_t context)
{
  const struct grub_dom0less_domain *domain;

  FOR_DOMAINS (domain, context)
    if (loses_static_mem (context, domain))
      REPORT (context, DISABLED_STATIC_MEM, domain->node);
}

int
dom0less_domain_memory (context_t context,
			const struct grub_dom0less_domain *domain,
			uint64_t *kib)
{
  int len;
  const fdt32_t *cell = fdt_getprop (context->fdt, domain->node, "memory", &len);

  /* Two cells, regardless of #size-cells; Xen does not read what follows.  */
  return cell && len >= 8 && grub_dom0less_read_cells (&cell, 2, kib) == 0;
}

void
dom0less_check_memory_malformed (context_t context)
{
  const struct grub_dom0less_domain *domain;
  uint64_t kib;

  FOR_DOMAINS (domain, context)
    if (!dom0less_domain_memory (context, domain, &kib)
	|| !kib || kib % XEN_PAGE_IN_KIB)
      REPORT (context, MEMORY_MALFORMED, domain->node);
}

/* Return whether the machine has an interrupt controller of version 2.  */
static int
has_gicv2 (context_t context)
{
  static const char *const gicv2[]
    = { "arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a9-gic",
	"arm,cortex-a7-gic" };
  size_t i;

  for (i = 0; i < sizeof (gicv2) / sizeof (gicv2[0]); i++)
    if (fdt_node_offset_by_compatible (context->fdt, -1, gicv2[i]) >= 0)
      return 1;
  return 0;
}

/* Return the maximum number of virtual processors of DOMAIN on a machine
   without GICv2.  Before 4.22, Xen writes a domain's tree into 4 KiB, plus the
   size of its passthrough tree, which is not known yet.  */
static uint32_t
max_cpus (context_t context, const struct grub_dom0less_domain *domain)
{
  if (grub_dom0less_xen_before (&context->facts->xen, 4, 22)
      && !dom0less_find_module (context, (int) (domain - context->plan->domains),
				GRUB_DOM0LESS_DEVICE_TREE, NULL))
    return MAX_OLD_CPUS;
  return MAX_CPUS;
}

void
dom0less_check_cpus_impossible (context_t context)
{
  const struct grub_dom0less_domain *domain;
  uint32_t cpus, most;
  int is_gicv2 = has_gicv2 (context);

  FOR_DOMAINS (domain, context)
    {
      cpus = grub_dom0less_first_u32 (context->fdt, domain->node, "cpus", 0);
      most = is_gicv2 ? MAX_GICV2_CPUS : max_cpus (context, domain);
      if (cpus < 1 || cpus > most)
	REPORT_NUMBERS (context, CPUS_IMPOSSIBLE, domain->node, cpus, most);
    }
}

/* Return what Xen's dt_property_read_string makes of PROPERTY: the string up
   to its first zero byte; NULL if it is empty or has none.  */
static const char *
read_word (context_t context, int node, const char *property)
{
  int len;
  const char *word = fdt_getprop (context->fdt, node, property, &len);

  return word && memchr (word, '\0', (size_t) len) ? word : NULL;
}

/* Xenstore runs in the dom0 or, since 4.21, in a domain that has the
   capability; without either, Xen panics.  */
void
dom0less_check_enhanced_alone (context_t context)
{
  const struct grub_dom0less_domain *domain;
  const char *enhanced;

  if (dom0less_has_xenstore (context))
    return;
  FOR_DOMAINS (domain, context)
    {
      if (!dom0less_has (context, domain, "xen,enhanced"))
	continue;
      enhanced = read_word (context, domain->node, "xen,enhanced");
      if (!enhanced || strcmp (enhanced, "enabled") == 0
	  || (strcmp (enhanced, "legacy") == 0
	      && grub_dom0less_xen_since (&context->facts->xen, 21)))
	REPORT (context, ENHANCED_ALONE, domain->node);
    }
}

void
dom0less_check_direct_map_alone (context_t context)
{
  const struct grub_dom0less_domain *domain;

  FOR_DOMAINS (domain, context)
    if (dom0less_has (context, domain, "direct-map")
	&& !dom0less_has (context, domain, "xen,static-mem"))
      REPORT (context, DIRECT_MAP_ALONE, domain->node);
}

/* Return whether DOMAIN has PROPERTY, and Xen reads a number from it.  */
static int
has_number (context_t context, const struct grub_dom0less_domain *domain,
	    const char *property)
{
  int len;

  return fdt_getprop (context->fdt, domain->node, property, &len)
    && len >= (int) sizeof (fdt32_t);
}

/* Xen panics, and prints only an error number.  The virtual UART gets the
   first interrupt.  */
void
dom0less_check_nr_spis_impossible (context_t context)
{
  const struct grub_dom0less_domain *domain;
  int has_espis = grub_dom0less_xen_since (&context->facts->xen, 21)
    && !dom0less_is_left_out (context, GRUB_DOM0LESS_XEN_ESPI);
  uint32_t nr_spis;

  FOR_DOMAINS (domain, context)
    {
      if (!has_number (context, domain, "nr_spis"))
	continue;
      nr_spis = grub_dom0less_first_u32 (context->fdt, domain->node, "nr_spis", 0);
      if ((nr_spis > MAX_SPIS
	   && !(has_espis && nr_spis >= LEAST_ESPIS && nr_spis <= MAX_ESPIS))
	  || (nr_spis == 0 && dom0less_has (context, domain, "vpl011")))
	REPORT_NUMBERS (context, NR_SPIS_IMPOSSIBLE, domain->node, nr_spis,
			has_espis ? MAX_ESPIS : MAX_SPIS);
    }
}

/* The same condition as in llc_coloring_init of Xen's llc-coloring.c: coloring
   is switched on, or it is not mentioned and the cache is described.  */
static int
is_coloring_on (context_t context)
{
  static const char *const words[] = { "", "on", "yes", "true", "enable", "1" };
  const char *args = dom0less_xen_args (context), *value;
  size_t i, length;

  if (dom0less_find_argument (args, "no-llc-coloring", &length))
    return 0;
  value = dom0less_find_argument (args, "llc-coloring", &length);
  if (!value)
    return (dom0less_find_argument (args, "llc-size", &length)
	    && dom0less_find_argument (args, "llc-nr-ways", &length));
  for (i = 0; i < sizeof (words) / sizeof (words[0]); i++)
    if (length == strlen (words[i]) && memcmp (value, words[i], length) == 0)
      return 1;
  return 0;
}

void
dom0less_check_llc_colors_static (context_t context)
{
  const struct grub_dom0less_domain *domain;
  int is_on = is_coloring_on (context);

  if (grub_dom0less_xen_before (&context->facts->xen, 4, 20))
    return;
  FOR_DOMAINS (domain, context)
    if (dom0less_has (context, domain, "xen,static-mem")
	&& (dom0less_has (context, domain, "llc-colors") || is_on))
      REPORT (context, LLC_COLORS_STATIC, domain->node);
}

void
dom0less_check_llc_colors_off (context_t context)
{
  const struct grub_dom0less_domain *domain;

  if (grub_dom0less_xen_before (&context->facts->xen, 4, 20)
      || is_coloring_on (context))
    return;
  FOR_DOMAINS (domain, context)
    if (dom0less_has (context, domain, "llc-colors"))
      REPORT (context, LLC_COLORS_OFF, domain->node);
}

/* The properties that a domain may have: how many bytes of each Xen reads if
   it is a number, the first release that knows it (a minor number of Xen 4),
   the option of Xen's .config that it requires, if any, and the words that it
   may contain or the lowest number at which Xen panics.
   Source: Xen's docs/misc/arm/device-tree/booting.txt in each release.  */
static const struct
{
  const char *name;
  int size;
  int since;
  unsigned int option;
  const char *words;
  uint32_t limit;
} properties[] =
  {
    { "compatible", 0, 0, 0, NULL, 0 },
    { "#address-cells", 0, 0, 0, NULL, 0 },
    { "#size-cells", 0, 0, 0, NULL, 0 },
    { "name", 0, 0, 0, NULL, 0 },
    { "phandle", 0, 0, 0, NULL, 0 },
    { "linux,phandle", 0, 0, 0, NULL, 0 },
    { "status", 0, 0, 0, NULL, 0 },	/* has a rule of its own */
    { "memory", 8, 12, 0, NULL, 0 },
    { "cpus", 4, 12, 0, NULL, 0 },
    { "vpl011", 0, 12, GRUB_DOM0LESS_XEN_VPL011, NULL, 0 },
    { "nr_spis", 4, 13, 0, NULL, 0 },
    { "xen,static-mem", 0, 16, GRUB_DOM0LESS_XEN_STATIC_MEMORY, NULL, 0 },
    { "#xen,static-mem-address-cells", 0, 16, 0, NULL, 0 },
    { "#xen,static-mem-size-cells", 0, 16, 0, NULL, 0 },
    { "direct-map", 0, 17, 0, NULL, 0 },
    { "domain-cpupool", 0, 17, GRUB_DOM0LESS_XEN_CPUPOOLS, NULL, 0 },
    { "xen,enhanced", 0, 17, 0, "enabled no-xenstore", 0 },
    { "xen,domain-p2m-mem-mb", 4, 17, 0, NULL, 0 },
    { "sve", 0, 18, GRUB_DOM0LESS_XEN_SVE, NULL, 0 },
    { "max_grant_version", 4, 18, 0, NULL, 2 },	/* GNTTAB_MAX_VERSION */
    /* Xen allocates an array of this size, for which there is no memory.  */
    { "max_grant_frames", 4, 18, 0, NULL, 0x1000000 },
    { "max_maptrack_frames", 4, 18, 0, NULL, 0x80000000 },
    { "passthrough", 0, 19, 0, "enabled disabled", 0 },
    { "llc-colors", 0, 20, GRUB_DOM0LESS_XEN_LLC_COLORING, NULL, 0 },
    { "capabilities", 4, 21, 0, NULL, 0 },
    { "trap-unmapped-accesses", 4, 21, 0, NULL, 2 },
    { "xen,sci_type", 0, 21, 0, NULL, 0 },
    /* This fails in any Xen with an MMU, and only such a Xen has an EFI
       stub.  */
    { "v8r_el1_msa", 0, 22, GRUB_DOM0LESS_XEN_MPU, NULL, 0 }
  };

#define N_PROPERTIES	((int) (sizeof (properties) / sizeof (properties[0])))

static int
find_property (const char *name)
{
  int i;

  for (i = 0; i < N_PROPERTIES; i++)
    if (strcmp (properties[i].name, name) == 0)
      break;
  return i;
}

int
dom0less_is_built_in (context_t context, unsigned int option)
{
  const struct grub_dom0less_xen *xen = &context->facts->xen;

  return xen->has_config && (xen->options & option) == option;
}

int
dom0less_is_left_out (context_t context, unsigned int option)
{
  return context->facts->xen.has_config
    && !dom0less_is_built_in (context, option);
}

static void
report_not_built_in (context_t context, int node, const char *what,
		     unsigned int option)
{
  if (dom0less_is_left_out (context, option))
    REPORT_FILE (context, NOT_BUILT_IN, node, what);
}

void
dom0less_check_not_built_in (context_t context)
{
  const struct grub_dom0less_domain *domain;
  const struct grub_dom0less_shared *shared;
  int property, i;
  const char *name;

  FOR_DOMAINS (domain, context)
    {
      /* The option was introduced in 4.20; before, every Xen had the
	 feature.  */
      if (!grub_dom0less_xen_before (&context->facts->xen, 4, 20))
	report_not_built_in (context, domain->node, "xen,domain",
			     GRUB_DOM0LESS_XEN_DOM0LESS);
      fdt_for_each_property_offset (property, context->fdt, domain->node)
	{
	  if (!fdt_getprop_by_offset (context->fdt, property, &name, NULL))
	    continue;
	  i = find_property (name);
	  /* Xen ignores properties that it does not know.  */
	  if (i < N_PROPERTIES
	      && !grub_dom0less_xen_before (&context->facts->xen, 4,
					    properties[i].since))
	    report_not_built_in (context, domain->node, name,
				 properties[i].option);
	}
    }
  FOR_SHARED (shared, context)
    report_not_built_in (context, shared->node, "xen,shared-mem",
			 GRUB_DOM0LESS_XEN_STATIC_SHM);
}

void
dom0less_check_property_unknown (context_t context)
{
  const struct grub_dom0less_domain *domain;
  int property, i;
  const char *name;

  FOR_DOMAINS (domain, context)
    fdt_for_each_property_offset (property, context->fdt, domain->node)
      {
	if (!fdt_getprop_by_offset (context->fdt, property, &name, NULL))
	  continue;
	i = find_property (name);
	if (i == N_PROPERTIES
	    || grub_dom0less_xen_before (&context->facts->xen, 4,
					 properties[i].since))
	  REPORT_FILE (context, PROPERTY_UNKNOWN, domain->node, name);
      }
}

/* Call CHECK for each property of a domain that this Xen knows, with its row
   of the table.  */
static void
for_known_properties (context_t context,
		      void (*check) (context_t context, int node, int i,
				     const char *value, int len))
{
  const struct grub_dom0less_domain *domain;
  int property, i, len;
  const char *name, *value;

  FOR_DOMAINS (domain, context)
    fdt_for_each_property_offset (property, context->fdt, domain->node)
      {
	value = fdt_getprop_by_offset (context->fdt, property, &name, &len);
	i = value ? find_property (name) : N_PROPERTIES;
	if (i < N_PROPERTIES
	    && !grub_dom0less_xen_before (&context->facts->xen, 4,
					  properties[i].since))
	  check (context, domain->node, i, value, len);
      }
}

static void
check_size (context_t context, int node, int i,
	    const char *value __attribute__ ((unused)), int len)
{
  int size = properties[i].size;

  /* Properties without which there is no domain have rules of their own.  */
  if (len < size && (strcmp (properties[i].name, "memory") == 0
		     || strcmp (properties[i].name, "cpus") == 0))
    return;
  if (size && len != size)
    grub_dom0less_report (context, GRUB_DOM0LESS_RULE_PROPERTY_SIZE, node,
			  GRUB_DOM0LESS_NONE, properties[i].name,
			  (uint64_t) len, (uint64_t) size);
}

void
dom0less_check_property_size (context_t context)
{
  for_known_properties (context, check_size);
}

static void
check_limit (context_t context, int node, int i, const char *value, int len)
{
  uint32_t number;

  if (!properties[i].limit || len < properties[i].size)
    return;
  number = fdt32_to_cpu (*(const fdt32_t *) (const void *) value);
  if (number >= properties[i].limit
      || (number == 0 && strcmp (properties[i].name, "max_maptrack_frames")
	  && strcmp (properties[i].name, "trap-unmapped-accesses")))
    grub_dom0less_report (context, GRUB_DOM0LESS_RULE_VALUE_IMPOSSIBLE, node,
			  GRUB_DOM0LESS_NONE, properties[i].name, number,
			  properties[i].limit);
}

void
dom0less_check_value_impossible (context_t context)
{
  for_known_properties (context, check_limit);
}

/* Return whether WORD is one of WORDS, which are separated by blanks.  */
static int
is_word (const char *word, const char *words)
{
  const char *end;
  size_t length;

  for (; *words; words = end + (*end == ' '))
    {
      end = strchr (words, ' ');
      if (!end)
	end = words + strlen (words);
      length = end - words;
      if (strlen (word) == length && memcmp (words, word, length) == 0)
	return 1;
    }
  return 0;
}

static void
check_word (context_t context, int node, int i,
	    const char *value __attribute__ ((unused)),
	    int len __attribute__ ((unused)))
{
  const char *word = read_word (context, node, properties[i].name);

  if (!properties[i].words || !word || is_word (word, properties[i].words))
    return;
  if (strcmp (properties[i].name, "xen,enhanced") == 0
      && strcmp (word, "legacy") == 0
      && !grub_dom0less_xen_before (&context->facts->xen, 4, 21))
    return;
  REPORT_FILE (context, VALUE_UNKNOWN, node, properties[i].name);
}

void
dom0less_check_value_unknown (context_t context)
{
  for_known_properties (context, check_word);
}
