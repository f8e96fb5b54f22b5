/* rules_reference.c - rules about references to other nodes or processors  */
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

/* The bits of capabilities, from Xen's include/public/bootfdt.h.  */
#define CONTROL		1
#define HARDWARE	2
#define XENSTORE	4

/* The highest port of a domU, and of any domain (Xen's 2-level ABI).  */
#define MAX_PORT	1023
#define MAX_DOM0_PORT	4095

static uint32_t
capabilities (context_t context, const struct grub_dom0less_domain *domain)
{
  return grub_dom0less_first_u32 (context->fdt, domain->node, "capabilities", 0);
}

/* Return whether there is a dom0, which is both the hardware domain and the
   xenstore domain.  */
static int
has_dom0 (context_t context)
{
  return dom0less_find_module (context, GRUB_DOM0LESS_DOM0,
			       GRUB_DOM0LESS_KERNEL, NULL) != NULL;
}

int
dom0less_has_xenstore (context_t context)
{
  const struct grub_dom0less_domain *domain;

  if (has_dom0 (context))
    return 1;
  if (!grub_dom0less_xen_since (&context->facts->xen, 21))
    return 0;
  FOR_DOMAINS (domain, context)
    if (capabilities (context, domain) & XENSTORE)
      return 1;
  return 0;
}

/* Return whether the machine has an IOMMU for which Xen has a driver.  */
static int
has_iommu (context_t context)
{
  static const char *const kinds[]
    = { "arm,smmu-v1", "arm,smmu-v2", "arm,mmu-400", "arm,mmu-401",
	"arm,mmu-500", "cavium,smmu-v2", "arm,smmu-v3",
	"renesas,ipmmu-r8a7795", "renesas,ipmmu-r8a77965",
	"renesas,ipmmu-r8a7796", "renesas,ipmmu-r8a779f0" };
  size_t i;

  for (i = 0; i < sizeof (kinds) / sizeof (kinds[0]); i++)
    if (fdt_node_offset_by_compatible (context->fdt, -1, kinds[i]) >= 0)
      return 1;
  return 0;
}

/* Return what parse_dom0less_node and set_xs_domain of Xen 4.21 and later
   refuse.  EARLIER are the capabilities of the domains before DOMAIN.  */
static const char *
capability_conflict (context_t context, const struct grub_dom0less_domain *domain,
		     uint32_t earlier)
{
  uint32_t has = capabilities (context, domain);

  if (has & ~(uint32_t) (CONTROL | HARDWARE | XENSTORE))
    return "there are 1 (control), 2 (hardware) and 4 (xenstore)";
  if (has & earlier & XENSTORE)
    return "a second xenstore domain";
  if (!(has & HARDWARE))
    return NULL;
  if (earlier & HARDWARE)
    return "a second hardware domain";
  if (dom0less_has (context, domain, "passthrough"))
    return "a hardware domain with passthrough";
  if (dom0less_has (context, domain, "nr_spis"))
    return "a hardware domain with nr_spis";
  if (dom0less_find_module (context, (int) (domain - context->plan->domains),
			    GRUB_DOM0LESS_DEVICE_TREE, NULL))
    return "a hardware domain with a device tree of its own";
  if (!dom0less_has (context, domain, "direct-map")
      && !has_iommu (context))
    return "a hardware domain without direct-map, and there is no IOMMU";
  return NULL;
}

void
dom0less_check_capabilities_conflict (context_t context)
{
  const struct grub_dom0less_domain *domain;
  uint32_t earlier = has_dom0 (context) ? HARDWARE | XENSTORE : 0;
  const char *conflict;

  if (!grub_dom0less_xen_since (&context->facts->xen, 21))
    return;
  FOR_DOMAINS (domain, context)
    {
      conflict = capability_conflict (context, domain, earlier);
      if (conflict)
	REPORT_FILE (context, CAPABILITIES_CONFLICT, domain->node, conflict);
      earlier |= capabilities (context, domain);
    }
}

/* Return what domu_dt_sci_parse and scmi_smc_domain_init of Xen 4.21 and later
   refuse in DOMAIN's xen,sci_type.  */
static const char *
find_sci_fault (context_t context, const struct grub_dom0less_domain *domain)
{
  const char *type = grub_dom0less_string (context->fdt, domain->node,
					   "xen,sci_type");
  size_t length;

  if (!dom0less_has (context, domain, "xen,sci_type"))
    return NULL;
  if (!type)
    return "it is not one string";
  if (strcmp (type, "none") == 0)
    return NULL;
  if (strcmp (type, "scmi_smc"))
    return "there are none and scmi_smc";
  if (dom0less_is_left_out (context, GRUB_DOM0LESS_XEN_SCMI_SMC))
    return "this Xen was built without SCMI_SMC";
  if (!dom0less_find_argument (dom0less_xen_args (context),
			       "scmi-smc-passthrough", &length))
    return "scmi_smc needs scmi-smc-passthrough among Xen's arguments";
  return NULL;
}

