/* rules_driver.c - rules about Xen's drivers  */
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

#include "rules.h"

#include <string.h>

/* Sizes in the domains' memory map: GUEST_PL011_SIZE, GICV3_GICR_SIZE.  */
#define VPL011_SIZE		0x1000
#define REDISTRIBUTOR_SIZE	0x20000

/* A compatible that a driver of Xen's accepts, if it is built in.  SINCE and
   BEFORE are minor numbers of Xen 4; 0 means no limit.  */
struct driver
{
  const char *compatible;
  unsigned int option;			/* 0: always built in */
  int since, before;
};

/* The drivers in xen/drivers/char of an arm64 Xen, according to their
   DT_MATCH_COMPATIBLE, Makefile and Kconfig in 4.17 to 4.22, and master of
   August 2026.  */
static const struct driver uarts[] =
  {
    { "ns16550", GRUB_DOM0LESS_XEN_NS16550, 0, 0 },
    { "ns16550a", GRUB_DOM0LESS_XEN_NS16550, 0, 0 },
    { "snps,dw-apb-uart", GRUB_DOM0LESS_XEN_NS16550, 0, 0 },
    { "brcm,bcm2835-aux-uart", GRUB_DOM0LESS_XEN_NS16550, 0, 0 },
    { "arm,pl011", GRUB_DOM0LESS_XEN_PL011, 0, 0 },
    { "arm,sbsa-uart", GRUB_DOM0LESS_XEN_PL011, 18, 0 },
    { "cdns,uart-r1p8", GRUB_DOM0LESS_XEN_CADENCE, 0, 0 },
    { "cdns,uart-r1p12", GRUB_DOM0LESS_XEN_CADENCE, 0, 0 },
    { "nxp,s32g2-linflexuart", GRUB_DOM0LESS_XEN_LINFLEX, 20, 0 },
    { "nxp,s32g3-linflexuart", GRUB_DOM0LESS_XEN_LINFLEX, 20, 0 },
    { "fsl,s32v234-linflexuart", GRUB_DOM0LESS_XEN_LINFLEX, 20, 0 },
    { "fsl,imx8qm-lpuart", GRUB_DOM0LESS_XEN_IMX_LPUART, 0, 19 },
    { "fsl,imx8qxp-lpuart", GRUB_DOM0LESS_XEN_IMX_LPUART, 19, 0 },
    { "fsl,imx6q-uart", GRUB_DOM0LESS_XEN_IMX_UART, 23, 0 },
    { "marvell,armada-3700-uart", GRUB_DOM0LESS_XEN_MVEBU, 0, 0 },
    { "amlogic,meson-uart", GRUB_DOM0LESS_XEN_MESON, 0, 0 },
    { "amlogic,meson6-uart", GRUB_DOM0LESS_XEN_MESON, 0, 0 },
    { "amlogic,meson8-uart", GRUB_DOM0LESS_XEN_MESON, 0, 0 },
    { "amlogic,meson8b-uart", GRUB_DOM0LESS_XEN_MESON, 0, 0 },
    { "amlogic,meson-gx-uart", GRUB_DOM0LESS_XEN_MESON, 0, 0 },
    { "ti,omap4-uart", GRUB_DOM0LESS_XEN_OMAP, 19, 0 },
    { "ti,am654-uart", GRUB_DOM0LESS_XEN_OMAP, 19, 0 },
    { "renesas,scif", GRUB_DOM0LESS_XEN_SCIF, 0, 0 },
    { "renesas,scifa", GRUB_DOM0LESS_XEN_SCIF, 0, 0 },
    { "renesas,hscif", GRUB_DOM0LESS_XEN_SCIF, 0, 0 },
    { NULL, 0, 0, 0 }
  };

