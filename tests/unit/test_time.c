/* test_time.c - what the worst trees cost, in steps and not in seconds  */
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

/*
 * The pure half and libfdt are compiled so that each of their basic blocks calls
 * the first of these, and linked so that functions on bytes and strings go by
 * the others (Makefile): a step is a block, or a byte that such a function looks
 * at.  That is the same number on every machine.
 */

static uint64_t steps;

void __sanitizer_cov_trace_pc (void);
void
__sanitizer_cov_trace_pc (void)
{
  steps++;
}

#define COUNTED(type, name, parameters, arguments, cost)	\
  type __real_ ## name parameters;				\
  type __wrap_ ## name parameters;				\
  type								\
  __wrap_ ## name parameters					\
  {								\
    steps += cost;						\
    return __real_ ## name arguments;				\
  }

COUNTED (void *, memcpy, (void *to, const void *from, size_t n),
	 (to, from, n), n)
COUNTED (void *, memmove, (void *to, const void *from, size_t n),
	 (to, from, n), n)
COUNTED (void *, memset, (void *to, int c, size_t n), (to, c, n), n)
COUNTED (int, memcmp, (const void *a, const void *b, size_t n), (a, b, n), n)
COUNTED (size_t, strlen, (const char *s), (s), __real_strlen (s))
COUNTED (int, strcmp, (const char *a, const char *b), (a, b),
	 __real_strlen (a))

/* As far as they look.  */
void *__real_memchr (const void *s, int c, size_t n);
void *__wrap_memchr (const void *s, int c, size_t n);
void *
__wrap_memchr (const void *s, int c, size_t n)
{
  void *found = __real_memchr (s, c, n);

  steps += found ? (size_t) ((char *) found - (const char *) s) : n;
  return found;
}

char *__real_strchr (const char *s, int c);
char *__wrap_strchr (const char *s, int c);
char *
__wrap_strchr (const char *s, int c)
{
  char *found = __real_strchr (s, c);

  steps += found ? (size_t) (found - s) : __real_strlen (s);
  return found;
}

char *__real_strstr (const char *s, const char *with);
char *__wrap_strstr (const char *s, const char *with);
char *
__wrap_strstr (const char *s, const char *with)
{
  char *found = __real_strstr (s, with);

  steps += found ? (size_t) (found - s) : __real_strlen (s);
  return found;
}

/* A list of nodes, as a tree has them, in SIZE bytes.  */
struct shape
{
  const char *name;
  void (*fill) (void *fdt, size_t size);	/* the root, or NULL */
  void (*fill_overlay) (void *fdt, size_t size);
};

#define ONE(call)	assert_int_equal (call, 0)

static size_t
used (const void *fdt)
{
  return fdt_size_dt_struct (fdt) + fdt_size_dt_strings (fdt);
}

static void
put_string (void *fdt, const char *name, const char *value)
{
  ONE (fdt_property_string (fdt, name, value));
}

static void
put_strings (void *fdt, const char *name, const char *value, size_t size)
{
  ONE (fdt_property (fdt, name, value, (int) size));
}

static void
begin_chosen (void *fdt)
{
  ONE (fdt_begin_node (fdt, "cpus"));
  ONE (fdt_end_node (fdt));
  ONE (fdt_begin_node (fdt, "chosen"));
}

static void
begin_domain (void *fdt, const char *name)
{
  ONE (fdt_begin_node (fdt, name));
  put_string (fdt, "compatible", "xen,domain");
  ONE (fdt_property_u32 (fdt, "#address-cells", 2));
  ONE (fdt_property_u32 (fdt, "#size-cells", 2));
}

#define MODULE	"multiboot,kernel\0multiboot,module"

static void
put_module (void *fdt, const char *name)
{
  ONE (fdt_begin_node (fdt, name));
  put_strings (fdt, "compatible", MODULE, sizeof (MODULE));
  put_string (fdt, "uefi,binary", "k");
  ONE (fdt_end_node (fdt));
}

static void
fill_empty_nodes (void *fdt, size_t size)
{
  begin_chosen (fdt);
  while (used (fdt) < size)
    {
      ONE (fdt_begin_node (fdt, "a"));
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_end_node (fdt));
}

static void
fill_misplaced (void *fdt, size_t size)
{
  ONE (fdt_begin_node (fdt, "cpus"));
  while (used (fdt) < size)
    put_module (fdt, "a");
  ONE (fdt_end_node (fdt));
}

