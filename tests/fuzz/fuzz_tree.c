/* fuzz_tree.c - plan, share, check and patch any tree  */
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

#include "fuzz.h"

#include "../unit/oracle.h"

#define MAX_MEMORY	16
#define MAX_TEXT	256

/* All that one run needs: too much for a stack.  */
static struct stage
{
  struct grub_dom0less_plan plan, again;
  struct grub_dom0less_memory memory[MAX_MEMORY];
  struct grub_dom0less_facts facts;
  struct grub_dom0less_context context;
  enum grub_dom0less_phase phase;
  struct input input;			/* what stands behind the tree */
  int n_errors[2];			/* by phase */
  size_t text_size;
  int told[GRUB_DOM0LESS_RULES];
  struct grub_dom0less_tally tally;
  const char *paths[GRUB_DOM0LESS_MAX_MODULES];
} stage;

/* A finding's words have to fit whatever room they get.  */
static void
check_text (const struct stage *stage,
	    const struct grub_dom0less_finding *finding)
{
  char *buf = malloc (stage->text_size);
  size_t length, i;

  require (buf != NULL, "out of memory");
  length = grub_dom0less_finding_text (finding, stage->context.fdt, buf,
				       stage->text_size);
  require (length < stage->text_size && strlen (buf) == length,
	   "a text that does not end where it should");
  for (i = 0; i < length; i++)
    require ((unsigned char) buf[i] >= ' ' && buf[i] != 0x7f,
	     "a control character");
  free (buf);
}

static void
report (void *data, const struct grub_dom0less_finding *finding)
{
  struct stage *stage = data;
  const struct grub_dom0less_rule *rule = finding->rule;

  require (rule >= grub_dom0less_rules
	   && rule < grub_dom0less_rules + GRUB_DOM0LESS_RULES, "no rule");
  require (rule->phase == stage->phase && rule->check, "not in this phase");
  require (finding->node == GRUB_DOM0LESS_NONE
	   || fdt_get_name (stage->context.fdt, finding->node, NULL),
	   "a finding about no node");

  require (stage->told[rule - grub_dom0less_rules]++
	   < GRUB_DOM0LESS_MAX_REPORTED + (finding->more != 0),
	   "more findings than are told");
  check_text (stage, finding);
  if (rule->severity == GRUB_DOM0LESS_ERROR)
    stage->n_errors[rule->phase]++;
}

/* Sizes and addresses from where trees have them, and from everywhere.  */
static uint64_t
take_address (struct input *input)
{
  static const uint64_t addresses[] =
    {
      0, 0x1000, 0x40000000, 0x60000000, 0xc0000000, 0xffff0000, 0xffffffff,
      0x100000000, UINT64_MAX - 0xfff, UINT64_MAX
    };
  uint8_t choice = take8 (input);

  if (choice < sizeof (addresses) / sizeof (addresses[0]))
    return addresses[choice];
  if (choice < 128)
    return (uint64_t) choice << 24;
  return take64 (input);
}

/* A memory map as a firmware may have it: holes and overlaps included, and
   pieces that end where all addresses do.  */
static void
take_memory (struct stage *stage)
{
  int i, n = take8 (&stage->input) % (MAX_MEMORY + 1);

  for (i = 0; i < n; i++)
    {
      struct grub_dom0less_memory *memory = stage->memory + i;

      memory->type = (enum grub_dom0less_memory_type)
	(take8 (&stage->input) % 3);
      memory->start = take_address (&stage->input) & ~UINT64_C (4095);
      memory->size = take_address (&stage->input) & ~UINT64_C (4095);
      if (memory->size > -memory->start && memory->start)
	memory->size = -memory->start;
    }
  grub_dom0less_sort_memory (stage->memory, n);
  stage->facts.memory = stage->memory;
  stage->facts.n_memory = n;
}

