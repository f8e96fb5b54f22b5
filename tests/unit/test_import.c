/* test_import.c - an ImageBuilder config: its syntax and its limits  */
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

/* What each variable becomes is tested with the whole tool: tests/tools.  */

#include "support.h"

#include "imagebuilder.h"

#define ONE	"XEN=xen\nNUM_DOMUS=1\nDOMU_KERNEL=k\n"
#define ROOM	4096

/* An import of CONFIG with ROOM bytes for strings.  The caller frees it with
   `forget'.  */
static struct ib_import *
parse (const char *config, size_t room)
{
  struct ib_import *import = allocate (sizeof (*import));
  size_t size = strlen (config);
  char *text = allocate (size);
  int err;

  memcpy (text, config, size);
  import->room = allocate (room);
  import->room_size = room;
  import->prefix = "";
  err = ib_parse (import, text, size);
  assert_int_equal (err, import->error ? -1 : 0);
  free (text);
  return import;
}

static void
forget (struct ib_import *import)
{
  free (import->room);
  free (import);
}

/* The variables of CONFIG, each as "LINE NAME[INDEX]=VALUE;", or its error as
   "LINE: ERROR".  */
static char *
list (const char *config)
{
  struct ib_import *import = parse (config, ROOM);
  char *found = format ("%s", ""), *more;
  int i;

  if (import->error)
    {
      free (found);
      found = format ("%u: %s", import->line, import->error);
    }
  for (i = 0; !import->error && i < import->n_variables; i++)
    {
      const struct ib_variable *variable = &import->variables[i];

      if (IB_IS_PAIR (variable->index))
	more = format ("%s%u %s[%u,%u]=%s;", found, variable->line,
		       variable->name, IB_FIRST (variable->index),
		       IB_SECOND (variable->index), variable->value);
      else if (variable->has_index)
	more = format ("%s%u %s[%u]=%s;", found, variable->line,
		       variable->name, IB_FIRST (variable->index),
		       variable->value);
      else
	more = format ("%s%u %s=%s;", found, variable->line, variable->name,
		       variable->value);
      free (found);
      found = more;
    }
  forget (import);
  return found;
}

#define INDEX "an index is a plain number, or the variable of one"
#define ASSIGNMENTS "only assignments NAME=VALUE are understood"