/* As deep as possible, again and again.  */
static void
fill_deep (void *fdt, size_t size)
{
  int i;

  while (used (fdt) < size)
    {
      for (i = 0; i < GRUB_DOM0LESS_MAX_DEPTH - 1; i++)
	{
	  ONE (fdt_begin_node (fdt, "a"));
	  put_string (fdt, "compatible", "multiboot,module");
	}
      while (i--)
	ONE (fdt_end_node (fdt));
    }
}

static void
fill_modules (void *fdt, size_t size)
{
  char name[16];
  int i = 0;

  begin_chosen (fdt);
  while (used (fdt) < size)
    {
      snprintf (name, sizeof (name), "d%d", i++);
      begin_domain (fdt, name);
      put_module (fdt, "a");
      put_module (fdt, "b");
      put_module (fdt, "c");
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_end_node (fdt));
}

static void
fill_properties (void *fdt, size_t size)
{
  begin_chosen (fdt);
  begin_domain (fdt, "d@1");
  put_string (fdt, "domain-cpupool", "");
  while (used (fdt) < size)
    ONE (fdt_property (fdt, "x", NULL, 0));
  put_module (fdt, "m");
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
}

/* A name for each property that is as long as it may be, and the same.  */
static void
fill_long_names (void *fdt, size_t size)
{
  char *name = repeat ('x', GRUB_DOM0LESS_MAX_NAME);

  begin_chosen (fdt);
  begin_domain (fdt, "d");
  while (used (fdt) < size)
    ONE (fdt_property (fdt, name, NULL, 0));
  put_module (fdt, "m");
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
  free (name);
}

/* A module that names its file all the time: all of it has to go.  */
static void
fill_file_names (void *fdt, size_t size)
{
  begin_chosen (fdt);
  begin_domain (fdt, "d");
  ONE (fdt_begin_node (fdt, "m"));
  put_strings (fdt, "compatible", MODULE, sizeof (MODULE));
  while (used (fdt) < size)
    put_string (fdt, "uefi,binary", "k");
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
}

/* All the modules that a plan has room for, and names for the last of them.  */
static void
fill_aliases (void *fdt, size_t size)
{
  int i;

  fill_modules (fdt, 24576);
  ONE (fdt_begin_node (fdt, "aliases"));
  for (i = 0; used (fdt) < size; i++)
    put_string (fdt, "a", i % 2 ? "/chosen/d63/c" : "/chosen/d63/x");
  ONE (fdt_end_node (fdt));
}

static void
fill_cells (void *fdt, size_t size)
{
  void *cells = allocate (size);

  memset (cells, 1, size);
  begin_chosen (fdt);
  ONE (fdt_property (fdt, "xen,static-heap", cells, (int) (size / 4)));
  begin_domain (fdt, "d");
  ONE (fdt_property (fdt, "xen,static-mem", cells, (int) (size / 4)));
  put_module (fdt, "m");
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
  ONE (fdt_begin_node (fdt, "reserved-memory"));
  while (used (fdt) < size)
    {
      ONE (fdt_begin_node (fdt, "r"));
      ONE (fdt_property (fdt, "reg", cells, 24));
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_end_node (fdt));
  free (cells);
}

static void
fill_arguments (void *fdt, size_t size)
{
  char *text = repeat ('c', size - 400);
  size_t i;

  for (i = 0; i + 9 < size - 400; i += 9)
    memcpy (text + i, " console=", 9);
  begin_chosen (fdt);
  put_string (fdt, "xen,xen-bootargs", text);
  begin_domain (fdt, "d");
  put_module (fdt, "m");
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
  free (text);
}

static void
fill_pools (void *fdt, size_t size)
{
  char name[16];
  int i;

  begin_chosen (fdt);
  for (i = 0; i < GRUB_DOM0LESS_MAX_DOMAINS; i++)
    {
      snprintf (name, sizeof (name), "d%d", i);
      begin_domain (fdt, name);
      ONE (fdt_property_u32 (fdt, "domain-cpupool", 5));
      ONE (fdt_end_node (fdt));
    }
  while (used (fdt) < size)
    {
      ONE (fdt_begin_node (fdt, "p"));
      ONE (fdt_property_u32 (fdt, "phandle", 6));
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_end_node (fdt));
}

