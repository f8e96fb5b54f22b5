/* rules_memory.c - rules about memory with a particular purpose  */
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

#define KIB			1024

/* The addresses where Xen puts the memory of a domain (GUEST_RAM0_BASE and so
   on in public/arch-arm.h); addresses have 40 bits.  */
#define GUEST_RAM0		((uint64_t) 1 << 30)
#define GUEST_RAM0_SIZE		((uint64_t) 3 << 30)
#define GUEST_RAM1		((uint64_t) 1 << 33)
#define GUEST_END		((uint64_t) 1 << 40)

#define XEN_PAGE_SIZE		4096
#define HEAP_ALIGNMENT		65536

/* Xen's NR_MEM_BANKS, and MAX_SHM_ID_LENGTH without the terminator.  */
#define MAX_PIECES		256
#define MAX_SHM_ID		15

/* Report PROP of NODE if it is not a whole number of records of CELLS cells,
   or if an address or a size needs more than 64 bits.  */
static void
check_property (context_t context, int node, const char *prop,
		struct grub_dom0less_cells cells)
{
  int len, size = (cells.address + cells.size) * (int) sizeof (fdt32_t);
  const fdt32_t *cell = fdt_getprop (context->fdt, node, prop, &len);
  uint64_t start, length;

  /* Cell counts that are not from 1 to 4 have rules of their own.  */
  if (!cell || cells.address < 1 || cells.size < 1)
    return;
  if (len && len % size == 0)
    {
      for (; len; len -= size)
	if (grub_dom0less_read_cells (&cell, cells.address, &start)
	    || grub_dom0less_read_cells (&cell, cells.size, &length)
	    || !length || length - 1 > UINT64_MAX - start)
	  break;
      if (!len)
	return;
    }
  REPORT_FILE (context, RANGE_MALFORMED, node, prop);
}

void
dom0less_check_range_malformed (context_t context)
{
  const struct grub_dom0less_plan *plan = context->plan;
  const struct grub_dom0less_domain *domain;
  const struct grub_dom0less_module *module;

  if (plan->chosen < 0)
    return;
  check_property (context, plan->chosen, "xen,static-heap", plan->root_cells);
  FOR_DOMAINS (domain, context)
    check_property (context, domain->node, "xen,static-mem", plan->cells);
  FOR_MODULES (module, context)
    check_property (context, module->node, "reg", module->cells);
}

static int
is_static (const struct grub_dom0less_range *range)
{
  return (range->kind == GRUB_DOM0LESS_STATIC_MEM
	  || range->kind == GRUB_DOM0LESS_STATIC_HEAP
	  || range->kind == GRUB_DOM0LESS_SHARED_MEM);
}

/* Return whether Xen ignores RANGE: reserved memory whose node is disabled,
   since 4.19.  */
static int
is_ignored (context_t context, const struct grub_dom0less_range *range)
{
  return (range->kind == GRUB_DOM0LESS_RESERVED
	  && dom0less_is_disabled (context->fdt, range->node)
	  && !grub_dom0less_xen_before (&context->facts->xen, 4, 19));
}

/* Report a finding against RULE for each range in which MODULE lies.  */
static void
report_module_in_range (context_t context, enum grub_dom0less_rule_number rule,
			const struct grub_dom0less_module *module)
{
  const struct grub_dom0less_range *range;

  FOR_RANGES (range, context)
    if (range->kind != GRUB_DOM0LESS_PLACED && !is_ignored (context, range)
	&& grub_dom0less_overlap (module->address, module->size,
				  range->start, range->size))
      grub_dom0less_report (context, rule, module->node, range->node, NULL,
			    module->address, 0);
}

/* Since 4.18, Xen drops the module, or stops before it has a console; before,
   the module is overwritten.  */
void
dom0less_check_module_in_range (context_t context)
{
  const struct grub_dom0less_module *module;

  FOR_MODULES (module, context)
    if (module->has_reg)
      report_module_in_range (context, GRUB_DOM0LESS_RULE_MODULE_IN_RANGE,
			      module);
}