/* DT_MATCH_GIC_V2 and DT_MATCH_GIC_V3 of xen/arch/arm/include/asm/gic.h.  */
static const struct driver gics[] =
  {
    { "arm,gic-400", 0, 0, 19 },
    { "arm,cortex-a15-gic", 0, 0, 19 },
    { "arm,cortex-a7-gic", 0, 0, 19 },
    { "arm,gic-400", GRUB_DOM0LESS_XEN_GICV2, 19, 0 },
    { "arm,cortex-a15-gic", GRUB_DOM0LESS_XEN_GICV2, 19, 0 },
    { "arm,cortex-a7-gic", GRUB_DOM0LESS_XEN_GICV2, 19, 0 },
    { "arm,gic-v3", GRUB_DOM0LESS_XEN_GICV3, 0, 0 },
    { NULL, 0, 0, 0 }
  };

/* Return whether a Xen may have DRIVER, as far as CONTEXT describes it.  */
static int
is_built_in (context_t context, const struct driver *driver)
{
  const struct grub_dom0less_xen *xen = &context->facts->xen;

  if (driver->since && grub_dom0less_xen_before (xen, 4, driver->since))
    return 0;
  if (driver->before && grub_dom0less_xen_since (xen, driver->before))
    return 0;
  return (!xen->has_config || !driver->option
	  || (xen->options & driver->option));
}

static int
is_driven (context_t context, int node, const struct driver *driver)
{
  for (; driver->compatible; driver++)
    if (is_built_in (context, driver)
	&& fdt_node_check_compatible (context->fdt, node,
				      driver->compatible) == 0)
      return 1;
  return 0;
}

/* Return whether Xen uses the device NODE itself (device_init): not if it is
   assigned to a domain, and not if it has another status than these two.  */
static int
is_available (context_t context, int node)
{
  const char *status = grub_dom0less_string (context->fdt, node, "status");

  if (fdt_getprop (context->fdt, node, "xen,passthrough", NULL))
    return 0;
  if (!status)
    return !fdt_getprop (context->fdt, node, "status", NULL);
  return strcmp (status, "okay") == 0 || strcmp (status, "ok") == 0;
}

/* Return the path for which the LENGTH bytes of ALIAS stand, or NULL.  */
static const char *
find_alias (context_t context, const char *alias, size_t length)
{
  int len, aliases = fdt_path_offset (context->fdt, "/aliases");
  const char *path;

  if (aliases < 0)
    return NULL;
  path = fdt_getprop_namelen (context->fdt, aliases, alias, (int) length, &len);
  return path && len > 0 && memchr (path, '\0', len) ? path : NULL;
}

/* Return the node at the LENGTH bytes of PATH, or a negative libfdt error.
   Unlike libfdt, Xen does not accept a name without its unit address.  */
static int
find_path (context_t context, const char *path, size_t length)
{
  const char *end = path + length, *next;
  int node = 0;

  for (; node >= 0 && path < end; path = next)
    {
      path++;
      next = memchr (path, '/', end - path);
      if (!next)
	next = end;
      node = fdt_subnode_offset_namelen (context->fdt, node, path, next - path);
      if (node >= 0
	  && strlen (grub_dom0less_node_name (context->fdt, node))
	     != (size_t) (next - path))
	return -FDT_ERR_NOTFOUND;
    }
  return node;
}

/* Return the value of the last OPTION (including its `=') in ARGS, or NULL.
   It extends to the end of the word.  */
static const char *
last_option (const char *args, const char *option)
{
  const char *at = args, *last = NULL;

  if (!args)
    return NULL;
  while ((at = strstr (at, option)) != NULL)
    {
      if (at == args || at[-1] == ' ')
	last = at + strlen (option);
      at++;
    }
  return last;
}

static size_t
word_length (const char *word)
{
  size_t length;

  for (length = 0; word[length] && word[length] != ' '; length++)
    ;
  return length;
}

/* Return whether the word CONSOLE excludes dtuart, which is Xen's only console
   on Arm, and its default.  */
static int
is_elsewhere (const char *console)
{
  const char *dtuart = strstr (console, "dtuart");

  return !dtuart || dtuart >= console + word_length (console);
}

