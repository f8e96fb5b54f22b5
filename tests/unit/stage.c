/* stage.c - a machine for the rules, and what they find on it  */
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

#include "stage.h"

#include <inttypes.h>

#define FLASH_START	UINT64_C (0x4000000)
#define FLASH_SIZE	UINT64_C (0x4000000)
#define RAM_START	UINT64_C (0x40000000)
#define RAM_SIZE	UINT64_C (0x80000000)
#define MIB		UINT64_C (0x100000)
#define MAX_MEMORY	512
#define MAX_TEXT	65536

#define CONFIG_NAMES	\
  { "STATIC_MEMORY", "STATIC_SHM", "LLC_COLORING", "ARM64_SVE", \
    "SBSA_VUART_CONSOLE", "DOM0LESS_BOOT", "BOOT_TIME_CPUPOOLS", \
    "HAS_NS16550", "HAS_CADENCE_UART", "HAS_LINFLEX", "HAS_IMX_LPUART", \
    "HAS_IMX_UART", "HAS_MVEBU", "HAS_MESON", "HAS_PL011", "HAS_OMAP", \
    "HAS_SCIF", "GICV2", "GICV3", "SCMI_SMC" }

struct stage
{
  struct grub_dom0less_plan plan;
  struct grub_dom0less_memory memory[MAX_MEMORY];
  struct grub_dom0less_facts facts;
  struct grub_dom0less_context context;
  char args[2048];
  uint64_t images_at;
  uint64_t image_size;
  uint64_t load_address;
  int n_errors;
  char found[MAX_TEXT];
};

static void
add_memory (struct stage *stage, enum grub_dom0less_memory_type type,
	    uint64_t start, uint64_t end)
{
  struct grub_dom0less_memory *memory
    = stage->memory + stage->facts.n_memory;

  if (start == end)
    return;
  assert_true (stage->facts.n_memory < MAX_MEMORY);
  memory->type = type;
  memory->start = start;
  memory->size = end - start;
  stage->facts.n_memory++;
}

static void
set_memory (struct stage *stage, uint64_t firmware)
{
  stage->facts.n_memory = 0;
  add_memory (stage, GRUB_DOM0LESS_MEMORY_FIRMWARE, FLASH_START,
	      FLASH_START + FLASH_SIZE);
  add_memory (stage, GRUB_DOM0LESS_MEMORY_LOADER, RAM_START, RAM_START + MIB);
  add_memory (stage, GRUB_DOM0LESS_MEMORY_FREE, RAM_START + MIB, firmware);
  add_memory (stage, GRUB_DOM0LESS_MEMORY_FIRMWARE, firmware, firmware + MIB);
  add_memory (stage, GRUB_DOM0LESS_MEMORY_FREE, firmware + MIB,
	      RAM_START + RAM_SIZE);
}

static void
set_pieces (struct stage *stage, int n)
{
  uint64_t start, size = RAM_SIZE / (uint64_t) n & ~UINT64_C (4095);
  int i;

  stage->facts.n_memory = 0;
  for (i = 0; i < n; i++)
    {
      start = RAM_START + (uint64_t) i * size;
      add_memory (stage, GRUB_DOM0LESS_MEMORY_FREE, start, start + size);
    }
}

/* Give Xen a .config with every option but WITHOUT.  */
static void
set_config (struct stage *stage, const char *without)
{
  static const char *const names[] = CONFIG_NAMES;
  char text[512] = "CONFIG_ARM=y\n";
  size_t i;

  for (i = 0; i < sizeof (names) / sizeof (names[0]); i++)
    if (strcmp (names[i], without))
      {
	strcat (text, "CONFIG_");
	strcat (text, names[i]);
	strcat (text, "=y\n");
      }
  assert_true (grub_dom0less_xen_config (&stage->facts.xen, text,
					 strlen (text)));
}

/* The firmware's tables, 1 GiB a block: all of it can be executed.  */
static uint64_t table_bits;

static uint64_t
read_table (uint64_t address)
{
  return (address & 0xfff) << 27 | 1 | table_bits;
}

static void
set_vhe (struct grub_dom0less_facts *facts)
{
  facts->regime.hcr = UINT64_C (0x400000000);
  facts->regime.tcr = 25;
  facts->regime.ttbr0 = RAM_START;
  facts->code_start = RAM_START + MIB;
  facts->code_size = 4096;
  facts->read = read_table;
}

