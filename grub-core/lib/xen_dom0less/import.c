/* import.c - what the variables of an ImageBuilder config mean  */
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

#include <grub/xen_dom0less_import.h>

#include <string.h>

#define MAX_CPUPOOLS	64
#define MAX_CPUS	256

typedef struct grub_dom0less_import *import_t;

/* One of a CPU pool's.  */
struct cpu
{
  int pool;
  const char *name;
  size_t length;
  uint32_t phandle;
  int is_new;				/* the phandle is the overlay's */
};

/* The overlay, and the first error in writing it.  */
struct writer
{
  import_t import;
  void *fdt;
  int err;
  int n_domains, n_pools, n_cpus;
  struct cpu cpus[MAX_CPUS];
};


/*
 * Every variable that is known.  The reason is why it cannot be carried over;
 * without one it is read below, or is U-Boot's business only.
 */

#define ONE_PLACE \
  "all files are looked for on one device, but for names (DEVICE)/NAME"
#define NO_LINUX \
  "it is for a boot without Xen: GRUB's own menu entries have that"

static const struct
{
  const char *name;
  const char *loss;
} known[] =
  {
    { "DEVICE_TREE", NULL },
    { "NUM_DT_OVERLAY", NULL },
    { "DT_OVERLAY", NULL },
    { "XEN", NULL },
    { "XEN_CMD", NULL },
    { "XEN_COLORS", NULL },
    { "XEN_POLICY", NULL },
    { "XEN_STATIC_HEAP", NULL },
    { "STATIC_HEAP", NULL },
    { "NUM_CPUPOOLS", NULL },
    { "CPUPOOL", NULL },
    { "DOM0_KERNEL", NULL },
    { "DOM0_RAMDISK", NULL },
    { "DOM0_ROOTFS", NULL },
    { "DOM0_CMD", NULL },
    { "DOM0_MEM", NULL },
    { "DOM0_VCPUS", NULL },
    { "DOM0_COLORS", NULL },
    { "NUM_DOMUS", NULL },
    { "DOMU_KERNEL", NULL },
    { "DOMU_RAMDISK", NULL },
    { "DOMU_ROOTFS", NULL },
    { "DOMU_NOBOOT", NULL },
    { "DOMU_CMD", NULL },
    { "DOMU_MEM", NULL },
    { "DOMU_VCPUS", NULL },
    { "DOMU_COLORS", NULL },
    { "DOMU_CPUPOOL", NULL },
    { "DOMU_STATIC_MEM", NULL },
    { "DOMU_DIRECT_MAP", NULL },
    { "DOMU_SHARED_MEM", NULL },
    { "DOMU_ENHANCED", NULL },
    { "DOMU_VPL011", NULL },
    { "DOMU_NR_SPIS", NULL },
    { "DOMU_GRANT_VER", NULL },
    { "DOMU_GRANT_FRAMES", NULL },
    { "DOMU_MAPTRACK_FRAMES", NULL },
    { "DOMU_P2M_MEM_MB", NULL },
    { "DOMU_CAPS", NULL },
    { "DOMU_TRAP_UNMAP", NULL },
    { "DOMU_PASSTHROUGH_DTB", NULL },
    { "DOMU_PASSTHROUGH_PATHS", NULL },
    { "DOMU_PASSTHROUGH_PROP", NULL },

    /* How U-Boot loads and starts, and what ImageBuilder writes.  */
    { "MEMORY_START", NULL },
    { "MEMORY_END", NULL },
    { "LOAD_CMD", NULL },
    { "BOOT_CMD", NULL },
    { "EFI", NULL },
    { "UBOOT_SOURCE", NULL },
    { "UBOOT_SCRIPT", NULL },
    { "FDTEDIT", NULL },
    { "FIT", NULL },
    { "FIT_ENC_KEY_DIR", NULL },
    { "FIT_ENC_UB_DTB", NULL },
    { "CALC", NULL },
    /* Where it takes partial device trees from.  */
    { "PASSTHROUGH_DTS_REPO", NULL },
    { "LOPPER_PATH", NULL },
    { "LOPPER_CMD", NULL },
    /* What its disk_image puts on the disk.  */
    { "NUM_BOOT_AUX_FILE", NULL },
    { "BOOT_AUX_FILE", NULL },
    { "GPT", NULL },
    { "DOMU_DRIVER_DOMAIN", NULL },

    { "XEN_LOAD", ONE_PLACE },
    { "DOM0_LOAD", ONE_PLACE },
    { "DOMU_LOAD", ONE_PLACE },
    { "LINUX", NO_LINUX },
    { "LINUX_CMD", NO_LINUX },
    { "LINUX_RAMDISK", NO_LINUX },
    { "LINUX_ROOTFS", NO_LINUX },
    { "BITSTREAM",
      "GRUB programs no FPGA: let the firmware do it before GRUB starts" },
    { "APPEND_EXTRA_CMDS", "GRUB does not know U-Boot's commands" },
    { "DOMU_DOMID", "Xen numbers the domains itself" }
  };


