/* test_rules_tree.c - rules of the tree and of /chosen, case by case  */
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

TEST (the_exception_level)
{
  static const struct rule_case cases[] =
    {
      { GOOD, NULL, NULL },
      { GOOD, "EL1", "[not-el2] firmware runs at EL1, Xen needs EL2; " }
    };

  RUN_CASES (cases);
}

TEST (the_translation_regime)
{
  static const struct rule_case cases[] =
    {
      { GOOD, "VHE", NULL },
      { GOOD, "VHE; Xen at 50000000", NULL },
      { GOOD, "VHE; unknown memory", NULL },
      { GOOD, "VHE; VHE alone", "[vhe] firmware runs with HCR_EL2.E2H set, "
	"Xen cannot, and the processor cannot clear it" },
      { GOOD, "VHE; no handover", "[vhe] firmware runs with HCR_EL2.E2H set, "
	"Xen cannot, and xen_dom0less_handover is 0" },
      { GOOD, "VHE; no granule", "[vhe] firmware runs with HCR_EL2.E2H set, "
	"Xen cannot, and TCR_EL2 names no granule" },
      { GOOD, "VHE; VHE for code", "[vhe-code] firmware's tables let "
	"0x40100000 execute with HCR_EL2.E2H set only" },
      /* Without VHE it does not matter.  */
      { GOOD, "VHE alone", NULL },
      { GOOD, "VHE for code", NULL },
      { GOOD, "no handover", NULL }
    };

  RUN_CASES (cases);
}

TEST (modules_and_domains_at_their_places)
{
  static const struct rule_case cases[] =
    {
      { KERNEL (""), NULL, NULL },
      { GOOD "modules { compatible = \"simple-bus\";" RAMDISK ("") "};", NULL,
	"[nested-module] /chosen/modules/module@2: " },
      { GOOD "domU1 { more { compatible = \"simple-bus\";" RAMDISK ("") "}; };", NULL,
	"[nested-module] /chosen/domU1/more/module@2: " },
      { GOOD "domU1 { domU2 { compatible = \"xen,domain\"; }; };", NULL,
	"[domain-misplaced] /chosen/domU1/domU2: " },
      /* The node is the mistake, not each module in it; a module deeper down has one
	 of its own.  */
      { GOOD "domU2 { compatible = \"xen,domU\";" KERNEL ("") RAMDISK ("")
	"more { compatible = \"simple-bus\";" RAMDISK ("") "}; };", NULL,
	"[not-a-domain] /chosen/domU2: Xen overlooks a domain that is compatible"
	" with xen,domU; compatible = \"xen,domain\"\n"
	"[nested-module] /chosen/domU2/more/module@2: " },
      { GOOD "domU2 { compatible = \"simple-bus\"; memory = <0 4>;" KERNEL ("")
	"};", NULL, "[not-a-domain] /chosen/domU2: " },
      { GOOD "domU2 { compatible = \"simple-bus\"; cpus = <1>;" KERNEL ("")
	"};", NULL, "[not-a-domain] /chosen/domU2: " },
      { GOOD "domU2 { compatible = \"xen,do\";" RAMDISK ("") "};", NULL,
	"[nested-module] /chosen/domU2/module@2: " },
      /* Without a module it is no concern of Xen's.  */
      { GOOD "domU2 { compatible = \"xen,domU\"; memory = <0 4>; };", NULL,
	NULL },
      { "", NULL, "[no-module] " },
      { "domU1 { compatible = \"xen,domain\"; #address-cells = <2>;"
	"#size-cells = <2>; memory = <0 4>; cpus = <1>; };", NULL,
	"[no-module] nothing\n[kernel-missing] /chosen/domU1: " }
    };

  RUN_CASES (cases);
}