/* The same for images that were loaded, in case the claims have failed.  */
void
dom0less_check_image_in_range (context_t context)
{
  const struct grub_dom0less_module *module;

  FOR_MODULES (module, context)
    if (!module->has_reg)
      report_module_in_range (context, GRUB_DOM0LESS_RULE_IMAGE_IN_RANGE,
			      module);
}

/* Return whether both are the same region, shared by two domains.  */
static int
is_same_shared (const struct grub_dom0less_range *range, const char *id,
		const struct grub_dom0less_range *other, const char *other_id)
{
  return (range->kind == GRUB_DOM0LESS_SHARED_MEM && other->kind == range->kind
	  && range->start == other->start && range->size == other->size
	  && id && other_id && strcmp (id, other_id) == 0);
}

/* Modules have rules of their own.  Before 4.18, Xen accepted reserved memory
   that overlaps itself.  */
void
dom0less_check_ranges_overlap (context_t context)
{
  const struct grub_dom0less_range *ranges = context->plan->ranges;
  const struct grub_dom0less_range *range, *other;
  const char *ids[GRUB_DOM0LESS_MAX_RANGES];

  /* Whether a pair is shared is tested here because there are far more pairs
     than ranges.  */
  FOR_RANGES (range, context)
    ids[range - ranges] = range->kind != GRUB_DOM0LESS_SHARED_MEM ? NULL
      : grub_dom0less_string (context->fdt, range->node, "xen,shm-id");
  FOR_RANGES (range, context)
    for (other = ranges; other < range; other++)
      {
	if (range->kind == GRUB_DOM0LESS_PLACED
	    || other->kind == GRUB_DOM0LESS_PLACED
	    || is_ignored (context, range) || is_ignored (context, other)
	    || !grub_dom0less_overlap (range->start, range->size,
				       other->start, other->size)
	    || is_same_shared (range, ids[range - ranges], other,
			       ids[other - ranges]))
	  continue;
	if (!is_static (range) && !is_static (other)
	    && grub_dom0less_xen_before (&context->facts->xen, 4, 18))
	  continue;
	grub_dom0less_report (context, GRUB_DOM0LESS_RULE_RANGES_OVERLAP,
			      range->node, other->node,
			      grub_dom0less_range_name (range->kind),
			      range->start, 0);
      }
}

/* Report RANGE against RULE, with a second address.  */
static void
report_range (context_t context, enum grub_dom0less_rule_number rule,
	      const struct grub_dom0less_range *range, uint64_t number1)
{
  grub_dom0less_report (context, rule, range->node, GRUB_DOM0LESS_NONE,
			grub_dom0less_range_name (range->kind),
			range->start, number1);
}

/* Otherwise Xen hangs.  */
void
dom0less_check_range_over_firmware (context_t context)
{
  const struct grub_dom0less_facts *facts = context->facts;
  const struct grub_dom0less_range *range;
  int i;

  FOR_RANGES (range, context)
    for (i = 0; i < facts->n_memory; i++)
      if (is_static (range)
	  && facts->memory[i].type == GRUB_DOM0LESS_MEMORY_FIRMWARE
	  && grub_dom0less_overlap (range->start, range->size,
				    facts->memory[i].start,
				    facts->memory[i].size))
	{
	  report_range (context, GRUB_DOM0LESS_RULE_RANGE_OVER_FIRMWARE, range,
			facts->memory[i].start);
	  break;
	}
}

/* Return whether memory contains all of the SIZE bytes at START, at least one,
   which may end at the highest address.  If not, *END is the first address
   that is missing.  */
static int
is_in_memory (const struct grub_dom0less_facts *facts, uint64_t start,
	      uint64_t size, uint64_t *end)
{
  uint64_t last = size - 1 > UINT64_MAX - start ? UINT64_MAX
    : start + (size - 1);
  int i;

  *end = start;
  for (i = 0; i < facts->n_memory && facts->memory[i].start <= *end; i++)
    {
      const struct grub_dom0less_memory *memory = facts->memory + i;

      if (*end - memory->start >= memory->size)
	continue;
      /* This piece contains the end of the range, or a part of it.  */
      if (memory->size - (*end - memory->start) > last - *end)
	return 1;
      *end = memory->start + memory->size;
    }
  return 0;
}