/*
 * Values.
 */

/* NAME[INDEX], or NULL if it is not set or empty.  */
static struct grub_dom0less_variable *
find (import_t import, const char *name, uint32_t index)
{
  struct grub_dom0less_variable *variable
    = grub_dom0less_import_variable (import, name, strlen (name), index);

  if (!variable)
    return NULL;
  variable->used = 1;
  return *variable->value ? variable : NULL;
}

static const char *
get (import_t import, const char *name, uint32_t index)
{
  struct grub_dom0less_variable *variable = find (import, name, index);

  return variable ? variable->value : NULL;
}

/* NAME[INDEX], if it is set, has no place in the overlay.  */
static void
lose (import_t import, const char *name, uint32_t index, const char *loss)
{
  struct grub_dom0less_variable *variable = find (import, name, index);

  if (variable)
    variable->loss = loss;
}

static void
put (import_t import, const char *string)
{
  while (*string)
    grub_dom0less_import_put (import, *string++);
}

static void
put_number (import_t import, uint64_t number)
{
  if (number >= 10)
    put_number (import, number / 10);
  grub_dom0less_import_put (import, (char) ('0' + number % 10));
}

/* A string of the room's that is made by what is put until `end'.  */
static const char *
begin (import_t import)
{
  return import->room + import->filled;
}

static const char *
end (import_t import, const char *string)
{
  grub_dom0less_import_put (import, '\0');
  return import->error ? "" : string;
}

/* PREFIX with the LENGTH bytes at WORD behind it.  */
static const char *
join (import_t import, const char *prefix, const char *word, size_t length)
{
  const char *string = begin (import);

  put (import, prefix);
  while (length--)
    grub_dom0less_import_put (import, *word++);
  return end (import, string);
}

/* PREFIX with NUMBER behind it.  */
static const char *
numbered (import_t import, const char *prefix, uint64_t number)
{
  const char *string = begin (import);

  put (import, prefix);
  put_number (import, number);
  return end (import, string);
}

/* The error ERROR of NAME[INDEX], written as in the config.  What is missing
   there is always an element of an array.  */
static int
fail (import_t import, const char *name, uint32_t index, const char *error)
{
  struct grub_dom0less_variable *variable
    = grub_dom0less_import_variable (import, name, strlen (name), index);
  const char *subject = begin (import);

  put (import, name);
  if (!variable || variable->has_index)
    {
      put (import, "[");
      put_number (import, index);
      put (import, "]");
    }
  subject = end (import, subject);
  return grub_dom0less_import_fail (import, variable ? variable->line : 0,
				    subject, error);
}

static int
is_digit (char c)
{
  return c >= '0' && c <= '9';
}

/* The number that is the LENGTH bytes at TEXT, as the shell reads it: decimal
   or with 0x.  What looks octal is not taken, because U-Boot and the shell
   disagree on it.  Returns 0, or -1.  */
static int
parse_number (const char *text, size_t length, uint64_t *number)
{
  unsigned int base = 10, digit;
  size_t i = 0;

  if (length > 2 && text[0] == '0' && (text[1] | 0x20) == 'x')
    {
      base = 16;
      i = 2;
    }
  else if (length > 1 && text[0] == '0')
    return -1;
  if (i == length)
    return -1;

  *number = 0;
  for (; i < length; i++)
    {
      char lower = text[i] | 0x20;

      if (is_digit (text[i]))
	digit = (unsigned int) (text[i] - '0');
      else if (lower >= 'a' && lower <= 'f')
	digit = (unsigned int) (lower - 'a') + 10;
      else
	return -1;
      if (digit >= base || *number > (UINT64_MAX - digit) / base)
	return -1;
      *number = *number * base + digit;
    }
  return 0;
}

/* NAME[INDEX] as a number up to MAX; MISSING if it is not set.  0 in case of
   an error.  */
static uint64_t
get_number (import_t import, const char *name, uint32_t index, uint64_t max,
	    uint64_t missing)
{
  const char *value = get (import, name, index);
  uint64_t number;

  if (!value)
    return missing;
  if (parse_number (value, strlen (value), &number) || number > max)
    {
      fail (import, name, index, max == 1 ? "is neither 0 nor 1"
	    : "is no number, or too big a one");
      return 0;
    }
  return number;
}

/* The next word at *TEXT, which is moved behind it, and its LENGTH; words are
   parted by characters of SEPARATORS.  NULL behind the last.  */
static const char *
next_word (const char **text, const char *separators, size_t *length)
{
  const char *word = *text;

  while (*word && strchr (separators, *word))
    word++;
  *length = 0;
  while (word[*length] && !strchr (separators, word[*length]))
    ++*length;
  *text = word + *length;
  return *length ? word : NULL;
}

/* Whether domain INDEX is Xen's to start.  */
static int
is_booted (import_t import, uint32_t index)
{
  if (get (import, "DOMU_NOBOOT", index))
    return 0;
  if (!get (import, "DOMU_ROOTFS", index))
    return 1;
  lose (import, "DOMU_ROOTFS", index, "the domain is left out, as by"
	" ImageBuilder: without dom0 it cannot have a disk");
  return 0;
}