/* A tree beside /chosen, and one without it.  */
TEST (trees_without_chosen)
{
  static const char *const trees[] =
    {
      "/ { /delete-node/ chosen; };",
      "/ { /delete-node/ chosen; domU1 { compatible = \"xen,domain\"; }; };",
      "/ { /delete-node/ chosen; soc { " KERNEL ("") "}; };"
    };
  static const char *const finds[] =
    {
      "[no-module] ",
      "[no-module] \n[domain-misplaced] /domU1: ",
      "[nested-module] /soc/module@1: "
    };
  size_t i;

  for (i = 0; i < sizeof (trees) / sizeof (trees[0]); i++)
    {
      void *fdt = make_machine_tree (trees[i]);

      assert_findings (fdt, "arguments noreboot", finds[i]);
      free (fdt);
    }
}

TEST (cells)
{
  static const struct rule_case cases[] =
    {
      { "#address-cells = <1>; #size-cells = <4>;" GOOD, NULL, NULL },
      { "#address-cells = <0>;" GOOD, NULL,
	"[cells-impossible] /chosen: #address-cells is not from 1 to 4" },
      { "#size-cells = <1 2>;" GOOD, NULL,
	"[cells-impossible] /chosen: #size-cells" },
      { DOMAIN ("domU1", "#address-cells = <5>; /delete-property/ "
		"#size-cells;"), NULL,
	"[cells-missing] /chosen/domU1: #size-cells is missing; \n"
	"[cells-impossible] /chosen/domU1: #address-cells" }
    };

  RUN_CASES (cases);
}

#define SILENT	"/delete-property/ stdout-path;"
#define NO_PATH	"[console-missing] /chosen: Xen will be silent: no stdout-path "
#define NO_UART	"[console-missing] /chosen: Xen will be silent: console= with"
#define NO_NODE	"[console-missing] /chosen: Xen will be silent: stdout-path names "
#define NO_ARG	"[console-missing] /chosen: Xen will be silent: dtuart= names no "
#define OFF	"[console-missing] /chosen: Xen will be silent: its UART is disa"

TEST (the_console)
{
  static const struct rule_case cases[] =
    {
      { SILENT GOOD, NULL, NO_PATH },
      { SILENT GOOD, "arguments dtuart=/pl011@9000000", NULL },
      { SILENT GOOD, "arguments console=dtuart", NO_PATH },
      { SILENT "xen,xen-bootargs = \"console=dtuart dtuart=/pl011@9000000\";"
	GOOD, NULL, NULL },
      /* The arguments replace the tree's.  */
      { SILENT "xen,xen-bootargs = \"dtuart=serial0\";" GOOD,
	"arguments noreboot", NO_PATH },
      { GOOD, "arguments console=vga", NO_UART },
      { GOOD, "arguments console=vga dtuart=serial0", NO_UART },
      { GOOD, "arguments console=vga,dtuart loglvl=all", NULL },
      { GOOD, "arguments loglvl=all xconsole=vga", NULL },
      { GOOD, "arguments console=vga console=dtuart", NULL },
      { GOOD, "arguments console=dtuart console=vga", NO_UART },
      { GOOD, "arguments console=", NO_UART }
    };

  RUN_CASES (cases);
}

#define STDOUT(path)	"stdout-path = \"" path "\";"
#define UART(compatible, says)						\
  "serial@1 { compatible = " compatible "; " says " };"
#define ALIAS(path)	"aliases { serial0 = \"" path "\"; };"

/* MORE is beside /chosen.  */
static void
check_beside (const char *chosen, const char *more, const char *needs,
	      const char *finds)
{
  void *fdt;
  char source[8192];

  snprintf (source, sizeof (source), "/ { chosen { %s }; %s };", chosen, more);
  fdt = make_machine_tree (source);
  assert_findings (fdt, needs, finds);
  free (fdt);
}