/* Event channels of one domain, some of which others can point to.  */
static void
fill_channels (void *fdt, size_t size)
{
  fdt32_t channel[2];
  int i;

  begin_chosen (fdt);
  begin_domain (fdt, "d");
  for (i = 0; used (fdt) < size; i++)
    {
      channel[0] = cpu_to_fdt32 ((uint32_t) i % 1023 + 1);
      channel[1] = cpu_to_fdt32 ((uint32_t) i % 500 + 1);
      ONE (fdt_begin_node (fdt, "c"));
      put_string (fdt, "compatible", "xen,evtchn-v1");
      ONE (fdt_property (fdt, "xen,evtchn", channel, sizeof (channel)));
      if (i < 300)
	ONE (fdt_property_u32 (fdt, "phandle", (uint32_t) i + 1));
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
}

/* Pools of all processors, and virtual ones that run anywhere.  */
static void
fill_processors (void *fdt, size_t size)
{
  fdt32_t cpus[256];
  char name[16];
  int i;

  ONE (fdt_begin_node (fdt, "cpus"));
  for (i = 0; i < 256; i++)
    {
      snprintf (name, sizeof (name), "cpu@%x", i);
      ONE (fdt_begin_node (fdt, name));
      put_string (fdt, "device_type", "cpu");
      ONE (fdt_property_u32 (fdt, "phandle", (uint32_t) i + 1));
      ONE (fdt_end_node (fdt));
      cpus[i] = cpu_to_fdt32 ((uint32_t) i + 1);
    }
  ONE (fdt_end_node (fdt));
  ONE (fdt_begin_node (fdt, "chosen"));
  begin_domain (fdt, "d");
  while (used (fdt) < size * 3 / 4)
    {
      ONE (fdt_begin_node (fdt, "v"));
      put_string (fdt, "compatible", "xen,vcpu");
      put_string (fdt, "hard-affinity", "0-255");
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_end_node (fdt));
  while (used (fdt) < size)
    {
      ONE (fdt_begin_node (fdt, "p"));
      put_string (fdt, "compatible", "xen,cpupool");
      ONE (fdt_property (fdt, "cpupool-cpus", cpus, sizeof (cpus)));
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_end_node (fdt));
}

/* Regions that all are one, in nodes that say much else.  */
static void
fill_shared (void *fdt, size_t size)
{
  static const fdt32_t zeros[6];
  int i, j;

  begin_chosen (fdt);
  for (i = 0; i < GRUB_DOM0LESS_MAX_RANGES; i++)
    {
      ONE (fdt_begin_node (fdt, "s"));
      put_string (fdt, "compatible", "xen,domain-shared-memory-v1");
      ONE (fdt_property (fdt, "xen,shared-mem", "\0\0\0\0\1\0\0\0\0\0\0\0"
			 "\1\0\0\0\0\0\0\0\0\0\x10\0", sizeof (zeros)));
      for (j = 0; j < (int) (size / GRUB_DOM0LESS_MAX_RANGES) / 12 - 12; j++)
	ONE (fdt_property (fdt, "x", NULL, 0));
      put_string (fdt, "xen,shm-id", "id");
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_end_node (fdt));
}

/* Areas of one domain, each of which would be compared with all others.  */
static void
fill_areas (void *fdt, size_t size)
{
  static const char area[]
    = "\0\0\0\0\1\0\0\0" "\0\0\0\0\2\0\0\0" "\0\0\0\0\0\0\x10";
  char id[16];
  int i;

  begin_chosen (fdt);
  ONE (fdt_begin_node (fdt, "d"));
  put_string (fdt, "compatible", "xen,domain");
  ONE (fdt_property_u32 (fdt, "#address-cells", 2));
  ONE (fdt_property_u32 (fdt, "#size-cells", 2));
  for (i = 0; i < (int) (size / 140); i++)
    {
      snprintf (id, sizeof (id), "%d", i);
      ONE (fdt_begin_node (fdt, id));
      put_string (fdt, "compatible", "xen,domain-shared-memory-v1");
      ONE (fdt_property (fdt, "xen,shared-mem", area, sizeof (area)));
      put_string (fdt, "xen,shm-id", id);
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
}

/* Overlays, whose base has a node for each of theirs.  */

static void
fill_labels (void *fdt, size_t size)
{
  char name[16];
  int i, n = (int) (size / 64);

  for (i = 0; i < n; i++)
    {
      snprintf (name, sizeof (name), "n%d", i);
      ONE (fdt_begin_node (fdt, name));
      ONE (fdt_property_u32 (fdt, "phandle", (uint32_t) i + 1));
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_begin_node (fdt, "__symbols__"));
  for (i = 0; i < n / 2; i++)
    {
      char path[32];

      snprintf (name, sizeof (name), "l%d", i);
      snprintf (path, sizeof (path), "/n%d", i);
      put_string (fdt, name, path);
    }
  ONE (fdt_end_node (fdt));
}

static void
begin_fragment (void *fdt, int i)
{
  char name[24];

  snprintf (name, sizeof (name), "fragment@%d", i);
  ONE (fdt_begin_node (fdt, name));
}

/* A fragment for each label.  */
static void
fill_fragments (void *fdt, size_t size)
{
  char name[16], path[40];
  int i, n;

  for (i = 0; used (fdt) < size / 2; i++)
    {
      begin_fragment (fdt, i);
      ONE (fdt_property_u32 (fdt, "target", 0xffffffff));
      ONE (fdt_begin_node (fdt, "__overlay__"));
      ONE (fdt_property (fdt, "x", NULL, 0));
      ONE (fdt_end_node (fdt));
      ONE (fdt_end_node (fdt));
    }
  n = i;
  ONE (fdt_begin_node (fdt, "__fixups__"));
  for (i = 0; i < n; i++)
    {
      snprintf (name, sizeof (name), "l%d", i % (int) (size / 256));
      snprintf (path, sizeof (path), "/fragment@%d:target:0", i);
      put_string (fdt, name, path);
    }
  ONE (fdt_end_node (fdt));
}

/* Every node of the base once more, with another phandle, and a reference to
   each.  */
static void
fill_renamed (void *fdt, size_t size)
{
  fdt32_t *cells = allocate (size);
  char name[16];
  int i, n = (int) (size / 64);

  for (i = 0; i < n; i++)
    cells[i] = cpu_to_fdt32 ((uint32_t) i + 1);
  begin_fragment (fdt, 0);
  put_string (fdt, "target-path", "/");
  ONE (fdt_begin_node (fdt, "__overlay__"));
  ONE (fdt_property (fdt, "r", cells, 4 * n));
  for (i = 0; i < n; i++)
    {
      snprintf (name, sizeof (name), "n%d", i);
      ONE (fdt_begin_node (fdt, name));
      ONE (fdt_property_u32 (fdt, "phandle", (uint32_t) i + 1));
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
  for (i = 0; i < n; i++)
    cells[i] = cpu_to_fdt32 (4 * (uint32_t) i);
  ONE (fdt_begin_node (fdt, "__local_fixups__"));
  begin_fragment (fdt, 0);
  ONE (fdt_begin_node (fdt, "__overlay__"));
  ONE (fdt_property (fdt, "r", cells, 4 * n));
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
  free (cells);
}

static void
fill_symbols (void *fdt, size_t size)
{
  char name[16];
  int i;

  begin_fragment (fdt, 0);
  put_string (fdt, "target-path", "/n1");
  ONE (fdt_begin_node (fdt, "__overlay__"));
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
  ONE (fdt_begin_node (fdt, "__symbols__"));
  for (i = 0; used (fdt) < size; i++)
    {
      snprintf (name, sizeof (name), "s%d", i);
      put_string (fdt, name, "/fragment@0/__overlay__/x");
    }
  ONE (fdt_end_node (fdt));
}

/* A new property, and a new node, into a base of that size each time.  */
static void
fill_additions (void *fdt, size_t size)
{
  char name[16];
  int i;

  begin_fragment (fdt, 0);
  put_string (fdt, "target-path", "/");
  ONE (fdt_begin_node (fdt, "__overlay__"));
  for (i = 0; used (fdt) < size / 2; i++)
    {
      snprintf (name, sizeof (name), "p%d", i);
      ONE (fdt_property (fdt, name, NULL, 0));
    }
  for (i = 0; used (fdt) < size; i++)
    {
      snprintf (name, sizeof (name), "m@%d", i);
      ONE (fdt_begin_node (fdt, name));
      ONE (fdt_end_node (fdt));
    }
  ONE (fdt_end_node (fdt));
  ONE (fdt_end_node (fdt));
}

static const struct shape shapes[] =
  {
    { "nodes with nothing in them", fill_empty_nodes, NULL },
    { "modules outside of /chosen", fill_misplaced, NULL },
    { "nests of modules", fill_deep, NULL },
    { "domains of three modules", fill_modules, NULL },
    { "properties of one domain", fill_properties, NULL },
    { "the longest name, again and again", fill_long_names, NULL },
    { "one module's file names", fill_file_names, NULL },
    { "aliases of modules", fill_aliases, NULL },
    { "ranges of memory", fill_cells, NULL },
    { "arguments for Xen", fill_arguments, NULL },
    { "phandles", fill_pools, NULL },
    { "event channels", fill_channels, NULL },
    { "processors and pools of them", fill_processors, NULL },
    { "one shared region, often", fill_shared, NULL },
    { "areas of one domain", fill_areas, NULL },
    { "an overlay of fragments", fill_labels, fill_fragments },
    { "an overlay that renames phandles", fill_labels, fill_renamed },
    { "an overlay of symbols", fill_labels, fill_symbols },
    { "an overlay of new names", fill_labels, fill_additions }
  };

static void *
make (void (*fill) (void *fdt, size_t size), size_t size)
{
  size_t room = 2 * size + 65536;
  void *fdt = allocate (room);

  ONE (fdt_create_with_flags (fdt, (int) room,
			      FDT_CREATE_FLAG_NO_NAME_DEDUP));
  ONE (fdt_finish_reservemap (fdt));
  ONE (fdt_begin_node (fdt, ""));
  fill (fdt, size);
  ONE (fdt_end_node (fdt));
  ONE (fdt_finish (fdt));
  return fdt;
}

static void
report (void *data, const struct grub_dom0less_finding *finding)
{
  char text[192];

  grub_dom0less_finding_text (finding, data, text, sizeof (text));
}

/* All that the pure half does to FDT, or to FDT and OVERLAY, which is freed.
   Returns the steps that it takes.  */
static uint64_t
judge (void *fdt, void *overlay)
{
  static struct grub_dom0less_plan plan;
  static struct grub_dom0less_tally tally;
  struct grub_dom0less_facts facts = { 0 };
  struct grub_dom0less_context context
    = { fdt, &plan, &facts, NULL, report, fdt, &tally };
  const char *paths[GRUB_DOM0LESS_MAX_MODULES];
  struct grub_dom0less_misfit misfit;
  size_t room = overlay ? grub_dom0less_merge_size (fdt, overlay)
    : fdt_totalsize (fdt) + 65536;
  void *work = allocate (room), *merged = allocate (4 << 20);
  int i;

  /* All that any Xen has, so that every rule looks.  */
  facts.xen.major = 4;
  facts.xen.minor = 22;
  facts.xen.has_config = 1;
  facts.xen.options = ~0u;
  steps = 0;
  assert_null (grub_dom0less_tree_fault (fdt, fdt_totalsize (fdt)));
  if (overlay)
    {
      assert_null (grub_dom0less_tree_fault (overlay,
					     fdt_totalsize (overlay)));
      grub_dom0less_merge_size (fdt, overlay);
      assert_int_equal (grub_dom0less_merge (work, fdt, overlay, &misfit), 0);
      grub_dom0less_write_merged (work, NULL, 0);
      assert_true (grub_dom0less_write_merged (work, merged, 4 << 20) < 4 << 20);
    }
  else
    {
      grub_dom0less_plan_read (&plan, fdt);
      for (i = 0; i < plan.n_modules; i++)
	paths[i] = plan.modules[i].name;
      grub_dom0less_plan_share (&plan, paths);
      grub_dom0less_apply_rules (&context, GRUB_DOM0LESS_WITH_TREE);
      grub_dom0less_apply_rules (&context, GRUB_DOM0LESS_WITH_ADDRESSES);
      grub_dom0less_canonical (fdt, merged, 4 << 20);
      ONE (fdt_open_into (fdt, work, (int) room));
      /* As the rules want it.  */
      if (plan.chosen >= 0 && !plan.overflow)
	ONE (grub_dom0less_write_plan (work, &plan, NULL));
    }
  free (merged);
  free (work);
  free (overlay);
  return steps;
}

/* The sizes double, and so do the steps from the last but one to the last, give
   or take what a plan has room for once; were a pair of nodes, or of anything
   else, looked at for each pair there is, they would be four times as many.  No
   shape takes more than MOST steps for a byte.  */
#define SIZES	4
#define MOST	5000

TEST (time_is_proportional_to_size)
{
  size_t i;
  int j;

  printf ("%-36s", "steps for a byte in trees of KiB");
  for (j = 0; j < SIZES; j++)
    printf (" %7d", 32 << j);
  printf ("\n");
  for (i = 0; i < sizeof (shapes) / sizeof (shapes[0]); i++)
    {
      double before = 0, last = 0;

      printf ("%-36s", shapes[i].name);
      for (j = 0; j < SIZES; j++)
	{
	  size_t size = (size_t) 32768 << j;
	  void *fdt = make (shapes[i].fill, size);
	  void *overlay = shapes[i].fill_overlay
	    ? make (shapes[i].fill_overlay, size) : NULL;
	  size_t whole = fdt_totalsize (fdt)
	    + (overlay ? fdt_totalsize (overlay) : 0);

	  before = last;
	  last = (double) judge (fdt, overlay) / (double) whole;
	  printf (" %7.0f", last);
	  free (fdt);
	}
      printf ("\n");
      if (last > before * 1.2 || last > MOST)
	fail_msg ("%s: %.0f steps for a byte, and then %.0f", shapes[i].name,
		  before, last);
    }
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (time_is_proportional_to_size)
    };

  return RUN ("time", tests);
}
