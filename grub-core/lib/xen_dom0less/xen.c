/* xen.c - what a Xen image contains about itself  */
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

#include <grub/xen_dom0less.h>

#include <string.h>

int
grub_dom0less_xen_before (const struct grub_dom0less_xen *xen,
			  int major, int minor)
{
  return (xen->major > 0
	  && (xen->major < major
	      || (xen->major == major && xen->minor < minor)));
}

int
grub_dom0less_xen_since (const struct grub_dom0less_xen *xen, int minor)
{
  return xen->major > 0 && !grub_dom0less_xen_before (xen, 4, minor);
}

/* Return the number of at most three UTF-16 digits at *AT, which advances; or
   -1.  */
static int
read_number (const unsigned char **at, const unsigned char *end)
{
  int number = -1;

  while (end - *at >= 2 && (*at)[1] == 0 && (*at)[0] >= '0' && (*at)[0] <= '9'
	 && number < 100)
    {
      number = (number < 0 ? 0 : number) * 10 + ((*at)[0] - '0');
      *at += 2;
    }
  return number;
}

void
grub_dom0less_xen_version (struct grub_dom0less_xen *xen,
			   const void *image, size_t size)
{
  static const unsigned char name[] = "X\0e\0n\0 ";
  const unsigned char *at = image, *end = at + size, *rest;
  int major, minor;

  /* The terminator of NAME is the upper byte of a blank.  */
  for (; (size_t) (end - at) >= sizeof (name)
	 && (at = memchr (at, 'X', end - at)); at++)
    {
      if ((size_t) (end - at) < sizeof (name)
	  || memcmp (at, name, sizeof (name)))
	continue;
      rest = at + sizeof (name);
      major = read_number (&rest, end);
      if (major <= 0 || end - rest < 2 || rest[0] != '.' || rest[1])
	continue;
      rest += 2;
      minor = read_number (&rest, end);
      if (minor < 0)
	continue;
      xen->major = major;
      xen->minor = minor;
      xen->patch = GRUB_DOM0LESS_NONE;
      if (end - rest >= 2 && rest[0] == '.' && !rest[1])
	{
	  rest += 2;
	  xen->patch = read_number (&rest, end);
	}
      return;
    }
}

size_t
grub_dom0less_xen_gzip (const void *image, size_t size, size_t start)
{
  static const unsigned char magic[] = { 0x1f, 0x8b, 8 };
  const unsigned char *bytes = image, *at;

  while (start < size && (at = memchr (bytes + start, magic[0], size - start)))
    {
      start = at - bytes;
      if (size - start >= sizeof (magic)
	  && memcmp (at, magic, sizeof (magic)) == 0)
	return start;
      start++;
    }
  return size;
}

static const struct
{
  const char *line;
  unsigned int option;
} config_lines[] =
  {
    { "CONFIG_STATIC_MEMORY=y", GRUB_DOM0LESS_XEN_STATIC_MEMORY },
    { "CONFIG_STATIC_SHM=y", GRUB_DOM0LESS_XEN_STATIC_SHM },
    { "CONFIG_LLC_COLORING=y", GRUB_DOM0LESS_XEN_LLC_COLORING },
    { "CONFIG_ARM64_SVE=y", GRUB_DOM0LESS_XEN_SVE },
    { "CONFIG_SBSA_VUART_CONSOLE=y", GRUB_DOM0LESS_XEN_VPL011 },
    { "CONFIG_DOM0LESS_BOOT=y", GRUB_DOM0LESS_XEN_DOM0LESS },
    { "CONFIG_BOOT_TIME_CPUPOOLS=y", GRUB_DOM0LESS_XEN_CPUPOOLS },
    { "CONFIG_GICV3_ESPI=y", GRUB_DOM0LESS_XEN_ESPI },
    { "CONFIG_MPU=y", GRUB_DOM0LESS_XEN_MPU },
    { "CONFIG_HAS_NS16550=y", GRUB_DOM0LESS_XEN_NS16550 },
    { "CONFIG_HAS_CADENCE_UART=y", GRUB_DOM0LESS_XEN_CADENCE },
    { "CONFIG_HAS_LINFLEX=y", GRUB_DOM0LESS_XEN_LINFLEX },
    { "CONFIG_HAS_IMX_LPUART=y", GRUB_DOM0LESS_XEN_IMX_LPUART },
    { "CONFIG_HAS_IMX_UART=y", GRUB_DOM0LESS_XEN_IMX_UART },
    { "CONFIG_HAS_MVEBU=y", GRUB_DOM0LESS_XEN_MVEBU },
    { "CONFIG_HAS_MESON=y", GRUB_DOM0LESS_XEN_MESON },
    { "CONFIG_HAS_PL011=y", GRUB_DOM0LESS_XEN_PL011 },
    { "CONFIG_HAS_OMAP=y", GRUB_DOM0LESS_XEN_OMAP },
    { "CONFIG_HAS_SCIF=y", GRUB_DOM0LESS_XEN_SCIF },
    { "CONFIG_GICV2=y", GRUB_DOM0LESS_XEN_GICV2 },
    { "CONFIG_GICV3=y", GRUB_DOM0LESS_XEN_GICV3 },
    { "CONFIG_SCMI_SMC=y", GRUB_DOM0LESS_XEN_SCMI_SMC }
  };

int
grub_dom0less_xen_config (struct grub_dom0less_xen *xen,
			  const char *text, size_t len)
{
  unsigned int options = 0;
  int found = 0;
  const char *end = text + len, *next;
  size_t i, line;

  for (; text < end; text = next)
    {
      next = memchr (text, '\n', end - text);
      next = next ? next + 1 : end;
      line = next - text - (next[-1] == '\n');

      if (line == 12 && memcmp (text, "CONFIG_ARM=y", 12) == 0)
	found = 1;
      for (i = 0; i < sizeof (config_lines) / sizeof (config_lines[0]); i++)
	if (strlen (config_lines[i].line) == line
	    && memcmp (text, config_lines[i].line, line) == 0)
	  options |= config_lines[i].option;
    }

  if (found)
    {
      xen->has_config = 1;
      xen->options = options;
    }
  return found;
}
