/* dom0less_diff.c - compare two plans  */
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

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <grub/util/dom0less_output.h>
#include <grub/util/misc.h>

#define FORMAT		"1"

/* The plans that this program writes are six levels deep.  */
#define MAX_DEPTH	16

/* Each element is searched for among all others.  No tree has room for so
   many.  */
#define MAX_ELEMENTS	4096

/* The types of JSON values that a plan contains.  */
struct value
{
  enum { JSON_WORD, JSON_STRING, JSON_ARRAY, JSON_OBJECT } type;
  char *text;				/* of a word or a string */
  size_t n;
  char **names;				/* an object's members */
  struct value **items;
};

struct reader
{
  const char *at;
  int depth;
};

static void
free_value (struct value *value)
{
  size_t i;

  if (!value)
    return;
  for (i = 0; i < value->n; i++)
    {
      if (value->names)
	free (value->names[i]);
      free_value (value->items[i]);
    }
  free (value->names);
  free (value->items);
  free (value->text);
  free (value);
}

static void
skip_blanks (struct reader *reader)
{
  reader->at += strspn (reader->at, " \t\r\n");
}

/* Skip C if it is the next character.  Return whether it was.  */
static int
take (struct reader *reader, char c)
{
  skip_blanks (reader);
  if (*reader->at != c)
    return 0;
  reader->at++;
  return 1;
}

/* Write the character CODE as UTF-8 to TO.  Return the end.  */
static char *
put_character (char *to, unsigned int code)
{
  if (code < 0x80)
    *to++ = code;
  else if (code < 0x800)
    {
      *to++ = 0xc0 | code >> 6;
      *to++ = 0x80 | (code & 0x3f);
    }
  else
    {
      *to++ = 0xe0 | code >> 12;
      *to++ = 0x80 | (code >> 6 & 0x3f);
      *to++ = 0x80 | (code & 0x3f);
    }
  return to;
}

/* Return the character for the escape at READER, after its backslash; 0 if it
   is not valid.  */
static unsigned int
read_escape (struct reader *reader)
{
  static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  const char *letter;
  char digits[5] = "", *end;
  unsigned int code;

  if (!*reader->at)
    return 0;
  letter = strchr (letters, *reader->at);
  if (letter)
    {
      reader->at++;
      return meant[letter - letters];
    }
  if (*reader->at != 'u')
    return 0;
  strncpy (digits, reader->at + 1, 4);
  code = strtoul (digits, &end, 16);
  if (strspn (digits, "0123456789abcdefABCDEF") != 4 || *end)
    return 0;
  reader->at += 5;
  /* One half of a character beyond the first plane; plans contain none.  */
  return code >= 0xd800 && code < 0xe000 ? 0xfffd : code;
}

/* Return the string whose first quote precedes READER, or NULL.  */
static char *
read_string (struct reader *reader)
{
  char *text = xmalloc (strlen (reader->at) + 1), *to = text;

  while (*reader->at && *reader->at != '"')
    if (*reader->at == '\\')
      {
	unsigned int code;

	reader->at++;
	code = read_escape (reader);
	if (!code)
	  {
	    free (text);
	    return NULL;
	  }
	to = put_character (to, code);
      }
    else
      *to++ = *reader->at++;
  *to = '\0';
  if (*reader->at != '"')
    {
      free (text);
      return NULL;
    }
  reader->at++;
  return text;
}

static struct value *read_value (struct reader *reader);

/* Read the members of VALUE up to CLOSE.  Return 0, or -1.  */
static int
read_members (struct reader *reader, struct value *value, char close)
{
  if (take (reader, close))
    return 0;
  do
    {
      char *name = NULL;
      struct value *item;

      if (value->type == JSON_OBJECT
	  && (!take (reader, '"') || !(name = read_string (reader))
	      || !take (reader, ':')))
	{
	  free (name);
	  return -1;
	}
      item = read_value (reader);
      value->items = xrealloc (value->items,
			       (value->n + 1) * sizeof (*value->items));
      if (value->type == JSON_OBJECT)
	value->names = xrealloc (value->names,
				 (value->n + 1) * sizeof (*value->names));
      if (value->names)
	value->names[value->n] = name;
      value->items[value->n++] = item;
      if (!item)
	return -1;
    }
  while (take (reader, ','));
  return take (reader, close) ? 0 : -1;
}

