/* rules_size.c - rules about sizes of memory  */
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

/* The minimum with which any Linux boots, in bytes.  */
#define LEAST_MEMORY	((uint64_t) 16 << 20)

#define KIB		1024
#define MIB_IN_KIB	1024
#define XEN_PAGE_SIZE	4096

/* The start and the maximum size of a domain's first bank, unless it is
   directly mapped: GUEST_RAM0_BASE and _SIZE of Xen's public/arch-arm.h.  */
#define BANK_START	((uint64_t) 1 << 30)
#define BANK_SIZE	((uint64_t) 3 << 30)

/* The memory of a dom0 by default in KiB, and the size of Xen's struct
   page_info for each page of RAM in bytes.  */
#define DOM0_MEMORY	(512 * MIB_IN_KIB)
#define PAGE_INFO_SIZE	56

static uint64_t
add (uint64_t a, uint64_t b)
{
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Return the machine's RAM in KiB, or 0 if it is not known.  */
static uint64_t
ram_size (context_t context)
{
  const struct grub_dom0less_facts *facts = context->facts;
  uint64_t size = 0;
  int i;

  for (i = 0; i < facts->n_memory; i++)
    if (facts->memory[i].type != GRUB_DOM0LESS_MEMORY_FIRMWARE)
      size = add (size, facts->memory[i].size / KIB);
  return size;
}

/* Return the sum of all ranges of KIND in KiB.  */
static uint64_t
range_size (context_t context, enum grub_dom0less_range_kind kind)
{
  const struct grub_dom0less_range *range;
  uint64_t size = 0;

  FOR_RANGES (range, context)
    if (range->kind == kind)
      size = add (size, range->size / KIB);
  return size;
}

/* The value was probably meant in bytes: in KiB it is more than the machine
   has, and in bytes it is a whole number of MiB that the machine has and that
   a domain can live in.  */
static int
looks_like_bytes (uint64_t memory, uint64_t ram)
{
  return (ram && memory > ram && memory / 1024 <= ram
	  && memory >= LEAST_MEMORY
	  && memory % (1024 * 1024) == 0);
}

void
dom0less_check_memory_bytes (context_t context)
{
  const struct grub_dom0less_domain *domain;
  uint64_t kib;

  FOR_DOMAINS (domain, context)
    if (dom0less_domain_memory (context, domain, &kib)
	&& looks_like_bytes (kib, ram_size (context)))
      REPORT_NUMBERS (context, MEMORY_BYTES, domain->node, kib, 0);
}

/* Return the part of Xen's heap for DOMAIN's page tables, in KiB: the value in
   the tree, or that of domain_p2m_pages in Xen's dom0less-build.c, in whole
   MiB.  */
static uint64_t
page_tables (context_t context, const struct grub_dom0less_domain *domain,
	     uint64_t kib)
{
  uint64_t cpus = grub_dom0less_first_u32 (context->fdt, domain->node, "cpus", 1);
  uint64_t said = grub_dom0less_first_u32 (context->fdt, domain->node,
				     "xen,domain-p2m-mem-mb", UINT32_MAX);
  uint64_t pages = 256 * cpus + kib / MIB_IN_KIB + 128;

  if (said != UINT32_MAX)
    return said * MIB_IN_KIB;
  return (4 * pages + MIB_IN_KIB - 1) / MIB_IN_KIB * MIB_IN_KIB;
}

/* Read a size in KiB from LENGTH bytes of TEXT, as Xen's parse_size_and_unit
   does.  */
static uint64_t
parse_size (const char *text, size_t length)
{
  static const char units[] = "BKMGT";
  const char *unit;
  uint64_t number = 0;
  size_t i;

  for (i = 0; i < length && text[i] >= '0' && text[i] <= '9'
	 && number < UINT64_MAX >> 24; i++)
    number = 10 * number + (uint64_t) (text[i] - '0');
  unit = i < length ? strchr (units, text[i] & ~0x20) : NULL;
  if (!unit || !*unit)
    return number;
  if (unit == units)
    return number / KIB;
  for (; unit > units + 1; unit--)
    number = number > UINT64_MAX / 1024 ? UINT64_MAX : number * 1024;
  return number;
}

static uint64_t
dom0_memory (context_t context)
{
  const char *value;
  size_t length;

  if (!dom0less_find_module (context, GRUB_DOM0LESS_DOM0, GRUB_DOM0LESS_KERNEL,
			     NULL))
    return 0;
  value = dom0less_find_argument (dom0less_xen_args (context), "dom0_mem",
				  &length);
  return value ? parse_size (value, length) : DOM0_MEMORY;
}

/* Return the amount of Xen's free memory that all domains need, in KiB.  */
static uint64_t
needed (context_t context)
{
  const struct grub_dom0less_domain *domain;
  uint64_t kib, sum = dom0_memory (context), ram = ram_size (context);

  FOR_DOMAINS (domain, context)
    if (dom0less_domain_memory (context, domain, &kib)
	&& !looks_like_bytes (kib, ram))
      {
	if (!dom0less_has (context, domain, "xen,static-mem"))
	  sum = add (sum, kib);
	sum = add (sum, page_tables (context, domain, kib));
      }
  return sum;
}

/* Return how much of SIZE KiB is left after Xen has described each page of the
   machine, and KEPT KiB are used otherwise.  */
static uint64_t
left (context_t context, uint64_t size, uint64_t kept)
{
  kept = add (kept, ram_size (context) / (XEN_PAGE_SIZE / KIB)
	      * PAGE_INFO_SIZE / KIB);
  return size > kept ? size - kept : 0;
}

/* Xen panics at the first domain for which nothing is left.  Xen's other needs
   are not known, so a configuration that passes may still be too large.  */
void
dom0less_check_memory_too_much (context_t context)
{
  uint64_t ram = ram_size (context), most;

  most = left (context, ram, range_size (context, GRUB_DOM0LESS_STATIC_MEM));
  if (ram && !range_size (context, GRUB_DOM0LESS_STATIC_HEAP)
      && needed (context) > most)
    REPORT_NUMBERS (context, MEMORY_TOO_MUCH, context->plan->chosen,
		    needed (context), most);
}

/* With a static heap, all of this memory comes from it.  */
void
dom0less_check_heap_too_small (context_t context)
{
  uint64_t heap = range_size (context, GRUB_DOM0LESS_STATIC_HEAP);

  if (heap && needed (context) > left (context, heap, 0))
    REPORT_NUMBERS (context, HEAP_TOO_SMALL, context->plan->chosen,
		    needed (context), left (context, heap, 0));
}

/* Store the size of DOMAIN's first bank in bytes.  Return 0 if it is not
   known.  */
static int
first_bank (context_t context, const struct grub_dom0less_domain *domain,
	    uint64_t *start, uint64_t *size)
{
  const struct grub_dom0less_range *range;
  uint64_t kib;

  if (!dom0less_has (context, domain, "direct-map"))
    {
      *start = BANK_START;
      if (!dom0less_domain_memory (context, domain, &kib))
	return 0;
      *size = kib < BANK_SIZE / KIB ? kib * KIB : BANK_SIZE;
      return 1;
    }
  FOR_RANGES (range, context)
    if (range->kind == GRUB_DOM0LESS_STATIC_MEM && range->node == domain->node)
      {
	*start = range->start;
	*size = range->size;
	return 1;
      }
  return 0;
}

/* Return the domU of KERNEL, its first bank, and the place of the kernel in
   it.  Return NULL if it is a dom0, or if any of these is not known.  */
static const struct grub_dom0less_domain *
find_place (context_t context, const struct grub_dom0less_module *kernel,
	    uint64_t *start, uint64_t *size, uint64_t *load)
{
  const struct grub_dom0less_domain *domain;

  if (kernel->kind != GRUB_DOM0LESS_KERNEL || !kernel->kernel.size
      || kernel->domain == GRUB_DOM0LESS_DOM0)
    return NULL;
  domain = context->plan->domains + kernel->domain;
  if (!first_bank (context, domain, start, size))
    return NULL;
  *load = kernel->kernel.load ? kernel->kernel.load
    : *start + kernel->kernel.offset;
  return domain;
}

/* Xen panics, or the kernel overwrites what Xen has put behind it.  */
void
dom0less_check_domain_too_small (context_t context)
{
  const struct grub_dom0less_module *module, *ramdisk;
  uint64_t start, size, load, ramdisk_size, room, taken;

  FOR_MODULES (module, context)
    {
      if (!find_place (context, module, &start, &size, &load)
	  || load < start || load - start >= size)
	continue;
      ramdisk = dom0less_find_module (context, module->domain,
				      GRUB_DOM0LESS_RAMDISK, NULL);
      ramdisk_size = ramdisk ? ramdisk->size : 0;
      taken = module->kernel.needed > module->kernel.size
	? module->kernel.needed : module->kernel.size;
      room = grub_dom0less_kernel_room (size, load - start,
					module->kernel.size, ramdisk_size);
      if (!room || room < taken)
	REPORT_NUMBERS (context, DOMAIN_TOO_SMALL,
			context->plan->domains[module->domain].node,
			add (load - start, add (taken, ramdisk_size)) / KIB
			+ 2 * MIB_IN_KIB,
			size / KIB);
    }
}

void
dom0less_check_kernel_outside (context_t context)
{
  const struct grub_dom0less_module *module;
  uint64_t start, size, load;

  FOR_MODULES (module, context)
    if (find_place (context, module, &start, &size, &load)
	&& (load < start || load - start >= size))
      REPORT_NUMBERS (context, KERNEL_OUTSIDE, module->node, load, start);
}