static const struct
{
  const char *config, *found;
} configs[] =
  {
    { "", "" },
    { " \t;;\n# A=1\n", "" },
    { "A=", "1 A=;" },
    { "A=b", "1 A=b;" },
    { "_a9=b # c\n", "1 _a9=b;" },
    { "A=b;B=c D=e\n\nF=g", "1 A=b;1 B=c;1 D=e;3 F=g;" },
    { "A[0]=b A[1]=c A[4294967294]=d",
      "1 A[0]=b;1 A[1]=c;1 A[4294967294]=d;" },
    { "i=7 A[$i]=b A[${i}]+=c B=${A[$i]}", "1 i=7;1 A[7]=bc;1 B=bc;" },
    { "i=7 A[$i,0]=b A[7,${i}]=c", "1 i=7;1 A[7,0]=b;1 A[7,7]=c;" },
    /* `export' is for what follows in its own command.  */
    { "export A=b", "1 A=b;" },
    { " export\tA=b B C=d \nexport D; D=e", "1 A=b;1 C=d;2 D=e;" },
    { "export", "1: " ASSIGNMENTS },
    { "exporting A=b", "1: " ASSIGNMENTS },
    { "export -n A=b", "1: " ASSIGNMENTS },
    { "export A=b; C", "1: " ASSIGNMENTS },
    /* A plain name is the first element, and the last assignment counts.  */
    { "A=b\nA[0]=c", "2 A[0]=c;" },
    { "A[0]=b\nA=c", "2 A=c;" },
    { "A=b A+=c A+=", "1 A=bc;" },
    { "A+=b", "1 A=b;" },
    { "A='b  c'\"d e\"f\\ g", "1 A=b  cd ef g;" },
    { "A='\\' B=\"\\\\\" C=\\\\", "1 A=\\;1 B=\\;1 C=\\;" },
    { "A=\"\\a\\$\\`\\\"\"", "1 A=\\a$`\";" },
    { "A=b\\\nc \\\n B=\"d\\\ne\"\nC=f", "1 A=bc;3 B=de;5 C=f;" },
    { "A=b\\\r\nc\r\nB='d\r\ne'\r\n", "1 A=bc;3 B=d e;" },
    { "A=b\tB=\"c\td\"", "1 A=b;1 B=c d;" },
    { "A=#b", "1 A=#b;" },
    { "A=b B=$A C=\"${A}x${A[0]}\" D='$A'", "1 A=b;1 B=b;1 C=bxb;1 D=$A;" },
    { "A[3]=b B=${A[3]}", "1 A[3]=b;1 B=b;" },
    { "A=$ B=\"$\" C=$=", "1 A=$;1 B=$;1 C=$=;" },
    { "A=x~y{b,c}[d]*?!%^", "1 A=x~y{b,c}[d]*?!%^;" },
    { "A=\xc3\xbc", "1 A=\xc3\xbc;" },

    { "A", "1: " ASSIGNMENTS },
    { "A=b\n\nc d", "3: " ASSIGNMENTS },
    { "=b", "1: " ASSIGNMENTS },
    { "A+b", "1: " ASSIGNMENTS },
    { "A-B=c", "1: " ASSIGNMENTS },
    { "\\", "1: " ASSIGNMENTS },
    { "\\\rA=b", "1: " ASSIGNMENTS },
    { "A[]=b", "1: " INDEX },
    { "A[1=b", "1: " INDEX },
    { "A[4294967295]=b", "1: " INDEX },
    { "A[99999999999999999999]=b", "1: " INDEX },
    { "A[$i]=b", "1: " INDEX },
    { "i= A[$i]=b", "1: " INDEX },
    { "i=1x A[$i]=b", "1: " INDEX },
    { "i=1 A[${i]=b", "1: " INDEX },
    { "i=1 A[$]=b", "1: " INDEX },
    { "A[1,]=b", "1: " INDEX },
    { "A[1,2,3]=b", "1: " INDEX },
    { "A[", "1: " INDEX },
    { "A=b B=${A[x]}", "1: " INDEX },
    { "A=b B=${A", "1: in ${ } only NAME and NAME[N] are understood" },
    { "A=b B=${#A}", "1: of what begins with $, only $NAME, ${NAME} and"
      " ${NAME[N]} are understood" },
    { "A=$B", "1: a variable is used that is not set before" },
    { "A=${B[1]} B=c", "1: a variable is used that is not set before" },
    { "A=\"b\n\nc", "3: a quote is not closed" },
    { "A='", "1: a quote is not closed" },
    { "A=b\\", "1: nothing follows the backslash" },
    { "A=\"\\", "1: nothing follows the backslash" },
    { "A=\\\x1b", "1: there is a control character" },
    { "A=b\rc", "1: there is a control character" },
    { "A='\x7f'", "1: there is a control character" },
    { "A=b\xc2\x9b" "c", "1: there is a control character" },
    { "A=\"`b`\"", "1: commands are not executed" },
    { "A=b|c", "1: only assignments are understood; & | < > ( ) want quotes" },
  };

TEST (assignments_are_read_as_by_a_shell)
{
  size_t i;

  for (i = 0; i < sizeof (configs) / sizeof (configs[0]); i++)
    {
      char *found = list (configs[i].config);

      assert_string_equal (found, configs[i].found);
      free (found);
    }
}

/* One byte less than the strings take is an error, and nothing is written
   behind the room.  */
TEST (the_room_is_kept)
{
  static const char config[] = "A=bc D='e f'\nD=\"$A\"";
  /* "A", "bc", "D", "e f", "bc".  */
  size_t needed = 2 + 3 + 2 + 4 + 3, room;
  struct ib_import *import;

  for (room = 0; room <= needed; room++)
    {
      import = parse (config, room);
      if (room == needed)
	assert_null (import->error);
      else
	{
	  assert_string_equal (import->error,
			       "the values are too long altogether");
	  assert_int_equal (import->line, room < 11 ? 1 : 2);
	}
      forget (import);
    }
}

