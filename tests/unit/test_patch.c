/* test_patch.c - from plans to the trees that Xen gets  */
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
#include "oracle.h"
#include "support.h"
#include "xen_dom0less_vectors.h"

#include <dirent.h>

/* One more than any tree needs: for what has no limit to find.  */
#define PLENTY	65536

/* A tree that is patched.  */
struct patched
{
  void *before;
  void *after;
  struct grub_dom0less_plan plan;
  int status;
};

/* Give each module with a name an image of its own kind and file.  */
static void
share_by_name (struct grub_dom0less_plan *plan)
{
  const char *paths[GRUB_DOM0LESS_MAX_MODULES];
  int i;

  for (i = 0; i < plan->n_modules; i++)
    paths[i] = plan->modules[i].name;
  grub_dom0less_plan_share (plan, paths);
}

/* Patch FDT, which is taken over, with images one MiB apart from START on and
   SIZE bytes each; ROOM is what patching has, or what it promises to need if
   that is negative.  */
static void
patch (struct patched *patched, void *fdt, uint64_t start, uint64_t size,
       const char *xen_args, int room)
{
  struct grub_dom0less_plan *plan = &patched->plan;
  int i;

  patched->before = fdt;
  grub_dom0less_plan_read (plan, fdt);
  share_by_name (plan);
  for (i = 0; i < plan->n_modules; i++)
    if (plan->modules[i].image != GRUB_DOM0LESS_NONE)
      {
	plan->modules[i].address
	  = start + (uint64_t) plan->modules[i].image * 0x100000;
	plan->modules[i].size = size;
      }
  patched->after
    = copy_tree (fdt, room < 0 ? grub_dom0less_plan_growth (plan, xen_args)
		 : (size_t) room);
  patched->status = grub_dom0less_write_plan (patched->after, plan, xen_args);
}

static void
release (struct patched *patched)
{
  free (patched->before);
  free (patched->after);
}

/* What the oracle says of PATCHED, the same again when read again, and again
   when nothing is left to patch.  */
static void
assert_right (const struct patched *patched, const char *xen_args)
{
  struct grub_dom0less_plan again;
  void *twice;
  const char *fault;

  assert_int_equal (patched->status, 0);
  fault = find_patch_fault (patched->before, patched->after, &patched->plan,
			    xen_args);
  if (!fault)
    {
      grub_dom0less_plan_read (&again, patched->after);
      fault = find_reread_fault (&patched->plan, &again);
    }
  if (fault)
    fail_msg ("%s", fault);

  share_by_name (&again);
  assert_int_equal (again.n_images, 0);
  twice = copy_tree (patched->after, PLENTY);
  assert_int_equal (grub_dom0less_write_plan (twice, &again, xen_args), 0);
  fault = find_patch_fault (patched->after, twice, &again, xen_args);
  free (twice);
  if (fault)
    fail_msg ("a second time, %s", fault);
}

TEST (the_example_of_the_thread)
{
  static const fdt32_t zero = 0;
  struct patched patched;
  const void *fdt;
  const fdt32_t *reg;
  int node, len;

  patch (&patched, load_fixture ("good-thread"), 0xb0000000, 0x1234567,
	 "console=dtuart", -1);
  assert_right (&patched, "console=dtuart");
  fdt = patched.after;

  /* The kernel is the same in both, each in its domain's cells.  */
  reg = fdt_getprop (fdt, node_at (fdt, "/chosen/domU1/module@b0000000"),
		     "reg", &len);
  assert_int_equal (len, 12);
  assert_int_equal (reg[0], zero);
  assert_int_equal (fdt32_to_cpu (reg[1]), 0xb0000000);
  assert_int_equal (fdt32_to_cpu (reg[2]), 0x1234567);
  reg = fdt_getprop (fdt, node_at (fdt, "/chosen/domU2/module@b0000000"),
		     "reg", &len);
  assert_int_equal (len, 16);
  assert_int_equal (reg[0], zero);
  assert_int_equal (reg[1], zero);
  assert_int_equal (fdt32_to_cpu (reg[2]), 0xb0000000);
  assert_int_equal (fdt32_to_cpu (reg[3]), 0x1234567);

  node = node_at (fdt, "/chosen/domU2/module@b0200000");
  assert_null (fdt_getprop (fdt, node, "uefi,binary", NULL));
  assert_string_equal (fdt_getprop (fdt, node_at (fdt, "/chosen"),
				    "xen,xen-bootargs", NULL),
		       "console=dtuart");
  release (&patched);
}

