/* test_plan.c - from trees to plans  */
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

#include "oracle.h"
#include "support.h"

/* The compatible of a module of KIND.  */
#define MODULE(kind) "compatible = \"" kind "\", \"multiboot,module\";"

static void
assert_cells (struct grub_dom0less_cells cells, int address, int size)
{
  assert_int_equal (cells.address, address);
  assert_int_equal (cells.size, size);
}

/* Read PLAN from the tree of SOURCE, which the caller frees.  */
static void *
read_plan (struct grub_dom0less_plan *plan, const char *source)
{
  void *fdt = make_tree (source);

  /* It need not be initialized.  */
  memset (plan, 0xa5, sizeof (*plan));
  grub_dom0less_plan_read (plan, fdt);
  assert_null (find_plan_fault (fdt, plan));
  return fdt;
}

/* The same for what /chosen has; nothing that points into the tree is looked
   at afterwards.  */
static void
read_chosen (struct grub_dom0less_plan *plan, const char *source)
{
  char *tree = format ("/ { chosen { %s }; };", source);

  free (read_plan (plan, tree));
  free (tree);
}

TEST (trees_are_well_formed)
{
  void *fdt = make_tree ("/ { chosen { }; };");
  size_t size = fdt_totalsize (fdt);

  assert_null (grub_dom0less_tree_fault (fdt, size));
  assert_int_equal (grub_dom0less_tree_size (fdt), size);
  assert_non_null (grub_dom0less_tree_fault (fdt, size - 1));
  assert_non_null (grub_dom0less_tree_fault (fdt, 4));
  fdt_set_version (fdt, 16);
  assert_null (grub_dom0less_tree_fault (fdt, size));
  assert_int_equal (grub_dom0less_tree_size (fdt), size);
  fdt_set_last_comp_version (fdt, 2);
  fdt_set_version (fdt, 15);
  assert_string_equal (grub_dom0less_tree_fault (fdt, size),
		       "its version is older than 16");
  fdt_set_magic (fdt, 0);
  assert_non_null (grub_dom0less_tree_fault (fdt, size));
  free (fdt);
}

/* A tree of a node, a property and a reservation, as dtc has it, with room
   behind.  */
static void *
make_plain_tree (size_t *size)
{
  void *fdt = make_tree ("/memreserve/ 0x1000 0x1000; / { chosen { p = <1>; };"
			 " };");
  void *open;

  *size = fdt_totalsize (fdt) + 256;
  open = allocate (*size);
  memcpy (open, fdt, fdt_totalsize (fdt));
  fdt_set_totalsize (open, (uint32_t) *size);
  free (fdt);
  assert_null (grub_dom0less_tree_fault (open, *size));
  return open;
}

/* Wherever a block is moved to: either libfdt can make an ordinary tree of it, of
   the same nodes and properties, or it is refused.  */
TEST (blocks_do_not_overlap)
{
  static const char overlap[] = "its blocks overlap";
  size_t size, room, to;
  void *fdt = make_plain_tree (&size), *moved, *open;
  int block, n_fine = 0, n_overlap = 0;

  for (block = 0; block < 3; block++)
    for (to = 0; to < size; to += 4)
      {
	size_t from = block == 0 ? fdt_off_mem_rsvmap (fdt)
	  : block == 1 ? fdt_off_dt_struct (fdt) : fdt_off_dt_strings (fdt);
	size_t length = block == 0 ? 32
	  : block == 1 ? fdt_size_dt_struct (fdt) : fdt_size_dt_strings (fdt);
	const char *fault;
	int err;

	if (to + length > size)
	  break;
	moved = allocate (size);
	memcpy (moved, fdt, size);
	memmove ((char *) moved + to, (char *) fdt + from, length);
	/* The header stays; all else may be written over.  */
	memcpy (moved, fdt, sizeof (struct fdt_header));
	if (block == 0)
	  fdt_set_off_mem_rsvmap (moved, (uint32_t) to);
	else if (block == 1)
	  fdt_set_off_dt_struct (moved, (uint32_t) to);
	else
	  fdt_set_off_dt_strings (moved, (uint32_t) to);

	fault = grub_dom0less_tree_fault (moved, size);
	n_overlap += fault && strcmp (fault, overlap) == 0;
	if (!fault)
	  {
	    n_fine++;
	    room = size + 256;
	    open = allocate (room);
	    err = fdt_open_into (moved, open, (int) room);
	    assert_int_equal (err, 0);
	    assert_int_equal (fdt_setprop_u32 (open, 0, "p", 2), 0);
	    assert_int_equal (grub_dom0less_u32 (open, node_at (open,
								"/chosen"),
						 "p", 0), 1);
	    free (open);
	  }
	free (moved);
      }
  assert_true (n_fine > 20);
  assert_true (n_overlap > 20);
  free (fdt);
}

/* The strings are the structure, which holds their text in a value: what libfdt
   writes there changes names.  */
