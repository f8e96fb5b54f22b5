/* rules_domain.c - rules of domain nodes  */
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

/* Xen's DT_MAX_NAME and MAX_VIRT_CPUS, and the interrupts that its
   domain_vgic_init takes: 1020 - 32, in whole ranks of 32.  */
#define MAX_NAME	40
#define MAX_CPUS	128
#define MAX_SPIS	960

/* What no Linux boots with less of, in bytes.  */
#define LEAST_MEMORY	((uint64_t) 16 << 20)

static int
has (scene_t scene, const struct grub_dom0less_domain *domain,
     const char *property)
{
  return fdt_getprop (scene->fdt, domain->node, property, NULL) != NULL;
}

static int
has_bootargs (scene_t scene, const struct grub_dom0less_domain *domain)
{
  const struct grub_dom0less_module *module;

  FOR_MODULES (module, scene)
    if (module->domain == domain - scene->plan->domains
	&& fdt_getprop (scene->fdt, module->node, "bootargs", NULL))
      return 1;
  return 0;
}

/* Xen looks bootargs up by the name without the unit address, and has stored
   them under the name with it.  */
void
dom0less_check_domain_name_unit (scene_t scene)
{
  const struct grub_dom0less_domain *domain;

  FOR_DOMAINS (domain, scene)
    if (strchr (grub_dom0less_node_name (scene->fdt, domain->node), '@')
	&& has_bootargs (scene, domain))
      REPORT (scene, DOMAIN_NAME_UNIT, domain->node);
}

void
dom0less_check_domain_name_long (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  size_t length;

  FOR_DOMAINS (domain, scene)
    {
      length = strlen (grub_dom0less_node_name (scene->fdt, domain->node));
      if (length > MAX_NAME && has_bootargs (scene, domain))
	REPORT_NUMBERS (scene, DOMAIN_NAME_LONG, domain->node, length,
			MAX_NAME);
    }
}

void
dom0less_check_domain_disabled (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  const char *status;

  FOR_DOMAINS (domain, scene)
    {
      status = grub_dom0less_string (scene->fdt, domain->node, "status");
      if (status && strcmp (status, "ok") && strcmp (status, "okay"))
	REPORT (scene, DOMAIN_DISABLED, domain->node);
    }
}

int
dom0less_domain_memory (scene_t scene,
			const struct grub_dom0less_domain *domain,
			uint64_t *kib)
{
  int len;
  const fdt32_t *cell = fdt_getprop (scene->fdt, domain->node, "memory", &len);

  /* Two cells, whatever #size-cells says.  */
  return cell && len == 8 && grub_dom0less_read_cells (&cell, 2, kib) == 0;
}

void
dom0less_check_memory_malformed (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  uint64_t kib;

  FOR_DOMAINS (domain, scene)
    if (!dom0less_domain_memory (scene, domain, &kib))
      REPORT (scene, MEMORY_MALFORMED, domain->node);
}

/* The machine's RAM in KiB, or 0 if it is not known.  */
static uint64_t
ram_size (scene_t scene)
{
  const struct grub_dom0less_machine *machine = scene->machine;
  uint64_t size = 0;
  int i;

  for (i = 0; i < machine->n_memory; i++)
    if (machine->memory[i].type != GRUB_DOM0LESS_MEMORY_FIRMWARE)
      size += machine->memory[i].size / 1024;
  return size;
}

/* More than the machine has in KiB, and a whole number of MiB in bytes that it
   does have, and enough to live in: somebody has counted bytes.  */
static int
looks_like_bytes (uint64_t memory, uint64_t ram)
{
  return (ram && memory > ram && memory / 1024 <= ram
	  && memory >= LEAST_MEMORY
	  && memory % (1024 * 1024) == 0);
}

void
dom0less_check_memory_bytes (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  uint64_t kib;

  FOR_DOMAINS (domain, scene)
    if (dom0less_domain_memory (scene, domain, &kib)
	&& looks_like_bytes (kib, ram_size (scene)))
      REPORT_NUMBERS (scene, MEMORY_BYTES, domain->node, kib, 0);
}

void
dom0less_check_memory_too_much (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  uint64_t kib, total = 0, ram = ram_size (scene);

  FOR_DOMAINS (domain, scene)
    if (dom0less_domain_memory (scene, domain, &kib)
	&& !looks_like_bytes (kib, ram))
      total = kib > UINT64_MAX - total ? UINT64_MAX : total + kib;
  if (ram && total > ram)
    REPORT_NUMBERS (scene, MEMORY_TOO_MUCH, scene->plan->chosen, total, ram);
}