/* The colors in NAME[INDEX], or NULL.  Xen's syntax is the same.  */
static const char *
get_colors (import_t import, const char *name, uint32_t index)
{
  const char *value = get (import, name, index), *c;

  if (value)
    for (c = value; *c; c++)
      if (!is_digit (*c) && *c != '-' && *c != ',')
	{
	  fail (import, name, index, "is not FIRST-LAST");
	  return NULL;
	}
  return value;
}

const char *
grub_dom0less_import_file (struct grub_dom0less_import *import,
			   const char *name, uint32_t index)
{
  const char *value = get (import, name, index), *file;

  if (!value)
    return NULL;
  /* Not every file system of GRUB's has an entry for `.'.  */
  while (value[0] == '.' && value[1] == '/')
    value += 2;
  file = begin (import);
  if (*value != '(')
    put (import, import->prefix);
  if (*value != '(' && *value != '/')
    put (import, "/");
  put (import, value);
  return end (import, file);
}

int
grub_dom0less_import_dt_overlays (struct grub_dom0less_import *import)
{
  uint64_t n = get_number (import, "NUM_DT_OVERLAY", 0,
			   GRUB_DOM0LESS_MAX_DT_OVERLAYS, 0);

  return import->error ? -1 : (int) n;
}


/*
 * The overlay.
 */

static void
begin_node (struct writer *writer, const char *name)
{
  if (!writer->err)
    writer->err = fdt_begin_node (writer->fdt, name);
}

static void
end_node (struct writer *writer)
{
  if (!writer->err)
    writer->err = fdt_end_node (writer->fdt);
}

/* A property of SIZE bytes.  */
static void
add_bytes (struct writer *writer, const char *name, const void *value,
	   size_t size)
{
  if (!writer->err)
    writer->err = fdt_property (writer->fdt, name, value, (int) size);
}

static void
add_empty (struct writer *writer, const char *name)
{
  add_bytes (writer, name, NULL, 0);
}

static void
add_string (struct writer *writer, const char *name, const char *value)
{
  add_bytes (writer, name, value, strlen (value) + 1);
}

static void
add_cell (struct writer *writer, const char *name, uint64_t value)
{
  fdt32_t cell = cpu_to_fdt32 ((uint32_t) value);

  add_bytes (writer, name, &cell, sizeof (cell));
}

/* Room for a property of N cells, or NULL.  */
static unsigned char *
add_cells (struct writer *writer, const char *name, size_t n)
{
  void *cells = NULL;

  if (!writer->err)
    writer->err = fdt_property_placeholder (writer->fdt, name, (int) (n * 4),
					    &cells);
  return writer->err ? NULL : cells;
}

static void
add_cells_of_2 (struct writer *writer)
{
  add_cell (writer, "#address-cells", 2);
  add_cell (writer, "#size-cells", 2);
}

/* Write NUMBER in N big-endian cells.  It must fit.  */
static void
write_cells (unsigned char *at, uint64_t number, int n)
{
  int i;

  for (i = 4 * n - 1; i >= 0; i--, number >>= 8)
    at[i] = (unsigned char) number;
}

#define MODULE(kind) \
  kind "\0multiboot,module", sizeof (kind "\0multiboot,module")

/* A module named NODE, with the file that NAME[INDEX] is, and BOOTARGS unless
   they are NULL.  None if there is no file.  */
static void
add_module (struct writer *writer, const char *node, const char *compatible,
	    size_t compatible_size, const char *name, uint32_t index,
	    const char *bootargs)
{
  const char *file = grub_dom0less_import_file (writer->import, name, index);

  if (!file)
    return;
  begin_node (writer, node);
  add_bytes (writer, "compatible", compatible, compatible_size);
  add_string (writer, "uefi,binary", file);
  if (bootargs)
    add_string (writer, "bootargs", bootargs);
  end_node (writer);
}

/* The property PROPERTY of the addresses and sizes in NAME[INDEX], in so many
   cells each.  Returns the sum of the sizes.  */
static uint64_t
add_ranges (struct writer *writer, const char *property, const char *name,
	    uint32_t index, int address_cells, int size_cells)
{
  const char *value = get (writer->import, name, index), *words, *word;
  size_t length, n = 0;
  uint64_t number, sum = 0;
  unsigned char *at;
  int is_size = 0, cells;

  if (address_cells < 1 || size_cells < 1)
    {
      fail (writer->import, name, index, "cannot be written in the cells that"
	    " the root of DEVICE_TREE has");
      return 0;
    }
  for (words = value; next_word (&words, " ", &length); n++)
    ;
  if (n == 0 || n % 2)
    {
      fail (writer->import, name, index,
	    "is not addresses and sizes by turns");
      return 0;
    }
  at = add_cells (writer, property,
		  n / 2 * (size_t) (address_cells + size_cells));
  for (words = value; (word = next_word (&words, " ", &length));
       is_size = !is_size)
    {
      cells = is_size ? size_cells : address_cells;
      if (parse_number (word, length, &number)
	  || (cells == 1 && number > UINT32_MAX)
	  || (is_size && sum > UINT64_MAX - number))
	{
	  fail (writer->import, name, index,
		"has a word that is no number, or too big a one");
	  return 0;
	}
      if (is_size)
	sum += number;
      if (at)
	{
	  write_cells (at, number, cells);
	  at += 4 * cells;
	}
    }
  return sum;
}