/* Return the value at READER, or NULL.  */
static struct value *
read_value (struct reader *reader)
{
  struct value *value = xcalloc (1, sizeof (*value));
  int err = 0;

  if (take (reader, '"'))
    {
      value->type = JSON_STRING;
      value->text = read_string (reader);
      err = !value->text;
    }
  else if (take (reader, '[') || take (reader, '{'))
    {
      value->type = reader->at[-1] == '[' ? JSON_ARRAY : JSON_OBJECT;
      err = ++reader->depth > MAX_DEPTH
	|| read_members (reader, value,
			 value->type == JSON_ARRAY ? ']' : '}');
      reader->depth--;
    }
  else
    {
      size_t length = strspn (reader->at, "-+.0123456789eEnulltrfas");

      value->text = xcalloc (1, length + 1);
      memcpy (value->text, reader->at, length);
      reader->at += length;
      err = !length;
    }
  if (!err)
    return value;
  free_value (value);
  return NULL;
}

static const struct value *
member (const struct value *object, const char *name)
{
  size_t i;

  for (i = 0; object->type == JSON_OBJECT && i < object->n; i++)
    if (strcmp (object->names[i], name) == 0)
      return object->items[i];
  return NULL;
}

static const char *
member_text (const struct value *object, const char *name)
{
  const struct value *found = member (object, name);

  return found && found->text ? found->text : "";
}

/* Return a copy of TEXT, which is from a plan, that is safe to print.  The
   caller has to free it.  */
static char *
plain (const char *text)
{
  char *copy = xstrdup (text);

  grub_dom0less_make_plain (copy);
  return copy;
}


/* How to identify the elements of an array in both plans: by the members KEYS.
   Members of an element that add no information are not compared.  */
static const struct kind
{
  const char *array, *word, *keys[2];
} kinds[] =
  {
    { "domains", "domain", { "name", NULL } },
    { "modules", "", { "kind", NULL } },
    { "ranges", "", { "kind", "node" } },
    { "measurements", "", { "what", "pcr" } },
    { "findings", "finding", { "text", NULL } }
  };

/* The address of a file depends on everything that is placed near it; an
   address that the tree fixes is also listed as a range.  For measurements,
   only the digests are compared.  */
static int
is_left_out (const char *name)
{
  return strcmp (name, "address") == 0 || strcmp (name, "measurements") == 0;
}

struct comparison
{
  FILE *stream;
  int n;
};

static void
tell (struct comparison *comparison, const char *place, const char *what)
{
  fprintf (comparison->stream, "%s: %s\n", place, what);
  comparison->n++;
}

/* Return a description of VALUE, which may be missing.  The caller has to free
   it.  */
static char *
word_for (const struct value *value)
{
  if (!value || !value->text
      || (value->type == JSON_WORD && strcmp (value->text, "null") == 0))
    return xstrdup ("none");
  return plain (value->text);
}

static void
tell_change (struct comparison *comparison, const char *place,
	     const struct value *before, const struct value *after)
{
  char *from = word_for (before), *to = word_for (after);
  char *change = xasprintf ("%s -> %s", from, to);

  tell (comparison, place, change);
  free (change);
  free (from);
  free (to);
}

static void compare_objects (struct comparison *comparison, const char *place,
			     const struct value *before,
			     const struct value *after);

static int
is_same_element (const struct kind *kind, const struct value *one,
		 const struct value *other)
{
  size_t i;

  for (i = 0; i < sizeof (kind->keys) / sizeof (kind->keys[0]); i++)
    if (kind->keys[i] && strcmp (member_text (one, kind->keys[i]),
				 member_text (other, kind->keys[i])))
      return 0;
  return 1;
}

/* Return the element of ARRAY that corresponds to ITEM, number I of OTHERS:
   the one with the same keys, and with as many such elements before it.  */
static const struct value *
find_element (const struct kind *kind, const struct value *array,
	      const struct value *others, size_t i)
{
  size_t before = 0, j;

  for (j = 0; j < i; j++)
    before += is_same_element (kind, others->items[j], others->items[i]);
  for (j = 0; array && j < array->n; j++)
    if (is_same_element (kind, array->items[j], others->items[i])
	&& before-- == 0)
      return array->items[j];
  return NULL;
}

/* Return PLACE followed by the name of ITEM.  */
static char *
element_place (const char *place, const struct kind *kind,
	       const struct value *item)
{
  char *first = plain (member_text (item, kind->keys[0]));
  char *second = plain (kind->keys[1] ? member_text (item, kind->keys[1]) : "");
  char *name = xasprintf ("%s%s%s%s%s%s%s", place, *place ? ", " : "",
			  kind->word, *kind->word ? " " : "", first,
			  *second ? " " : "", second);

  free (first);
  free (second);
  return name;
}