TEST (strings_are_not_structure)
{
  size_t size;
  void *fdt = make_plain_tree (&size);
  struct fdt_property *p;

  p = (struct fdt_property *) (uintptr_t)
    fdt_get_property (fdt, node_at (fdt, "/chosen"), "p", NULL);
  memcpy (p->data, "abc", 4);
  p->nameoff = cpu_to_fdt32 ((uint32_t) (p->data - (char *) fdt)
			     - fdt_off_dt_struct (fdt));
  fdt_set_off_dt_strings (fdt, fdt_off_dt_struct (fdt));
  fdt_set_size_dt_strings (fdt, fdt_size_dt_struct (fdt));
  assert_int_equal (fdt_check_full (fdt, size), 0);
  assert_string_equal (grub_dom0less_tree_fault (fdt, size),
		       "its blocks overlap");
  free (fdt);
}

TEST (trees_and_names_have_an_end)
{
  int levels;
  size_t length;

  for (levels = 63; levels <= 64; levels++)
    {
      char *source = format ("%s", ""), *more;
      void *fdt;
      int i;

      for (i = 0; i < levels; i++)
	{
	  more = format ("a { %s };", source);
	  free (source);
	  source = more;
	}
      more = format ("/ { %s };", source);
      fdt = make_tree (more);
      if (1 + levels <= GRUB_DOM0LESS_MAX_DEPTH)
	assert_null (grub_dom0less_tree_fault (fdt, fdt_totalsize (fdt)));
      else
	assert_string_equal (grub_dom0less_tree_fault (fdt,
						       fdt_totalsize (fdt)),
			     "it is deeper than 64 levels");
      free (fdt);
      free (more);
      free (source);
    }
  for (length = 255; length <= 256; length++)
    {
      char *name = repeat ('n', length);
      char *node = format ("/ { %s { }; };", name);
      char *property = format ("/ { %s; };", name);
      void *fdt = make_tree (node);

      assert_int_equal (grub_dom0less_tree_fault (fdt, fdt_totalsize (fdt))
			== NULL, length == GRUB_DOM0LESS_MAX_NAME);
      free (fdt);
      fdt = make_tree (property);
      assert_int_equal (grub_dom0less_tree_fault (fdt, fdt_totalsize (fdt))
			== NULL, length == GRUB_DOM0LESS_MAX_NAME);
      free (fdt);
      free (property);
      free (node);
      free (name);
    }
}

/* Xen reads it, and libfdt does not.  */
TEST (properties_come_before_subnodes)
{
  char fdt[512];
  struct fdt_property *late;
  int node;

  assert_int_equal (fdt_create_empty_tree (fdt, sizeof (fdt)), 0);
  node = fdt_add_subnode (fdt, 0, "a");
  assert_int_equal (fdt_setprop_u32 (fdt, node, "p", 1), 0);
  assert_int_equal (fdt_setprop_u32 (fdt, node, "q", 2), 0);
  assert_true (fdt_add_subnode (fdt, node, "b") > 0);
  assert_null (grub_dom0less_tree_fault (fdt, sizeof (fdt)));

  /* The end of b and the last property change places.  */
  late = (struct fdt_property *) (uintptr_t)
    fdt_get_property (fdt, fdt_path_offset (fdt, "/a"), "p", NULL);
  memmove ((char *) late, (char *) late + 16, 12);
  memcpy ((char *) late + 12, (const fdt32_t[]) { cpu_to_fdt32 (FDT_PROP),
	  cpu_to_fdt32 (4), 0, 0 }, 16);
  assert_int_equal (fdt_check_full (fdt, sizeof (fdt)), 0);
  assert_string_equal (grub_dom0less_tree_fault (fdt, sizeof (fdt)),
		       "a property stands behind a node's subnodes");
}

TEST (trees_have_a_root)
{
  char fdt[256];

  assert_int_equal (fdt_create (fdt, sizeof (fdt)), 0);
  assert_int_equal (fdt_finish_reservemap (fdt), 0);
  assert_int_equal (fdt_finish (fdt), 0);
  assert_non_null (grub_dom0less_tree_fault (fdt, sizeof (fdt)));
}