TEST (variables_are_counted)
{
  char *config = allocate (IB_MAX_VARIABLES * 16), *at = config;
  struct ib_import *import;
  int i;

  for (i = 0; i < IB_MAX_VARIABLES; i++)
    at += sprintf (at, "A[%d]=b\n", i);
  import = parse (config, 16 * ROOM);
  assert_null (import->error);
  assert_int_equal (import->n_variables, IB_MAX_VARIABLES);
  forget (import);

  strcpy (at, "A[7]=c\nB=d");
  import = parse (config, 16 * ROOM);
  assert_string_equal (import->error, "there are too many variables");
  assert_int_equal (import->line, IB_MAX_VARIABLES + 2);
  forget (import);
  free (config);
}

/* The call may be repeated with more memory, and then makes what it would have
   made at once.  */
TEST (a_small_overlay_is_repeated)
{
  static const char config[] = ONE "DOMU_CMD=c\nDOM0_KERNEL=d";
  struct ib_import *import = parse (config, ROOM), *other;
  char expected[ROOM];
  size_t size, n_small = 0;
  int err;

  other = parse (config, ROOM);
  assert_int_equal (ib_overlay (other, expected, ROOM), 0);
  for (size = 0, err = 1; err == 1; size += 4)
    {
      char *overlay = allocate (size);

      err = ib_overlay (import, overlay, size);
      n_small += err == 1;
      if (err == 0)
	{
	  assert_memory_equal (overlay, expected, fdt_totalsize (expected));
	  assert_int_equal (import->filled, other->filled);
	  assert_string_equal (import->xen_args, other->xen_args);
	}
      free (overlay);
    }
  assert_int_equal (err, 0);
  assert_true (n_small > 10);
  forget (import);
  forget (other);
}

/* Strings that are made for the overlay want room as well.  */
TEST (the_room_is_for_the_overlay_too)
{
  char overlay[ROOM];
  struct ib_import *import;
  size_t room, needed;

  import = parse (ONE, ROOM);
  assert_int_equal (ib_overlay (import, overlay, ROOM), 0);
  needed = import->filled;
  room = import->parsed;
  forget (import);
  for (; room <= needed; room++)
    {
      import = parse (ONE, room);
      assert_null (import->error);
      assert_int_equal (ib_overlay (import, overlay, ROOM),
			room < needed ? -1 : 0);
      forget (import);
    }
}

#define BASE \
  "/ { #address-cells = <2>; #size-cells = <2>;" \
  "    cpus { cpu@0 { phandle = <7>; }; cpu@1 { }; cpu@2 { }; };" \
  "    a { }; b { c { }; }; d { }; };"

/* All variables that become something.  */
#define ALL \
  ONE "DEVICE_TREE=./board.dtb XEN_COLORS=0-1 XEN_POLICY=p" \
  " XEN_STATIC_HEAP='0x50000000 0x10000000' NUM_CPUPOOLS=2" \
  " CPUPOOL[0]='cpu@1,cpu@0 null' CPUPOOL[1]=cpu@2 DOM0_KERNEL=d" \
  " DOM0_RAMDISK=r DOM0_ROOTFS=f LOAD_CMD='load scsi 1:2' DOM0_COLORS=2" \
  " NUM_DOMUS=5 DOMU_RAMDISK=r DOMU_PASSTHROUGH_DTB=t DOMU_VCPUS=2" \
  " DOMU_STATIC_MEM='0x60000000 0x8000000' DOMU_SHARED_MEM='id 1 2 3'" \
  " DOMU_COLORS=3,5-6 DOMU_CPUPOOL=1 DOMU_ENHANCED=2 DOMU_NR_SPIS=3" \
  " DOMU_CAPS='Control|0x2 none' DOMU_PASSTHROUGH_PROP=enabled" \
  " DOMU_PASSTHROUGH_PATHS='/a /b/c' DOMU_KERNEL[1]='(hd1)/k'" \
  " DOMU_VPL011[1]=0 DOMU_ENHANCED[1]=0 DOMU_KERNEL[2]=k DOMU_MEM[2]=64" \
  " DOMU_STATIC_EVTCHNS='1 2 3; 4 2 0x5' DOMU_STATIC_EVTCHNS[2]='3 0 1;5 0 4;'" \
  " DOMU_VCPU_HARD_AFFINITY[0,1]=2,4-5 DOMU_VCPU_HARD_AFFINITY[0,2]=1" \
  " DOMU_PASSTHROUGH_PATHS[2]=/d DOMU_NOBOOT[3]=y DOMU_ROOTFS[4]=f" \
  " BITSTREAM=b WHO=knows\n"