/*
 * Xen and dom0.
 */

static int
begins_with (const char *word, size_t length, const char *start)
{
  return length >= strlen (start) && memcmp (word, start, strlen (start)) == 0;
}

static void
put_option (import_t import, const char *option, const char *value)
{
  put (import, " ");
  put (import, option);
  put (import, value);
}

/* Xen's command line: XEN_CMD or ImageBuilder's own, without what is for a
   dom0 if there is none, and with the colors, in the words of Xen 4.20.  What
   ImageBuilder writes for these is known to a fork of Xen only.  */
static const char *
make_xen_args (struct writer *writer, int has_dom0)
{
  import_t import = writer->import;
  const char *words = get (import, "XEN_CMD", 0), *word, *args, *colors;
  int is_on = 0, has_colors, domain, n = 0;
  size_t length;

  if (!words)
    {
      words = begin (import);
      put (import, "console=dtuart dtuart=serial0 dom0_mem=");
      put_number (import,
		  get_number (import, "DOM0_MEM", 0, UINT32_MAX, 1024));
      put (import, "M dom0_max_vcpus=");
      put_number (import,
		  get_number (import, "DOM0_VCPUS", 0, UINT32_MAX, 1));
      put (import, " bootscrub=0 vwfi=native sched=null");
      words = end (import, words);
    }

  args = begin (import);
  while ((word = next_word (&words, " ", &length)))
    {
      if (!has_dom0 && begins_with (word, length, "dom0"))
	continue;
      is_on |= begins_with (word, length, "llc-coloring");
      if (n++)
	put (import, " ");
      while (length--)
	grub_dom0less_import_put (import, *word++);
    }

  colors = get_colors (import, "XEN_COLORS", 0);
  if (colors)
    put_option (import, "xen-llc-colors=", colors);
  has_colors = colors != NULL;
  colors = has_dom0 ? get_colors (import, "DOM0_COLORS", 0) : NULL;
  if (colors)
    put_option (import, "dom0-llc-colors=", colors);
  has_colors |= colors != NULL;
  for (domain = 0; domain < writer->n_domains; domain++)
    has_colors |= (is_booted (import, (uint32_t) domain)
		   && get (import, "DOMU_COLORS", (uint32_t) domain));
  if (has_colors && !is_on)
    put (import, " llc-coloring=on");
  return end (import, args);
}

/* Put the partition behind the one that U-Boot loads from, as Linux calls it:
   that is where ImageBuilder's disk_image puts dom0's files.  Returns 0, or -1
   if LOAD_CMD does not tell.  */
static int
put_root_device (import_t import)
{
  const char *load = get (import, "DOM0_LOAD", 0), *colon, *device;
  uint64_t disk, partition;

  if (!load)
    load = get (import, "LOAD_CMD", 0);
  colon = load ? strchr (load, ':') : NULL;
  if (!colon)
    return -1;
  for (device = colon; device > load && device[-1] != ' '; device--)
    ;
  if (parse_number (device, (size_t) (colon - device), &disk)
      || parse_number (colon + 1, strlen (colon + 1), &partition)
      || disk >= 26 || partition >= 128)
    return -1;
  if (strstr (load, "mmc"))
    {
      put (import, "/dev/mmcblk");
      put_number (import, disk);
      put (import, "p");
    }
  else if (strstr (load, "scsi"))
    {
      put (import, "/dev/sd");
      grub_dom0less_import_put (import, (char) ('a' + disk));
    }
  else
    return -1;
  put_number (import, partition + 1);
  return 0;
}

/* Dom0's command line: DOM0_CMD or ImageBuilder's own, and a root= if it has
   none.  */
static const char *
make_dom0_args (import_t import)
{
  const char *value = get (import, "DOM0_CMD", 0), *args = begin (import);

  put (import, value ? value
       : "console=hvc0 earlycon=xen earlyprintk=xen clk_ignore_unused");
  if (!value || !strstr (value, "root="))
    {
      size_t filled = import->filled;

      put (import, " root=");
      if (!get (import, "DOM0_ROOTFS", 0))
	put (import, "/dev/ram0");
      else if (put_root_device (import))
	{
	  import->filled = filled;
	  lose (import, "DOM0_ROOTFS", 0,
		"LOAD_CMD does not tell its partition: write root= into"
		" DOM0_CMD");
	}
    }
  return end (import, args);
}

