/* rules_reference.c - rules about what refers to other nodes or processors  */
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

/* A domU's last port, and the last that anybody has (Xen's 2-level ABI).  */
#define MAX_PORT	1023
#define MAX_DOM0_PORT	4095

static uint32_t
capabilities (scene_t scene, const struct grub_dom0less_domain *domain)
{
  return grub_dom0less_first_u32 (scene->fdt, domain->node, "capabilities", 0);
}

/* Whether there is a dom0, which is hardware and xenstore domain.  */
static int
has_dom0 (scene_t scene)
{
  return dom0less_find_module (scene, GRUB_DOM0LESS_DOM0,
			       GRUB_DOM0LESS_KERNEL, NULL) != NULL;
}

int
dom0less_has_xenstore (scene_t scene)
{
  const struct grub_dom0less_domain *domain;

  if (has_dom0 (scene))
    return 1;
  if (!grub_dom0less_xen_since (&scene->machine->xen, 21))
    return 0;
  FOR_DOMAINS (domain, scene)
    if (capabilities (scene, domain) & XENSTORE)
      return 1;
  return 0;
}

/* Whether the machine has an IOMMU of a kind that Xen drives.  */
static int
has_iommu (scene_t scene)
{
  static const char *const kinds[]
    = { "arm,smmu-v1", "arm,smmu-v2", "arm,mmu-400", "arm,mmu-401",
	"arm,mmu-500", "cavium,smmu-v2", "arm,smmu-v3",
	"renesas,ipmmu-r8a7795", "renesas,ipmmu-r8a77965",
	"renesas,ipmmu-r8a7796", "renesas,ipmmu-r8a779f0" };
  size_t i;

  for (i = 0; i < sizeof (kinds) / sizeof (kinds[0]); i++)
    if (fdt_node_offset_by_compatible (scene->fdt, -1, kinds[i]) >= 0)
      return 1;
  return 0;
}

/* What parse_dom0less_node and set_xs_domain of Xen 4.21 and later refuse.
   EARLIER are the capabilities of those before DOMAIN.  */
static const char *
capability_conflict (scene_t scene, const struct grub_dom0less_domain *domain,
		     uint32_t earlier)
{
  uint32_t has = capabilities (scene, domain);

  if (has & ~(uint32_t) (CONTROL | HARDWARE | XENSTORE))
    return "there are 1 (control), 2 (hardware) and 4 (xenstore)";
  if (has & earlier & XENSTORE)
    return "a second xenstore domain";
  if (!(has & HARDWARE))
    return NULL;
  if (earlier & HARDWARE)
    return "a second hardware domain";
  if (dom0less_has (scene, domain, "passthrough"))
    return "a hardware domain with passthrough";
  if (dom0less_has (scene, domain, "nr_spis"))
    return "a hardware domain with nr_spis";
  if (dom0less_find_module (scene, (int) (domain - scene->plan->domains),
			    GRUB_DOM0LESS_DEVICE_TREE, NULL))
    return "a hardware domain with a device tree of its own";
  if (!dom0less_has (scene, domain, "direct-map")
      && !has_iommu (scene))
    return "a hardware domain without direct-map, and there is no IOMMU";
  return NULL;
}

void
dom0less_check_capabilities_conflict (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  uint32_t earlier = has_dom0 (scene) ? HARDWARE | XENSTORE : 0;
  const char *conflict;

  if (!grub_dom0less_xen_since (&scene->machine->xen, 21))
    return;
  FOR_DOMAINS (domain, scene)
    {
      conflict = capability_conflict (scene, domain, earlier);
      if (conflict)
	REPORT_FILE (scene, CAPABILITIES_CONFLICT, domain->node, conflict);
      earlier |= capabilities (scene, domain);
    }
}

/* How many processors /cpus has.  */
static uint32_t
count_cpus (scene_t scene)
{
  const char *type;
  uint32_t n = 0;
  int node;

  fdt_for_each_subnode (node, scene->fdt,
			fdt_path_offset (scene->fdt, "/cpus"))
    {
      type = grub_dom0less_string (scene->fdt, node, "device_type");
      n += type && strcmp (type, "cpu") == 0;
    }
  return n;
}

