/* shell.c - read the assignments of a shell fragment  */
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

#include <string.h>

#define END	(-1)

struct reader
{
  struct ib_import *import;
  const char *at, *end;
  unsigned int line;
};

int
ib_fail (struct ib_import *import, unsigned int line, const char *subject,
	 const char *error)
{
  if (!import->error)
    {
      import->line = line;
      import->subject = subject;
      import->error = error;
    }
  return -1;
}

void
ib_put_char (struct ib_import *import, char c)
{
  if (import->filled < import->room_size)
    import->room[import->filled++] = c;
  else
    ib_fail (import, 0, NULL, "the values are too long altogether");
}

static int
fail (struct reader *reader, const char *error)
{
  return ib_fail (reader->import, reader->line, NULL, error);
}

static void
put (struct reader *reader, int c)
{
  ib_put_char (reader->import, (char) c);
}

struct ib_variable *
ib_lookup (struct ib_import *import, const char *name, size_t name_length,
	   uint64_t index)
{
  struct ib_variable *variable = import->variables;
  int i;

  for (i = 0; i < import->n_variables; i++, variable++)
    if (variable->index == index && strlen (variable->name) == name_length
	&& memcmp (variable->name, name, name_length) == 0)
      return variable;
  return NULL;
}

/* Return the next character.  Every kind of line end is a newline.  */
static int
peek (struct reader *reader)
{
  if (reader->at + 1 < reader->end && reader->at[0] == '\r'
      && reader->at[1] == '\n')
    reader->at++;
  return reader->at < reader->end ? (unsigned char) *reader->at : END;
}

static void
advance (struct reader *reader)
{
  if (*reader->at++ == '\n')
    reader->line++;
}

static int
is_digit (int c)
{
  return c >= '0' && c <= '9';
}

static int
is_name (int c)
{
  return ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit (c)
	  || c == '_');
}

/* The characters that end an assignment.  */
static int
is_blank (int c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == ';';
}

/* Skip what is between assignments.  Return whether a command ends there.  */
static int
skip_blanks (struct reader *reader)
{
  int c, is_end = 0;

  while ((c = peek (reader)) != END)
    {
      if (c == '#')
	while ((c = peek (reader)) != END && c != '\n')
	  advance (reader);
      else if (c == '\\' && reader->at + 1 < reader->end
	       && (reader->at[1] == '\n' || reader->at[1] == '\r'))
	{
	  advance (reader);
	  if (peek (reader) != '\n')
	    return is_end;
	  advance (reader);
	}
      else if (is_blank (c))
	{
	  is_end |= c == '\n' || c == ';';
	  advance (reader);
	}
      else
	return is_end;
    }
  return is_end;
}

/* Skip a name, and return its length.  */
static size_t
read_name (struct reader *reader)
{
  const char *start = reader->at;

  if (!is_digit (peek (reader)))
    while (is_name (peek (reader)))
      advance (reader);
  return (size_t) (reader->at - start);
}

/* Read the number at *TEXT, which ends at END or with the string, and advance
   TEXT past it.  Return whether there is a number that can be an index.  */
static int
take_number (const char **text, const char *end, uint32_t *number)
{
  const char *start = *text;
  uint64_t value = 0;

  while (*text != end && is_digit (**text) && value <= UINT32_MAX)
    value = value * 10 + (uint64_t) (*(*text)++ - '0');
  *number = (uint32_t) value;
  return *text != start && value < UINT32_MAX;
}

/* Skip $NAME or ${NAME}, and read the number in its value.  Return 0, or
   -1.  */
static int
read_index_variable (struct reader *reader, uint32_t *number)
{
  struct ib_variable *variable;
  const char *name, *value;
  size_t length;
  int braces;

  advance (reader);
  braces = peek (reader) == '{';
  if (braces)
    advance (reader);
  name = reader->at;
  length = read_name (reader);
  if (!length || (braces && peek (reader) != '}'))
    return -1;
  if (braces)
    advance (reader);
  variable = ib_lookup (reader->import, name, length, 0);
  value = variable ? variable->value : "";
  if (!take_number (&value, NULL, number) || *value)
    return -1;
  variable->used = 1;
  return 0;
}

