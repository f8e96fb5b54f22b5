/* test_handover.c - regimes, translation tables and memory maps  */
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

#include "support.h"

#define BIT(n)		(UINT64_C (1) << (n))
#define E2H		BIT (34)
#define TGE		BIT (27)


/*
 * Registers.
 */

static struct grub_dom0less_regime
leave (struct grub_dom0less_regime vhe)
{
  struct grub_dom0less_regime left;

  memset (&left, 0xa5, sizeof (left));
  grub_dom0less_leave_vhe (&vhe, &left);
  return left;
}

/* As EDK2 has them on a processor with VHE, and what it would have without.  */
TEST (a_firmware_with_vhe_becomes_one_without)
{
  struct grub_dom0less_regime left = leave ((struct grub_dom0less_regime)
    {
      .hcr = UINT64_C (0x408000038),
      .tcr = UINT64_C (0x400803514),	/* 44 bits, EPD1, IPS 44 bits */
      .ttbr0 = UINT64_C (0x123000047fff001),
      .sctlr = UINT64_C (0x30d0183d),
      .cptr = UINT64_C (0x300000),
      .cnthctl = UINT64_C (0xc03)
    });

  assert_int_equal (left.hcr, 0x38);
  assert_int_equal (left.tcr, 0x80843514);
  assert_int_equal (left.ttbr0, 0x47fff000);
  assert_int_equal (left.sctlr, 0x30c5183d);
  assert_int_equal (left.cptr, 0x33ff);
  assert_int_equal (left.cnthctl, 3);
}

TEST (only_e2h_says_which_regime_it_is)
{
  struct grub_dom0less_regime regime = { 0, 0, 0, 0, 0, 0 };

  assert_false (grub_dom0less_is_vhe (&regime));
  regime.hcr = ~E2H;
  assert_false (grub_dom0less_is_vhe (&regime));
  regime.hcr = E2H;
  assert_true (grub_dom0less_is_vhe (&regime));
}

/* Bit for bit, by the register descriptions of the Arm ARM: where each bit of
   the one layout is in the other; -1 is nowhere.  */
static int
tcr_bit (int bit)
{
  static const struct { int from, to; } moved[] =
    {
      {32, 16}, {33, 17}, {34, 18}, {37, 20}, {39, 21}, {40, 22}, {41, 24},
      {43, 25}, {44, 26}, {45, 27}, {46, 28}, {51, 29}, {57, 30}, {59, 32},
      {60, 33}
    };
  size_t i;

  if (bit < 16)
    return bit == 6 || bit == 7 ? -1 : bit;
  for (i = 0; i < sizeof (moved) / sizeof (moved[0]); i++)
    if (moved[i].from == bit)
      return moved[i].to;
  return -1;
}

TEST (each_bit_of_tcr_has_its_place)
{
  const uint64_t res1 = BIT (31) | BIT (23);
  int bit;

  for (bit = 0; bit < 64; bit++)
    {
      struct grub_dom0less_regime vhe = { .tcr = BIT (bit) };
      int to = tcr_bit (bit);

      assert_int_equal (leave (vhe).tcr, res1 | (to < 0 ? 0 : BIT (to)));
    }
}

TEST (what_is_not_trapped_stays_so)
{
  struct grub_dom0less_regime vhe = { .cptr = 0 };

  /* All of SVE, SME and floating point trapped: TSM, TFP, TZ.  */
  assert_int_equal (leave (vhe).cptr, 0x37ff);
  vhe.cptr = BIT (16);			/* ZEN */
  assert_int_equal (leave (vhe).cptr, 0x36ff);
  vhe.cptr = BIT (20);			/* FPEN */
  assert_int_equal (leave (vhe).cptr, 0x33ff);
  vhe.cptr = BIT (24);			/* SMEN */
  assert_int_equal (leave (vhe).cptr, 0x27ff);
  vhe.cptr = BIT (28);			/* TTA */
  assert_int_equal (leave (vhe).cptr, 0x1037ff);
  vhe.cptr = BIT (31) | BIT (30);	/* TCPAC, TAM */
  assert_int_equal (leave (vhe).cptr, UINT64_C (0xc00037ff));
  /* The upper bits of each field are about EL0.  */
  vhe.cptr = BIT (17) | BIT (21) | BIT (25);
  assert_int_equal (leave (vhe).cptr, 0x37ff);
}