void
dom0less_check_cpus_impossible (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  uint32_t cpus;

  FOR_DOMAINS (domain, scene)
    {
      cpus = grub_dom0less_u32 (scene->fdt, domain->node, "cpus", 0);
      if (cpus < 1 || cpus > MAX_CPUS)
	REPORT_NUMBERS (scene, CPUS_IMPOSSIBLE, domain->node, cpus, MAX_CPUS);
    }
}

/* Xenstore lives in the dom0, and Xen panics without.  */
void
dom0less_check_enhanced_alone (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  const char *enhanced;

  if (dom0less_find_module (scene, GRUB_DOM0LESS_DOM0, GRUB_DOM0LESS_KERNEL,
			    NULL))
    return;
  FOR_DOMAINS (domain, scene)
    {
      if (!has (scene, domain, "xen,enhanced"))
	continue;
      enhanced = grub_dom0less_string (scene->fdt, domain->node,
				       "xen,enhanced");
      if (!enhanced || strcmp (enhanced, "enabled") == 0)
	REPORT (scene, ENHANCED_ALONE, domain->node);
    }
}

void
dom0less_check_direct_map_alone (scene_t scene)
{
  const struct grub_dom0less_domain *domain;

  FOR_DOMAINS (domain, scene)
    if (has (scene, domain, "direct-map")
	&& !has (scene, domain, "xen,static-mem"))
      REPORT (scene, DIRECT_MAP_ALONE, domain->node);
}

/* Xen panics, with a number for a reason.  */
void
dom0less_check_nr_spis_impossible (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  uint32_t nr_spis;

  FOR_DOMAINS (domain, scene)
    {
      nr_spis = grub_dom0less_u32 (scene->fdt, domain->node, "nr_spis", 0);
      if (nr_spis > MAX_SPIS)
	REPORT_NUMBERS (scene, NR_SPIS_IMPOSSIBLE, domain->node, nr_spis,
			MAX_SPIS);
    }
}

/* Xen panics if the node is of another kind, and passes over a phandle of
   nothing.  */
void
dom0less_check_cpupool_missing (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  uint32_t phandle;
  int pool;

  FOR_DOMAINS (domain, scene)
    {
      if (!has (scene, domain, "domain-cpupool"))
	continue;
      phandle = grub_dom0less_u32 (scene->fdt, domain->node, "domain-cpupool",
				   0);
      pool = fdt_node_offset_by_phandle (scene->fdt, phandle);
      if (pool < 0
	  || fdt_node_check_compatible (scene->fdt, pool, "xen,cpupool"))
	REPORT (scene, CPUPOOL_MISSING, domain->node);
    }
}

/* The last argument NAME among ARGS: the text behind its `=', the empty string
   if it stands alone, NULL if it is not there.  *LENGTH is the text's.  */
static const char *
find_argument (const char *args, const char *name, size_t *length)
{
  size_t word, name_length = strlen (name);
  const char *found = NULL;

  for (; args && *args; args += word + (args[word] != '\0'))
    {
      for (word = 0; args[word] && args[word] != ' '; word++)
	;
      if (word < name_length || memcmp (args, name, name_length)
	  || (word > name_length && args[name_length] != '='))
	continue;
      found = args + name_length + (word > name_length);
      *length = args + word - found;
    }
  return found;
}

/* As llc_coloring_init in Xen's llc-coloring.c decides it: switched on, or
   not mentioned and the cache described.  */
static int
is_coloring_on (scene_t scene)
{
  static const char *const words[] = { "", "on", "yes", "true", "enable", "1" };
  const char *args = dom0less_xen_args (scene), *value;
  size_t i, length;

  if (find_argument (args, "no-llc-coloring", &length))
    return 0;
  value = find_argument (args, "llc-coloring", &length);
  if (!value)
    return (find_argument (args, "llc-size", &length)
	    && find_argument (args, "llc-nr-ways", &length));
  for (i = 0; i < sizeof (words) / sizeof (words[0]); i++)
    if (length == strlen (words[i]) && memcmp (value, words[i], length) == 0)
      return 1;
  return 0;
}

