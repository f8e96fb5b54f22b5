/* handover.c - from the firmware's last service to Xen  */
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

#include <grub/xen_dom0less.h>

#include <string.h>

#define BIT(n)			((uint64_t) 1 << (n))

/* Bits HIGH to LOW of VALUE, in place and as a number.  */
#define MASK(high, low)		(BIT (high) - BIT (low) + BIT (high))
#define BITS(value, high, low)	(((value) & MASK (high, low)) >> (low))


/*
 * Convert registers from the EL2&0 to the EL2 translation regime.
 */

#define HCR_TGE			BIT (27)
#define HCR_E2H			BIT (34)

/* Granules as encoded in TCR_EL2.TG0 in both layouts.  */
#define TG0_4K			0
#define TG0_64K			1
#define TG0_16K			2

/* SCTLR_EL2 in the EL2 regime: bits 29, 28, 23, 22, 18, 16, 11, 5 and 4 are
   RES1, or their value 1 selects the behavior of processors without these
   bits.  */
#define SCTLR_RES1		0x30c50830

/* The bits that have the same place in both layouts, and have to be kept
   because code that is on the stack will continue: EnIA, EnIB, EnDA and EnDB
   (return addresses are signed), BT, EE, WXN, I, nAA, SA, C, A and M.  */
#define SCTLR_KEPT							\
  (BIT (31) | BIT (30) | BIT (27) | BIT (13) | BIT (36) | BIT (25)	\
   | BIT (19) | BIT (12) | BIT (6) | BIT (3) | BIT (2) | BIT (1) | BIT (0))
#define SCTLR_WXN		BIT (19)

/* CPTR_EL2 in the EL2 regime: bits 13, 9 and 7 to 0 are RES1.  */
#define CPTR_RES1		0x22ff

/* CNTHCTL_EL2.EL1PCTEN and EL1PCEN in the EL2 regime: do not trap EL1.  */
#define CNTHCTL_EL1		3

int
grub_dom0less_is_vhe (const struct grub_dom0less_regime *regime)
{
  return (regime->hcr & HCR_E2H) != 0;
}

/* Fields that move from place FROM in the first layout to their place in the
   second.  */
#define MOVE(value, high, low, to)	(BITS (value, high, low) << (to))

static uint64_t
leave_tcr (uint64_t tcr)
{
  return ((tcr & MASK (15, 8))		/* TG0, SH0, ORGN0, IRGN0 */
	  | (tcr & MASK (5, 0))		/* T0SZ */
	  | MOVE (tcr, 34, 32, 16)	/* IPS: PS */
	  | MOVE (tcr, 37, 37, 20)	/* TBI0: TBI */
	  | MOVE (tcr, 39, 39, 21)	/* HA */
	  | MOVE (tcr, 40, 40, 22)	/* HD */
	  | BIT (23)			/* RES1 */
	  | MOVE (tcr, 41, 41, 24)	/* HPD0: HPD */
	  | MOVE (tcr, 46, 43, 25)	/* HWU059 to HWU062 */
	  | MOVE (tcr, 51, 51, 29)	/* TBID0: TBID */
	  | MOVE (tcr, 57, 57, 30)	/* TCMA0: TCMA */
	  | BIT (31)			/* RES1 */
	  | MOVE (tcr, 59, 59, 32)	/* DS */
	  | MOVE (tcr, 60, 60, 33));	/* MTX0: MTX */
}

/* In the layout of CPACR_EL1 a bit means that something is not trapped, and in
   the other layout that it is.  Without SVE or SME, ZEN and SMEN are RES0, and
   TZ and TSM are RES1.  */
static uint64_t
leave_cptr (uint64_t cptr)
{
  uint64_t left = CPTR_RES1 | (cptr & MASK (31, 30));	/* TCPAC, TAM */

  if (!(cptr & BIT (16)))		/* ZEN */
    left |= BIT (8);			/* TZ */
  if (!(cptr & BIT (20)))		/* FPEN */
    left |= BIT (10);			/* TFP */
  if (!(cptr & BIT (24)))		/* SMEN */
    left |= BIT (12);			/* TSM */
  return left | MOVE (cptr, 28, 28, 20);	/* TTA */
}

void
grub_dom0less_leave_vhe (const struct grub_dom0less_regime *vhe,
			 struct grub_dom0less_regime *left)
{
  /* All other bits of HCR_EL2 concern EL1 and EL0, where nothing runs, and Xen
     writes the register.  */
  left->hcr = vhe->hcr & ~(HCR_E2H | HCR_TGE);
  left->tcr = leave_tcr (vhe->tcr);
  /* BADDR.  In the EL2 regime there is no ASID.  CnP is not needed, because
     only this processor uses these tables.  */
  left->ttbr0 = vhe->ttbr0 & MASK (47, 1);
  left->sctlr = SCTLR_RES1 | (vhe->sctlr & SCTLR_KEPT);
  left->cptr = leave_cptr (vhe->cptr);
  /* EVNTIS, EVNTI, EVNTDIR and EVNTEN have the same place in both layouts.  */
  left->cnthctl = CNTHCTL_EL1 | (vhe->cnthctl & (BIT (17) | MASK (7, 2)));
}