TEST (other_registers_lose_what_the_regime_has_not)
{
  struct grub_dom0less_regime vhe =
    { .hcr = ~UINT64_C (0), .ttbr0 = ~UINT64_C (0), .sctlr = ~UINT64_C (0),
      .cnthctl = ~UINT64_C (0) };
  struct grub_dom0less_regime left = leave (vhe);

  assert_int_equal (left.hcr, ~(E2H | TGE));
  /* Neither ASID nor CnP.  */
  assert_int_equal (left.ttbr0, BIT (48) - 2);
  /* Signed return addresses, BT, EE, WXN, I, nAA, SA, C, A, M; RES1.  */
  assert_int_equal (left.sctlr,
		    BIT (31) | BIT (30) | BIT (27) | BIT (13) | BIT (36)
		    | BIT (25) | BIT (19) | BIT (12) | BIT (6) | 15
		    | 0x30c50830);
  assert_int_equal (left.cnthctl, 0x200ff);
}


/*
 * Tables.
 */

static struct
{
  uint64_t address, value;
} words[64];
static int n_words, n_reads;

static void
store (uint64_t table, uint64_t index, uint64_t value)
{
  assert_true (n_words < 64);
  words[n_words].address = table + 8 * index;
  words[n_words++].value = value;
}

/* What has not been stored is no descriptor.  */
static uint64_t
read_word (uint64_t address)
{
  int i;

  n_reads++;
  for (i = 0; i < n_words; i++)
    if (words[i].address == address)
      return words[i].value;
  return 0;
}

#define TABLE		3
#define PAGE		(3 | BIT (10))		/* AF */
#define BLOCK		(1 | BIT (10))
#define XN		BIT (54)
#define PXN		BIT (53)
#define EL0		BIT (6)
#define READ_ONLY	BIT (7)
#define TABLE_NO_WRITE	BIT (62)
#define TABLE_NO_EL0	BIT (61)
#define TABLE_XN	BIT (60)
#define TABLE_PXN	BIT (59)
#define HPD0		BIT (41)
#define WXN		BIT (19)

static void
check_leaf (const struct grub_dom0less_regime *regime, uint64_t address,
	    uint64_t start, uint64_t size, uint64_t to, const char *runs)
{
  struct grub_dom0less_leaf leaf;

  grub_dom0less_walk (regime, read_word, address, &leaf);
  assert_int_equal (leaf.start, start);
  assert_int_equal (leaf.size, size);
  assert_int_equal (leaf.address, to);
  assert_int_equal (leaf.runs_now, runs[0] == 'x');
  assert_int_equal (leaf.runs_then, runs[1] == 'x');
}

TEST (a_walk_through_tables_of_4_kib)
{
  struct grub_dom0less_regime regime = { .hcr = E2H, .tcr = 16 };

  n_words = 0;
  /* An ASID and CnP, which are no part of the address.  */
  regime.ttbr0 = UINT64_C (0x0042000000100001);
  store (0x100000, 0, 0x101000 | TABLE);
  store (0x101000, 1, 0x102000 | TABLE);
  store (0x101000, 3, UINT64_C (0xc0000000) | BLOCK);
  store (0x102000, 5, 0x103000 | TABLE);
  store (0x102000, 6, UINT64_C (0x80c00000) | BLOCK | XN);
  store (0x103000, 7, UINT64_C (0x40a07000) | PAGE);
  store (0x103000, 8, UINT64_C (0x40a08000) | PAGE | XN);
  store (0x103000, 9, UINT64_C (0x40a09000) | PAGE | PXN);
  store (0x103000, 10, UINT64_C (0x40a0a000) | PAGE | XN | PXN);
  store (0x103000, 11, UINT64_C (0x40a0b000) | BLOCK);	/* reserved */

  check_leaf (&regime, 0x40a07abc, 0x40a07000, 0x1000, 0x40a07000, "xx");
  check_leaf (&regime, 0x40a08000, 0x40a08000, 0x1000, 0x40a08000, "x-");
  check_leaf (&regime, 0x40a09fff, 0x40a09000, 0x1000, 0x40a09000, "-x");
  check_leaf (&regime, 0x40a0a000, 0x40a0a000, 0x1000, 0x40a0a000, "--");
  check_leaf (&regime, 0x40a0b000, 0x40a0b000, 0x1000, 0, "--");
  check_leaf (&regime, 0x40c12345, 0x40c00000, 0x200000, 0x80c00000, "x-");
  check_leaf (&regime, 0xffffffff, 0xc0000000, 0x40000000, 0xc0000000, "xx");
  /* Not mapped, on each level.  */
  check_leaf (&regime, 0x40a0c001, 0x40a0c000, 0x1000, 0, "--");
  check_leaf (&regime, 0x40e00000, 0x40e00000, 0x200000, 0, "--");
  check_leaf (&regime, 0x80000000, 0x80000000, 0x40000000, 0, "--");
  check_leaf (&regime, BIT (39), BIT (39), BIT (39), 0, "--");
  /* Beyond what T0SZ says no table is looked at.  */
  n_reads = 0;
  check_leaf (&regime, BIT (48), BIT (48), 0x1000, 0, "--");
  check_leaf (&regime, ~UINT64_C (0), ~UINT64_C (0xfff), 0x1000, 0, "--");
  assert_int_equal (n_reads, 0);
}