void
dom0less_check_range_outside_ram (context_t context)
{
  const struct grub_dom0less_range *range;
  uint64_t end;

  if (!context->facts->n_memory)
    return;
  FOR_RANGES (range, context)
    if (is_static (range))
      {
	if (!is_in_memory (context->facts, range->start, range->size, &end))
	  report_range (context, GRUB_DOM0LESS_RULE_RANGE_OUTSIDE_RAM, range,
			end);
      }
}

void
dom0less_check_range_unaligned (context_t context)
{
  const struct grub_dom0less_range *range;
  uint64_t alignment;

  FOR_RANGES (range, context)
    {
      alignment = range->kind == GRUB_DOM0LESS_STATIC_HEAP
	? HEAP_ALIGNMENT : XEN_PAGE_SIZE;
      if (is_static (range) && (range->start | range->size) % alignment)
	grub_dom0less_report (context, GRUB_DOM0LESS_RULE_RANGE_UNALIGNED,
			      range->node, GRUB_DOM0LESS_NONE,
			      grub_dom0less_range_name (range->kind),
			      alignment, range->start);
    }
}

void
dom0less_check_static_mem_sum (context_t context)
{
  const struct grub_dom0less_domain *domain;
  const struct grub_dom0less_range *range;
  uint64_t sum, kib;
  int found;

  FOR_DOMAINS (domain, context)
    {
      sum = 0;
      found = 0;
      FOR_RANGES (range, context)
	if (range->kind == GRUB_DOM0LESS_STATIC_MEM
	    && range->node == domain->node)
	  {
	    sum = grub_dom0less_end (sum, range->size / 1024);
	    found = 1;
	  }
      if (found && dom0less_domain_memory (context, domain, &kib) && sum != kib)
	REPORT_NUMBERS (context, STATIC_MEM_SUM, domain->node, sum, kib);
    }
}

/* Check NODE as Xen's process_shm_node does.  */
static const char *
find_shared_mem_fault (context_t context, int node,
		       struct grub_dom0less_cells cells)
{
  const char *id, *role;
  const fdt32_t *cell;
  uint64_t address, size;
  int len, i, n_addresses;

  id = grub_dom0less_string (context->fdt, node, "xen,shm-id");
  if (!id || strlen (id) > MAX_SHM_ID)
    return "xen,shm-id";

  role = grub_dom0less_string (context->fdt, node, "role");
  if (fdt_getprop (context->fdt, node, "role", NULL)
      && (!role || (strcmp (role, "owner") && strcmp (role, "borrower"))))
    return "role";

  cell = fdt_getprop (context->fdt, node, "xen,shared-mem", &len);
  if (!cell)
    return "xen,shared-mem";
  if (cells.address < 1 || cells.size < 1)
    return NULL;
  len /= (int) sizeof (*cell);
  n_addresses = (len - cells.size) / cells.address;
  if (n_addresses < 1 || n_addresses > 2
      || len != n_addresses * cells.address + cells.size)
    return "xen,shared-mem";
  for (i = 0; i < n_addresses; i++)
    if (grub_dom0less_read_cells (&cell, cells.address, &address)
	|| address % XEN_PAGE_SIZE)
      return "xen,shared-mem";
  if (grub_dom0less_read_cells (&cell, cells.size, &size)
      || !size || size % XEN_PAGE_SIZE)
    return "xen,shared-mem";
  return NULL;
}

/* Return the cells of the numbers in SHARED: its parent's.  */
static struct grub_dom0less_cells
shared_cells (context_t context, const struct grub_dom0less_shared *shared)
{
  return shared->domain == GRUB_DOM0LESS_DOM0 ? context->plan->cells
    : context->plan->domains[shared->domain].cells;
}

