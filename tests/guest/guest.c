/* guest.c - a guest that says what it was given, in no time  */
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

/* It tells of itself in the words of demo/init, which is Linux's, and of its
   kernel besides; the vCPUs and the memory are those of its device tree.  The
   MMU stays off, so every access has to be aligned, and nothing is where the
   linker thought it would be.  */

#include <arm_acle.h>
#include <libfdt.h>

/* The file, to its own end; the tests append the rest of the kernel, and have
   the size of it all in the header.  */
extern const struct
{
  uint32_t code[2];
  uint64_t offset;
  uint64_t size;
} image;
extern const char image_end[];

/* A line in the making.  */
struct line
{
  size_t length;
  char text[1100];
};

static const void *fdt;
static const char *name;
static size_t name_length;
/* The virtual UART that Xen gives a domain, but not the dom0.  */
static volatile uint32_t *uart;

/* What is too long loses its end, but not its newline.  */
static void
add (struct line *line, const char *text, size_t length)
{
  while (length-- && line->length < sizeof (line->text) - 1)
    line->text[line->length++] = *text++;
}

static void
add_string (struct line *line, const char *string)
{
  add (line, string, strlen (string));
}

/* What EVTCHNOP_status is given, and what it fills in.  */
struct channel
{
  uint16_t domain;
  uint32_t port;
  uint32_t status, vcpu;
  uint32_t other[2];
};

/* HYPERVISOR_event_channel_op, EVTCHNOP_status: whether PORT of this domain is
   bound to another domain's.  */
static int
is_connected (uint32_t port)
{
  volatile struct channel query = { 0x7ff0, port, 0, 0, { 0, 0 } };	/* DOMID_SELF */
  register uintptr_t x0 __asm__ ("x0") = 5;
  register uintptr_t x1 __asm__ ("x1") = (uintptr_t) &query;
  register uintptr_t x16 __asm__ ("x16") = 32;

  __asm__ volatile ("hvc #0xea1" : "+r" (x0), "+r" (x1), "+r" (x16)
		    : : "memory", "x2", "x3", "x4", "x5");
  return x0 == 0 && query.status == 2;		/* EVTCHNSTAT_interdomain */
}

/* HYPERVISOR_console_io, CONSOLEIO_write.  Of a domain Xen would tell it at a
   level that nobody sees.  */
static void
hypercall_write (const char *text, size_t length)
{
  register uintptr_t x0 __asm__ ("x0") = 0;
  register uintptr_t x1 __asm__ ("x1") = length;
  register uintptr_t x2 __asm__ ("x2") = (uintptr_t) text;
  register uintptr_t x16 __asm__ ("x16") = 18;

  __asm__ volatile ("hvc #0xea1" : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x16)
		    : : "memory", "x3", "x4", "x5");
}

/* Print "guest NAME: FACT VALUE".  */
static void
say (const char *fact, const char *value, size_t length)
{
  struct line line;
  size_t i;

  line.length = 0;
  add_string (&line, "guest ");
  add (&line, name, name_length);
  add_string (&line, ": ");
  add_string (&line, fact);
  add_string (&line, " ");
  add (&line, value, length);
  line.text[line.length++] = '\n';
  if (!uart)
    {
      hypercall_write (line.text, line.length);
      return;
    }
  /* Xen's is always ready.  */
  for (i = 0; i < line.length; i++)
    *uart = (unsigned char) line.text[i];
}

static void
say_number (const char *fact, uint64_t number, const char *unit)
{
  struct line line;
  char digits[20];
  size_t first = sizeof (digits);

  do
    digits[--first] = '0' + number % 10;
  while (number /= 10);
  line.length = 0;
  add (&line, digits + first, sizeof (digits) - first);
  add_string (&line, unit);
  say (fact, line.text, line.length);
}

/* The length of the first line from START to END.  */
static size_t
first_line (const char *start, const char *end)
{
  const char *newline = memchr (start, '\n', end - start);

  return (newline ? newline : end) - start;
}

/* Of a kernel or ramdisk its first line is said, if all of it is there: its
   last four bytes are the CRC-32 of the others, the lower byte first.  */
static void
say_whole (const char *fact, const char *start, const char *end)
{
  uint32_t crc = 0xffffffff;
  const char *at;

  for (at = start; at < end; at++)
    crc = __crc32b (crc, *at);
  /* What is left of anything that has its CRC behind it.  */
  if (crc == 0xdebb20e3)
    say (fact, start, first_line (start, end));
  else
    say (fact, "damaged", 7);
}

/* A number of so many cells.  */
static uint64_t
read_cells (const fdt32_t *cell, int count)
{
  uint64_t number = 0;

  while (count-- > 0)
    number = number << 32 | fdt32_to_cpu (*cell++);
  return number;
}

static const char *
chosen_address (const char *property)
{
  int length;
  const fdt32_t *cell = fdt_getprop (fdt, fdt_path_offset (fdt, "/chosen"),
				     property, &length);

  return cell ? (const char *) (uintptr_t) read_cells (cell, length / 4) : NULL;
}

static int
next_of_type (int node, const char *type)
{
  return fdt_node_offset_by_prop_value (fdt, node, "device_type", type,
					strlen (type) + 1);
}