TEST (the_first_level_is_where_t0sz_has_it)
{
  static const struct { unsigned int t0sz; uint64_t size; } first[] =
    {
      {16, BIT (39)}, {24, BIT (39)}, {25, BIT (30)}, {33, BIT (30)},
      {34, BIT (21)}, {42, BIT (21)}, {43, BIT (12)}
    };
  size_t i;

  n_words = 0;
  for (i = 0; i < sizeof (first) / sizeof (first[0]); i++)
    {
      struct grub_dom0less_regime regime =
	{ .hcr = E2H, .tcr = first[i].t0sz, .ttbr0 = 0x100000 };
      check_leaf (&regime, 0, 0, first[i].size, 0, "--");
    }
}

TEST (other_granules)
{
  struct grub_dom0less_regime regime = { .hcr = E2H, .ttbr0 = 0x100000 };

  /* 16 KiB, 47 bits: three levels of 11 bits.  */
  n_words = 0;
  regime.tcr = 17 | UINT64_C (2) << 14;
  store (0x100000, 0, 0x104000 | TABLE);
  store (0x104000, 32, 0x108000 | TABLE);
  store (0x104000, 33, UINT64_C (0x42000000) | BLOCK);
  store (0x108000, 3, UINT64_C (0x4000c000) | PAGE);
  check_leaf (&regime, 0x4000e000, 0x4000c000, 0x4000, 0x4000c000, "xx");
  check_leaf (&regime, 0x43000000, 0x42000000, 0x2000000, 0x42000000, "xx");

  /* 64 KiB, 48 bits; the upper four of 52 address bits are at 15 to 12.  */
  n_words = 0;
  regime.tcr = 16 | UINT64_C (1) << 14;
  store (0x100000, 0, 0x110000 | TABLE);
  store (0x110000, 2, 0x40000000 | BLOCK);
  store (0x110000, 3, 0x120000 | TABLE);
  store (0x120000, 1, 0x5000 | UINT64_C (0x60010000) | PAGE);
  check_leaf (&regime, 0x40000000, 0x40000000, 0x20000000, 0x40000000, "xx");
  check_leaf (&regime, 0x60010000, 0x60010000, 0x10000,
	      UINT64_C (0x5000060010000), "xx");

  /* With IPS of 52 bits TTBR0_EL2 has them at 5 to 2.  */
  n_words = 0;
  regime.tcr |= UINT64_C (6) << 32;
  regime.ttbr0 = 0x100000 | 0xa << 2;
  store (UINT64_C (0xa000000100000), 0, BLOCK);
  check_leaf (&regime, 5, 0, BIT (42), 0, "xx");
}

/* TCR_EL2.DS: a fifth level, and the upper two address bits where SH was.  */
TEST (large_physical_addresses)
{
  struct grub_dom0less_regime regime =
    { .hcr = E2H, .tcr = 12 | BIT (59), .ttbr0 = 0x100000 | 0x2 << 2 };

  n_words = 0;
  store (UINT64_C (0x2000000100000), 8,
	 UINT64_C (0x3000000101000) | 0x100 | TABLE);
  store (UINT64_C (0x7000000101000), 0, UINT64_C (0x102000) | TABLE);
  store (0x102000, 1, UINT64_C (0x40000000) | 0x200 | BLOCK);
  check_leaf (&regime, BIT (51) | 0x40000001, BIT (51) | 0x40000000, BIT (30),
	      BIT (51) | 0x40000000, "xx");
}