/* Find the node of Xen's UART: dtuart= as a path or an alias, with options
   after a `:', or else stdout-path (dt_uart_init in uart-init.c, arm-uart.c
   before 4.19).  If there is none, return a negative number, and the reason in
   WHY.  */
static int
find_uart (context_t context, const char **why)
{
  const char *args = dom0less_xen_args (context);
  const char *name = last_option (args, "dtuart="), *colon, *path;
  size_t length = name ? word_length (name) : 0;
  int len, node;

  *why = "dtuart= names no node of the tree";
  if (!length)
    {
      name = fdt_stringlist_get (context->fdt, context->plan->chosen,
				 "stdout-path", 0, &len);
      length = name ? strlen (name) : 0;
      *why = "stdout-path names no node of the tree";
    }
  if (!length)
    {
      *why = "no stdout-path and no dtuart=";
      return GRUB_DOM0LESS_NONE;
    }

  colon = memchr (name, ':', length);
  if (colon)
    length = colon - name;
  if (length && name[0] != '/')
    {
      path = find_alias (context, name, length);
      if (!path)
	return GRUB_DOM0LESS_NONE;
      name = path;
      length = strlen (path);
    }
  node = length && name[0] == '/' ? find_path (context, name, length)
    : GRUB_DOM0LESS_NONE;
  if (node > 0 && !is_available (context, node))
    {
      *why = "its UART is disabled, or a domain's";
      return GRUB_DOM0LESS_NONE;
    }
  return node;
}

/* The same for Xen's console, which may be switched off even if there is a
   UART.  */
static int
find_console (context_t context, const char **why)
{
  const char *console = last_option (dom0less_xen_args (context), "console=");

  if (console && is_elsewhere (console))
    {
      *why = "console= without dtuart";
      return GRUB_DOM0LESS_NONE;
    }
  return find_uart (context, why);
}

void
dom0less_check_console_missing (context_t context)
{
  const char *why;

  if (context->plan->chosen >= 0 && find_console (context, &why) < 0)
    REPORT_FILE (context, CONSOLE_MISSING, context->plan->chosen, why);
}

/* Xen's message is "Unable to initialize dtuart", which is not visible.  */
void
dom0less_check_console_undriven (context_t context)
{
  const char *why;
  int node;

  if (context->plan->chosen < 0)
    return;
  node = find_console (context, &why);
  if (node >= 0 && !is_driven (context, node, uarts))
    grub_dom0less_report (context, GRUB_DOM0LESS_RULE_CONSOLE_UNDRIVEN,
			  context->plan->chosen, node, NULL, 0, 0);
}

/* Xen panics: "Unable to find compatible interrupt controller"
   (intc_dt_preinit).  A tree without any interrupt controller is not that of a
   real machine, and is not judged here.  */
void
dom0less_check_gic_undriven (context_t context)
{
  int node, first = GRUB_DOM0LESS_NONE;

  for (node = fdt_next_node (context->fdt, 0, NULL); node >= 0;
       node = fdt_next_node (context->fdt, node, NULL))
    {
      if (!fdt_getprop (context->fdt, node, "interrupt-controller", NULL))
	continue;
      if (is_available (context, node) && is_driven (context, node, gics))
	return;
      if (first == GRUB_DOM0LESS_NONE)
	first = node;
    }
  if (first != GRUB_DOM0LESS_NONE)
    grub_dom0less_report (context, GRUB_DOM0LESS_RULE_GIC_UNDRIVEN,
			  GRUB_DOM0LESS_NONE, first, NULL, 0, 0);
}

/* Return the size of the first register block of NODE in bytes, or 0 if it is
   not known.  */
static uint64_t
register_size (context_t context, int node)
{
  int len, parent = fdt_parent_offset (context->fdt, node);
  int address_cells = fdt_address_cells (context->fdt, parent);
  int size_cells = fdt_size_cells (context->fdt, parent);
  const fdt32_t *cell = fdt_getprop (context->fdt, node, "reg", &len);
  uint64_t size;

  if (!cell || address_cells < 0 || size_cells < 0
      || len < (address_cells + size_cells) * (int) sizeof (*cell))
    return 0;
  cell += address_cells;
  return grub_dom0less_read_cells (&cell, size_cells, &size) ? 0 : size;
}