/* Patch every good fixture with no more room than was promised.  */
TEST (good_trees_become_right_ones)
{
  static const char *const args[] = { NULL, "", "console=dtuart" };
  DIR *directory = opendir (FIXTURES);
  struct dirent *entry;
  struct patched patched;
  size_t i, n = 0;

  assert_non_null (directory);
  while ((entry = readdir (directory)))
    {
      if (strncmp (entry->d_name, "good-", 5) != 0)
	continue;
      for (i = 0; i < sizeof (args) / sizeof (args[0]); i++)
	{
	  char *name = format ("%.*s", (int) strlen (entry->d_name) - 4,
			       entry->d_name);

	  patch (&patched, load_fixture (name), 0x50000000, 0x1000, args[i],
		 -1);
	  free (name);
	  assert_right (&patched, args[i]);
	  release (&patched);
	}
      n++;
    }
  closedir (directory);
  assert_true (n >= 17);
}

/* As little as a module can say, and as much as it can get.  */
TEST (the_room_is_enough_for_the_widest_cells)
{
  struct patched patched;

  patch (&patched,
	 make_tree ("/ { chosen { d { compatible = \"xen,domain\";"
		    "#address-cells = <4>; #size-cells = <4>;"
		    "m { uefi,binary = \"x\"; }; n { uefi,binary = \"y\"; };"
		    "}; }; };"),
	 UINT64_MAX - 0x1fffff, UINT64_MAX, "noreboot", -1);
  assert_int_equal (patched.status, 0);
  assert_null (find_patch_fault (patched.before, patched.after,
				 &patched.plan, "noreboot"));
  node_at (patched.after, "/chosen/d/module@ffffffffffe00000");
  release (&patched);
}

TEST (an_address_of_0_has_a_digit)
{
  struct patched patched;

  patch (&patched, load_fixture ("good-dom0"), 0, 0x1000, NULL, -1);
  assert_right (&patched, NULL);
  node_at (patched.after, "/chosen/module@0");
  release (&patched);
}

TEST (what_the_tree_placed_is_left_alone)
{
  struct patched patched;
  const fdt32_t *reg;

  patch (&patched, load_fixture ("good-preloaded"), 0x50000000, 0x1000, NULL,
	 -1);
  assert_right (&patched, NULL);
  reg = fdt_getprop (patched.after, node_at (patched.after,
					     "/chosen/domU1/module@58000000"),
		     "reg", NULL);
  assert_non_null (reg);
  assert_int_equal (fdt32_to_cpu (reg[3]), 0x2000000);
  node_at (patched.after, "/chosen/domU2/module@50000000");
  release (&patched);
}