TEST (tables_and_the_processor_restrict)
{
  static const struct
  {
    uint64_t tcr, sctlr, table, page;
    const char *runs;
  } cases[] =
    {
      {0, 0, 0, 0, "xx"},
      {0, 0, TABLE_XN, 0, "x-"},
      {0, 0, TABLE_PXN, 0, "-x"},
      {HPD0, 0, TABLE_XN | TABLE_PXN, 0, "xx"},
      {HPD0, 0, TABLE_XN, XN, "x-"},
      /* Writable by EL0.  */
      {0, 0, 0, EL0, "-x"},
      {0, 0, 0, EL0 | READ_ONLY, "xx"},
      {0, 0, TABLE_NO_EL0, EL0, "xx"},
      {0, 0, TABLE_NO_WRITE, EL0, "xx"},
      {HPD0, 0, TABLE_NO_EL0, EL0, "-x"},
      /* Writable at all.  */
      {0, WXN, 0, 0, "--"},
      {0, WXN, 0, READ_ONLY, "xx"},
      {0, WXN, TABLE_NO_WRITE, 0, "xx"},
      {HPD0, WXN, TABLE_NO_WRITE, 0, "--"}
    };
  size_t i;

  for (i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
    {
      struct grub_dom0less_regime regime =
	{ .hcr = E2H, .tcr = 34 | cases[i].tcr, .ttbr0 = 0x100000,
	  .sctlr = cases[i].sctlr };

      n_words = 0;
      store (0x100000, 0, 0x101000 | TABLE | cases[i].table);
      store (0x101000, 1, 0x1000 | PAGE | cases[i].page);
      check_leaf (&regime, 0x1000, 0x1000, 0x1000, 0x1000, cases[i].runs);
    }
}

static uint64_t
find_lost (uint64_t start, uint64_t size)
{
  struct grub_dom0less_facts facts;
  uint64_t lost = 1;

  memset (&facts, 0, sizeof (facts));
  facts.regime.hcr = E2H;
  facts.regime.tcr = 34;
  facts.regime.ttbr0 = 0x100000;
  facts.read = read_word;
  return grub_dom0less_lost_code (&facts, start, size, &lost) ? lost : 0;
}

TEST (code_is_lost_from_its_first_byte_to_its_last)
{
  n_words = 0;
  store (0x100000, 0, 0x101000 | TABLE);
  store (0x100000, 1, 0x200000 | BLOCK);
  store (0x100000, 2, 0x800000 | BLOCK);	/* elsewhere */
  store (0x100000, 3, 0x600000 | BLOCK | XN);
  store (0x100000, 4, UINT64_C (0xa00000) | BLOCK | XN | PXN);
  store (0x101000, 1, 0x1000 | PAGE);
  store (0x101000, 2, 0x2000 | PAGE | XN);
  store (0x101000, 3, 0x3000 | PAGE | XN | PXN);

  assert_int_equal (find_lost (0x1000, 0x1000), 0);
  assert_int_equal (find_lost (0x1fff, 2), 0x2000);
  assert_int_equal (find_lost (0x2fff, 1), 0x2fff);
  assert_int_equal (find_lost (0x2fff, 0), 0);
  /* Data, and what is not mapped.  */
  assert_int_equal (find_lost (0x3000, 0x1fd000), 0);
  assert_int_equal (find_lost (0x200000, 0x200000), 0);
  assert_int_equal (find_lost (0x3ff000, 0x1001), 0x400000);
  assert_int_equal (find_lost (0x600000, 4), 0x600000);
  assert_int_equal (find_lost (0x800000, 0x200000), 0);
  /* To the end of all addresses.  */
  assert_int_equal (find_lost (~UINT64_C (0) - 0x3000, UINT64_C (1) << 40), 0);
}


/*
 * Memory maps.
 */

struct descriptor
{
  uint32_t type, unused;
  uint64_t start, virtual_start, pages, attribute;
  uint64_t more;			/* as newer firmware may have */
};

#define WB		8
#define RUNTIME		BIT (63)
#define KNOWN		{ {4, 0, 0x1000, 0, 4, WB, 1},			\
			  {7, 0, 0x5000, 0, 8, WB, 2},			\
			  {6, 0, 0xd000, 0, 3, WB | RUNTIME, 3},	\
			  {0, 0, 0x20000, 0, 1, WB, 4},			\
			  {9, 0, 0x21000, 0, 1, WB, 4},			\
			  {11, 0, 0x30000, 0, 1, RUNTIME, 5} }

static int
holds (struct descriptor *now, size_t n)
{
  struct descriptor known[] = KNOWN;
  struct grub_dom0less_map seen =
    { known, sizeof (known), sizeof (known[0]) };
  struct grub_dom0less_map map = { now, n * sizeof (*now), sizeof (*now) };

  return grub_dom0less_map_holds (&seen, &map);
}