void
dom0less_check_llc_colors_static (scene_t scene)
{
  const struct grub_dom0less_domain *domain;

  FOR_DOMAINS (domain, scene)
    if (has (scene, domain, "xen,static-mem")
	&& (has (scene, domain, "llc-colors") || is_coloring_on (scene)))
      REPORT (scene, LLC_COLORS_STATIC, domain->node);
}

void
dom0less_check_llc_colors_off (scene_t scene)
{
  const struct grub_dom0less_domain *domain;

  if (is_coloring_on (scene))
    return;
  FOR_DOMAINS (domain, scene)
    if (has (scene, domain, "llc-colors"))
      REPORT (scene, LLC_COLORS_OFF, domain->node);
}

/* What a domain may say, the first release that listens (minor numbers of
   Xen 4), and the option of Xen's .config that it needs, if it needs one.
   Source: Xen's docs/misc/arm/device-tree/booting.txt in each release.  */
static const struct
{
  const char *name;
  int since;
  unsigned int option;
} properties[] =
  {
    { "compatible", 0, 0 },
    { "#address-cells", 0, 0 },
    { "#size-cells", 0, 0 },
    { "name", 0, 0 },
    { "phandle", 0, 0 },
    { "linux,phandle", 0, 0 },
    { "status", 0, 0 },			/* has a rule of its own */
    { "memory", 12, 0 },
    { "cpus", 12, 0 },
    { "vpl011", 12, GRUB_DOM0LESS_XEN_VPL011 },
    { "nr_spis", 13, 0 },
    { "xen,static-mem", 16, GRUB_DOM0LESS_XEN_STATIC_MEMORY },
    { "#xen,static-mem-address-cells", 16, 0 },
    { "#xen,static-mem-size-cells", 16, 0 },
    { "direct-map", 17, 0 },
    { "domain-cpupool", 17, 0 },
    { "xen,enhanced", 17, 0 },
    { "xen,domain-p2m-mem-mb", 17, 0 },
    { "sve", 18, GRUB_DOM0LESS_XEN_SVE },
    { "max_grant_version", 18, 0 },
    { "max_grant_frames", 18, 0 },
    { "max_maptrack_frames", 18, 0 },
    { "passthrough", 19, 0 },
    { "llc-colors", 20, GRUB_DOM0LESS_XEN_LLC_COLORING },
    { "capabilities", 21, 0 },
    { "trap-unmapped-accesses", 21, 0 },
    { "xen,sci_type", 21, 0 }
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

static void
report_not_built_in (scene_t scene, int node, const char *what,
		     unsigned int option)
{
  const struct grub_dom0less_xen *xen = &scene->machine->xen;

  if (xen->has_config && (xen->options & option) != option)
    REPORT_FILE (scene, NOT_BUILT_IN, node, what);
}

void
dom0less_check_not_built_in (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  const struct grub_dom0less_range *range;
  int property, i;
  const char *name;

  FOR_DOMAINS (domain, scene)
    {
      /* The option came with 4.20; before, every Xen could.  */
      if (!grub_dom0less_xen_before (&scene->machine->xen, 4, 20))
	report_not_built_in (scene, domain->node, "xen,domain",
			     GRUB_DOM0LESS_XEN_DOM0LESS);
      fdt_for_each_property_offset (property, scene->fdt, domain->node)
	{
	  if (!fdt_getprop_by_offset (scene->fdt, property, &name, NULL))
	    continue;
	  i = find_property (name);
	  /* What Xen does not know at all, it ignores.  */
	  if (i < N_PROPERTIES
	      && !grub_dom0less_xen_before (&scene->machine->xen, 4,
					    properties[i].since))
	    report_not_built_in (scene, domain->node, name,
				 properties[i].option);
	}
    }
  FOR_RANGES (range, scene)
    if (range->kind == GRUB_DOM0LESS_SHARED_MEM)
      report_not_built_in (scene, range->node, "xen,shared-mem",
			   GRUB_DOM0LESS_XEN_STATIC_SHM);
}

void
dom0less_check_property_unknown (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  int property, i;
  const char *name;

  FOR_DOMAINS (domain, scene)
    fdt_for_each_property_offset (property, scene->fdt, domain->node)
      {
	if (!fdt_getprop_by_offset (scene->fdt, property, &name, NULL))
	  continue;
	i = find_property (name);
	if (i == N_PROPERTIES
	    || grub_dom0less_xen_before (&scene->machine->xen, 4,
					 properties[i].since))
	  REPORT_FILE (scene, PROPERTY_UNKNOWN, domain->node, name);
      }
}