TEST (the_example_of_the_thread)
{
  static const struct
  {
    const char *node, *name;
    int domain, kind;
  } expected[] =
    {
      { "/chosen/domU1/module@1", "domu-kernel", 0, GRUB_DOM0LESS_KERNEL },
      { "/chosen/domU1/module@2", "domA-ramdisk", 0, GRUB_DOM0LESS_RAMDISK },
      { "/chosen/domU2/module@1", "domu-kernel", 1, GRUB_DOM0LESS_KERNEL },
      { "/chosen/domU2/module@2", "domB-ramdisk", 1, GRUB_DOM0LESS_RAMDISK }
    };
  struct grub_dom0less_plan plan;
  void *fdt = load_fixture ("good-thread");
  int i;

  grub_dom0less_plan_read (&plan, fdt);
  assert_null (find_plan_fault (fdt, &plan));
  assert_int_equal (plan.chosen, node_at (fdt, "/chosen"));
  assert_int_equal (plan.overflow, 0);

  assert_int_equal (plan.n_domains, 2);
  assert_int_equal (plan.domains[0].node, node_at (fdt, "/chosen/domU1"));
  assert_int_equal (plan.domains[1].node, node_at (fdt, "/chosen/domU2"));
  assert_cells (plan.domains[0].cells, 2, 1);
  assert_cells (plan.domains[1].cells, 3, 1);

  assert_int_equal (plan.n_modules, 4);
  for (i = 0; i < 4; i++)
    {
      const struct grub_dom0less_module *module = plan.modules + i;

      assert_int_equal (module->node, node_at (fdt, expected[i].node));
      assert_int_equal (module->domain, expected[i].domain);
      assert_int_equal (module->kind, expected[i].kind);
      assert_cells (module->cells, i < 2 ? 2 : 3, 1);
      assert_string_equal (module->name, expected[i].name);
      assert_int_equal (module->index, GRUB_DOM0LESS_NONE);
      assert_int_equal (module->image, GRUB_DOM0LESS_NONE);
      assert_false (module->has_reg);
    }
  assert_int_equal (plan.n_ranges, 0);
  free (fdt);
}

TEST (a_tree_without_chosen_has_no_domain)
{
  struct grub_dom0less_plan plan;

  free (read_plan (&plan, "/ { domU1 { compatible = \"xen,domain\"; }; };"));
  assert_true (plan.chosen < 0);
  assert_int_equal (plan.n_domains, 0);
  assert_int_equal (plan.n_modules, 0);
  assert_int_equal (plan.n_ranges, 0);
}

TEST (cells_are_as_said_or_as_xen_would_have_them)
{
  struct grub_dom0less_plan plan;

  read_chosen (&plan, "");
  assert_cells (plan.root_cells, 2, 1);
  assert_cells (plan.cells, 2, 2);

  read_chosen (&plan, "#address-cells = <1>; #size-cells = <3>;"
	       "a { compatible = \"xen,domain\"; };"
	       "b { compatible = \"xen,domain\"; #address-cells = <1>;"
	       "    #size-cells = <4>; };");
  assert_cells (plan.cells, 1, 3);
  assert_cells (plan.domains[0].cells, GRUB_DOM0LESS_NONE,
		GRUB_DOM0LESS_NONE);
  assert_cells (plan.domains[1].cells, 1, 4);

  free (read_plan (&plan, "/ { #address-cells = <1>; #size-cells = <1>;"
		   "chosen { }; };"));
  assert_cells (plan.root_cells, 1, 1);
  assert_cells (plan.cells, 2, 2);
}

TEST (impossible_cells_are_0)
{
  struct grub_dom0less_plan plan;

  read_chosen (&plan, "#address-cells = <5>; #size-cells = <0>;"
	       "a { compatible = \"xen,domain\"; #address-cells = <2 2>;"
	       "    #size-cells; };"
	       "b { compatible = \"xen,domain\";"
	       "    #address-cells = <0xffffffff>; #size-cells = [02]; };");
  assert_cells (plan.cells, 0, 0);
  assert_cells (plan.domains[0].cells, 0, 0);
  assert_cells (plan.domains[1].cells, 0, 0);
}

static const struct
{
  const char *compatible;
  enum grub_dom0less_kind kind;
} kinds[] =
  {
    { "\"multiboot,kernel\", \"multiboot,module\"", GRUB_DOM0LESS_KERNEL },
    { "\"multiboot,ramdisk\", \"multiboot,module\"", GRUB_DOM0LESS_RAMDISK },
    { "\"multiboot,device-tree\", \"multiboot,module\"",
      GRUB_DOM0LESS_DEVICE_TREE },
    { "\"xen,xsm-policy\", \"multiboot,module\"", GRUB_DOM0LESS_XSM_POLICY },
    { "\"xen,linux-zimage\", \"xen,multiboot-module\"",
      GRUB_DOM0LESS_KERNEL },
    { "\"xen,linux-initrd\", \"xen,multiboot-module\"",
      GRUB_DOM0LESS_RAMDISK },
    { "\"multiboot,module\"", GRUB_DOM0LESS_UNKNOWN },
    { "\"xen,multiboot-module\"", GRUB_DOM0LESS_UNKNOWN },
    /* A kind alone is judged as well.  */
    { "\"multiboot,kernel\"", GRUB_DOM0LESS_KERNEL },
    { "\"multiboot,device-tree\"", GRUB_DOM0LESS_DEVICE_TREE },
    { "\"xen,xsm-policy\"", GRUB_DOM0LESS_XSM_POLICY }
  };