TEST (a_map_that_holds)
{
  struct descriptor same[] = KNOWN;
  struct descriptor cut[] =
    {
      /* In another order, cut and joined otherwise, of other types.  */
      {11, 0, 0x30000, 0, 1, RUNTIME, 0},
      {7, 0, 0xb000, 0, 2, WB, 0}, {6, 0, 0xf000, 0, 1, WB | RUNTIME, 0},
      {2, 0, 0x3000, 0, 8, WB, 0}, {6, 0, 0xd000, 0, 2, WB | RUNTIME, 0},
      {1, 0, 0x1000, 0, 2, WB, 0}, {0, 0, 0x20000, 0, 2, WB, 0},
    };
  struct descriptor freed[] = KNOWN;

  assert_true (holds (same, 6));
  assert_true (holds (cut, 7));
  freed[2].type = freed[3].type = freed[4].type = 7;
  freed[2].attribute = WB;
  assert_true (holds (freed, 6));
}

/* Each of these alone would be memory that Xen takes and must not, or does not
   know of.  */
TEST (a_map_that_does_not_hold)
{
  struct descriptor known[] = KNOWN, now[6];
  static const uint32_t types[] = { 0, 5, 6, 8, 9, 10, 11, 12, 13, 14 };
  size_t i;

  for (i = 0; i < sizeof (types) / sizeof (types[0]); i++)
    {
      memcpy (now, known, sizeof (now));
      now[1].type = types[i];
      assert_false (holds (now, 6));
    }
  memcpy (now, known, sizeof (now));
  now[0].attribute = WB | RUNTIME;
  assert_false (holds (now, 6));
  now[0].attribute = 0;
  assert_false (holds (now, 6));
  /* The last page of one, the first of another.  */
  memcpy (now, known, sizeof (now));
  now[1].pages = 7;
  assert_false (holds (now, 6));
  now[1].start += 0x1000;
  assert_false (holds (now, 6));
  /* A new runtime page, by its attribute or by its type.  */
  memcpy (now, known, sizeof (now));
  now[3].attribute |= RUNTIME;
  assert_false (holds (now, 6));
  now[3].attribute = WB;
  now[3].type = 5;
  assert_false (holds (now, 6));
  memcpy (now, known, sizeof (now));
  now[2].pages++;
  assert_false (holds (now, 6));
  assert_false (holds (known, 1));
  assert_false (holds (known, 0));
}

TEST (maps_that_are_none)
{
  struct descriptor known[] = KNOWN;
  struct grub_dom0less_map seen =
    { known, sizeof (known), sizeof (known[0]) }, now = seen;

  assert_true (grub_dom0less_map_holds (&seen, &now));
  now.step = 39;
  assert_false (grub_dom0less_map_holds (&seen, &now));
  assert_false (grub_dom0less_map_holds (&now, &seen));
  now.step = 0;
  assert_false (grub_dom0less_map_holds (&seen, &now));
  now = seen;
  seen.size = 0;
  assert_false (grub_dom0less_map_holds (&seen, &now));
  /* A descriptor that is cut short is none, and one that wraps is nobody's.  */
  seen = now;
  now.size--;
  assert_true (grub_dom0less_map_holds (&seen, &now));
  assert_false (grub_dom0less_map_holds (&now, &seen));
  known[1].pages = ~UINT64_C (0) >> 1;
  known[1].start = BIT (63);
  now = seen;
  assert_true (grub_dom0less_map_holds (&seen, &now));
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (a_firmware_with_vhe_becomes_one_without),
      cmocka_unit_test (only_e2h_says_which_regime_it_is),
      cmocka_unit_test (each_bit_of_tcr_has_its_place),
      cmocka_unit_test (what_is_not_trapped_stays_so),
      cmocka_unit_test (other_registers_lose_what_the_regime_has_not),
      cmocka_unit_test (a_walk_through_tables_of_4_kib),
      cmocka_unit_test (the_first_level_is_where_t0sz_has_it),
      cmocka_unit_test (other_granules),
      cmocka_unit_test (large_physical_addresses),
      cmocka_unit_test (tables_and_the_processor_restrict),
      cmocka_unit_test (code_is_lost_from_its_first_byte_to_its_last),
      cmocka_unit_test (a_map_that_holds),
      cmocka_unit_test (a_map_that_does_not_hold),
      cmocka_unit_test (maps_that_are_none)
    };

  return RUN ("handover", tests);
}