void
dom0less_check_sci_impossible (context_t context)
{
  const struct grub_dom0less_domain *domain;
  const char *fault;

  if (!grub_dom0less_xen_since (&context->facts->xen, 21))
    return;
  FOR_DOMAINS (domain, context)
    {
      fault = find_sci_fault (context, domain);
      if (fault)
	REPORT_FILE (context, SCI_IMPOSSIBLE, domain->node, fault);
    }
}

/* Return the number of processors in /cpus.  */
static uint32_t
count_cpus (context_t context)
{
  const char *type;
  uint32_t n = 0;
  int node;

  fdt_for_each_subnode (node, context->fdt,
			fdt_path_offset (context->fdt, "/cpus"))
    {
      type = grub_dom0less_string (context->fdt, node, "device_type");
      n += type && strcmp (type, "cpu") == 0;
    }
  return n;
}

/* Return whether every processor in the list TEXT, such as "0-2,5", is below
   LIMIT.  */
static int
are_cpus_below (const char *text, uint32_t limit)
{
  uint32_t number;

  while (*text)
    {
      if (*text < '0' || *text > '9')
	return 1;	/* Xen does not read further. */
      for (number = 0; *text >= '0' && *text <= '9'; text++)
	number = number < limit ? 10 * number + (uint32_t) (*text - '0')
	  : limit;
      if (number >= limit)
	return 0;
      text += *text == '-' || *text == ',';
    }
  return 1;
}

/* Report faults of NODE, a virtual processor of a domain that has CPUS, on a
   machine with ALL processors.  */
static void
check_vcpu (context_t context, int node, uint32_t cpus, uint32_t all)
{
  const char *affinity
    = grub_dom0less_string (context->fdt, node, "hard-affinity");

  if (grub_dom0less_first_u32 (context->fdt, node, "id", UINT32_MAX) >= cpus)
    REPORT_FILE (context, VCPU_IMPOSSIBLE, node, "id");
  if (affinity && !are_cpus_below (affinity, all))
    REPORT_FILE (context, VCPU_IMPOSSIBLE, node, "processor in hard-affinity");
}

/* domain_vcpu_affinity panics in this case.  */
void
dom0less_check_vcpu_impossible (context_t context)
{
  const struct grub_dom0less_domain *domain;
  uint32_t cpus, all;
  int node;

  if (!grub_dom0less_xen_since (&context->facts->xen, 21))
    return;
  all = count_cpus (context);
  FOR_DOMAINS (domain, context)
    {
      cpus = grub_dom0less_first_u32 (context->fdt, domain->node, "cpus", 0);
      fdt_for_each_subnode (node, context->fdt, domain->node)
	if (fdt_node_check_compatible (context->fdt, node, "xen,vcpu") == 0)
	  check_vcpu (context, node, cpus, all);
    }
}

/* Return the node with PHANDLE among those to which others refer, or NULL.  */
static const struct grub_dom0less_reference *
find_reference (context_t context, uint32_t phandle)
{
  const struct grub_dom0less_plan *plan = context->plan;
  int i;

  for (i = 0; i < plan->n_references; i++)
    if (plan->references[i].phandle == phandle)
      return plan->references + i;
  return NULL;
}

/* Xen panics if the node is of another kind, and ignores a phandle that does
   not exist.  */
void
dom0less_check_cpupool_missing (context_t context)
{
  const struct grub_dom0less_reference *pool;
  const struct grub_dom0less_domain *domain;

  FOR_DOMAINS (domain, context)
    {
      if (!dom0less_has (context, domain, "domain-cpupool"))
	continue;
      pool = find_reference (context, grub_dom0less_first_u32
			     (context->fdt, domain->node, "domain-cpupool", 0));
      if (!pool
	  || fdt_node_check_compatible (context->fdt, pool->node, "xen,cpupool"))
	REPORT (context, CPUPOOL_MISSING, domain->node);
    }
}

/* Return why btcpupools_dtb_parse panics.  IS_TAKEN has a byte for each of the
   plan's references: whether that processor is in a pool already.  */