const char *
grub_dom0less_vhe_fault (const struct grub_dom0less_facts *facts)
{
  if (facts->is_handover_off)
    return "xen_dom0less_handover is 0";
  if (facts->is_vhe_only)
    return "the processor cannot clear it";
  if (BITS (facts->regime.tcr, 15, 14) > TG0_16K)
    return "TCR_EL2 names no granule";
  return NULL;
}


/*
 * Translation tables.
 */

/* The parameters of a table walk.  */
struct walk
{
  unsigned int granule, stride;		/* as powers of two */
  int is_ds;				/* TCR_EL2.DS: 52 bits, 4 or 16 KiB */
};

/* Return the output address in DESCRIPTOR of a table, a block or a page.  */
static uint64_t
output_address (const struct walk *walk, uint64_t descriptor)
{
  if (walk->is_ds)
    return ((descriptor & MASK (49, walk->granule))
	    | MOVE (descriptor, 9, 8, 50));
  if (walk->granule == 16)
    /* Without FEAT_LPA bits 15 to 12 are RES0.  */
    return (descriptor & MASK (47, 16)) | MOVE (descriptor, 15, 12, 48);
  return descriptor & MASK (47, walk->granule);
}

/* Return the address of the table in REGIME's TTBR0_EL2.  */
static uint64_t
first_table (const struct grub_dom0less_regime *regime,
	     const struct walk *walk)
{
  /* With addresses of 52 bits, BADDR[51:48] are in bits 5 to 2.  */
  if (walk->is_ds
      || (walk->granule == 16 && BITS (regime->tcr, 34, 32) == 6))
    return (regime->ttbr0 & MASK (47, 6)) | MOVE (regime->ttbr0, 5, 2, 48);
  return regime->ttbr0 & MASK (47, 3);
}

/* Return whether EL2 can execute code in a page, according to its DESCRIPTOR
   and the TABLES above it.  */
static void
read_permissions (const struct grub_dom0less_regime *regime,
		  uint64_t descriptor, uint64_t tables,
		  struct grub_dom0less_leaf *leaf)
{
  int is_writable, is_el0;

  if (regime->tcr & BIT (41))		/* HPD0: tables do not count */
    tables = 0;
  /* AP[2]; APTable[1] removes write access, APTable[0] that of EL0.  */
  is_writable = !(descriptor & BIT (7)) && !(tables & BIT (62));
  is_el0 = (descriptor & BIT (6)) && !(tables & BIT (61));

  /* EL2 does not execute what EL0 can write.  */
  leaf->runs_now = !(descriptor & BIT (53)) && !(tables & BIT (59))
    && !(is_writable && is_el0);	/* PXN, PXNTable */
  /* In the EL2 regime, UXN is XN, and AP[1], APTable[0] and PXN have no
     meaning.  */
  leaf->runs_then = !(descriptor & BIT (54)) && !(tables & BIT (60));
  if (is_writable && (regime->sctlr & SCTLR_WXN))
    leaf->runs_now = leaf->runs_then = 0;
}

void
grub_dom0less_walk (const struct grub_dom0less_regime *regime,
		    uint64_t (*read) (uint64_t address), uint64_t address,
		    struct grub_dom0less_leaf *leaf)
{
  static const unsigned char granules[] =
    { [TG0_4K] = 12, [TG0_64K] = 16, [TG0_16K] = 14, [3] = 12 };
  unsigned int bits = 64 - (unsigned int) BITS (regime->tcr, 5, 0), shift;
  uint64_t table, descriptor, tables = 0, index;
  struct walk walk;

  walk.granule = granules[BITS (regime->tcr, 15, 14)];
  walk.stride = walk.granule - 3;
  walk.is_ds = walk.granule != 16 && (regime->tcr & BIT (59));
  memset (leaf, 0, sizeof (*leaf));

  /* The upper half of the addresses belongs to TTBR1_EL2, and those beyond
     T0SZ are not mapped.  */
  if (bits > 52)
    bits = 52;
  if (bits <= walk.granule || address >> bits)
    {
      leaf->start = address & ~(BIT (walk.granule) - 1);
      leaf->size = BIT (walk.granule);
      return;
    }

  shift = walk.granule
    + (bits - walk.granule - 1) / walk.stride * walk.stride;
  index = address >> shift;
  for (table = first_table (regime, &walk);;
       table = output_address (&walk, descriptor))
    {
      descriptor = read (table + 8 * index);
      leaf->start = address & ~(BIT (shift) - 1);
      leaf->size = BIT (shift);
      if (!(descriptor & 1)
	  || (shift == walk.granule && !(descriptor & 2)))
	return;
      if (shift == walk.granule || !(descriptor & 2))
	break;
      tables |= descriptor;
      shift -= walk.stride;
      index = address >> shift & (BIT (walk.stride) - 1);
    }
  leaf->address = output_address (&walk, descriptor) & ~(BIT (shift) - 1);
  read_permissions (regime, descriptor, tables, leaf);
}