/* Read an index, or one half of it.  Return 0, or -1.  */
static int
read_index_number (struct reader *reader, uint32_t *number)
{
  if (peek (reader) == '$')
    return read_index_variable (reader, number);
  return take_number (&reader->at, reader->end, number) ? 0 : -1;
}

/* Read `[N]' or `[N,M]' if there is one.  Return whether there was, or -1.  */
static int
read_index (struct reader *reader, uint64_t *index)
{
  static const char fault[] = "an index is a plain number, or the variable of one";
  uint32_t first, second;

  *index = 0;
  if (peek (reader) != '[')
    return 0;
  advance (reader);
  if (read_index_number (reader, &first))
    return fail (reader, fault);
  *index = first;
  if (peek (reader) == ',')
    {
      advance (reader);
      if (read_index_number (reader, &second))
	return fail (reader, fault);
      *index = IB_PAIR (first, second);
    }
  if (peek (reader) != ']')
    return fail (reader, fault);
  advance (reader);
  return 1;
}

/* Append the value of the variable at a `$'.  */
static int
read_expansion (struct reader *reader, int quoted)
{
  static const char others[] = "({0123456789@*#?-$!";
  struct ib_variable *variable;
  const char *name, *value;
  size_t length;
  uint64_t index = 0;
  int braces, c;

  advance (reader);
  braces = peek (reader) == '{';
  if (braces)
    advance (reader);
  name = reader->at;
  length = read_name (reader);
  c = peek (reader);
  if (!length)
    {
      if (braces || (c != END && c && strchr (others, c))
	  || (!quoted && (c == '"' || c == '\'')))
	return fail (reader, "of what begins with $, only $NAME, ${NAME} and"
		     " ${NAME[N]} are understood");
      put (reader, '$');
      return 0;
    }
  if (braces)
    {
      if (read_index (reader, &index) < 0)
	return -1;
      if (peek (reader) != '}')
	return fail (reader, "in ${ } only NAME and NAME[N] are understood");
      advance (reader);
    }

  variable = ib_lookup (reader->import, name, length, index);
  /* The shell would take its value from the environment.  */
  if (!variable)
    return fail (reader, "a variable is used that is not set before");
  variable->used = 1;
  for (value = variable->value; *value; value++)
    put (reader, *value);
  return 0;
}

/* Return whether the next bytes are a control character of C1, in UTF-8.  */
static int
is_c1 (const struct reader *reader)
{
  return (reader->end - reader->at >= 2
	  && (unsigned char) reader->at[0] == 0xc2
	  && (unsigned char) reader->at[1] >= 0x80
	  && (unsigned char) reader->at[1] < 0xa0);
}

/* Append the next character without interpreting it.  */
static int
read_literal (struct reader *reader)
{
  int c = peek (reader);

  if (c == '\n' || c == '\t')
    put (reader, ' ');
  else if (c < ' ' || c == 0x7f || is_c1 (reader))
    return fail (reader, "there is a control character");
  else
    put (reader, c);
  advance (reader);
  return 0;
}

/* Handle the character after a backslash.  */
static int
read_escape (struct reader *reader, int quoted)
{
  int c = peek (reader);

  if (c == END)
    return fail (reader, "nothing follows the backslash");
  if (c == '\n')
    {
      advance (reader);
      return 0;
    }
  if (quoted && c != '$' && c != '`' && c != '"' && c != '\\')
    put (reader, '\\');
  return read_literal (reader);
}