/* Everything at once makes a well-formed tree, and what is lost is noted.  */
TEST (all_variables_go_together)
{
  static char overlay[8 * ROOM];
  struct ib_import *import = parse (ALL, ROOM);
  void *base = make_tree (BASE);
  int i, n_losses = 0;

  assert_null (import->error);
  import->base = base;
  assert_int_equal (ib_overlay (import, overlay, sizeof (overlay)), 0);
  assert_int_equal (fdt_check_full (overlay, fdt_totalsize (overlay)), 0);
  assert_string_equal (import->xen_args, "console=dtuart dtuart=serial0"
		       " dom0_mem=1024M dom0_max_vcpus=1 bootscrub=0"
		       " vwfi=native sched=null xen-llc-colors=0-1"
		       " dom0-llc-colors=2 llc-coloring=on");
  /* /chosen's, three paths' and those of two CPUs; and the fixups.  */
  node_at (overlay, "/fragment@5/__overlay__");
  assert_int_equal (fdt_path_offset (overlay, "/fragment@6"),
		    -FDT_ERR_NOTFOUND);
  node_at (overlay, "/__local_fixups__/fragment@0/__overlay__/chosen/domU0");
  node_at (overlay, "/__local_fixups__/fragment@0/__overlay__/chosen/domU2"
	   "/evtchn@5");
  node_at (overlay, "/fragment@0/__overlay__/chosen/domU0/vcpu1");
  assert_int_equal (fdt_path_offset (overlay, "/fragment@0/__overlay__/chosen"
				     "/domU0/vcpu2"), -FDT_ERR_NOTFOUND);
  for (i = 0; i < import->n_variables; i++)
    n_losses += import->variables[i].loss != NULL;
  /* DOMU_PASSTHROUGH_PATHS[2], DOMU_ROOTFS[4], BITSTREAM and WHO.  */
  assert_int_equal (n_losses, 4);
  assert_string_equal (ib_file (import, "DEVICE_TREE", 0), "/board.dtb");
  assert_null (ib_file (import, "DT_OVERLAY", 0));
  free (base);
  forget (import);
}

/* The error that CONFIG has on BASE.  */
static void
assert_error (const char *config, const void *base, const char *subject,
	      const char *error)
{
  static char overlay[1 << 20];
  struct ib_import *import = parse (config, 16 * ROOM);

  assert_null (import->error);
  import->base = base;
  assert_int_equal (ib_overlay (import, overlay, sizeof (overlay)), -1);
  assert_string_equal (import->subject, subject);
  assert_string_equal (import->error, error);
  forget (import);
}

TEST (a_base_may_be_unusable)
{
  void *none = make_tree ("/ { };");
  void *strange
    = make_tree ("/ { #address-cells = <9>; #size-cells = <0>; };");

  assert_error (ONE "NUM_CPUPOOLS=1 CPUPOOL=cpu@0", none, "CPUPOOL",
		"has a CPU that is not in DEVICE_TREE");
  assert_error (ONE "XEN_STATIC_HEAP='0x50000000 0x10000000'", strange,
		"XEN_STATIC_HEAP", "cannot be written in the cells that the"
		" root of DEVICE_TREE has");
  free (none);
  free (strange);
}