/* What /chosen gets for Xen and dom0.  Properties come before nodes.  */
static void
add_xen_properties (struct writer *writer, int has_dom0)
{
  import_t import = writer->import;
  const char *heap = get (import, "XEN_STATIC_HEAP", 0) ? "XEN_STATIC_HEAP"
    : "STATIC_HEAP";

  add_cells_of_2 (writer);

  import->xen_args = make_xen_args (writer, has_dom0);
  /* GRUB hands these on with a backslash before them.  */
  if (strchr (import->xen_args, '\'') || strchr (import->xen_args, '"')
      || strchr (import->xen_args, '\\'))
    {
      add_string (writer, "xen,xen-bootargs", import->xen_args);
      import->xen_args = "";
    }
  if (has_dom0)
    add_string (writer, "xen,dom0-bootargs", make_dom0_args (import));
  /* ImageBuilder writes two cells each whatever the root has.  */
  if (get (import, heap, 0))
    add_ranges (writer, "xen,static-heap", heap, 0,
		import->base ? fdt_address_cells (import->base, 0) : 2,
		import->base ? fdt_size_cells (import->base, 0) : 2);
}

static void
add_xen_modules (struct writer *writer, int has_dom0)
{
  static const char *const dom0s[] =
    {
      "DOM0_RAMDISK", "DOM0_ROOTFS", "DOM0_CMD", "DOM0_MEM", "DOM0_VCPUS",
      "DOM0_COLORS"
    };
  size_t i;

  add_module (writer, "xen-policy", MODULE ("xen,xsm-policy"), "XEN_POLICY", 0,
	      NULL);
  if (has_dom0)
    {
      add_module (writer, "dom0", MODULE ("multiboot,kernel"), "DOM0_KERNEL",
		  0, NULL);
      add_module (writer, "dom0-ramdisk", MODULE ("multiboot,ramdisk"),
		  "DOM0_RAMDISK", 0, NULL);
    }
  else
    for (i = 0; i < sizeof (dom0s) / sizeof (dom0s[0]); i++)
      lose (writer->import, dom0s[i], 0, "there is no DOM0_KERNEL");
}


/*
 * CPU pools.  The tree names a CPU by its phandle, so they want DEVICE_TREE.
 * Phandles of the overlay's own are moved when it is applied, and with them
 * what __local_fixups__ says is one of them; other numbers are the base's.
 */

static uint32_t
pool_phandle (int pool)
{
  return (uint32_t) pool + 1;
}

/* Find the CPU of POOL that is the LENGTH bytes at NAME.  */
static int
read_cpu (struct writer *writer, int pool, const char *name, size_t length)
{
  const void *base = writer->import->base;
  struct cpu *cpu = &writer->cpus[writer->n_cpus];
  int node, i;

  for (i = 0; i < writer->n_cpus; i++)
    if (writer->cpus[i].length == length
	&& memcmp (writer->cpus[i].name, name, length) == 0)
      return fail (writer->import, "CPUPOOL", (uint32_t) pool,
		   "has a CPU for the second time");
  node = fdt_path_offset (base, "/cpus");
  if (node >= 0)
    node = fdt_subnode_offset_namelen (base, node, name, (int) length);
  if (node < 0)
    return fail (writer->import, "CPUPOOL", (uint32_t) pool,
		 "has a CPU that is not in DEVICE_TREE");
  if (writer->n_cpus == MAX_CPUS)
    return fail (writer->import, "CPUPOOL", (uint32_t) pool,
		 "has too many CPUs");

  cpu->pool = pool;
  cpu->name = name;
  cpu->length = length;
  cpu->phandle = fdt_get_phandle (base, node);
  cpu->is_new = cpu->phandle == 0;
  if (cpu->is_new)
    cpu->phandle = pool_phandle (writer->n_pools + writer->n_cpus);
  writer->n_cpus++;
  return 0;
}

/* Read all CPUPOOLs.  */
static int
read_pools (struct writer *writer)
{
  import_t import = writer->import;
  const char *words, *names, *list, *name;
  size_t length;
  int pool, n_pools;

  n_pools = (int) get_number (import, "NUM_CPUPOOLS", 0, MAX_CPUPOOLS, 0);
  if (!import->base)
    {
      for (pool = 0; pool < n_pools; pool++)
	lose (import, "CPUPOOL", (uint32_t) pool, "its CPUs are found in"
	      " DEVICE_TREE only, and that is not in --directory");
      return 0;
    }

  writer->n_pools = n_pools;
  for (pool = 0; pool < n_pools; pool++)
    {
      words = get (import, "CPUPOOL", (uint32_t) pool);
      list = words ? next_word (&words, " ", &length) : NULL;
      if (!list)
	return fail (import, "CPUPOOL", (uint32_t) pool, "is not set");
      for (names = list; names < words;)
	{
	  name = next_word (&names, ", ", &length);
	  if (name && name < words && read_cpu (writer, pool, name, length))
	    return -1;
	}
    }
  return 0;
}