TEST (kinds_are_told_by_the_compatible)
{
  struct grub_dom0less_plan plan;
  size_t i;

  for (i = 0; i < sizeof (kinds) / sizeof (kinds[0]); i++)
    {
      char *source = format ("module { compatible = %s; };",
			     kinds[i].compatible);

      read_chosen (&plan, source);
      free (source);
      assert_int_equal (plan.n_modules, 1);
      assert_int_equal (plan.modules[0].kind, kinds[i].kind);
      assert_int_equal (plan.modules[0].domain, GRUB_DOM0LESS_DOM0);
    }
}

TEST (what_names_a_file_is_a_module)
{
  struct grub_dom0less_plan plan;

  read_chosen (&plan, "a { uefi,binary = \"x\"; };"
	       "b { xen,uefi-binary = <1>; };"
	       "c { compatible = \"simple-framebuffer\"; };"
	       "d { compatible = \"xen,domain\"; e { reg = <1>; };"
	       "    f { uefi,binary = \"y\"; }; };");
  assert_int_equal (plan.n_modules, 3);
  assert_int_equal (plan.modules[0].kind, GRUB_DOM0LESS_UNKNOWN);
  assert_int_equal (plan.modules[2].domain, 0);
}

static const struct
{
  const char *source, *name;
} names[] =
  {
    { "uefi,binary = \"a\";", "a" },
    { "xen,uefi-binary = \"b\";", "b" },
    { "uefi,binary = \"a\"; xen,uefi-binary = \"b\";", "a" },
    { "xen,uefi-binary = \"b\"; uefi,binary = \"a\";", "a" },
    /* One string, and not an empty one.  */
    { "uefi,binary;", NULL },
    { "uefi,binary = \"\";", NULL },
    { "uefi,binary = \"a\", \"b\";", NULL },
    { "uefi,binary = [61];", NULL },
    { "uefi,binary = [61 62];", NULL },
    { "uefi,binary = \"\"; xen,uefi-binary = \"b\";", "b" },
    { "", NULL }
  };

TEST (names_are_strings)
{
  struct grub_dom0less_plan plan;
  size_t i;

  for (i = 0; i < sizeof (names) / sizeof (names[0]); i++)
    {
      char *source = format ("/ { chosen { module { " MODULE ("x") "%s }; }; "
			     "};", names[i].source);
      void *fdt = read_plan (&plan, source);

      assert_int_equal (plan.n_modules, 1);
      if (names[i].name)
	assert_string_equal (plan.modules[0].name, names[i].name);
      else
	assert_null (plan.modules[0].name);
      free (fdt);
      free (source);
    }
}

TEST (indexes_are_cells)
{
  struct grub_dom0less_plan plan;

  read_chosen (&plan, "a { " MODULE ("x") "mb-index = <0>; };"
	       "b { " MODULE ("x") "mb-index = <17>; };"
	       "c { " MODULE ("x") "mb-index = <0 1>; };"
	       "d { " MODULE ("x") "mb-index; };"
	       "e { " MODULE ("x") "mb-index = <0xffffffff>; };"
	       "f { " MODULE ("x") "};");
  assert_int_equal (plan.modules[0].index, 0);
  assert_int_equal (plan.modules[1].index, 17);
  assert_int_equal (plan.modules[2].index, GRUB_DOM0LESS_MALFORMED);
  assert_int_equal (plan.modules[3].index, GRUB_DOM0LESS_MALFORMED);
  assert_int_equal (plan.modules[4].index, UINT32_MAX);
  assert_int_equal (plan.modules[5].index, GRUB_DOM0LESS_NONE);
}

/* COUNT cells with VALUE in the lowest, or lowest two.  */
static char *
cells (int count, uint64_t value)
{
  char *text = format ("0x%x", (unsigned int) value);
  int i;

  for (i = 1; i < count; i++)
    {
      char *more = format ("0x%x %s", i == 1 ? (unsigned int) (value >> 32)
			   : 0, text);

      free (text);
      text = more;
    }
  return text;
}

TEST (reg_is_read_in_every_width)
{
  struct grub_dom0less_plan plan;
  int address_cells, size_cells;

  for (address_cells = 1; address_cells <= 4; address_cells++)
    for (size_cells = 1; size_cells <= 4; size_cells++)
      {
	uint64_t at = address_cells == 1 ? 0xfedcba98 : 0x123456789abcdef0;
	uint64_t size = size_cells == 1 ? 0x89abcdef : 0xfedcba9876543210;
	char *address_text = cells (address_cells, at);
	char *size_text = cells (size_cells, size);
	char *source = format ("d { compatible = \"xen,domain\";"
			       "#address-cells = <%d>; #size-cells = <%d>;"
			       "m { " MODULE ("multiboot,kernel")
			       "reg = <%s %s>; }; };",
			       address_cells, size_cells, address_text,
			       size_text);

	read_chosen (&plan, source);
	assert_true (plan.modules[0].has_reg);
	assert_true (plan.modules[0].address == at);
	assert_true (plan.modules[0].size == size);
	assert_int_equal (plan.n_ranges, 1);
	assert_int_equal (plan.ranges[0].kind, GRUB_DOM0LESS_PLACED);
	assert_int_equal (plan.ranges[0].node, plan.modules[0].node);
	assert_true (plan.ranges[0].start == at);
	assert_true (plan.ranges[0].size == size);
	free (source);
	free (size_text);
	free (address_text);
      }
}