/* Whether every processor that TEXT, "0-2,5", names is below LIMIT.  */
static int
are_cpus_below (const char *text, uint32_t limit)
{
  uint32_t number;

  while (*text)
    {
      if (*text < '0' || *text > '9')
	return 1;	/* Xen reads no further.  */
      for (number = 0; *text >= '0' && *text <= '9'; text++)
	number = number < limit ? 10 * number + (uint32_t) (*text - '0')
	  : limit;
      if (number >= limit)
	return 0;
      text += *text == '-' || *text == ',';
    }
  return 1;
}

/* domain_vcpu_affinity panics.  */
void
dom0less_check_vcpu_impossible (scene_t scene)
{
  const struct grub_dom0less_domain *domain;
  const char *affinity;
  uint32_t cpus;
  int node;

  if (!grub_dom0less_xen_since (&scene->machine->xen, 21))
    return;
  FOR_DOMAINS (domain, scene)
    fdt_for_each_subnode (node, scene->fdt, domain->node)
      {
	if (fdt_node_check_compatible (scene->fdt, node, "xen,vcpu"))
	  continue;
	cpus = grub_dom0less_first_u32 (scene->fdt, domain->node, "cpus", 0);
	if (grub_dom0less_first_u32 (scene->fdt, node, "id", UINT32_MAX) >= cpus)
	  REPORT_FILE (scene, VCPU_IMPOSSIBLE, node, "id");
	affinity = grub_dom0less_string (scene->fdt, node, "hard-affinity");
	if (affinity && !are_cpus_below (affinity, count_cpus (scene)))
	  REPORT_FILE (scene, VCPU_IMPOSSIBLE, node,
		       "processor in hard-affinity");
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
      if (!dom0less_has (scene, domain, "domain-cpupool"))
	continue;
      phandle = grub_dom0less_first_u32 (scene->fdt, domain->node, "domain-cpupool",
				   0);
      pool = fdt_node_offset_by_phandle (scene->fdt, phandle);
      if (pool < 0
	  || fdt_node_check_compatible (scene->fdt, pool, "xen,cpupool"))
	REPORT (scene, CPUPOOL_MISSING, domain->node);
    }
}

/* The processor that is number I of POOL's, or a negative libfdt error.  */
static int
pool_cpu (scene_t scene, int pool, int i)
{
  int len, node;
  const char *type;
  const fdt32_t *cell = fdt_getprop (scene->fdt, pool, "cpupool-cpus", &len);

  if (!cell || i >= len / (int) sizeof (*cell))
    return -FDT_ERR_NOTFOUND;
  node = fdt_node_offset_by_phandle (scene->fdt, fdt32_to_cpu (cell[i]));
  type = node < 0 ? NULL
    : grub_dom0less_string (scene->fdt, node, "device_type");
  return type && strcmp (type, "cpu") == 0 ? node : -FDT_ERR_BADPHANDLE;
}

/* Whether a pool up to POOL has CPU, other than as number I of POOL.  */
static int
is_cpu_taken (scene_t scene, int pool, int i, int cpu)
{
  int node, j, other;

  fdt_for_each_subnode (node, scene->fdt, scene->plan->chosen)
    {
      if (fdt_node_check_compatible (scene->fdt, node, "xen,cpupool"))
	continue;
      for (j = 0; node != pool || j < i; j++)
	{
	  other = pool_cpu (scene, node, j);
	  if (other == cpu)
	    return 1;
	  if (other == -FDT_ERR_NOTFOUND)
	    break;
	}
      if (node == pool)
	break;
    }
  return 0;
}

/* What btcpupools_dtb_parse panics at.  */
static const char *
pool_fault (scene_t scene, int pool)
{
  static const char *const schedulers[]
    = { "credit", "credit2", "rtds", "arinc653", "null" };
  const char *name = grub_dom0less_string (scene->fdt, pool, "cpupool-sched");
  size_t s;
  int i, cpu;

  for (s = 0; name && s < sizeof (schedulers) / sizeof (schedulers[0]); s++)
    if (strcmp (schedulers[s], name) == 0)
      name = NULL;
  if (name)
    return "no scheduler has the name in cpupool-sched";

  for (i = 0; (cpu = pool_cpu (scene, pool, i)) != -FDT_ERR_NOTFOUND; i++)
    if (cpu < 0)
      return "cpupool-cpus points at what is no processor";
    else if (is_cpu_taken (scene, pool, i, cpu))
      return "a processor of cpupool-cpus is in a pool already";
  return i ? NULL : "cpupool-cpus names no processor";
}