/* A path may leave a unit address out, and need not be one at all.  */
TEST (modules_that_a_path_leads_to_keep_their_names)
{
  static const struct
  {
    const char *more;
    int is_kept;
  } cases[] =
    {
      { "aliases { guest = \"/chosen/domU1/module@1\"; };", 1 },
      { "aliases { guest = \"//chosen//domU1/module/\"; };", 1 },
      { "aliases { guest = \"/chosen/domU1\"; none = \"/chosen/domU1/x\";"
	"  longer = \"/chosen/domU1/module@1/x\"; relative = \"uart\";"
	"  number = <1>; empty; };", 0 },
      { "__symbols__ { m = \"/chosen/domU1/module@1\"; };", 1 }
    };
  struct patched patched;
  size_t i;

  for (i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
    {
      char *source = format ("/ { chosen { " BARE ("domU1", KERNEL ("")) "}; %s };",
			     cases[i].more);

      patch (&patched, make_tree (source), 0x58000000, 0x1000, NULL, -1);
      assert_right (&patched, NULL);
      assert_int_equal (fdt_path_offset (patched.after,
					 "/chosen/domU1/module@1") >= 0,
			cases[i].is_kept);
      release (&patched);
      free (source);
    }
}

TEST (the_tree_keeps_its_command_line)
{
  struct patched patched;

  patch (&patched, load_fixture ("good-dom0"), 0x50000000, 0x1000, NULL, -1);
  assert_string_equal (fdt_getprop (patched.after,
				    node_at (patched.after, "/chosen"),
				    "xen,xen-bootargs", NULL),
		       "console=dtuart dom0_mem=512M");
  release (&patched);
}

/* Names that dtc does not write: one property has the name of another.  */
TEST (names_go_even_if_they_are_there_twice)
{
  void *fdt = load_fixture ("good-thread");
  int module = node_at (fdt, "/chosen/domU1/module@1");
  const struct fdt_property *name = fdt_get_property (fdt, module,
						      "uefi,binary", NULL);
  const struct fdt_property *other = fdt_get_property (fdt, module,
						       "bootargs", NULL);
  struct patched patched;

  assert_non_null (name);
  assert_non_null (other);
  ((struct fdt_property *) (uintptr_t) other)->nameoff = name->nameoff;
  patch (&patched, fdt, 0x50000000, 0x1000, NULL, -1);
  assert_right (&patched, NULL);
  release (&patched);
}

TEST (what_does_not_fit_is_an_error)
{
  size_t i;

  for (i = 0; i < N_VECTORS (fit_vectors); i++)
    {
      char *source = format ("/ { chosen { d { compatible = \"xen,domain\";"
			     "#address-cells = <%d>; #size-cells = <%d>;"
			     "m { uefi,binary = \"x\"; }; }; }; };",
			     fit_vectors[i].address_cells,
			     fit_vectors[i].size_cells);
      struct patched patched;

      patch (&patched, make_tree (source), fit_vectors[i].address,
	     fit_vectors[i].size, NULL, -1);
      assert_int_equal (patched.status, fit_vectors[i].status);
      release (&patched);
      free (source);
    }
}

TEST (values_fit_cells)
{
  assert_true (grub_dom0less_fits (UINT32_MAX, 1));
  assert_false (grub_dom0less_fits ((uint64_t) UINT32_MAX + 1, 1));
  assert_true (grub_dom0less_fits (UINT64_MAX, 2));
  assert_true (grub_dom0less_fits (UINT64_MAX, 4));
  assert_false (grub_dom0less_fits (0, 0));
  assert_false (grub_dom0less_fits (0, GRUB_DOM0LESS_NONE));
}

/* Whatever step it is that finds no room says so.  */
TEST (too_little_room_is_an_error)
{
  struct patched patched;
  int room, enough = 0;

  for (room = 0; !enough; room++)
    {
      patch (&patched, load_fixture ("good-dom0"), 0x50000000, 0x1000,
	     "a longer line than it was, which takes room", room);
      if (patched.status == 0)
	enough = 1;
      else
	assert_int_equal (patched.status, -FDT_ERR_NOSPACE);
      assert_true (room <= (int) grub_dom0less_plan_growth
		   (&patched.plan, "a longer line than it was, which takes "
		    "room"));
      release (&patched);
    }
  assert_true (room > 1);
}

TEST (a_tree_without_chosen_is_an_error)
{
  struct patched patched;

  patch (&patched, make_tree ("/ { };"), 0, 0, NULL, -1);
  assert_true (patched.status < 0);
  release (&patched);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (the_example_of_the_thread),
      cmocka_unit_test (good_trees_become_right_ones),
      cmocka_unit_test (the_room_is_enough_for_the_widest_cells),
      cmocka_unit_test (an_address_of_0_has_a_digit),
      cmocka_unit_test (what_the_tree_placed_is_left_alone),
      cmocka_unit_test (modules_that_a_path_leads_to_keep_their_names),
      cmocka_unit_test (the_tree_keeps_its_command_line),
      cmocka_unit_test (names_go_even_if_they_are_there_twice),
      cmocka_unit_test (what_does_not_fit_is_an_error),
      cmocka_unit_test (values_fit_cells),
      cmocka_unit_test (too_little_room_is_an_error),
      cmocka_unit_test (a_tree_without_chosen_is_an_error)
    };

  return RUN ("patch", tests);
}