/* The properties of POOL's node.  */
static void
add_pool (struct writer *writer, int pool)
{
  const char *words, *word, *scheduler = NULL;
  size_t length;
  unsigned char *at;
  int i, n = 0;

  begin_node (writer, numbered (writer->import, "cpupool_", (uint64_t) pool));
  add_string (writer, "compatible", "xen,cpupool");
  add_cell (writer, "phandle", pool_phandle (pool));
  for (i = 0; i < writer->n_cpus; i++)
    n += writer->cpus[i].pool == pool;
  at = add_cells (writer, "cpupool-cpus", (size_t) n);
  for (i = 0; at && i < writer->n_cpus; i++)
    if (writer->cpus[i].pool == pool)
      {
	write_cells (at, writer->cpus[i].phandle, 1);
	at += 4;
      }

  /* The CPUs are the first word; the scheduler is the last, if there is one
     more.  */
  words = get (writer->import, "CPUPOOL", (uint32_t) pool);
  for (n = 0; (word = next_word (&words, " ", &length)); n++)
    scheduler = join (writer->import, "", word, length);
  if (n > 1)
    add_string (writer, "cpupool-sched", scheduler);
  end_node (writer);
}

/* Whether domain INDEX is in a pool, and which.  */
static int
get_pool (struct writer *writer, uint32_t index, int *pool)
{
  uint64_t number;

  if (!get (writer->import, "DOMU_CPUPOOL", index))
    return 0;
  if (!writer->n_pools)
    {
      lose (writer->import, "DOMU_CPUPOOL", index,
	    "there is no such CPUPOOL here");
      return 0;
    }
  number = get_number (writer->import, "DOMU_CPUPOOL", index,
		       (uint64_t) writer->n_pools - 1, 0);
  *pool = (int) number;
  return 1;
}


/*
 * Domains.
 */

static void
add_memory (struct writer *writer, uint32_t index)
{
  uint64_t kib, sum;
  fdt64_t value;

  if (get (writer->import, "DOMU_STATIC_MEM", index))
    {
      sum = add_ranges (writer, "xen,static-mem", "DOMU_STATIC_MEM", index, 2,
			2);
      kib = sum / 1024;
      if (get_number (writer->import, "DOMU_DIRECT_MAP", index, 1, 1))
	add_empty (writer, "direct-map");
    }
  else
    kib = 1024 * get_number (writer->import, "DOMU_MEM", index,
			     UINT64_MAX / 1024, 512);
  value = cpu_to_fdt64 (kib);
  add_bytes (writer, "memory", &value, sizeof (value));
}

/* The bits of DOMU_CAPS: names or numbers, and `|' between them.  */
static void
add_capabilities (struct writer *writer, uint32_t index)
{
  static const struct
  {
    const char *name;
    uint32_t bits;
  } names[] =
    {
      { "none", 0 }, { "control", 1 }, { "hardware", 2 }, { "xenstore", 4 },
      { "dom0", 7 }, { "domain0", 7 }
    };
  const char *words = get (writer->import, "DOMU_CAPS", index), *word;
  size_t length, n, i;
  uint64_t bits = 0, number;

  if (!words)
    return;
  while ((word = next_word (&words, "| ", &length)))
    {
      for (n = 0; n < sizeof (names) / sizeof (names[0]); n++)
	{
	  /* In small letters or in capitals.  */
	  if (strlen (names[n].name) != length)
	    continue;
	  for (i = 0; i < length && (word[i] | 0x20) == names[n].name[i]; i++)
	    ;
	  if (i == length)
	    break;
	}
      if (n < sizeof (names) / sizeof (names[0]))
	bits |= names[n].bits;
      else if (parse_number (word, length, &number) == 0 && number <= 7)
	bits |= number;
      else
	{
	  fail (writer->import, "DOMU_CAPS", index,
		"has a word that is no capability");
	  return;
	}
    }
  add_cell (writer, "capabilities", bits);
}

/* What is a number in both.  */
static void
add_numbers (struct writer *writer, uint32_t index)
{
  static const struct
  {
    const char *name, *property;
    uint32_t max;
  } numbers[] =
    {
      { "DOMU_NR_SPIS", "nr_spis", UINT32_MAX },
      { "DOMU_GRANT_VER", "max_grant_version", UINT32_MAX },
      { "DOMU_GRANT_FRAMES", "max_grant_frames", UINT32_MAX },
      { "DOMU_MAPTRACK_FRAMES", "max_maptrack_frames", UINT32_MAX },
      { "DOMU_P2M_MEM_MB", "xen,domain-p2m-mem-mb", UINT32_MAX },
      { "DOMU_TRAP_UNMAP", "trap-unmapped-accesses", 1 }
    };
  size_t i;

  for (i = 0; i < sizeof (numbers) / sizeof (numbers[0]); i++)
    if (get (writer->import, numbers[i].name, index))
      add_cell (writer, numbers[i].property,
		get_number (writer->import, numbers[i].name, index,
			    numbers[i].max, 0));
}