void
dom0less_check_cpupool_malformed (scene_t scene)
{
  const char *fault;
  int node;

  if (scene->plan->chosen < 0
      || !dom0less_is_built_in (scene, GRUB_DOM0LESS_XEN_CPUPOOLS))
    return;
  fdt_for_each_subnode (node, scene->fdt, scene->plan->chosen)
    if (fdt_node_check_compatible (scene->fdt, node, "xen,cpupool") == 0)
      {
	fault = pool_fault (scene, node);
	if (fault)
	  REPORT_FILE (scene, CPUPOOL_MALFORMED, node, fault);
      }
}

/* Read the port and the other's phandle of NODE.  Returns 0 without both.  */
static int
read_channel (scene_t scene, int node, uint32_t *port, uint32_t *other)
{
  int len;
  const fdt32_t *cell = fdt_getprop (scene->fdt, node, "xen,evtchn", &len);

  if (!cell || len < 2 * (int) sizeof (*cell))
    return 0;
  *port = fdt32_to_cpu (cell[0]);
  *other = fdt32_to_cpu (cell[1]);
  return 1;
}

/* Whether an event channel before NODE in PARENT has PORT.  */
static int
is_port_taken (scene_t scene, int parent, int node, uint32_t port)
{
  uint32_t other_port, phandle;
  int other;

  fdt_for_each_subnode (other, scene->fdt, parent)
    {
      if (other == node)
	break;
      if (fdt_node_check_compatible (scene->fdt, other, "xen,evtchn-v1") == 0
	  && read_channel (scene, other, &other_port, &phandle)
	  && other_port == port)
	return 1;
    }
  return 0;
}

/* Whether event channels in NODE are somebody's: a domain's, or the
   dom0's.  */
static int
is_domain (scene_t scene, int node)
{
  if (node == scene->plan->chosen)
    return has_dom0 (scene);
  return fdt_node_check_compatible (scene->fdt, node, "xen,domain") == 0;
}

/* What alloc_domain_evtchn of Xen's static-evtchn.c gives up at.  */
static const char *
channel_fault (scene_t scene, int parent, int node)
{
  uint32_t port, phandle, other_port, other_phandle;
  uint32_t limit = parent == scene->plan->chosen ? MAX_DOM0_PORT : MAX_PORT;
  int other;

  if (!read_channel (scene, node, &port, &phandle))
    return "xen,evtchn is not a port and a phandle";
  if (port < 1 || port > limit)
    return "there is no such port";
  if (is_port_taken (scene, parent, node, port))
    return "the domain has a channel with this port already";
  other = fdt_node_offset_by_phandle (scene->fdt, phandle);
  if (other < 0
      || !read_channel (scene, other, &other_port, &other_phandle)
      || !is_domain (scene, fdt_parent_offset (scene->fdt, other)))
    return "its phandle is no event channel's";
  if (other_phandle == 0
      || other_phandle != fdt_get_phandle (scene->fdt, node))
    return "the other one does not point back";
  return NULL;
}

static void
check_channels (scene_t scene, int parent)
{
  const char *fault;
  int node;

  fdt_for_each_subnode (node, scene->fdt, parent)
    if (fdt_node_check_compatible (scene->fdt, node, "xen,evtchn-v1") == 0)
      {
	fault = channel_fault (scene, parent, node);
	if (fault)
	  REPORT_FILE (scene, EVENT_CHANNEL_BROKEN, node, fault);
      }
}

/* Xen panics.  */
void
dom0less_check_event_channel_broken (scene_t scene)
{
  const struct grub_dom0less_domain *domain;

  /* Before, they were unknown.  */
  if (grub_dom0less_xen_before (&scene->machine->xen, 4, 17))
    return;
  if (scene->plan->chosen >= 0 && has_dom0 (scene))
    check_channels (scene, scene->plan->chosen);
  FOR_DOMAINS (domain, scene)
    check_channels (scene, domain->node);
}
