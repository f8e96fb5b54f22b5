/* test_rules_memory.c - rules of memory with a purpose, case by case  */
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

#include "cases.h"

#define HEAP_60		"0 0x60000000 0 0x8000000"
#define HEAP_AT		"[range-malformed] /chosen: xen,static-heap is no "

TEST (ranges_are_whole)
{
  static const struct rule_case cases[] =
    {
      { HEAP (HEAP_60) GOOD, NULL, NULL },
      { "xen,static-heap;" GOOD, NULL, HEAP_AT },
      { HEAP ("0 0x60000000 0") GOOD, NULL, HEAP_AT },
      { HEAP (HEAP_60 " 0") GOOD, NULL, HEAP_AT },
      { HEAP (HEAP_60 " 0 0x68000000 0 0") GOOD, NULL, HEAP_AT },
      /* To the last byte of all, and beyond.  */
      { HEAP (HEAP_60 " 0xffffffff 0xffff0000 0 0x10000") GOOD, "unknown memory",
	NULL },
      { HEAP (HEAP_60 " 0xffffffff 0xffff0000 0 0x10001") GOOD, "unknown memory",
	HEAP_AT "\n[range-unaligned] " },
      { "#address-cells = <1>; #size-cells = <1>;"
	STATIC ("domU1", "0x60000000 0x4000000 0x68000000"), NULL,
	"[range-malformed] /chosen/domU1: xen,static-mem" },
      { "#address-cells = <3>; #size-cells = <3>;"
	STATIC ("domU1", "1 0 0x60000000 0 0 0x4000000"), NULL,
	"[range-malformed] /chosen/domU1: xen,static-mem" },
      { "#address-cells = <3>; #size-cells = <3>;"
	STATIC ("domU1", "0 0 0x60000000 1 0 0x4000000"), NULL,
	"[range-malformed] /chosen/domU1: xen,static-mem" },
      /* Cells that are no number have a rule of their own.  */
      { "#address-cells = <5>;" STATIC ("domU1", "1"), NULL,
	"[cells-impossible] " }
    };

  RUN_CASES (cases);
}

TEST (reserved_memory_overlaps_itself_before_4_18)
{
  void *fdt = make_machine_tree
    ("/ { reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;"
     "  a { reg = <0 0x60000000 0 0x1000>; };"
     "  b { reg = <0 0x60000800 0 0x1000>; }; };"
     "chosen {" GOOD "}; };");

  assert_findings (fdt, "Xen 4.17", NULL);
  assert_findings (fdt, "Xen 4.18", "[ranges-overlap] /reserved-memory/b: "
		   "reserved at 0x60000800 overlaps /reserved-memory/a");
  assert_findings (fdt, NULL, "[ranges-overlap] ");
  free (fdt);
}

TEST (the_machine_has_the_memory)
{
  static const struct rule_case cases[] =
    {
      { STATIC ("domU1", MEM_60), "firmware at 0x63f00000",
	"[range-over-firmware] /chosen/domU1: static-mem at 0x60000000 lies "
	"over the firmware's own memory at 0x63f00000" },
      { STATIC ("domU1", MEM_60), "firmware at 0x64000000", NULL },
      { STATIC ("domU1", "0 0x4000000 0 0x4000000"), NULL,
	"[range-over-firmware] /chosen/domU1: static-mem at 0x4000000 lies "
	"over the firmware's own memory at 0x4000000" },
      { STATIC ("domU1", MEM_60), "firmware at 0x5ff00000", NULL },
      /* From one piece of RAM into the next.  */
      { STATIC ("domU1", "0 0x40000000 0 0x4000000"), NULL, NULL },
      { STATIC ("domU1", "0 0x3f000000 0 0x4000000"), NULL,
	"[range-outside-ram] /chosen/domU1: static-mem at 0x3f000000 is not "
	"in RAM from 0x3f000000 on" },
      { STATIC ("domU1", "0 0xbe000000 0 0x4000000"),
	"firmware at 0x50000000",
	"[range-outside-ram] /chosen/domU1: static-mem at 0xbe000000 is not "
	"in RAM from 0xc0000000 on" },
      { STATIC ("domU1", "0 0x3f000000 0 0x4000000"), "unknown memory",
	NULL }
    };

  RUN_CASES (cases);
}

static void
fail_on_error (void *data __attribute__ ((unused)),
	       const struct grub_dom0less_finding *finding)
{
  if (finding->rule->severity == GRUB_DOM0LESS_ERROR)
    fail_msg ("[%s]", finding->rule->name);
}

/* Memory up to the last address, in pieces of which each goes on where another
   ends: if an end could be 0, there were no end to that.  */
