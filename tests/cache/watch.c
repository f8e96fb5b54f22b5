/* watch.c - what of memory has reached the Point of Coherency  */
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

/*
 * A plugin for QEMU from 9.2 on, whose plugins can read registers, with one
 * processor.  TCG has no caches, but it runs the instructions that would write
 * them back, and this plugin remembers for each line of RAM what those did: the
 * copy that would lie in memory, beyond all caches, is what the line held when
 * it was last cleaned to the Point of Coherency.
 *
 * When the code runs whose first bytes are ENTRY, Xen's EFI stub, the plugin
 * writes to the folder OUT
 *
 *     lines	one byte for each line of RAM, of the bits below
 *     tree	the device tree of the EFI configuration table
 *
 * and, with HANDOVER, when the MMU is on again that somebody has switched off
 * since
 *
 *     fetched	one byte for each line of RAM: those from which instructions
 *		have been executed without the MMU have FETCHED
 *
 * and stops watching.  Stores by processors are seen as they are made, those by
 * devices only by what they have changed since the line was cleaned.
 *
 * Sources: QEMU, "TCG Plugins" in its manual for developers; Arm Architecture
 * Reference Manual for A-profile, C5.3 (cache maintenance) and C4.1 (encodings);
 * UEFI Specification, 4.3 and 4.6 (system table).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* QEMU's interface for plugins, as far as it is used here: distributions have no
   package with its header, which wants GLib's as well.  */
typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_register;
struct array { void *data; unsigned int length; };		/* GArray */
struct bytes { uint8_t *data; unsigned int length; };		/* GByteArray */
struct descriptor
{
  struct qemu_plugin_register *handle;
  const char *name, *feature;
};
enum { NO_REGISTERS, READ_REGISTERS };
enum { READS = 1, WRITES };

typedef void (*translated_t) (qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*started_t) (qemu_plugin_id_t, unsigned int);
typedef void (*executed_t) (unsigned int, void *);
typedef void (*accessed_t) (unsigned int, qemu_plugin_meminfo_t, uint64_t,
			    void *);

struct bytes *g_byte_array_new (void);
struct bytes *g_byte_array_set_size (struct bytes *, unsigned int);
void qemu_plugin_register_vcpu_tb_trans_cb (qemu_plugin_id_t, translated_t);
void qemu_plugin_register_vcpu_init_cb (qemu_plugin_id_t, started_t);
void qemu_plugin_register_vcpu_insn_exec_cb (struct qemu_plugin_insn *,
					     executed_t, int, void *);
void qemu_plugin_register_vcpu_mem_cb (struct qemu_plugin_insn *, accessed_t,
				       int, int, void *);