static const char *
pool_fault (context_t context, int pool, char *is_taken)
{
  static const char *const schedulers[]
    = { "credit", "credit2", "rtds", "arinc653", "null" };
  const char *name = grub_dom0less_string (context->fdt, pool, "cpupool-sched");
  const struct grub_dom0less_reference *cpu;
  const fdt32_t *cell;
  const char *type;
  size_t s;
  int i, len;

  for (s = 0; name && s < sizeof (schedulers) / sizeof (schedulers[0]); s++)
    if (strcmp (schedulers[s], name) == 0)
      name = NULL;
  if (name)
    return "no scheduler has the name in cpupool-sched";

  cell = fdt_getprop (context->fdt, pool, "cpupool-cpus", &len);
  for (i = 0; cell && i < len / (int) sizeof (*cell); i++)
    {
      cpu = find_reference (context, fdt32_to_cpu (cell[i]));
      type = cpu ? grub_dom0less_string (context->fdt, cpu->node, "device_type")
	: NULL;
      if (!type || strcmp (type, "cpu"))
	return "cpupool-cpus points at what is no processor";
      if (is_taken[cpu - context->plan->references])
	return "a processor of cpupool-cpus is in a pool already";
      is_taken[cpu - context->plan->references] = 1;
    }
  return i ? NULL : "cpupool-cpus names no processor";
}

void
dom0less_check_cpupool_malformed (context_t context)
{
  char is_taken[GRUB_DOM0LESS_MAX_REFERENCES] = { 0 };
  const char *fault;
  int node;

  if (context->plan->chosen < 0
      || !dom0less_is_built_in (context, GRUB_DOM0LESS_XEN_CPUPOOLS))
    return;
  fdt_for_each_subnode (node, context->fdt, context->plan->chosen)
    if (fdt_node_check_compatible (context->fdt, node, "xen,cpupool") == 0)
      {
	fault = pool_fault (context, node, is_taken);
	if (fault)
	  REPORT_FILE (context, CPUPOOL_MALFORMED, node, fault);
      }
}

/* Read the port of NODE, and the phandle of the other end.  Return 0 if they
   are missing.  */
static int
read_channel (context_t context, int node, uint32_t *port, uint32_t *other)
{
  int len;
  const fdt32_t *cell = fdt_getprop (context->fdt, node, "xen,evtchn", &len);

  if (!cell || len < 2 * (int) sizeof (*cell))
    return 0;
  *port = fdt32_to_cpu (cell[0]);
  *other = fdt32_to_cpu (cell[1]);
  return 1;
}

/* Return whether event channels in NODE belong to a domain or to the dom0.  */
static int
is_domain (context_t context, int node)
{
  if (node == context->plan->chosen)
    return has_dom0 (context);
  return fdt_node_check_compatible (context->fdt, node, "xen,domain") == 0;
}

/* Return why alloc_domain_evtchn of Xen's static-evtchn.c fails.  IS_TAKEN has
   a byte for each port of PARENT's.  */
static const char *
channel_fault (context_t context, int parent, int node, char *is_taken)
{
  uint32_t port, phandle, other_port, other_phandle;
  uint32_t limit = parent == context->plan->chosen ? MAX_DOM0_PORT : MAX_PORT;
  const struct grub_dom0less_reference *other;

  if (!read_channel (context, node, &port, &phandle))
    return "xen,evtchn is not a port and a phandle";
  if (port < 1 || port > limit)
    return "there is no such port";
  if (is_taken[port])
    return "the domain has a channel with this port already";
  is_taken[port] = 1;
  other = find_reference (context, phandle);
  if (!other
      || !read_channel (context, other->node, &other_port, &other_phandle)
      || !is_domain (context, other->parent))
    return "its phandle is no event channel's";
  if (other_phandle == 0
      || other_phandle != fdt_get_phandle (context->fdt, node))
    return "the other one does not point back";
  return NULL;
}

static void
check_channels (context_t context, int parent)
{
  char is_taken[MAX_DOM0_PORT + 1] = { 0 };
  const char *fault;
  int node;

  fdt_for_each_subnode (node, context->fdt, parent)
    if (fdt_node_check_compatible (context->fdt, node, "xen,evtchn-v1") == 0)
      {
	fault = channel_fault (context, parent, node, is_taken);
	if (fault)
	  REPORT_FILE (context, EVENT_CHANNEL_BROKEN, node, fault);
      }
}

/* Xen panics.  */
void
dom0less_check_event_channel_broken (context_t context)
{
  const struct grub_dom0less_domain *domain;

  /* Older versions do not know event channels.  */
  if (grub_dom0less_xen_before (&context->facts->xen, 4, 17))
    return;
  if (context->plan->chosen >= 0 && has_dom0 (context))
    check_channels (context, context->plan->chosen);
  FOR_DOMAINS (domain, context)
    check_channels (context, domain->node);
}