TEST (the_console_is_a_node)
{
  static const struct
  {
    const char *chosen, *more, *needs, *finds;
  } cases[] =
    {
      { STDOUT ("/pl011@9000000:115200n8"), "", NULL, NULL },
      { STDOUT ("serial0"), ALIAS ("/pl011@9000000"), NULL, NULL },
      { STDOUT ("serial0:115200n8"), ALIAS ("/pl011@9000000"), NULL, NULL },
      { STDOUT ("serial0"), "", NULL, NO_NODE },
      { STDOUT ("serial0"), ALIAS ("/gone"), NULL, NO_NODE },
      { STDOUT ("serial00"), ALIAS ("/pl011@9000000"), NULL, NO_NODE },
      /* Xen takes no shortened names.  */
      { STDOUT ("/pl011"), "", NULL, NO_NODE },
      { STDOUT ("/pl011@9000000/"), "", NULL, NO_NODE },
      { STDOUT (":115200"), "", NULL, NO_NODE },
      { STDOUT ("/gone"), "", "arguments dtuart=/pl011@9000000", NULL },
      { STDOUT ("/pl011@9000000"), "", "arguments dtuart=serial1", NO_ARG },
      { STDOUT ("/pl011@9000000"), "", "arguments dtuart=x dtuart=/pl011@9000000",
	NULL },
      { STDOUT ("/pl011@9000000"), "", "arguments dtuart= loglvl=all", NULL },
      { STDOUT ("/serial@1"), UART ("\"arm,pl011\"", "status = \"disabled\";"),
	NULL, OFF },
      { STDOUT ("/serial@1"), UART ("\"arm,pl011\"", "status = \"okay\";"),
	NULL, NULL },
      { STDOUT ("/serial@1"), UART ("\"arm,pl011\"", "xen,passthrough;"),
	NULL, OFF }
    };
  size_t i;

  for (i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
    {
      char chosen[4096];

      snprintf (chosen, sizeof (chosen), "%s %s", cases[i].chosen, GOOD);
      check_beside (chosen, cases[i].more, cases[i].needs, cases[i].finds);
    }
}

/* What drives what is Xen's to say, by version and .config.  */
TEST (drivers)
{
#define UNDRIVEN "[console-undriven] /chosen: Xen will be silent: it has no " \
  "driver for /serial@1"
  static const struct
  {
    const char *compatible, *needs, *finds;
  } cases[] =
    {
      { "\"vendor,uart\"", NULL, UNDRIVEN },
      { "\"vendor,uart\", \"snps,dw-apb-uart\"", NULL, NULL },
      { "\"vendor,uart\", \"snps,dw-apb-uart\"", "Xen without HAS_NS16550",
	UNDRIVEN },
      { "\"arm,pl011\"", "Xen without HAS_NS16550", NULL },
      { "\"arm,sbsa-uart\"", NULL, NULL },
      { "\"arm,sbsa-uart\"", "Xen 4.17", UNDRIVEN },
      { "\"arm,sbsa-uart\"", "Xen 4.18", NULL },
      { "\"fsl,imx8qm-lpuart\"", "Xen 4.18", NULL },
      { "\"fsl,imx8qm-lpuart\"", "Xen 4.19", UNDRIVEN },
      { "\"fsl,imx8qxp-lpuart\", \"fsl,imx7ulp-lpuart\"", "Xen 4.18",
	UNDRIVEN },
      { "\"fsl,imx8qxp-lpuart\"", "Xen 4.19", NULL },
      { "\"nxp,s32g2-linflexuart\"", "Xen 4.19", UNDRIVEN },
      { "\"nxp,s32g2-linflexuart\"", "Xen 4.20", NULL },
      { "\"fsl,imx6q-uart\"", "Xen 4.22", UNDRIVEN },
      { "\"fsl,imx6q-uart\"", "Xen 4.23", NULL },
      { "\"ti,am654-uart\"", "Xen 4.18", UNDRIVEN },
      { "\"samsung,exynos4210-uart\"", NULL, UNDRIVEN },
      { "\"renesas,scif-r8a7795\", \"renesas,scif\"", "Xen 4.17", NULL }
    };
  char uart[256];
  size_t i;

  for (i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
    {
      snprintf (uart, sizeof (uart), "serial@1 { compatible = %s; };",
		cases[i].compatible);
      check_beside (STDOUT ("/serial@1") GOOD, uart, cases[i].needs,
		    cases[i].finds);
    }
}

TEST (interrupt_controllers)
{
#define NO_GIC	"[gic-undriven] Xen has no driver for any interrupt controller"
#define GIC(compatible, says)						\
  "gic { interrupt-controller; compatible = \"" compatible "\"; " says " };"
  static const struct
  {
    const char *more, *needs, *finds;
  } cases[] =
    {
      { "", NULL, NULL },
      { GIC ("arm,gic-v3", ""), NULL, NULL },
      { GIC ("arm,gic-v3", ""), "Xen without GICV3", NO_GIC },
      { GIC ("arm,gic-400", ""), "Xen 4.19; Xen without GICV2", NO_GIC },
      { GIC ("arm,gic-400", ""), "Xen 4.18; Xen without GICV2", NULL },
      /* Old, for all that is known.  */
      { GIC ("arm,gic-400", ""), "Xen without GICV2", NULL },
      { GIC ("arm,cortex-a15-gic", ""), "Xen 4.20", NULL },
      { GIC ("arm,cortex-a9-gic", ""), NULL, NO_GIC },
      { GIC ("apple,aic", ""), NULL, NO_GIC },
      { GIC ("arm,gic-400", "status = \"disabled\";"), NULL, NO_GIC },
      { "gpio { interrupt-controller; };" GIC ("arm,gic-v3", ""), NULL, NULL },
      { "soc { " GIC ("arm,gic-v3", "") " };", NULL, NULL },
      /* It is by this property that Xen looks.  */
      { "gpio { interrupt-controller; }; gic { compatible = \"arm,gic-v3\"; };",
	NULL, NO_GIC }
    };
  size_t i;

  for (i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
    check_beside (GOOD, cases[i].more, cases[i].needs, cases[i].finds);
}

/* Whose is /chosen/bootargs?  */
TEST (the_command_line)
{
  static const struct rule_case cases[] =
    {
      { "bootargs = \"x\";" GOOD, NULL, "[bootargs-ignored] /chosen: " },
      { "bootargs = \"x\"; xen,xen-bootargs = \"y\";" GOOD, NULL, NULL },
      { "bootargs = \"x\";" GOOD, "arguments y", NULL },
      /* A dom0's, and Xen's when that has others.  */
      { "bootargs = \"console=vga\";" KERNEL (""), NULL, NULL },
      { "bootargs = \"console=vga\"; xen,dom0-bootargs = \"x\";" KERNEL (""),
	NULL, NO_UART },
      { "bootargs = \"console=vga\";" KERNEL ("bootargs = \"x\";"), NULL,
	NO_UART },
      { "bootargs = \"console=vga\"; xen,dom0-bootargs = \"x\";" GOOD, NULL,
	NO_UART }
    };

  RUN_CASES (cases);
}

TEST (long_command_lines)
{
  char *line = repeat ('x', 1024);
  char *tree = format ("xen,xen-bootargs = \"%s\";" GOOD, line);
  char *dom0 = format ("bootargs = \"%s\";" KERNEL ("bootargs = \"dom0\";"),
		       line);
  char *arguments = format ("arguments %s", line);

  assert_chosen (tree, NULL, "[xen-args-long] /chosen: Xen cuts its command "
		 "line of 1024 bytes at 1023");
  assert_chosen (tree, "arguments x", NULL);
  assert_chosen (dom0, NULL, "[xen-args-long] ");
  assert_chosen (GOOD, arguments, "[xen-args-long] ");
  arguments[strlen (arguments) - 1] = '\0';
  assert_chosen (GOOD, arguments, NULL);
  free (arguments);
  free (dom0);
  free (tree);
  free (line);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (the_exception_level),
      cmocka_unit_test (the_translation_regime),
      cmocka_unit_test (modules_and_domains_at_their_places),
      cmocka_unit_test (trees_without_chosen),
      cmocka_unit_test (cells),
      cmocka_unit_test (the_console),
      cmocka_unit_test (the_console_is_a_node),
      cmocka_unit_test (drivers),
      cmocka_unit_test (interrupt_controllers),
      cmocka_unit_test (the_command_line),
      cmocka_unit_test (long_command_lines)
    };

  return RUN ("rules_tree", tests);
}