TEST (memory_ends_with_the_last_address)
{
  static const struct grub_dom0less_memory memory[] =
    {
      { GRUB_DOM0LESS_MEMORY_FREE, 0, UINT64_C (1) << 63 },
      { GRUB_DOM0LESS_MEMORY_FREE, UINT64_C (1) << 63, UINT64_C (1) << 63 }
    };
  static struct grub_dom0less_plan plan;
  struct grub_dom0less_facts facts = { .memory = memory, .n_memory = 2 };
  void *fdt = load_fixture ("good-static-mem");
  struct grub_dom0less_context context
    = { fdt, &plan, &facts, NULL, fail_on_error, NULL, NULL };

  grub_dom0less_plan_read (&plan, fdt);
  assert_true (plan.n_ranges > 0);
  grub_dom0less_apply_rules (&context, GRUB_DOM0LESS_WITH_TREE);
  free (fdt);
}

TEST (memory_is_the_sum)
{
  static const struct rule_case cases[] =
    {
      { STATIC ("domU1", "0 0x60000000 0 0x3000000 0 0x70000000 0 0x1000000"),
	NULL, NULL },
      { STATIC ("domU1", "0 0x60000000 0 0x3fff000"), NULL,
	"[static-mem-sum] /chosen/domU1: xen,static-mem has 65532 KiB, "
	"memory says 65536" },
      { DOMAIN ("domU1", "xen,static-mem = <" MEM_60 ">; memory = <0>;"),
	NULL, "[memory-malformed] " }
    };

  RUN_CASES (cases);
}

#define SHARE(says)	DOMAIN ("domU1", SHARED ("s", says))
#define FAULT(what)	"[shared-mem-malformed] /chosen/domU1/s: " what " is"

TEST (shared_memory)
{
  static const struct rule_case cases[] =
    {
      { SHARE (ID ("fifteen-letters") AT_60), NULL, NULL },
      { SHARE (ID ("sixteen-letters.") AT_60), NULL, FAULT ("xen,shm-id") },
      { SHARE (ID ("") AT_60), NULL, FAULT ("xen,shm-id") },
      { SHARE (AT_60), NULL, FAULT ("xen,shm-id") },
      { SHARE (ID ("a") AT_60 "role = \"owner\";"), NULL, NULL },
      { SHARE (ID ("a") AT_60 "role = \"borrower\";"), NULL, NULL },
      { SHARE (ID ("a") AT_60 "role = \"guest\";"), NULL, FAULT ("role") },
      { SHARE (ID ("a") AT_60 "role = <1>;"), NULL, FAULT ("role") },
      { SHARE (ID ("a")), NULL, FAULT ("xen,shared-mem") },
      /* The dom0's lies in /chosen.  */
      { GOOD SHARED ("s", ID ("a") AT_60), NULL, NULL },
      { GOOD SHARED ("s", AT_60), NULL,
	"[shared-mem-malformed] /chosen/s: xen,shm-id is" },
      { DOMAIN ("domU1", SHARED ("s", ID ("a") LONGER))
	SHARED ("s", ID ("b") AT_60), NULL, "[ranges-overlap] " },
      { SHARE (ID ("a") "xen,shared-mem = <0 0x6000000 0 0x1000>;"), NULL,
	NULL },
      { SHARE (ID ("a") "xen,shared-mem = <0 0x6000000 0 0x1000>;"),
	"Xen 4.19", "[shared-mem-host] /chosen/domU1/s: " },
      { SHARE (ID ("a") "xen,shared-mem = <0 0x6000000 0 0x1000>;"),
	"Xen 4.20", NULL },
      { SHARE (ID ("a") "xen,shared-mem = <0 0x1000>;"), NULL,
	FAULT ("xen,shared-mem") },
      { SHARE (ID ("a") "xen,shared-mem = <0 0x1000 0>;"), NULL,
	FAULT ("xen,shared-mem") },
      { SHARE (ID ("a") "xen,shared-mem;"), NULL, FAULT ("xen,shared-mem") },
      { SHARE (ID ("a") "xen,shared-mem = <0 1 0 2 0 3 0 4>;"), NULL,
	FAULT ("xen,shared-mem") },
      /* Whole pages only.  */
      { SHARE (ID ("a") "xen,shared-mem = <0 0x6000800 0 0x1000>;"), NULL,
	FAULT ("xen,shared-mem") },
      { SHARE (ID ("a") "xen,shared-mem = <0 0x6000000 0 0x800>;"), NULL,
	FAULT ("xen,shared-mem") },
      { SHARE (ID ("a") "xen,shared-mem = <0 0x6000000 0 0>;"), NULL,
	FAULT ("xen,shared-mem") },
      /* Too much for 64 bits.  */
      { DOMAIN ("domU1", "#address-cells = <3>;"
		SHARED ("s", ID ("a") "xen,shared-mem = <1 0 0 0 0x1000>;")),
	NULL, FAULT ("xen,shared-mem") },
      { DOMAIN ("domU1", "#address-cells = <5>;" SHARED ("s", ID ("a") AT_60)),
	NULL, "[cells-impossible] " }
    };

  RUN_CASES (cases);
}