static void
take_machine (struct stage *stage, char **args)
{
  struct grub_dom0less_facts *facts = &stage->facts;
  struct input *input = &stage->input;
  uint8_t choices = take8 (input);

  memset (facts, 0, sizeof (*facts));
  facts->exception_level = choices & 1 ? 1 : 2;
  if (choices & 2)
    {
      facts->xen.major = 4;
      facts->xen.minor = 16 + take8 (input) % 8;
    }
  if (choices & 4)
    {
      facts->xen.has_config = 1;
      facts->xen.options = take8 (input);
    }
  if (choices & 8)
    {
      facts->xen_start = take_address (input);
      facts->xen_size = take_address (input);
    }
  if (choices & 16)
    take_memory (stage);
  stage->text_size = choices & 32 ? 1u + take8 (input) : MAX_TEXT;
  *args = choices & 64 ? take_string (input) : NULL;
}

/* Modules get the file that they name; what has an index, too.  */
static void
share (struct stage *stage)
{
  struct grub_dom0less_plan *plan = &stage->plan;
  int i, image;

  for (i = 0; i < plan->n_modules; i++)
    stage->paths[i] = plan->modules[i].name ? plan->modules[i].name
      : plan->modules[i].index >= 0 ? "/index" : NULL;
  grub_dom0less_plan_share (plan, stage->paths);
  require_right (find_share_fault (plan, stage->paths));

  if (plan->n_images && take8 (&stage->input) & 1)
    {
      image = take8 (&stage->input) % plan->n_images;
      grub_dom0less_plan_unshare (plan, image);
      require (plan->images[image].users == 1, "still shared");
      require_right (find_share_fault (plan, stage->paths));
    }
}

static void
place (struct stage *stage)
{
  struct grub_dom0less_plan *plan = &stage->plan;
  uint64_t address[GRUB_DOM0LESS_MAX_MODULES];
  uint64_t size[GRUB_DOM0LESS_MAX_MODULES];
  int i;

  for (i = 0; i < plan->n_images; i++)
    {
      address[i] = take_address (&stage->input);
      size[i] = take_address (&stage->input);
    }
  for (i = 0; i < plan->n_modules; i++)
    if (plan->modules[i].image != GRUB_DOM0LESS_NONE)
      {
	plan->modules[i].address = address[plan->modules[i].image];
	plan->modules[i].size = size[plan->modules[i].image];
      }
}

/* What the loader claims of each range lies in RAM, and holds what the range
   has there.  */
static void
claim (const struct stage *stage)
{
  const struct grub_dom0less_range *range;
  uint64_t start, size;
  int i, r;

  for (r = 0; r < stage->plan.n_ranges; r++)
    for (i = 0; i < stage->facts.n_memory; i++)
      {
	const struct grub_dom0less_memory *memory = stage->memory + i;

	range = stage->plan.ranges + r;
	if (!grub_dom0less_clip_to_pages (memory, range->start, range->size, &start,
					  &size))
	  {
	    require (!grub_dom0less_overlap (memory->start, memory->size,
					     range->start, range->size),
		     "a range is not claimed");
	    continue;
	  }
	require (start >= memory->start && size
		 && start - memory->start <= memory->size - size,
		 "a claim beyond the memory");
	/* The map is one of whole pages.  */
	require (start % 4096 == 0 && size % 4096 == 0, "no whole pages");
	require (start <= range->start || start == memory->start,
		 "a claim begins too late");
	require (start + size >= memory->start + memory->size
		 || (start + size > range->start
		     && start + size - range->start >= range->size),
		 "a claim ends too early");
      }
}

static void
check (struct stage *stage, enum grub_dom0less_phase phase)
{
  stage->phase = phase;
  stage->n_errors[phase] = 0;
  grub_dom0less_apply_rules (&stage->context, phase);
}

/* A copy of FDT with ROOM bytes free behind its last part, and none else.  */
static void *
copy_tree (const void *fdt, size_t room)
{
  size_t size = fdt_totalsize (fdt) + 256;
  void *copy = malloc (size), *exact;

  require (copy != NULL, "out of memory");
  require (fdt_open_into (fdt, copy, (int) size) == 0 && fdt_pack (copy) == 0,
	   "a tree without a fault that libfdt cannot open");
  size = fdt_totalsize (copy) + room;
  exact = malloc (size);
  require (exact && fdt_open_into (copy, exact, (int) size) == 0,
	   "a tree cannot be opened twice");
  free (copy);
  return exact;
}