/* Each says reg of a module in a domain of 3 and 1 cells.  */
static const char *const bad_regs[] =
  {
    "", "reg;", "reg = <0 0 1>;", "reg = <0 0 1>, [00 00 01];",
    /* More than 64 bits.  */
    "reg = <1 0 1 1>;"
  };

TEST (reg_that_cannot_be_read_is_none)
{
  struct grub_dom0less_plan plan;
  size_t i;

  for (i = 0; i < sizeof (bad_regs) / sizeof (bad_regs[0]); i++)
    {
      char *source = format ("d { compatible = \"xen,domain\";"
			     "#address-cells = <3>; #size-cells = <1>;"
			     "m { " MODULE ("multiboot,kernel") "%s }; };",
			     bad_regs[i]);

      read_chosen (&plan, source);
      free (source);
      assert_int_equal (plan.n_modules, 1);
      assert_false (plan.modules[0].has_reg);
      assert_int_equal (plan.n_ranges, 0);
    }

  /* Nor is one in cells that are not known.  */
  read_chosen (&plan, "d { compatible = \"xen,domain\"; #size-cells = <1>;"
	       "m { " MODULE ("multiboot,kernel") "reg = <1 1>; }; };");
  assert_false (plan.modules[0].has_reg);
}

TEST (reg_may_be_empty_or_longer)
{
  struct grub_dom0less_plan plan;

  read_chosen (&plan, "#address-cells = <1>; #size-cells = <1>;"
	       "a { " MODULE ("multiboot,kernel") "reg = <0x1000 0>; };"
	       "b { " MODULE ("multiboot,ramdisk")
	       "reg = <0x2000 0x10 0x3000 0x20 0x4000>; };");
  assert_true (plan.modules[0].has_reg);
  assert_int_equal (plan.modules[0].size, 0);
  assert_int_equal (plan.modules[1].address, 0x2000);
  assert_int_equal (plan.modules[1].size, 0x10);
  assert_int_equal (plan.n_ranges, 2);
  assert_int_equal (plan.ranges[0].start, 0x2000);
  assert_int_equal (plan.ranges[1].start, 0x3000);
  assert_int_equal (plan.ranges[1].size, 0x20);
}

static void
assert_range (const struct grub_dom0less_plan *plan, int i, int kind,
	      int node, uint64_t start, uint64_t size)
{
  assert_true (i < plan->n_ranges);
  assert_int_equal (plan->ranges[i].kind, kind);
  assert_int_equal (plan->ranges[i].node, node);
  assert_true (plan->ranges[i].start == start);
  assert_true (plan->ranges[i].size == size);
}

TEST (ranges_are_read_in_their_cells)
{
  struct grub_dom0less_plan plan;
  void *fdt = read_plan (&plan, "/ { #address-cells = <1>;"
    "#size-cells = <1>;"
    "reserved-memory { #address-cells = <1>; #size-cells = <2>;"
    "  a { reg = <0x1000 0 0x100 0x2000 1 0x200>; }; b { size = <1>; }; };"
    "chosen { #address-cells = <3>; #size-cells = <2>;"
    "  xen,static-heap = <0x3000 0x300>;"
    "  d { compatible = \"xen,domain\"; #address-cells = <1>;"
    "      #size-cells = <1>; xen,static-mem = <0 0 0x4000 0 0x400>;"
    "      s { compatible = \"xen,domain-shared-memory-v1\";"
    "          xen,shared-mem = <0x5000 0x9000 0x500>; };"
    "      t { compatible = \"xen,domain-shared-memory-v1\";"
    "          xen,shared-mem = <0x9000 0x500>; };"
    "      u { compatible = \"xen,domain-shared-memory-v1\"; }; }; }; };");
  int reserved = node_at (fdt, "/reserved-memory/a");

  assert_int_equal (plan.n_ranges, 5);
  assert_range (&plan, 0, GRUB_DOM0LESS_RESERVED, reserved, 0x1000, 0x100);
  assert_range (&plan, 1, GRUB_DOM0LESS_RESERVED, reserved, 0x2000,
		0x100000200);
  assert_range (&plan, 2, GRUB_DOM0LESS_STATIC_HEAP, plan.chosen, 0x3000,
		0x300);
  assert_range (&plan, 3, GRUB_DOM0LESS_STATIC_MEM,
		node_at (fdt, "/chosen/d"), 0x4000, 0x400);
  assert_range (&plan, 4, GRUB_DOM0LESS_SHARED_MEM,
		node_at (fdt, "/chosen/d/s"), 0x5000, 0x500);
  free (fdt);
}