void
dom0less_check_shared_mem_malformed (context_t context)
{
  const struct grub_dom0less_shared *shared;
  const char *fault;

  FOR_SHARED (shared, context)
    {
      fault = find_shared_mem_fault (context, shared->node,
				     shared_cells (context, shared));
      if (fault)
	REPORT_FILE (context, SHARED_MEM_MALFORMED, shared->node, fault);
    }
}

/* The contents of a node of shared memory: the host's address, unless Xen has
   to choose one, and the size.  */
struct area
{
  int has_host;
  uint64_t host, guest, size;
};

/* Read the AREA of SHARED.  Return 0 if it is not in the form that Xen
   accepts.  */
static int
read_area (context_t context, const struct grub_dom0less_shared *shared,
	   struct area *area)
{
  struct grub_dom0less_cells cells = shared_cells (context, shared);
  int len, node = shared->node;
  const fdt32_t *cell = fdt_getprop (context->fdt, node, "xen,shared-mem", &len);

  if (find_shared_mem_fault (context, node, cells)
      || cells.address < 1 || cells.size < 1)
    return 0;
  area->has_host = len > (cells.address + cells.size) * (int) sizeof (*cell);
  area->host = 0;
  return (!area->has_host
	  || grub_dom0less_read_cells (&cell, cells.address, &area->host) == 0)
    && grub_dom0less_read_cells (&cell, cells.address, &area->guest) == 0
    && grub_dom0less_read_cells (&cell, cells.size, &area->size) == 0;
}

static int
is_owner (context_t context, int node)
{
  const char *role = grub_dom0less_string (context->fdt, node, "role");

  return role && strcmp (role, "owner") == 0;
}

/* Return what Xen's process_shm_node and process_shm reject in NODE because of
   OTHER, which comes before it.  Areas that overlap have a rule of their
   own.  */
static const char *
find_shared_mem_conflict (context_t context, int node, const struct area *area,
			  int other, const struct area *other_area)
{
  const char *id = grub_dom0less_string (context->fdt, node, "xen,shm-id");

  if (strcmp (id, grub_dom0less_string (context->fdt, other, "xen,shm-id")))
    return NULL;
  if (area->has_host == other_area->has_host && area->host == other_area->host
      && area->size == other_area->size)
    return is_owner (context, node) && is_owner (context, other)
      ? "role is owner" : NULL;
  if (area->has_host && other_area->has_host
      && grub_dom0less_overlap (area->host, area->size,
				other_area->host, other_area->size))
    return NULL;
  return "xen,shared-mem has another place or size";
}

/* Compare SHARED with those before it.  */
static void
check_conflict (context_t context, const struct grub_dom0less_shared *shared)
{
  const struct grub_dom0less_shared *other;
  struct area area, other_area;
  const char *conflict;

  if (!read_area (context, shared, &area))
    return;
  for (other = context->plan->shared; other < shared; other++)
    if (read_area (context, other, &other_area)
	&& (conflict = find_shared_mem_conflict (context, shared->node, &area,
						 other->node, &other_area)))
      {
	grub_dom0less_report (context, GRUB_DOM0LESS_RULE_SHARED_MEM_CONFLICT,
			      shared->node, other->node, conflict, 0, 0);
	return;
      }
}

/* Xen stops, usually before it has a console.  */
void
dom0less_check_shared_mem_conflict (context_t context)
{
  const struct grub_dom0less_shared *shared;

  FOR_SHARED (shared, context)
    check_conflict (context, shared);
}

void
dom0less_check_shared_mem_host (context_t context)
{
  const struct grub_dom0less_shared *shared;
  struct grub_dom0less_cells cells;
  int len;

  if (!grub_dom0less_xen_before (&context->facts->xen, 4, 20))
    return;
  FOR_SHARED (shared, context)
    {
      cells = shared_cells (context, shared);
      if (fdt_getprop (context->fdt, shared->node, "xen,shared-mem", &len)
	  && len == (cells.address + cells.size) * (int) sizeof (fdt32_t))
	REPORT (context, SHARED_MEM_HOST, shared->node);
    }
}

/* Return whether the guest's AREA overlaps the memory that Xen gives
   DOMAIN.  */