/* ID, host's address, guest's address, size; the second may be missing.  */
static void
add_shared_memory (struct writer *writer, uint32_t index)
{
  import_t import = writer->import;
  const char *words = get (import, "DOMU_SHARED_MEM", index);
  const char *id, *word, *rest;
  size_t id_length, length, n = 0;
  unsigned char *at;
  uint64_t number;

  if (!words)
    return;
  id = next_word (&words, " ", &id_length);
  for (rest = words; next_word (&rest, " ", &length); n++)
    ;
  if (n != 2 && n != 3)
    {
      fail (import, "DOMU_SHARED_MEM", index,
	    "is not ID, host's address, guest's address, size");
      return;
    }

  begin_node (writer, "shared-mem");
  add_string (writer, "compatible", "xen,domain-shared-memory-v1");
  add_string (writer, "xen,shm-id", join (import, "", id, id_length));
  at = add_cells (writer, "xen,shared-mem", 2 * n);
  for (; (word = next_word (&words, " ", &length)); at += at ? 8 : 0)
    if (parse_number (word, length, &number))
      fail (import, "DOMU_SHARED_MEM", index,
	    "has a word that is no number, or too big a one");
    else if (at)
      write_cells (at, number, 2);
  end_node (writer);
}

static void
add_domain (struct writer *writer, uint32_t index, int has_dom0)
{
  import_t import = writer->import;
  const char *colors, *bootargs, *passthrough;
  uint64_t enhanced;
  int has_uart, pool;

  begin_node (writer, numbered (import, "domU", index));
  add_string (writer, "compatible", "xen,domain");
  add_cells_of_2 (writer);
  add_memory (writer, index);
  add_cell (writer, "cpus",
	    get_number (import, "DOMU_VCPUS", index, UINT32_MAX, 1));
  has_uart = get_number (import, "DOMU_VPL011", index, 1, 1) != 0;
  if (has_uart)
    add_empty (writer, "vpl011");
  enhanced = get_number (import, "DOMU_ENHANCED", index, 2, has_dom0);
  if (enhanced)
    add_string (writer, "xen,enhanced",
		enhanced == 1 ? "enabled" : "no-xenstore");
  colors = get_colors (import, "DOMU_COLORS", index);
  if (colors)
    add_string (writer, "llc-colors", colors);
  if (get_pool (writer, index, &pool))
    add_cell (writer, "domain-cpupool", pool_phandle (pool));
  add_numbers (writer, index);
  add_capabilities (writer, index);
  passthrough = get (import, "DOMU_PASSTHROUGH_PROP", index);
  if (passthrough && strcmp (passthrough, "enabled") == 0)
    add_string (writer, "passthrough", passthrough);

  if (!get (import, "DOMU_KERNEL", index))
    fail (import, "DOMU_KERNEL", index, "is not set");
  bootargs = get (import, "DOMU_CMD", index);
  if (!bootargs && has_uart)
    bootargs = "console=ttyAMA0";
  add_module (writer, "kernel", MODULE ("multiboot,kernel"), "DOMU_KERNEL",
	      index, bootargs);
  add_module (writer, "ramdisk", MODULE ("multiboot,ramdisk"), "DOMU_RAMDISK",
	      index, NULL);
  add_module (writer, "device-tree", MODULE ("multiboot,device-tree"),
	      "DOMU_PASSTHROUGH_DTB", index, NULL);
  add_shared_memory (writer, index);
  end_node (writer);
}


/*
 * The whole.
 */

/* Begin fragment NUMBER, for the node PATH.  `end_fragment' ends it.  */
static void
begin_fragment (struct writer *writer, int number, const char *path)
{
  begin_node (writer,
	      numbered (writer->import, "fragment@", (uint64_t) number));
  add_string (writer, "target-path", path);
  begin_node (writer, "__overlay__");
}

static void
end_fragment (struct writer *writer)
{
  end_node (writer);
  end_node (writer);
}

/* /chosen.  An overlay's nodes arrive in the opposite order, because libfdt
   puts a new one before its siblings; U-Boot's `fdt mknod' does the same.  So
   the order of the config is right: Xen numbers the domains as when it is
   started by ImageBuilder's script, from the last to the first.  */
static void
add_chosen (struct writer *writer)
{
  import_t import = writer->import;
  int has_dom0 = get (import, "DOM0_KERNEL", 0) != NULL, i;

  if (!has_dom0 && !writer->n_domains)
    grub_dom0less_import_fail (import, 0, NULL,
			       "neither DOM0_KERNEL nor NUM_DOMUS is set");
  begin_node (writer, "chosen");
  add_xen_properties (writer, has_dom0);
  add_xen_modules (writer, has_dom0);
  for (i = 0; i < writer->n_domains; i++)
    if (is_booted (import, (uint32_t) i))
      add_domain (writer, (uint32_t) i, has_dom0);
  for (i = 0; i < writer->n_pools; i++)
    add_pool (writer, i);
  end_node (writer);
}

/* A fragment for each device that Xen shall keep from dom0.  Returns the next
   fragment's number.  */