static void
compare_arrays (struct comparison *comparison, const char *place,
		const struct kind *kind, const struct value *before,
		const struct value *after)
{
  const struct value *other;
  char *name;
  size_t i;

  for (i = 0; before && i < before->n; i++)
    {
      other = find_element (kind, after, before, i);
      name = element_place (place, kind, before->items[i]);
      if (other)
	compare_objects (comparison, name, before->items[i], other);
      else
	tell (comparison, name, "gone");
      free (name);
    }
  for (i = 0; after && i < after->n; i++)
    if (!find_element (kind, before, after, i))
      {
	name = element_place (place, kind, after->items[i]);
	tell (comparison, name, "new");
	free (name);
      }
}

static const struct kind *
find_kind (const char *array)
{
  size_t i;

  for (i = 0; i < sizeof (kinds) / sizeof (kinds[0]); i++)
    if (strcmp (kinds[i].array, array) == 0)
      return kinds + i;
  return NULL;
}

/* Compare the members NAME of two objects, one of which may lack it.  */
static void
compare_members (struct comparison *comparison, const char *place,
		 const char *name, const struct value *before,
		 const struct value *after)
{
  const struct kind *kind = find_kind (name);
  char *inner;

  if (is_left_out (name))
    return;
  if (kind)
    {
      compare_arrays (comparison, place, kind, before, after);
      return;
    }
  if (before && after && before->text && after->text
      && strcmp (before->text, after->text) == 0)
    return;
  inner = plain (name);
  name = xasprintf ("%s%s%s", place, *place ? ", " : "", inner);
  tell_change (comparison, name, before, after);
  free (inner);
  free ((char *) name);
}

static void
compare_objects (struct comparison *comparison, const char *place,
		 const struct value *before, const struct value *after)
{
  size_t i;

  for (i = 0; i < before->n; i++)
    compare_members (comparison, place, before->names[i], before->items[i],
		     member (after, before->names[i]));
  for (i = 0; i < after->n; i++)
    if (!member (before, after->names[i]))
      compare_members (comparison, place, after->names[i], NULL,
		       after->items[i]);
}

/* A file of the same name may have other contents.  */
static void
compare_files (struct comparison *comparison, const struct value *before,
	       const struct value *after)
{
  const struct kind *kind = find_kind ("measurements");
  const struct value *files = member (before, kind->array), *other;
  const struct value *others = member (after, kind->array);
  char *name, *place;
  size_t i;

  for (i = 0; files && i < files->n; i++)
    {
      other = find_element (kind, others, files, i);
      if (!other || strcmp (member_text (files->items[i], "sha256"),
			    member_text (other, "sha256")) == 0)
	continue;
      name = plain (member_text (other, "what"));
      place = xasprintf ("file %s", name);
      tell (comparison, place, "another content");
      free (place);
      free (name);
    }
}

/* Return whether all arrays that are compared, in VALUE and below, are arrays
   of objects and are not too long.  */
static int
is_whole (const struct value *value)
{
  size_t i, j;

  for (i = 0; i < value->n; i++)
    {
      const struct value *item = value->items[i];

      if (!find_kind (value->names[i]))
	continue;
      if (item->type != JSON_ARRAY || item->n > MAX_ELEMENTS)
	return 0;
      for (j = 0; j < item->n; j++)
	if (item->items[j]->type != JSON_OBJECT || !is_whole (item->items[j]))
	  return 0;
    }
  return 1;
}

/* Return the plan in TEXT, or NULL.  */
static struct value *
read_plan (const char *text)
{
  struct reader reader = { text, 0 };
  struct value *plan = read_value (&reader);

  skip_blanks (&reader);
  if (plan && !*reader.at && plan->type == JSON_OBJECT
      && strcmp (member_text (plan, "format"), FORMAT) == 0
      && member (plan, "domains") && is_whole (plan))
    return plan;
  free_value (plan);
  return NULL;
}

int
dom0less_is_plan (const char *text)
{
  struct value *plan = read_plan (text);
  int is_plan = plan != NULL;

  free_value (plan);
  return is_plan;
}

int
dom0less_compare_plans (FILE *stream, const char *before, const char *after)
{
  struct comparison comparison = { stream, 0 };
  struct value *one = read_plan (before), *other = read_plan (after);

  if (!one || !other)
    comparison.n = -1;
  else
    {
      compare_objects (&comparison, "", one, other);
      compare_files (&comparison, one, other);
    }
  free_value (one);
  free_value (other);
  return comparison.n;
}