static uint64_t
memory_size (void)
{
  int address = fdt_address_cells (fdt, 0), size = fdt_size_cells (fdt, 0);
  int node, length;
  uint64_t sum = 0;

  for (node = next_of_type (-1, "memory"); node >= 0;
       node = next_of_type (node, "memory"))
    {
      const fdt32_t *reg = fdt_getprop (fdt, node, "reg", &length);

      for (; reg && length >= 4 * (address + size);
	   reg += address + size, length -= 4 * (address + size))
	sum += read_cells (reg + address, size);
    }
  return sum;
}

static uint64_t
cpu_count (void)
{
  int node;
  uint64_t count = 0;

  for (node = next_of_type (-1, "cpu"); node >= 0;
       node = next_of_type (node, "cpu"))
    count++;
  return count;
}

static void
find_uart (void)
{
  int node = fdt_node_offset_by_compatible (fdt, -1, "arm,sbsa-uart");
  const fdt32_t *reg = fdt_getprop (fdt, node, "reg", NULL);

  if (reg)
    uart = (volatile uint32_t *) (uintptr_t)
      read_cells (reg, fdt_address_cells (fdt, 0));
}

/* What stands behind KEY in the last of the WORDS that begins with it, *LENGTH
   letters; NULL if none does.  */
static const char *
find_word (const char *words, const char *key, size_t *length)
{
  const size_t skip = strlen (key);
  const char *found = NULL;

  while (*words)
    {
      size_t all = 0;

      while (words[all] && words[all] != ' ')
	all++;
      if (all >= skip && memcmp (words, key, skip) == 0)
	{
	  found = words + skip;
	  *length = all - skip;
	}
      words += all + (words[all] == ' ');
    }
  return found;
}

/* What "hostname=" of the command line says, or else the ramdisk, if there is
   one.  */
static void
find_name (const char *words, const char *ramdisk, const char *ramdisk_end)
{
  name = find_word (words, "hostname=", &name_length);
  if (name)
    return;
  name = "";
  if (ramdisk && ramdisk_end)
    {
      name = ramdisk;
      name_length = first_line (ramdisk, ramdisk_end);
    }
}

/* Report each region of shared memory with its identifier and size.  */
static void
say_shared_memory (void)
{
  static const char compatible[] = "xen,shared-memory-v1";
  int node, parent, length;
  const fdt32_t *reg;
  const char *id;

  for (node = fdt_node_offset_by_compatible (fdt, -1, compatible); node >= 0;
       node = fdt_node_offset_by_compatible (fdt, node, compatible))
    {
      id = fdt_getprop (fdt, node, "xen,id", &length);
      reg = fdt_getprop (fdt, node, "reg", NULL);
      parent = fdt_parent_offset (fdt, node);
      if (!id || !reg || parent < 0)
	continue;
      say ("shared-memory", id, length - 1);
      say_number ("shared-memory-size",
		  read_cells (reg + fdt_address_cells (fdt, parent),
			      fdt_size_cells (fdt, parent)) / 1024, " kB");
    }
}

/* Say of each port that the command line's "evtchn=PORT,..." names whether it
   is connected.  */
static void
say_event_channels (const char *words)
{
  size_t length, i;
  uint32_t port = 0;
  const char *ports = find_word (words, "evtchn=", &length);

  if (!ports)
    return;
  for (i = 0; i <= length; i++)
    if (i < length && ports[i] >= '0' && ports[i] <= '9')
      port = port * 10 + (ports[i] - '0');
    else
      {
	say_number (is_connected (port) ? "connected" : "not-connected", port,
		    "");
	port = 0;
      }
}

/* PSCI's SYSTEM_RESET.  Of the dom0 Xen takes it for the whole machine's.  */
static void
reset (void)
{
  register uintptr_t x0 __asm__ ("x0") = 0x84000009;

  __asm__ volatile ("hvc #0" : "+r" (x0) : : "memory", "x1", "x2", "x3");
}

void
report (const void *tree)
{
  const char *ramdisk, *ramdisk_end, *words, *device;
  size_t ignored;
  int length;

  fdt = tree;
  find_uart ();
  ramdisk = chosen_address ("linux,initrd-start");
  ramdisk_end = chosen_address ("linux,initrd-end");
  words = fdt_getprop (fdt, fdt_path_offset (fdt, "/chosen"), "bootargs", NULL);
  if (!words)
    words = "";
  find_name (words, ramdisk, ramdisk_end);

  say_whole ("kernel", image_end, (const char *) &image + image.size);
  if (ramdisk)
    say_whole ("ramdisk", ramdisk, ramdisk_end);
  say_number ("cpus", cpu_count (), "");
  say_number ("memory", memory_size () / 1024, " kB");
  say ("cmdline", words, strlen (words));
  /* What test_binding.py hands over to a domain.  */
  device = fdt_getprop (fdt, fdt_path_offset (fdt, "/passthrough/handed-over"),
			"words", &length);
  if (device)
    say ("device", device, length - 1);
  say_shared_memory ();
  say_event_channels (words);
  say ("up", "", 0);
  if (find_word (words, "reset", &ignored))
    reset ();
}