/* The vpl011 of a directly mapped domain has the address of Xen's own UART.
   Xen panics if it has no UART, or a smaller one (domain_vpl011_init).  */
void
dom0less_check_vpl011_direct (context_t context)
{
  const struct grub_dom0less_domain *domain;
  const char *why = NULL;
  int uart, is_known = 0;

  FOR_DOMAINS (domain, context)
    {
      if (!dom0less_has (context, domain, "direct-map")
	  || !dom0less_has (context, domain, "vpl011"))
	continue;
      if (!is_known)
	{
	  uart = find_uart (context, &why);
	  if (uart >= 0)
	    why = !is_driven (context, uart, uarts) ? "Xen has no driver for it"
	      : register_size (context, uart) < VPL011_SIZE
	      ? "its registers take less than 4 KiB" : NULL;
	  is_known = 1;
	}
      if (why)
	REPORT_FILE (context, VPL011_DIRECT, domain->node, why);
    }
}

/* Return the number of processors that the redistributors of the first GICv3
   that Xen uses can serve, or 0 if it is not known.  Its reg contains the
   distributor, followed by regions of redistributors.  */
static uint64_t
count_redistributors (context_t context)
{
  int node, address_cells, size_cells, len, parent;
  uint32_t regions;
  uint64_t size, count = 0;
  const fdt32_t *cell;

  for (node = fdt_next_node (context->fdt, 0, NULL); node >= 0;
       node = fdt_next_node (context->fdt, node, NULL))
    if (fdt_getprop (context->fdt, node, "interrupt-controller", NULL)
	&& is_available (context, node)
	&& fdt_node_check_compatible (context->fdt, node, "arm,gic-v3") == 0)
      break;
  if (node < 0)
    return 0;

  parent = fdt_parent_offset (context->fdt, node);
  address_cells = fdt_address_cells (context->fdt, parent);
  size_cells = fdt_size_cells (context->fdt, parent);
  cell = fdt_getprop (context->fdt, node, "reg", &len);
  regions = grub_dom0less_u32 (context->fdt, node, "#redistributor-regions", 1);
  if (!cell || address_cells < 0 || size_cells < 1)
    return 0;
  len /= (int) sizeof (*cell);
  for (cell += address_cells + size_cells, len -= address_cells + size_cells;
       regions && len >= address_cells + size_cells;
       regions--, len -= address_cells + size_cells)
    {
      cell += address_cells;
      if (grub_dom0less_read_cells (&cell, size_cells, &size))
	return 0;
      count += size / REDISTRIBUTOR_SIZE;
    }
  return count;
}

/* Return whether XEN panics if a vCPU gets no redistributor, as it does since
   its commit "xen/arm: propagate vGIC vCPU init failures".  */
static int
needs_redistributors (const struct grub_dom0less_xen *xen)
{
  return grub_dom0less_xen_since (xen, 22)
    || (xen->major == 4 && xen->minor == 21 && xen->patch >= 2)
    || (xen->major == 4 && xen->minor == 20 && xen->patch >= 4);
}

/* A directly mapped domain uses the machine's redistributors, one for each
   vCPU (vgic_v3_vcpu_init).  */
void
dom0less_check_redistributors_few (context_t context)
{
  const struct grub_dom0less_domain *domain;
  uint64_t count;
  uint32_t cpus;

  if (!needs_redistributors (&context->facts->xen))
    return;
  count = count_redistributors (context);
  if (!count)
    return;
  FOR_DOMAINS (domain, context)
    {
      cpus = grub_dom0less_first_u32 (context->fdt, domain->node, "cpus", 0);
      if (dom0less_has (context, domain, "direct-map") && cpus > count)
	REPORT_NUMBERS (context, REDISTRIBUTORS_FEW, domain->node, cpus, count);
    }
}