TEST (pieces_of_ram)
{
  static const struct rule_case cases[] =
    {
      { GOOD, "256 pieces of RAM", NULL },
      { GOOD, "257 pieces of RAM", "[too-many-pieces] RAM is in 257 pieces, "
	"before 4.21 Xen uses 256" },
      { GOOD, "257 pieces of RAM; Xen 4.20", "[too-many-pieces] " },
      { GOOD, "257 pieces of RAM; Xen 4.21", NULL },
      { GOOD, "images at 0x400ff000", NULL },
      { GOOD, "images at 0x400ff001", "[module-in-pieces] "
	"/chosen/domU1/module@1: 0x400ff001" },
      { GOOD, "images at 0x400ff001; Xen 4.20", "[module-in-pieces] " },
      { GOOD, "images at 0x400ff001; Xen 4.21", NULL },
      { GOOD, "images at 0x400ff001; firmware at 0x40100000",
	"[module-in-pieces] " },
      { GOOD, "images at 0x400ff001; unknown memory", NULL }
    };

  RUN_CASES (cases);
}

TEST (xen_lies_outside)
{
  static const struct rule_case cases[] =
    {
      { HEAP (HEAP_60) GOOD, "Xen at 0x68000000", NULL },
      { HEAP (HEAP_60) GOOD, "Xen at 0x5ff10000", "[xen-in-range] /chosen: "
	"firmware put Xen's image at 0x5ff10000" },
      { DOMAIN ("domU1", PLACED ("m", "ramdisk", "0 0x60000000 0 0x1000")),
	"Xen at 0x60000000", "[xen-in-range] /chosen/domU1/m: " }
    };

  RUN_CASES (cases);
}

static void
keep_outside (void *data, const struct grub_dom0less_finding *finding)
{
  if (strcmp (finding->rule->name, "range-outside-ram") == 0)
    *(struct grub_dom0less_finding *) data = *finding;
}

/* Memory may end where all addresses do.  */
TEST (memory_ends_where_it_says)
{
  static const struct grub_dom0less_memory memory[] =
    {
      { GRUB_DOM0LESS_MEMORY_FREE, 0x1000, 0x1000 },
      { GRUB_DOM0LESS_MEMORY_FREE, 0x1800, 0x400 },
      { GRUB_DOM0LESS_MEMORY_FREE, 0x2000, 0x1000 },
      { GRUB_DOM0LESS_MEMORY_FREE, 0x2000, 0 },
      { GRUB_DOM0LESS_MEMORY_FREE, UINT64_MAX - 0x1fff, 0x1000 },
      { GRUB_DOM0LESS_MEMORY_FREE, UINT64_MAX - 0xfff, 0x1000 }
    };
  static const struct
  {
    uint64_t start, size, end;	/* 0 where the memory has all of it */
  } cases[] =
    {
      { 0x1000, 0x2000, 0 }, { 0x1000, 0x2001, 0x3000 }, { 0xfff, 1, 0xfff },
      { 0x2fff, 1, 0 }, { 0x3000, 1, 0x3000 }, { 0x1800, 0x1800, 0 },
      { UINT64_MAX - 0x1fff, 0x2000, 0 }, { UINT64_MAX, 1, 0 },
      { UINT64_MAX - 0xfff, UINT64_MAX, 0 },
      { UINT64_MAX - 0x2fff, 0x1000, UINT64_MAX - 0x2fff }
    };
  void *fdt = make_tree ("/ { cpus { }; };");
  struct grub_dom0less_facts facts = { 0 };
  struct grub_dom0less_plan *plan = allocate (sizeof (*plan));
  struct grub_dom0less_finding found;
  struct grub_dom0less_context context
    = { fdt, plan, &facts, NULL, keep_outside, &found, NULL };
  size_t i;

  facts.memory = memory;
  facts.n_memory = sizeof (memory) / sizeof (memory[0]);
  grub_dom0less_plan_read (plan, fdt);
  plan->n_ranges = 1;
  for (i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
    {
      memset (&found, 0, sizeof (found));
      plan->ranges[0].start = cases[i].start;
      plan->ranges[0].size = cases[i].size;
      grub_dom0less_apply_rules (&context, GRUB_DOM0LESS_WITH_TREE);
      assert_int_equal (found.rule != NULL, cases[i].end != 0);
      assert_true (found.number[1] == cases[i].end);
    }
  free (plan);
  free (fdt);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (ranges_are_whole),
      cmocka_unit_test (reserved_memory_overlaps_itself_before_4_18),
      cmocka_unit_test (the_machine_has_the_memory),
      cmocka_unit_test (memory_ends_with_the_last_address),
      cmocka_unit_test (memory_is_the_sum),
      cmocka_unit_test (shared_memory),
      cmocka_unit_test (pieces_of_ram),
      cmocka_unit_test (xen_lies_outside),
      cmocka_unit_test (memory_ends_where_it_says)
    };

  return RUN ("rules_memory", tests);
}