TEST (reserved_memory_has_the_cells_of_a_root)
{
  struct grub_dom0less_plan plan;
  void *fdt = read_plan (&plan, "/ { #address-cells = <1>;"
    "#size-cells = <1>; reserved-memory { a { reg = <1 2 3>; }; }; };");

  assert_int_equal (plan.n_ranges, 1);
  assert_range (&plan, 0, GRUB_DOM0LESS_RESERVED,
		node_at (fdt, "/reserved-memory/a"), 0x100000002, 3);
  free (fdt);
}

TEST (ranges_that_cannot_be_read_are_passed_over)
{
  struct grub_dom0less_plan plan;

  /* Too much for 64 bits, without bytes, and cut short.  */
  read_chosen (&plan, "#address-cells = <3>; #size-cells = <3>;"
	       "d { compatible = \"xen,domain\"; xen,static-mem ="
	       "<1 0 0 0 0 1>, <0 0 1 1 0 0>, <0 0 2 0 0 0>,"
	       "<0 0 3 0 0 4>, <0 0 5 0 0>; };");
  assert_int_equal (plan.n_ranges, 1);
  assert_int_equal (plan.ranges[0].start, 3);
  assert_int_equal (plan.ranges[0].size, 4);

  read_chosen (&plan, "#address-cells = <0>; #size-cells = <2>;"
	       "d { compatible = \"xen,domain\"; xen,static-mem = <1 0>;"
	       "s { compatible = \"xen,domain-shared-memory-v1\";"
	       "    xen,shared-mem = <1 2 3>; }; };");
  assert_int_equal (plan.n_ranges, 0);

  read_chosen (&plan, "d { compatible = \"xen,domain\"; #address-cells = <1>;"
	       "#size-cells = <0>; s {"
	       "  compatible = \"xen,domain-shared-memory-v1\";"
	       "  xen,shared-mem = <1 2>; }; };");
  assert_int_equal (plan.n_ranges, 0);
}

/* COUNT times ONE, which takes the number.  */
static char *
many (int count, const char *one)
{
  size_t size = (strlen (one) + 8) * (size_t) count + 1;
  char *text = allocate (size);
  const char *number = strchr (one, '%');
  size_t at = 0;
  int i;

  for (i = 0; i < count; i++)
    at += (size_t) sprintf (text + at, "%.*s%d%s", (int) (number - one), one,
			    i, number + 1);
  return text;
}

/* Read COUNT times ONE in /chosen.  Returns the overflow's node.  */
static char *
read_many (struct grub_dom0less_plan *plan, int count, const char *one)
{
  char *list = many (count, one);
  char *source = format ("/ { chosen { #address-cells = <1>;"
			 "#size-cells = <1>; %s }; };", list);
  void *fdt = read_plan (plan, source);
  char *node = NULL;

  if (plan->overflow)
    node = format ("%s", fdt_get_name (fdt, plan->overflow, NULL));
  free (fdt);
  free (source);
  free (list);
  return node;
}

TEST (limits_are_kept)
{
  struct grub_dom0less_plan plan;
  char *node;

  assert_null (read_many (&plan, GRUB_DOM0LESS_MAX_DOMAINS,
			  "d% { compatible = \"xen,domain\"; };"));
  node = read_many (&plan, GRUB_DOM0LESS_MAX_DOMAINS + 2,
		    "d% { compatible = \"xen,domain\"; "
		    "m { uefi,binary = \"x\"; }; };");
  assert_string_equal (node, "d64");
  assert_int_equal (plan.n_domains, GRUB_DOM0LESS_MAX_DOMAINS);
  assert_int_equal (plan.n_modules, GRUB_DOM0LESS_MAX_DOMAINS);
  free (node);

  assert_null (read_many (&plan, GRUB_DOM0LESS_MAX_MODULES,
			  "m% { uefi,binary = \"x\"; };"));
  node = read_many (&plan, GRUB_DOM0LESS_MAX_MODULES + 2,
		    "m% { uefi,binary = \"x\"; };");
  assert_string_equal (node, "m192");
  assert_int_equal (plan.n_modules, GRUB_DOM0LESS_MAX_MODULES);
  free (node);
}

TEST (ranges_have_a_limit_too)
{
  struct grub_dom0less_plan plan;
  char *list = many (GRUB_DOM0LESS_MAX_RANGES + 2, "% 1 ");
  char *source = format ("/ { reserved-memory { #address-cells = <1>;"
			 "#size-cells = <1>; a { reg = <%s>; };"
			 "b { reg = <1 1>; }; }; };", list);
  void *fdt = read_plan (&plan, source);

  assert_int_equal (plan.n_ranges, GRUB_DOM0LESS_MAX_RANGES);
  assert_int_equal (plan.overflow, node_at (fdt, "/reserved-memory/a"));
  free (fdt);
  free (source);
  free (list);
}