size_t qemu_plugin_tb_n_insns (const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn (const struct qemu_plugin_tb *,
						  size_t);
size_t qemu_plugin_insn_data (const struct qemu_plugin_insn *, void *, size_t);
uint64_t qemu_plugin_insn_vaddr (const struct qemu_plugin_insn *);
unsigned int qemu_plugin_mem_size_shift (qemu_plugin_meminfo_t);
struct array *qemu_plugin_get_registers (void);
int qemu_plugin_read_register (struct qemu_plugin_register *, struct bytes *);
bool qemu_plugin_read_memory_vaddr (uint64_t, struct bytes *, size_t);

#define EXPORT		__attribute__ ((visibility ("default")))
EXPORT int qemu_plugin_version = 4;

/* What is said of a line.  */
enum
  {
    STORED = 1,			/* by an instruction */
    CLEANED = 2,		/* to the Point of Coherency */
    STORED_SINCE = 4,		/* since it was cleaned last */
    CHANGED_SINCE = 8,		/* it holds something else */
    CLEANED_TO_POU = 16,	/* to the Point of Unification only */
    DISCARDED = 32,		/* invalidated without being cleaned */
    FETCHED = 64		/* executed while the MMU was off */
  };

#define LINE		64u	/* CTR_EL0.DminLine of all processors of QEMU's */

/* System instructions without their register, which is in the lowest bits.  */
#define RT		31u
#define DC_CVAC		0xd50b7a20
#define DC_CIVAC	0xd50b7e20
#define DC_CVAU		0xd50b7b20
#define DC_ZVA		0xd50b7420
#define DC_IVAC		0xd5087620
#define MSR_SCTLR_EL2	0xd51c1000

#define DTB_GUID	0x41a5f19cb1b621d5ULL	/* its first half */

static uint64_t base, size;	/* of RAM, in bytes */
static uint8_t *lines;
static uint64_t *digests;	/* of each line when it was cleaned last */
static uint32_t entry[8];
static const char *out;
static int has_handover;
static enum { LOADER, STUB, OFF, OVER } phase;
static struct qemu_plugin_register *registers[31];
static struct bytes *buffer;

static void
die (const char *what)
{
  fprintf (stderr, "watch: %s\n", what);
  exit (1);
}

/* LENGTH bytes of memory at ADDRESS, until the next call; or NULL.  */
static const uint8_t *
read_memory (uint64_t address, size_t length)
{
  if (!qemu_plugin_read_memory_vaddr (address, buffer, length)
      || buffer->length != length)
    return NULL;
  return buffer->data;
}

static uint64_t
read_number (uint64_t address)
{
  const uint8_t *bytes = read_memory (address, 8);
  uint64_t number;

  if (!bytes)
    die ("the system table is not there");
  memcpy (&number, bytes, sizeof (number));
  return number;
}

static uint64_t
read_register (unsigned int number)
{
  uint64_t value = 0;

  if (number == 31)
    return 0;
  g_byte_array_set_size (buffer, 0);
  if (qemu_plugin_read_register (registers[number], buffer) != sizeof (value))
    die ("a register cannot be read");
  memcpy (&value, buffer->data, sizeof (value));
  return value;
}

static uint64_t
digest_line (size_t line)
{
  const uint8_t *bytes = read_memory (base + line * LINE, LINE);
  uint64_t digest = 1, word;
  size_t i;

  if (!bytes)
    die ("a line cannot be read");
  for (i = 0; i < LINE; i += sizeof (word))
    {
      memcpy (&word, bytes + i, sizeof (word));
      digest = (digest ^ word) * 0x9e3779b97f4a7c15ULL;
      digest ^= digest >> 29;
    }
  return digest;
}

static void
note_store (uint64_t address, uint64_t length)
{
  uint64_t line;

  if (address - base >= size)
    return;
  for (line = (address - base) / LINE;
       line <= (address - base + length - 1) / LINE && line < size / LINE;
       line++)
    lines[line] |= STORED | STORED_SINCE;
}

static void
on_store (unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address,
	  void *data)
{
  (void) vcpu;
  (void) data;
  if (phase != OVER)
    note_store (address, 1u << qemu_plugin_mem_size_shift (info));
}

static void
on_maintenance (unsigned int vcpu, void *data)
{
  uint32_t instruction = (uintptr_t) data;
  uint64_t address, line;

  (void) vcpu;
  if (phase == OVER)
    return;
  address = read_register (instruction & RT);
  if (address - base >= size)
    return;
  line = (address - base) / LINE;

  switch (instruction & ~RT)
    {
    case DC_CVAC:
    case DC_CIVAC:
      lines[line] &= ~(STORED_SINCE | CHANGED_SINCE);
      lines[line] |= CLEANED;
      digests[line] = digest_line (line);
      break;
    case DC_CVAU:
      lines[line] |= CLEANED_TO_POU;
      break;
    case DC_ZVA:
      note_store (address / LINE * LINE, LINE);
      break;
    case DC_IVAC:
      lines[line] |= DISCARDED;
      break;
    }
}

static void
write_file (const char *name, const void *bytes, size_t length)
{
  char path[4096];
  FILE *file;

  snprintf (path, sizeof (path), "%s/%s", out, name);
  file = fopen (path, "wb");
  if (!file || fwrite (bytes, 1, length, file) != length || fclose (file))
    die ("cannot write a file");
}

/* The tree in the configuration table of SYSTEM, an EFI system table.  */
static void
write_tree (uint64_t system)
{
  uint64_t n = read_number (system + 104), table = read_number (system + 112);
  uint64_t tree;
  const uint8_t *bytes;
  uint32_t length;

  for (; n; n--, table += 24)
    if (read_number (table) == DTB_GUID)
      break;
  if (!n)
    die ("the firmware has no tree");
  tree = read_number (table + 16);
  bytes = read_memory (tree, 8);
  if (!bytes)
    die ("the tree cannot be read");
  memcpy (&length, bytes + 4, sizeof (length));
  length = __builtin_bswap32 (length);
  bytes = read_memory (tree, length);
  if (!bytes)
    die ("the tree cannot be read");
  write_file ("tree", bytes, length);
}

static void
find_changes (void)
{
  size_t line;

  for (line = 0; line < size / LINE; line++)
    if ((lines[line] & CLEANED) && digests[line] != digest_line (line))
      lines[line] |= CHANGED_SINCE;
}

/* Xen's stub gets the image's handle and the system table.  */
static void
on_entry (unsigned int vcpu, void *data)
{
  (void) vcpu;
  (void) data;
  if (phase != LOADER)
    return;
  phase = has_handover ? STUB : OVER;
  find_changes ();
  write_tree (read_register (1));
  write_file ("lines", lines, size / LINE);
  fprintf (stderr, "watch: Xen's stub starts\n");
}

static void
on_fetch (unsigned int vcpu, void *data)
{
  uint64_t address = (uintptr_t) data;

  (void) vcpu;
  if (phase == OFF && address - base < size)
    lines[(address - base) / LINE] |= FETCHED;
}

static void
on_sctlr (unsigned int vcpu, void *data)
{
  int is_on = read_register ((uintptr_t) data & RT) & 1;

  (void) vcpu;
  if (phase == STUB && !is_on)
    phase = OFF;
  else if (phase == OFF && is_on)
    {
      phase = OVER;
      find_changes ();
      write_file ("fetched", lines, size / LINE);
      fprintf (stderr, "watch: the MMU is on again\n");
    }
}

static void
on_instruction (struct qemu_plugin_insn *instruction)
{
  uint32_t word;

  qemu_plugin_insn_data (instruction, &word, sizeof (word));
  if (phase != LOADER)
    qemu_plugin_register_vcpu_insn_exec_cb
      (instruction, on_fetch, NO_REGISTERS,
       (void *) (uintptr_t) qemu_plugin_insn_vaddr (instruction));
  switch (word & ~RT)
    {
    case MSR_SCTLR_EL2:
      qemu_plugin_register_vcpu_insn_exec_cb (instruction, on_sctlr,
					      READ_REGISTERS,
					      (void *) (uintptr_t) word);
      break;
    case DC_CVAC:
    case DC_CIVAC:
    case DC_CVAU:
    case DC_ZVA:
    case DC_IVAC:
      qemu_plugin_register_vcpu_insn_exec_cb (instruction, on_maintenance,
					      READ_REGISTERS,
					      (void *) (uintptr_t) word);
      break;
    default:
      /* Loads and stores, of which only those that write call.  */
      if ((word & 0x0a000000) == 0x08000000)
	qemu_plugin_register_vcpu_mem_cb (instruction, on_store, NO_REGISTERS,
					  WRITES, NULL);
      break;
    }
}

static int
is_entry (const struct qemu_plugin_tb *tb)
{
  struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn (tb, 0);
  const uint8_t *bytes;
  uint32_t word;

  qemu_plugin_insn_data (first, &word, sizeof (word));
  if (word != entry[0])
    return 0;
  bytes = read_memory (qemu_plugin_insn_vaddr (first), sizeof (entry));
  return bytes && memcmp (bytes, entry, sizeof (entry)) == 0;
}

static void
on_translation (qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
  size_t n = qemu_plugin_tb_n_insns (tb), i;

  (void) id;
  if (phase == OVER)
    return;
  if (n && is_entry (tb))
    qemu_plugin_register_vcpu_insn_exec_cb (qemu_plugin_tb_get_insn (tb, 0),
					    on_entry, READ_REGISTERS, NULL);
  for (i = 0; i < n; i++)
    on_instruction (qemu_plugin_tb_get_insn (tb, i));
}

static void
on_start (qemu_plugin_id_t id, unsigned int vcpu)
{
  struct array *found = qemu_plugin_get_registers ();
  const struct descriptor *descriptors = found->data;
  unsigned int i;
  int number, end;

  (void) id;
  if (vcpu)
    die ("only one processor can be watched");
  buffer = g_byte_array_new ();
  for (i = 0; i < found->length; i++)
    {
      end = 0;
      if (descriptors[i].name
	  && sscanf (descriptors[i].name, "x%d%n", &number, &end) == 1
	  && !descriptors[i].name[end] && number >= 0 && number < 31)
	registers[number] = descriptors[i].handle;
    }
  for (i = 0; i < 31; i++)
    if (!registers[i])
      die ("a register is missing");
}

static void *
allocate (size_t length)
{
  void *memory = mmap (NULL, length, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (memory == MAP_FAILED)
    die ("out of memory");
  return memory;
}

/* Arguments: base= and size= of RAM, in bytes; entry=, the first 32 bytes of
   Xen's entry in hexadecimal; out=, the folder; handover=on, or not.  */
EXPORT int
qemu_plugin_install (qemu_plugin_id_t id, const void *info, int argc,
		     char **argv)
{
  unsigned int byte;
  int i;
  size_t at;

  (void) info;
  for (i = 0; i < argc; i++)
    if (strcmp (argv[i], "handover=on") == 0)
      has_handover = 1;
    else if (strncmp (argv[i], "base=", 5) == 0)
      base = strtoull (argv[i] + 5, NULL, 0);
    else if (strncmp (argv[i], "size=", 5) == 0)
      size = strtoull (argv[i] + 5, NULL, 0);
    else if (strncmp (argv[i], "out=", 4) == 0)
      out = strdup (argv[i] + 4);
    else if (strncmp (argv[i], "entry=", 6) == 0)
      for (at = 0; at < sizeof (entry)
	     && sscanf (argv[i] + 6 + 2 * at, "%2x", &byte) == 1; at++)
	((uint8_t *) entry)[at] = byte;
  if (!size || !out || !entry[0])
    die ("say base=, size=, entry= and out=");

  lines = allocate (size / LINE);
  digests = allocate (size / LINE * sizeof (*digests));
  qemu_plugin_register_vcpu_init_cb (id, on_start);
  qemu_plugin_register_vcpu_tb_trans_cb (id, on_translation);
  return 0;
}