int
grub_dom0less_lost_code (const struct grub_dom0less_facts *facts,
			 uint64_t start, uint64_t size, uint64_t *lost)
{
  uint64_t last = start + size - 1;
  struct grub_dom0less_leaf leaf;

  if (!size)
    return 0;
  if (last < start)
    last = UINT64_MAX;
  for (;; start = leaf.start + leaf.size)
    {
      grub_dom0less_walk (&facts->regime, facts->read, start, &leaf);
      if (leaf.runs_now && (!leaf.runs_then || leaf.address != leaf.start))
	{
	  *lost = start;
	  return 1;
	}
      if (last - leaf.start < leaf.size)
	return 0;
    }
}


/*
 * Memory maps.
 */

/* EFI_MEMORY_DESCRIPTOR.  */
struct descriptor
{
  uint32_t type;
  uint32_t unused;
  uint64_t start;
  uint64_t virtual_start;
  uint64_t pages;
  uint64_t attribute;
};

#define EFI_LOADER_CODE		1
#define EFI_LOADER_DATA		2
#define EFI_BOOT_SERVICES_CODE	3
#define EFI_BOOT_SERVICES_DATA	4
#define EFI_RUNTIME_CODE	5
#define EFI_RUNTIME_DATA	6
#define EFI_CONVENTIONAL	7
#define EFI_MEMORY_WB		BIT (3)
#define EFI_MEMORY_RUNTIME	BIT (63)
#define EFI_PAGE_SHIFT		12

/* Return whether Xen uses the memory of this type as RAM.  */
static int
is_ram (const struct descriptor *descriptor)
{
  switch (descriptor->type)
    {
    case EFI_LOADER_CODE:
    case EFI_LOADER_DATA:
    case EFI_BOOT_SERVICES_CODE:
    case EFI_BOOT_SERVICES_DATA:
    case EFI_CONVENTIONAL:
      return ((descriptor->attribute & EFI_MEMORY_WB)
	      && !(descriptor->attribute & EFI_MEMORY_RUNTIME));
    default:
      return 0;
    }
}

/* Return whether Xen gives the memory a virtual address.  */
static int
is_runtime (const struct descriptor *descriptor)
{
  return ((descriptor->attribute & EFI_MEMORY_RUNTIME)
	  || descriptor->type == EFI_RUNTIME_CODE
	  || descriptor->type == EFI_RUNTIME_DATA);
}

/* Read the descriptor at OFFSET of MAP.  Return 0 after the last one.  */
static int
read_descriptor (const struct grub_dom0less_map *map, size_t offset,
		 struct descriptor *descriptor)
{
  if (offset > map->size || map->size - offset < map->step
      || map->step < sizeof (*descriptor))
    return 0;
  memcpy (descriptor, (const char *) map->bytes + offset,
	  sizeof (*descriptor));
  return 1;
}

/* Find the first page from START on, but before END, that is not in a
   descriptor of MAP for which IS is true.  */
static uint64_t
find_gap (const struct grub_dom0less_map *map,
	  int (*is) (const struct descriptor *), uint64_t start, uint64_t end)
{
  struct descriptor descriptor;
  size_t offset = 0;

  while (start < end && read_descriptor (map, offset, &descriptor))
    {
      uint64_t first = descriptor.start >> EFI_PAGE_SHIFT;

      offset += map->step;
      if (is (&descriptor) && start >= first
	  && start - first < descriptor.pages)
	{
	  start = first + descriptor.pages;
	  offset = 0;
	}
    }
  return start;
}

/* Return whether everything for which IS is true in the map INNER is so in
   OUTER as well.  */
static int
is_within (const struct grub_dom0less_map *inner,
	   const struct grub_dom0less_map *outer,
	   int (*is) (const struct descriptor *))
{
  struct descriptor descriptor;
  size_t offset;

  for (offset = 0; read_descriptor (inner, offset, &descriptor);
       offset += inner->step)
    {
      uint64_t start = descriptor.start >> EFI_PAGE_SHIFT;
      uint64_t end = start + descriptor.pages;

      if (is (&descriptor) && (end < start
			       || find_gap (outer, is, start, end) < end))
	return 0;
    }
  return 1;
}

int
grub_dom0less_map_holds (const struct grub_dom0less_map *seen,
			 const struct grub_dom0less_map *now)
{
  return (seen->size && now->size
	  && seen->step >= sizeof (struct descriptor)
	  && now->step >= sizeof (struct descriptor)
	  && is_within (seen, now, is_ram)
	  && is_within (now, seen, is_runtime));
}