static void
apply_need (struct stage *stage, const char *need)
{
  struct grub_dom0less_facts *facts = &stage->facts;
  uint64_t number;
  int major, minor, patch, n;
  char name[64];

  if (strcmp (need, "EL1") == 0)
    facts->exception_level = 1;
  else if (strcmp (need, "VHE") == 0)
    set_vhe (facts);
  else if (strcmp (need, "VHE alone") == 0)
    facts->is_vhe_only = 1;
  else if (strcmp (need, "VHE for code") == 0)
    table_bits = UINT64_C (1) << 54;
  else if (strcmp (need, "no handover") == 0)
    facts->is_handover_off = 1;
  else if (strcmp (need, "no granule") == 0)
    facts->regime.tcr |= 3 << 14;
  else if (strcmp (need, "signatures") == 0)
    facts->is_enforcing = 1;
  else if (strcmp (need, "unknown memory") == 0)
    facts->n_memory = 0;
  else if (sscanf (need, "firmware at %" SCNx64, &number) == 1)
    set_memory (stage, number);
  else if (sscanf (need, "%d pieces of RAM", &n) == 1)
    set_pieces (stage, n);
  else if (sscanf (need, "Xen without %63s", name) == 1)
    set_config (stage, name);
  else if (sscanf (need, "Xen at %" SCNx64, &number) == 1)
    {
      facts->xen_start = number;
      facts->xen_size = MIB;
    }
  else if ((n = sscanf (need, "Xen %d.%d.%d", &major, &minor, &patch)) >= 2)
    {
      facts->xen.major = major;
      facts->xen.minor = minor;
      facts->xen.patch = n == 3 ? patch : GRUB_DOM0LESS_NONE;
      set_config (stage, "");
    }
  else if (sscanf (need, "images at %" SCNx64, &number) == 1)
    stage->images_at = number;
  else if (sscanf (need, "images of %" SCNx64, &number) == 1)
    stage->image_size = number;
  else if (sscanf (need, "kernels loaded at %" SCNx64, &number) == 1)
    stage->load_address = number;
  else if (strncmp (need, "arguments ", 10) == 0)
    {
      assert_true (strlen (need) < sizeof (stage->args));
      strcpy (stage->args, need + 10);
      stage->context.xen_args = stage->args;
    }
  else
    fail_msg ("\"%s\" is not known to stage.c", need);
}

static void
report (void *data, const struct grub_dom0less_finding *finding)
{
  struct stage *stage = data;
  size_t length = strlen (stage->found);

  assert_true (length < MAX_TEXT / 2);
  length += grub_dom0less_finding_text (finding, stage->context.fdt,
					stage->found + length,
					MAX_TEXT - length - 1);
  strcpy (stage->found + length, "\n");
  stage->n_errors += finding->rule->severity == GRUB_DOM0LESS_ERROR;
}

static struct stage *
make_stage (const void *fdt, const char *needs)
{
  struct stage *stage = allocate (sizeof (*stage));
  char *list = format ("%s", needs ? needs : ""), *need, *rest = NULL;

  table_bits = 0;
  stage->facts.exception_level = 2;
  stage->facts.memory = stage->memory;
  stage->images_at = UINT64_C (0x50000000);
  stage->image_size = 4096;
  set_memory (stage, RAM_START + RAM_SIZE - MIB);
  for (need = strtok_r (list, ";", &rest); need;
       need = strtok_r (NULL, ";", &rest))
    apply_need (stage, need + strspn (need, " "));
  free (list);

  stage->context.fdt = fdt;
  stage->context.plan = &stage->plan;
  stage->context.facts = &stage->facts;
  stage->context.report = report;
  stage->context.data = stage;
  return stage;
}

/* Files have the names of the tree, and what has an index instead a name that
   no file has.  */
static void
share_images (struct grub_dom0less_plan *plan)
{
  char *paths[GRUB_DOM0LESS_MAX_MODULES];
  int i;

  for (i = 0; i < plan->n_modules; i++)
    {
      const struct grub_dom0less_module *module = plan->modules + i;

      paths[i] = NULL;
      if (module->name)
	paths[i] = format ("(hd0,gpt2)/%s", module->name);
      else if (module->index >= 0)
	paths[i] = format ("mb-index %d", (int) module->index);
    }
  grub_dom0less_plan_share (plan, (const char *const *) paths);
  for (i = 0; i < plan->n_modules; i++)
    free (paths[i]);
}

static void
place_images (struct stage *stage)
{
  struct grub_dom0less_module *module = stage->plan.modules;
  int i;

  for (i = 0; i < stage->plan.n_modules; i++, module++)
    if (module->image != GRUB_DOM0LESS_NONE)
      {
	if (!module->has_reg)
	  module->address = stage->images_at
	    + (uint64_t) module->image * UINT64_C (0x10000);
	module->size = stage->image_size;
	if (module->kind == GRUB_DOM0LESS_KERNEL)
	  {
	    module->kernel.size = stage->image_size;
	    module->kernel.load = stage->load_address;
	  }
      }
}

/* As assert_findings; WHAT the tree is made of is told when they differ.  */
static void
check_findings (const void *fdt, const char *needs, const char *expected,
		const char *what)
{
  struct stage *stage = make_stage (fdt, needs);

  grub_dom0less_plan_read (&stage->plan, fdt);
  share_images (&stage->plan);
  grub_dom0less_apply_rules (&stage->context, GRUB_DOM0LESS_WITH_TREE);
  if (stage->n_errors == 0)
    {
      place_images (stage);
      grub_dom0less_apply_rules (&stage->context, GRUB_DOM0LESS_WITH_ADDRESSES);
    }

  if (!expected)
    expected = "";
  if (!is_as_expected (stage->found, expected))
    fail_msg ("%s\nneeds: %s\nexpected:\n%s\nfound:\n%s", what,
	      needs ? needs : "", expected, stage->found);
  free (stage);
}

void
assert_findings (const void *fdt, const char *needs, const char *expected)
{
  check_findings (fdt, needs, expected, "");
}

void
assert_chosen (const char *source, const char *needs, const char *expected)
{
  char *tree = format ("/ { chosen { %s }; };", source);
  void *fdt = make_machine_tree (tree);

  free (tree);
  check_findings (fdt, needs, expected, source);
  free (fdt);
}