TEST (cells_are_numbers)
{
  fdt32_t all[4];
  const fdt32_t *cell;
  uint64_t value;
  int i;

  for (i = 0; i < 4; i++)
    all[i] = cpu_to_fdt32 ((uint32_t) i + (i == 0 ? 0 : 0x80000000));
  cell = all;
  assert_int_equal (grub_dom0less_read_cells (&cell, 0, &value), 0);
  assert_int_equal (value, 0);
  assert_ptr_equal (cell, all);
  assert_int_equal (grub_dom0less_read_cells (&cell, 3, &value), 0);
  assert_true (value == 0x8000000180000002);
  assert_ptr_equal (cell, all + 3);
  assert_int_equal (grub_dom0less_read_cells (&cell, 1, &value), 0);
  assert_int_equal (value, 0x80000003);
  cell = all;
  assert_int_equal (grub_dom0less_read_cells (&cell, 4, &value),
		    -FDT_ERR_BADVALUE);
}

TEST (properties_are_read_or_not)
{
  void *fdt = make_tree ("/ { number = <7>; long = <7 8>; text = \"abc\";"
			 "texts = \"a\", \"b\"; empty = \"\"; none;"
			 "open = [61 62 63]; };");

  assert_int_equal (grub_dom0less_u32 (fdt, 0, "number", 9), 7);
  assert_int_equal (grub_dom0less_u32 (fdt, 0, "long", 9), 9);
  assert_int_equal (grub_dom0less_u32 (fdt, 0, "missing", 9), 9);
  assert_int_equal (grub_dom0less_first_u32 (fdt, 0, "number", 9), 7);
  assert_int_equal (grub_dom0less_first_u32 (fdt, 0, "long", 9), 7);
  assert_int_equal (grub_dom0less_first_u32 (fdt, 0, "open", 9), 9);
  assert_int_equal (grub_dom0less_first_u32 (fdt, 0, "missing", 9), 9);
  assert_string_equal (grub_dom0less_string (fdt, 0, "text"), "abc");
  assert_null (grub_dom0less_string (fdt, 0, "texts"));
  assert_null (grub_dom0less_string (fdt, 0, "empty"));
  assert_null (grub_dom0less_string (fdt, 0, "none"));
  assert_null (grub_dom0less_string (fdt, 0, "open"));
  assert_null (grub_dom0less_string (fdt, 0, "missing"));
  assert_string_equal (grub_dom0less_node_name (fdt, 0), "");
  assert_string_equal (grub_dom0less_node_name (fdt, 4), "?");
  free (fdt);
}

TEST (kinds_have_names)
{
  assert_string_equal (grub_dom0less_kinds[GRUB_DOM0LESS_KERNEL].name,
		       "kernel");
  assert_string_equal (grub_dom0less_kinds[GRUB_DOM0LESS_DEVICE_TREE].name,
		       "device-tree");
  assert_string_equal (grub_dom0less_kinds[GRUB_DOM0LESS_UNKNOWN].name,
		       "module");
  assert_string_equal (grub_dom0less_range_name (GRUB_DOM0LESS_STATIC_MEM),
		       "static-mem");
  assert_string_equal (grub_dom0less_range_name (GRUB_DOM0LESS_PLACED),
		       "module");
}

/* What loads the same file: each letter is a module's image.  */
static const struct
{
  const char *images;
  struct
  {
    int domain, kind;
    const char *path;
    int has_reg;
  } modules[4];
} sharings[] =
  {
    { "abac", { { 0, GRUB_DOM0LESS_KERNEL, "k", 0 },
		{ 0, GRUB_DOM0LESS_RAMDISK, "a", 0 },
		{ 1, GRUB_DOM0LESS_KERNEL, "k", 0 },
		{ 1, GRUB_DOM0LESS_RAMDISK, "b", 0 } } },
    /* Not of two kinds.  */
    { "abcd", { { 0, GRUB_DOM0LESS_KERNEL, "k", 0 },
		{ 0, GRUB_DOM0LESS_RAMDISK, "k", 0 },
		{ 1, GRUB_DOM0LESS_DEVICE_TREE, "k", 0 },
		{ 2, GRUB_DOM0LESS_UNKNOWN, "k", 0 } } },
    /* Not with a dom0, whichever comes first.  */
    { "abbc", { { GRUB_DOM0LESS_DOM0, GRUB_DOM0LESS_KERNEL, "k", 0 },
		{ 0, GRUB_DOM0LESS_KERNEL, "k", 0 },
		{ 1, GRUB_DOM0LESS_KERNEL, "k", 0 },
		{ GRUB_DOM0LESS_DOM0, GRUB_DOM0LESS_KERNEL, "k", 0 } } },
    { "aba-", { { 0, GRUB_DOM0LESS_KERNEL, "k", 0 },
		{ GRUB_DOM0LESS_DOM0, GRUB_DOM0LESS_KERNEL, "k", 0 },
		{ 1, GRUB_DOM0LESS_KERNEL, "k", 0 },
		{ 2, GRUB_DOM0LESS_KERNEL, NULL, 0 } } },
    /* Not with an address of its own.  */
    { "abac", { { 0, GRUB_DOM0LESS_KERNEL, "k", 0 },
		{ 1, GRUB_DOM0LESS_KERNEL, "k", 1 },
		{ 2, GRUB_DOM0LESS_KERNEL, "k", 0 },
		{ 3, GRUB_DOM0LESS_KERNEL, "k", 1 } } }
  };