static int
is_in_guest_ram (context_t context, const struct grub_dom0less_domain *domain,
		 const struct area *area)
{
  uint64_t kib, first;

  if (!dom0less_domain_memory (context, domain, &kib))
    return 0;
  first = kib < GUEST_RAM0_SIZE / KIB ? kib * KIB : GUEST_RAM0_SIZE;
  return (grub_dom0less_overlap (GUEST_RAM0, first, area->guest, area->size)
	  || (kib * KIB > first
	      && grub_dom0less_overlap (GUEST_RAM1, kib * KIB - first,
					area->guest, area->size)));
}

static void
check_guest (context_t context, const struct grub_dom0less_shared *shared)
{
  const struct grub_dom0less_domain *domain;
  const char *fault = NULL;
  struct area area;

  if (shared->domain == GRUB_DOM0LESS_DOM0
      || !read_area (context, shared, &area))
    return;
  domain = context->plan->domains + shared->domain;
  if (dom0less_has (context, domain, "direct-map"))
    {
      if (!area.has_host)
	fault = "with direct-map Xen needs the host's address as well";
      else if (area.host != area.guest)
	fault = "with direct-map that has to be the host's address";
    }
  else if (area.guest > GUEST_END || area.size > GUEST_END - area.guest)
    fault = "a domain has addresses of 40 bits";
  else if (is_in_guest_ram (context, domain, &area))
    fault = "the domain's own memory is there";
  if (fault)
    grub_dom0less_report (context, GRUB_DOM0LESS_RULE_SHARED_MEM_GUEST,
			  shared->node, GRUB_DOM0LESS_NONE, fault, area.guest,
			  0);
}

/* Xen panics (process_shm), or reports that it cannot copy the kernel.  */
void
dom0less_check_shared_mem_guest (context_t context)
{
  const struct grub_dom0less_shared *shared;

  FOR_SHARED (shared, context)
    check_guest (context, shared);
}

void
dom0less_check_too_many_pieces (context_t context)
{
  const struct grub_dom0less_facts *facts = context->facts;
  int i, n = 0;

  for (i = 0; i < facts->n_memory; i++)
    n += facts->memory[i].type != GRUB_DOM0LESS_MEMORY_FIRMWARE;
  if (n > MAX_PIECES
      && (!facts->xen.major
	  || grub_dom0less_xen_before (&facts->xen, 4, 21)))
    REPORT_NUMBERS (context, TOO_MANY_PIECES, GRUB_DOM0LESS_NONE, (uint64_t) n,
		    MAX_PIECES);
}

/* Before 4.21, Xen keeps the firmware's pieces of RAM separate, and would free
   a module that lies in two of them twice.  */
void
dom0less_check_module_in_pieces (context_t context)
{
  const struct grub_dom0less_facts *facts = context->facts;
  const struct grub_dom0less_module *module;
  const struct grub_dom0less_memory *memory;
  int i;

  if (facts->xen.major && !grub_dom0less_xen_before (&facts->xen, 4, 21))
    return;
  FOR_MODULES (module, context)
    for (i = 0; i < facts->n_memory; i++)
      {
	memory = facts->memory + i;
	if (memory->type != GRUB_DOM0LESS_MEMORY_FIRMWARE
	    && module->address >= memory->start
	    && module->address - memory->start < memory->size
	    && module->size
	       > memory->size - (module->address - memory->start))
	  REPORT_NUMBERS (context, MODULE_IN_PIECES, module->node,
			  module->address, 0);
      }
}

/* The tree itself may lie anywhere, because Xen's EFI stub copies it.  */
void
dom0less_check_xen_in_range (context_t context)
{
  const struct grub_dom0less_facts *facts = context->facts;
  const struct grub_dom0less_range *range;

  FOR_RANGES (range, context)
    if (grub_dom0less_overlap (facts->xen_start, facts->xen_size,
			       range->start, range->size))
      REPORT_NUMBERS (context, XEN_IN_RANGE, range->node, facts->xen_start, 0);
}