TEST (values_may_be_wrong)
{
  static const struct
  {
    const char *config, *subject, *error;
  } wrong[] =
    {
      { "NUM_DOMUS=65", "NUM_DOMUS", "is no number, or too big a one" },
      { "DOMU_MEM[2]=0x", "DOMU_MEM[2]", "is no number, or too big a one" },
      { "DOMU_MEM[2]=010", "DOMU_MEM[2]", "is no number, or too big a one" },
      { "DOMU_MEM[2]=1f", "DOMU_MEM[2]", "is no number, or too big a one" },
      { "DOMU_VCPUS=4294967296", "DOMU_VCPUS",
	"is no number, or too big a one" },
      { "DOMU_VPL011=2", "DOMU_VPL011", "is neither 0 nor 1" },
      { "DOMU_STATIC_MEM=1", "DOMU_STATIC_MEM",
	"is not addresses and sizes by turns" },
      { "DOMU_STATIC_MEM='0 18446744073709551615 0 1'", "DOMU_STATIC_MEM",
	"has a word that is no number, or too big a one" },
      { "DOMU_SHARED_MEM='id 1 2 3 4'", "DOMU_SHARED_MEM",
	"is not ID, host's address, guest's address, size" },
      { "DOMU_SHARED_MEM='id 1 x'", "DOMU_SHARED_MEM",
	"has a word that is no number, or too big a one" },
      { "XEN_COLORS=a", "XEN_COLORS", "is no list of NUMBER or FIRST-LAST" },
      { "DOMU_CAPS=controls", "DOMU_CAPS",
	"has a word that is no capability" },
      { "DOMU_CAPS=8", "DOMU_CAPS", "has a word that is no capability" },
      { "DOMU_PASSTHROUGH_PATHS=a", "DOMU_PASSTHROUGH_PATHS",
	"has a word that is no path of a node" },
      { "DOMU_PASSTHROUGH_PATHS=/e", "DOMU_PASSTHROUGH_PATHS",
	"names a node that is not in DEVICE_TREE" },
      { "DOMU_VCPU_HARD_AFFINITY[0,1]=all", "DOMU_VCPU_HARD_AFFINITY[0,1]",
	"is no list of NUMBER or FIRST-LAST" },
      { "DOMU_STATIC_EVTCHNS[2]='3 0'", "DOMU_STATIC_EVTCHNS[2]",
	"has a channel that is not PORT DOMAIN PORT" },
      { "DOMU_STATIC_EVTCHNS[2]='3 0 1 2'", "DOMU_STATIC_EVTCHNS[2]",
	"has a channel that is not PORT DOMAIN PORT" },
      { "DOMU_STATIC_EVTCHNS[2]='3 0 x'", "DOMU_STATIC_EVTCHNS[2]",
	"has a channel that is not PORT DOMAIN PORT" },
      { "DOMU_STATIC_EVTCHNS[2]='3 0 4294967296'", "DOMU_STATIC_EVTCHNS[2]",
	"has a channel that is not PORT DOMAIN PORT" },
      { "DOMU_STATIC_EVTCHNS[2]='3 0 1; 3 0 4'", "DOMU_STATIC_EVTCHNS[2]",
	"has a port for the second time" },
      { "DOMU_STATIC_EVTCHNS[2]='3 0 1; 5 0 1'", "DOMU_STATIC_EVTCHNS",
	"has a channel whose other end does not lead back to it" },
      { "DOMU_STATIC_EVTCHNS[1]='3 1 3'", "DOMU_STATIC_EVTCHNS[1]",
	"has a channel whose other end does not lead back to it" },
      { "DOMU_STATIC_EVTCHNS[2]=", "DOMU_STATIC_EVTCHNS",
	"has a channel whose other end does not lead back to it" },
      { "DOMU_NOBOOT[2]=1", "DOMU_STATIC_EVTCHNS",
	"has a channel whose other end does not lead back to it" },
      { "DOMU_KERNEL=../k", "DOMU_KERNEL", "leads out of the file system: give"
	" --prefix, or name the file otherwise" },
      { "DOMU_KERNEL=a/..", "DOMU_KERNEL", "names no file" },
      { "DOMU_CMD='a=${b}'", "DOMU_CMD", "has a $ with the name of a variable,"
	" which U-Boot would replace and GRUB cannot: write the value" },
      { "XEN_CMD='a=$ b=$_'", "XEN_CMD", "has a $ with the name of a"
	" variable, which U-Boot would replace and GRUB cannot: write the"
	" value" },
      { "XEN_CMD=a DOM0_MEM=1", "DOM0_MEM",
	"has no effect beside XEN_CMD: say dom0_mem= there" },
      { "XEN_CMD=a DOM0_VCPUS=1", "DOM0_VCPUS",
	"has no effect beside XEN_CMD: say dom0_max_vcpus= there" },
      { "DOM0_KERNEL=", "DOM0_RAMDISK",
	"is for a dom0, and there is no DOM0_KERNEL" },
      { "NUM_DOMUS=6", "DOMU_KERNEL[5]", "is not set" },
      { "NUM_CPUPOOLS=3", "CPUPOOL[2]", "is not set" },
      { "CPUPOOL[1]=cpu@0", "CPUPOOL[1]", "has a CPU for the second time" },
      { "DOMU_CPUPOOL=2", "DOMU_CPUPOOL", "is neither 0 nor 1" }
    };
  void *base = make_tree (BASE);
  size_t i;

  for (i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++)
    {
      char *config = format (ALL "%s", wrong[i].config);

      assert_error (config, base, wrong[i].subject, wrong[i].error);
      free (config);
    }
  free (base);
}