TEST (modules_share_where_xen_allows_it)
{
  static struct grub_dom0less_plan plan;
  size_t s;
  int i;

  for (s = 0; s < sizeof (sharings) / sizeof (sharings[0]); s++)
    {
      const char *paths[4];
      int n_images = 0;

      memset (&plan, 0, sizeof (plan));
      plan.n_modules = 4;
      plan.n_domains = 4;
      for (i = 0; i < 4; i++)
	{
	  int image = sharings[s].images[i] - 'a';

	  plan.modules[i].domain = sharings[s].modules[i].domain;
	  plan.modules[i].kind
	    = (enum grub_dom0less_kind) sharings[s].modules[i].kind;
	  plan.modules[i].has_reg = sharings[s].modules[i].has_reg;
	  plan.modules[i].image = GRUB_DOM0LESS_NONE;
	  paths[i] = sharings[s].modules[i].path;
	  if (image >= n_images)
	    n_images = image + 1;
	}

      grub_dom0less_plan_share (&plan, paths);
      assert_int_equal (plan.n_images, n_images);
      for (i = 0; i < 4; i++)
	assert_int_equal (plan.modules[i].image,
			  sharings[s].images[i] == '-' ? GRUB_DOM0LESS_NONE
			  : sharings[s].images[i] - 'a');
      assert_null (find_share_fault (&plan, paths));
    }
}

/* As gzip kernels want it: three users of one image get one each.  */
TEST (what_is_unshared_has_one_user)
{
  static const char *const paths[] = { "k", "a", "k", "k", "a", NULL };
  static const int images[] = { 0, 1, 2, 3, 1, GRUB_DOM0LESS_NONE };
  static struct grub_dom0less_plan plan;
  int i;

  memset (&plan, 0, sizeof (plan));
  plan.n_modules = 6;
  plan.n_domains = 6;
  for (i = 0; i < 6; i++)
    {
      plan.modules[i].domain = i;
      plan.modules[i].image = GRUB_DOM0LESS_NONE;
    }
  grub_dom0less_plan_share (&plan, paths);
  assert_int_equal (plan.n_images, 2);

  grub_dom0less_plan_unshare (&plan, 0);
  assert_int_equal (plan.n_images, 4);
  for (i = 0; i < 6; i++)
    assert_int_equal (plan.modules[i].image, images[i]);
  assert_null (find_share_fault (&plan, paths));

  /* What has one user stays as it is.  */
  grub_dom0less_plan_unshare (&plan, 2);
  assert_int_equal (plan.n_images, 4);
  assert_null (find_share_fault (&plan, paths));
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (trees_are_well_formed),
      cmocka_unit_test (blocks_do_not_overlap),
      cmocka_unit_test (strings_are_not_structure),
      cmocka_unit_test (trees_and_names_have_an_end),
      cmocka_unit_test (properties_come_before_subnodes),
      cmocka_unit_test (trees_have_a_root),
      cmocka_unit_test (the_example_of_the_thread),
      cmocka_unit_test (a_tree_without_chosen_has_no_domain),
      cmocka_unit_test (cells_are_as_said_or_as_xen_would_have_them),
      cmocka_unit_test (impossible_cells_are_0),
      cmocka_unit_test (kinds_are_told_by_the_compatible),
      cmocka_unit_test (what_names_a_file_is_a_module),
      cmocka_unit_test (names_are_strings),
      cmocka_unit_test (indexes_are_cells),
      cmocka_unit_test (reg_is_read_in_every_width),
      cmocka_unit_test (reg_that_cannot_be_read_is_none),
      cmocka_unit_test (reg_may_be_empty_or_longer),
      cmocka_unit_test (ranges_are_read_in_their_cells),
      cmocka_unit_test (reserved_memory_has_the_cells_of_a_root),
      cmocka_unit_test (ranges_that_cannot_be_read_are_passed_over),
      cmocka_unit_test (limits_are_kept),
      cmocka_unit_test (ranges_have_a_limit_too),
      cmocka_unit_test (cells_are_numbers),
      cmocka_unit_test (properties_are_read_or_not),
      cmocka_unit_test (kinds_have_names),
      cmocka_unit_test (modules_share_where_xen_allows_it),
      cmocka_unit_test (what_is_unshared_has_one_user)
    };

  return RUN ("plan", tests);
}
