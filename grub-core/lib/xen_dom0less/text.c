/* text.c - make strings from trees safe to print  */
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
grub_dom0less_character (const char *text, uint32_t *code)
{
  const unsigned char *at = (const unsigned char *) text;
  int i, length = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2
    : *at < 0xf0 ? 3 : *at < 0xf5 ? 4 : 0;
  uint32_t number;

  *code = *at;
  if (length < 2)
    return length;
  number = *at & (0x7f >> length);
  for (i = 1; i < length && (at[i] & 0xc0) == 0x80; i++)
    number = number << 6 | (at[i] & 0x3f);
  /* The character is incomplete, longer than necessary, a surrogate, or beyond
     Unicode.  */
  if (i < length
      || (length == 3 && number < 0x800) || (length == 4 && number < 0x10000)
      || (number >= 0xd800 && number < 0xe000) || number > 0x10ffff)
    return 0;
  *code = number;
  return length;
}

int
grub_dom0less_is_shown (uint32_t code)
{
  static const struct
  {
    uint32_t first, last;
  } hidden[] =
    {
      { 0, 0x1f }, { 0x7f, 0x9f },	/* C0, DEL and C1 */
      { 0x61c, 0x61c }, { 0x200e, 0x200f },	/* direction of text ...  */
      { 0x2028, 0x202e },		/* ... and ends of lines */
      { 0x2066, 0x2069 }, { 0xfeff, 0xfeff }, { 0xfffe, 0xffff }
    };
  size_t i;

  for (i = 0; i < sizeof (hidden) / sizeof (hidden[0]); i++)
    if (code >= hidden[i].first && code <= hidden[i].last)
      return 0;
  return 1;
}

size_t
grub_dom0less_make_plain (char *text)
{
  char *from = text, *to = text;

  while (*from)
    {
      uint32_t code;
      int length = grub_dom0less_character (from, &code);

      if (length && grub_dom0less_is_shown (code))
	{
	  memmove (to, from, length);
	  to += length;
	}
      else
	*to++ = '?';
      from += length ? length : 1;
    }
  *to = '\0';
  return to - text;
}