TEST (a_pool_may_have_too_many_cpus)
{
  char source[8192], config[8192], *in_source = source, *in_config = config;
  void *base;
  int i;

  in_source += sprintf (in_source, "/ { cpus { ");
  in_config += sprintf (in_config, ONE "NUM_CPUPOOLS=1 CPUPOOL=");
  for (i = 0; i <= 256; i++)
    {
      in_source += sprintf (in_source, "cpu@%x { }; ", i);
      in_config += sprintf (in_config, "cpu@%x,", i);
    }
  strcpy (in_source, "}; };");
  base = make_tree (source);
  assert_error (config, base, "CPUPOOL", "has too many CPUs");
  free (base);
}

/* Two domains, with one channel more between them than there is room for.  */
TEST (events_are_counted)
{
  char config[8192], *at = config;
  int i;

  at += sprintf (at, ONE "NUM_DOMUS=2 DOMU_KERNEL[1]=k DOMU_STATIC_EVTCHNS='");
  for (i = 1; i <= 257; i++)
    at += sprintf (at, "%d 1 %d;", i, i);
  strcpy (at, "'");
  assert_error (config, NULL, "DOMU_STATIC_EVTCHNS", "has too many channels");
}

/* As ImageBuilder names files: by the letter, and without its folder.  */
TEST (names_are_resolved)
{
  static const struct
  {
    const char *prefix, *name, *file;
  } names[] =
    {
      { "", "k", "/k" },
      { "", "./a//b/./k", "/a/b/k" },
      { "", "a/../b/../k", "/k" },
      { "", "/a/k", "/a/k" },
      { "", "/in/here/k", "/k" },
      { "", "/in/herein/k", "/in/herein/k" },
      { "/x/y", "/in/here/a/k", "/x/y/a/k" },
      { "/x/y", "../k", "/x/k" },
      { "/x/y", "(hd1)/../k", "(hd1)/../k" },
    };
  size_t i;

  for (i = 0; i < sizeof (names) / sizeof (names[0]); i++)
    {
      char *config = format ("XEN='%s'", names[i].name);
      struct ib_import *import = parse (config, ROOM);

      import->prefix = names[i].prefix;
      import->directory = "/in/here";
      assert_string_equal (ib_file (import, "XEN", 0), names[i].file);
      assert_null (import->error);
      forget (import);
      free (config);
    }
}

TEST (overlays_are_counted)
{
  struct ib_import *import = parse ("NUM_DT_OVERLAY=64", ROOM);

  assert_int_equal (ib_dt_overlays (import), 64);
  forget (import);
  import = parse ("NUM_DT_OVERLAY=65", ROOM);
  assert_int_equal (ib_dt_overlays (import), -1);
  forget (import);
  import = parse ("", ROOM);
  assert_int_equal (ib_dt_overlays (import), 0);
  forget (import);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (assignments_are_read_as_by_a_shell),
      cmocka_unit_test (the_room_is_kept),
      cmocka_unit_test (variables_are_counted),
      cmocka_unit_test (a_small_overlay_is_repeated),
      cmocka_unit_test (the_room_is_for_the_overlay_too),
      cmocka_unit_test (all_variables_go_together),
      cmocka_unit_test (a_base_may_be_unusable),
      cmocka_unit_test (values_may_be_wrong),
      cmocka_unit_test (a_pool_may_have_too_many_cpus),
      cmocka_unit_test (events_are_counted),
      cmocka_unit_test (names_are_resolved),
      cmocka_unit_test (overlays_are_counted)
    };

  return RUN ("import", tests);
}