static int
add_passthrough (struct writer *writer, int number)
{
  import_t import = writer->import;
  const char *words, *word;
  size_t length;
  int domain;

  for (domain = 0; domain < writer->n_domains; domain++)
    {
      words = get (import, "DOMU_PASSTHROUGH_PATHS", (uint32_t) domain);
      if (words && is_booted (import, (uint32_t) domain)
	  && !get (import, "DOMU_PASSTHROUGH_DTB", (uint32_t) domain))
	lose (import, "DOMU_PASSTHROUGH_PATHS", (uint32_t) domain,
	      "the domain's partial device tree is not made here: make it, and"
	      " name it in DOMU_PASSTHROUGH_DTB");
      while (words && (word = next_word (&words, " ", &length)))
	{
	  if (*word != '/')
	    fail (import, "DOMU_PASSTHROUGH_PATHS", (uint32_t) domain,
		  "has a word that is no path of a node");
	  begin_fragment (writer, number++, join (import, "", word, length));
	  add_empty (writer, "xen,passthrough");
	  end_fragment (writer);
	}
    }
  return number;
}

/* A fragment for each CPU of a pool that has no phandle yet.  */
static void
add_cpus (struct writer *writer, int number)
{
  const struct cpu *cpu;

  for (cpu = writer->cpus; cpu < writer->cpus + writer->n_cpus; cpu++)
    if (cpu->is_new)
      {
	begin_fragment (writer, number++,
			join (writer->import, "/cpus/", cpu->name,
			      cpu->length));
	add_cell (writer, "phandle", cpu->phandle);
	end_fragment (writer);
      }
}

/* Say which cells hold phandles of the overlay's own: nodes named as in
   fragment 0, and properties of offsets named as those with the cells.  */
static void
add_local_fixups (struct writer *writer)
{
  import_t import = writer->import;
  unsigned char *at;
  int i, k, n, pool, offset;

  begin_node (writer, "__local_fixups__");
  begin_node (writer, "fragment@0");
  begin_node (writer, "__overlay__");
  begin_node (writer, "chosen");
  for (i = 0; i < writer->n_domains; i++)
    if (is_booted (import, (uint32_t) i)
	&& get_pool (writer, (uint32_t) i, &pool))
      {
	begin_node (writer, numbered (import, "domU", (uint64_t) i));
	add_cell (writer, "domain-cpupool", 0);
	end_node (writer);
      }
  for (i = 0; i < writer->n_pools; i++)
    {
      for (k = n = 0; k < writer->n_cpus; k++)
	n += writer->cpus[k].pool == i && writer->cpus[k].is_new;
      if (!n)
	continue;
      begin_node (writer, numbered (import, "cpupool_", (uint64_t) i));
      at = add_cells (writer, "cpupool-cpus", (size_t) n);
      for (k = offset = 0; at && k < writer->n_cpus; k++)
	if (writer->cpus[k].pool == i)
	  {
	    if (writer->cpus[k].is_new)
	      {
		write_cells (at, (uint64_t) offset, 1);
		at += 4;
	      }
	    offset += 4;
	  }
      end_node (writer);
    }
  end_node (writer);
  end_node (writer);
  end_node (writer);
  end_node (writer);
}

/* What has not been looked at by now is either not needed or not known.  */
static void
note_losses (import_t import)
{
  struct grub_dom0less_variable *variable = import->variables;
  size_t n;
  int i;

  for (i = 0; i < import->n_variables; i++, variable++)
    {
      for (n = 0; n < sizeof (known) / sizeof (known[0]); n++)
	if (strcmp (variable->name, known[n].name) == 0)
	  break;
      if (n < sizeof (known) / sizeof (known[0]))
	{
	  if (known[n].loss && *variable->value)
	    variable->loss = known[n].loss;
	}
      else if (!variable->used)
	variable->loss = "it is not known";
    }
}

int
grub_dom0less_import_overlay (struct grub_dom0less_import *import, void *fdt,
			      size_t size)
{
  struct writer writer;
  int number;

  memset (&writer, 0, sizeof (writer));
  writer.import = import;
  writer.fdt = fdt;
  import->filled = import->parsed;

  writer.n_domains = (int) get_number (import, "NUM_DOMUS", 0,
				       GRUB_DOM0LESS_MAX_DOMAINS, 0);
  if (read_pools (&writer))
    return -1;

  writer.err = fdt_create (fdt, (int) size);
  if (!writer.err)
    writer.err = fdt_finish_reservemap (fdt);
  begin_node (&writer, "");
  /* Not /chosen itself: a tree may have none.  */
  begin_fragment (&writer, 0, "/");
  add_chosen (&writer);
  end_fragment (&writer);
  number = add_passthrough (&writer, 1);
  add_cpus (&writer, number);
  if (writer.n_pools)
    add_local_fixups (&writer);
  end_node (&writer);
  if (!writer.err)
    writer.err = fdt_finish (fdt);

  if (import->error)
    return -1;
  if (writer.err)
    return 1;
  note_losses (import);
  return 0;
}
