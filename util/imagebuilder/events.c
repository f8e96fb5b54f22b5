/* events.c - static event channels  */
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

#include "internal.h"

/* A channel is identified by the phandles of its two ends.  They belong to the
   overlay, and follow those of pools and processors.  */
static uint32_t
event_phandle (const struct ib_writer *writer, int event)
{
  return ib_pool_phandle (writer->n_pools + writer->n_cpus + event);
}

/* Return the end at PORT of DOMAIN, or -1.  */
static int
find_event (const struct ib_writer *writer, uint32_t domain, uint32_t port)
{
  int i;

  for (i = 0; i < writer->n_events; i++)
    if (writer->events[i].domain == domain && writer->events[i].port == port)
      return i;
  return -1;
}

/* Return the name of the node for the end EVENT.  */
static const char *
event_name (struct ib_writer *writer, const struct ib_event *event)
{
  return ib_join_number (writer->import, "evtchn@", event->port);
}

/* Read the LENGTH bytes at TEXT, which describe one end in DOMAIN.  Return 0,
   or -1 with IMPORT->error.  */
static int
read_event (struct ib_writer *writer, uint32_t domain, const char *text,
	    size_t length)
{
  static const char name[] = "DOMU_STATIC_EVTCHNS";
  struct ib_import *import = writer->import;
  const char *words = ib_join (import, "", text, length), *word;
  struct ib_event *event = writer->events + writer->n_events;
  uint64_t number[3];
  int n = 0;

  while ((word = ib_next_word (&words, " ", &length)))
    if (n == 3 || ib_parse_number (word, length, &number[n++])
	|| number[n - 1] > UINT32_MAX)
      {
	n = 0;
	break;
      }
  if (n != 3)
    return ib_fail_variable (import, name, domain,
			     "has a channel that is not PORT DOMAIN PORT");
  if (find_event (writer, domain, (uint32_t) number[0]) >= 0)
    return ib_fail_variable (import, name, domain,
			     "has a port for the second time");
  if (writer->n_events == MAX_EVENTS)
    return ib_fail_variable (import, name, domain, "has too many channels");
  event->domain = domain;
  event->port = (uint32_t) number[0];
  event->remote_domain = (uint32_t) number[1];
  event->remote_port = (uint32_t) number[2];
  writer->n_events++;
  return 0;
}

/* Return whether the other end of EVENT is a different end of the same
   channel.  */
static int
is_connected (const struct ib_writer *writer, const struct ib_event *event)
{
  int i = find_event (writer, event->remote_domain, event->remote_port);
  const struct ib_event *other;

  if (i < 0)
    return 0;
  other = writer->events + i;
  return (other != event && other->remote_domain == event->domain
	  && other->remote_port == event->port);
}

int
ib_read_events (struct ib_writer *writer)
{
  struct ib_import *import = writer->import;
  const char *list, *text;
  uint32_t domain;
  size_t length;
  int i;

  for (domain = 0; domain < (uint32_t) writer->n_domains; domain++)
    {
      list = ib_get (import, "DOMU_STATIC_EVTCHNS", domain);
      if (!list || !ib_is_booted (import, domain))
	continue;
      while ((text = ib_next_word (&list, ";", &length)))
	if (read_event (writer, domain, text, length))
	  return -1;
    }
  /* ImageBuilder accepts an end without a counterpart, but Xen stops
     there.  */
  for (i = 0; i < writer->n_events; i++)
    if (!is_connected (writer, writer->events + i))
      return ib_fail_variable (import, "DOMU_STATIC_EVTCHNS",
			       writer->events[i].domain,
			       "has a channel whose other end does not lead back"
			       " to it");
  return 0;
}

int
ib_has_event (const struct ib_writer *writer, uint32_t domain)
{
  int i;

  for (i = 0; i < writer->n_events; i++)
    if (writer->events[i].domain == domain)
      return 1;
  return 0;
}

void
ib_add_events (struct ib_writer *writer, uint32_t domain)
{
  const struct ib_event *event;
  unsigned char *cells;
  int i, other;

  for (i = 0; i < writer->n_events; i++)
    {
      event = writer->events + i;
      if (event->domain != domain)
	continue;
      other = find_event (writer, event->remote_domain, event->remote_port);
      ib_begin_node (writer, event_name (writer, event));
      ib_add_string (writer, "compatible", "xen,evtchn-v1");
      ib_add_cell (writer, "phandle", event_phandle (writer, i));
      cells = ib_add_cells (writer, "xen,evtchn", 2);
      if (cells)
	{
	  ib_write_cells (cells, event->port, 1);
	  ib_write_cells (cells + 4, event_phandle (writer, other), 1);
	}
      ib_end_node (writer);
    }
}

void
ib_add_event_fixups (struct ib_writer *writer, uint32_t domain)
{
  int i;

  for (i = 0; i < writer->n_events; i++)
    if (writer->events[i].domain == domain)
      {
	ib_begin_node (writer, event_name (writer, writer->events + i));
	ib_add_cell (writer, "xen,evtchn", 4);
	ib_end_node (writer);
      }
}