/* Append the value at READER.  */
static int
read_value (struct reader *reader)
{
  int c, err, quote = 0;

  while ((c = peek (reader)) != END && (quote || !is_blank (c)))
    {
      err = 0;
      if (quote ? c == quote : c == '"' || c == '\'')
	{
	  quote = quote ? 0 : c;
	  advance (reader);
	}
      else if (quote == '\'')
	err = read_literal (reader);
      else if (c == '\\')
	{
	  advance (reader);
	  err = read_escape (reader, quote);
	}
      else if (c == '$')
	err = read_expansion (reader, quote);
      else if (c == '`')
	err = fail (reader, "commands are not executed");
      else if (!quote && c && strchr ("&|<>()", c))
	err = fail (reader, "only assignments are understood; & | < > ( )"
		    " want quotes");
      else
	err = read_literal (reader);
      if (err)
	return -1;
    }
  if (quote)
    return fail (reader, "a quote is not closed");
  return 0;
}

/* Return the variable NAME[INDEX], which is created if it does not exist.  */
static struct ib_variable *
make_variable (struct reader *reader, const char *name, size_t length,
	       uint64_t index)
{
  struct ib_import *import = reader->import;
  struct ib_variable *variable;
  size_t i;

  variable = ib_lookup (import, name, length, index);
  if (variable)
    return variable;
  if (import->n_variables == IB_MAX_VARIABLES)
    {
      fail (reader, "there are too many variables");
      return NULL;
    }
  variable = &import->variables[import->n_variables];
  memset (variable, 0, sizeof (*variable));
  variable->name = import->room + import->filled;
  variable->index = index;
  variable->value = "";
  for (i = 0; i < length; i++)
    put (reader, name[i]);
  put (reader, '\0');
  if (import->error)
    return NULL;
  import->n_variables++;
  return variable;
}

/* Read an assignment, or, if IS_EXPORTED, only a name, as after `export'.  */
static int
read_assignment (struct reader *reader, int is_exported)
{
  struct ib_import *import = reader->import;
  struct ib_variable *variable;
  unsigned int line = reader->line;
  const char *name = reader->at, *value, *old;
  size_t length = read_name (reader);
  uint64_t index;
  int has_index, append;

  if (!length)
    return fail (reader, "only assignments NAME=VALUE are understood");
  if (is_exported && (peek (reader) == END || is_blank (peek (reader))))
    return 0;
  has_index = read_index (reader, &index);
  if (has_index < 0)
    return -1;
  append = peek (reader) == '+';
  if (append)
    advance (reader);
  if (peek (reader) != '=')
    return fail (reader, "only assignments NAME=VALUE are understood");
  advance (reader);
  if (peek (reader) == '(')
    return fail (reader, "an array is understood only as NAME[N]=VALUE");
  if (peek (reader) == '~')
    return fail (reader, "~ is not understood without quotes");

  variable = make_variable (reader, name, length, index);
  if (!variable)
    return -1;
  value = import->room + import->filled;
  if (append)
    for (old = variable->value; *old; old++)
      put (reader, *old);
  if (read_value (reader))
    return -1;
  put (reader, '\0');
  if (import->error)
    return -1;

  variable->has_index = has_index;
  variable->value = value;
  variable->line = line;
  variable->used = 0;
  return 0;
}

/* Skip `export' if it is there.  It makes no difference for ImageBuilder,
   which reads the config into its own shell.  Return whether it was there.  */
static int
skip_export (struct reader *reader)
{
  static const char word[] = "export";
  size_t length = sizeof (word) - 1;

  if ((size_t) (reader->end - reader->at) <= length
      || memcmp (reader->at, word, length)
      || (reader->at[length] != ' ' && reader->at[length] != '\t'))
    return 0;
  reader->at += length;
  return 1;
}

int
ib_parse (struct ib_import *import, const char *text, size_t size)
{
  struct reader reader = { import, text, text + size, 1 };
  int is_exported = 0;

  for (;;)
    {
      if (skip_blanks (&reader))
	is_exported = 0;
      if (peek (&reader) == END)
	break;
      if (skip_export (&reader))
	is_exported = 1;
      else if (read_assignment (&reader, is_exported))
	{
	  if (!import->line)
	    import->line = reader.line;
	  return -1;
	}
    }
  import->parsed = import->filled;
  return 0;
}