static void
patch (struct stage *stage, const void *fdt)
{
  const struct grub_dom0less_plan *plan = &stage->plan;
  const char *args = stage->context.xen_args;
  void *after = copy_tree (fdt, grub_dom0less_plan_growth (plan, args));
  int err;

  err = grub_dom0less_write_plan (after, plan, args);
  /* What the plan has no place for is not counted: a rule refuses the tree.  */
  require (err != -FDT_ERR_NOSPACE || plan->overflow,
	   "more room than promised");
  require (fdt_check_full (after, fdt_totalsize (after)) == 0,
	   "malformed by patching");

  /* A tree without errors is the loader's only business.  */
  if (!stage->n_errors[GRUB_DOM0LESS_WITH_TREE]
      && !stage->n_errors[GRUB_DOM0LESS_WITH_ADDRESSES])
    {
      require (err == 0, "an error that no rule has told");
      require_right (find_patch_fault (fdt, after, plan, args));
      grub_dom0less_plan_read (&stage->again, after);
      require_right (find_plan_fault (after, &stage->again));
      require_right (find_reread_fault (plan, &stage->again));
    }
  free (after);
}

/* The canonical form of FDT in a block of exactly its size, *LENGTH bytes.  */
static void *
make_form (const void *fdt, size_t *length)
{
  void *form = malloc (*length = grub_dom0less_canonical (fdt, NULL, 0));

  require (form != NULL, "out of memory");
  require (grub_dom0less_canonical (fdt, form, *length) == *length,
	   "a form of another length");
  return form;
}

/* How a tree is stored has no part in its canonical form.  */
static void
compare_forms (const void *fdt)
{
  void *copy = copy_tree (fdt, 64), *form, *other;
  size_t length, other_length;

  require (fdt_setprop_empty (copy, 0, "a property, for a while") == 0
	   && fdt_delprop (copy, 0, "a property, for a while") == 0,
	   "no room for a property");
  form = make_form (fdt, &length);
  other = make_form (copy, &other_length);
  require (length == other_length && memcmp (form, other, length) == 0,
	   "another canonical form");
  free (other);
  free (form);
  free (copy);
}

static void
fuzz_tree (const void *fdt, struct input input)
{
  char *args;

  stage.input = input;
  take_machine (&stage, &args);
  stage.context.fdt = fdt;
  stage.context.plan = &stage.plan;
  stage.context.facts = &stage.facts;
  stage.context.xen_args = args;
  stage.context.report = report;
  stage.context.data = &stage;
  stage.context.tally = &stage.tally;
  memset (stage.told, 0, sizeof (stage.told));

  memset (&stage.plan, 0xa5, sizeof (stage.plan));
  grub_dom0less_plan_read (&stage.plan, fdt);
  require_right (find_plan_fault (fdt, &stage.plan));
  share (&stage);
  claim (&stage);
  check (&stage, GRUB_DOM0LESS_WITH_TREE);
  place (&stage);
  check (&stage, GRUB_DOM0LESS_WITH_ADDRESSES);
  patch (&stage, fdt);
  compare_forms (fdt);
  free (args);
}

/* The input is a tree, and behind it what the machine is like.  */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct input input = { data, data + size };
  void *whole = guard (data, size), *fdt;

  /* The loader copies no more than the tree.  Those of before version 16 have
     paths in place of names, and none is left in the world.  */
  if (!grub_dom0less_tree_fault (whole, size))
    {
      require (grub_dom0less_tree_size (whole) <= size + 8,
	       "more than there is");
      input.at += fdt_totalsize (whole);
      fdt = guard (whole, fdt_totalsize (whole));
      free (whole);
      fuzz_tree (fdt, input);
      free (fdt);
      return 0;
    }
  free (whole);
  return -1;
}
