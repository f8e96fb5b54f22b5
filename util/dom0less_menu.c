/* dom0less_menu.c - find the xen_dom0less commands of a grub.cfg  */
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

#include <grub/types.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/script_sh.h>
#include <grub/util/dom0less_menu.h>
#include <grub/util/misc.h>

struct variable
{
  struct variable *next;
  char *name;
  char *value;
};

struct reader
{
  char *text;				/* the text not read yet */
  int line;
  struct variable *variables;
  char *entry;
  const char *unknown;
  void (*function) (const struct dom0less_menu_command *command, void *data);
  void *data;
};

/* The words of one command.  */
struct words
{
  int n;
  char **word;
  struct grub_script *block;
};

/* Return one line, as the callback of grub_script_parse.  */
static grub_err_t
read_line (char **line, int is_continued __attribute__ ((unused)), void *data)
{
  struct reader *reader = data;
  size_t length = strcspn (reader->text, "\n");
  char *at;

  *line = NULL;
  if (!*reader->text)
    return grub_errno = GRUB_ERR_READ_ERROR;
  reader->line++;
  *line = grub_strndup (reader->text, length);
  reader->text += length + (reader->text[length] == '\n');
  if (!*line)
    return grub_errno;
  for (at = *line; *at; at++)
    if (*at == '\t' || *at == '\r')
      *at = ' ';
  return GRUB_ERR_NONE;
}

static struct variable *
find_variable (struct reader *reader, const char *name)
{
  struct variable *variable;

  for (variable = reader->variables; variable; variable = variable->next)
    if (strcmp (variable->name, name) == 0)
      break;
  return variable;
}

/* Set the variable NAME to VALUE, and take ownership of VALUE.  */
static void
set_variable (struct reader *reader, const char *name, char *value)
{
  struct variable *variable = find_variable (reader, name);

  if (!variable)
    {
      variable = xcalloc (1, sizeof (*variable));
      variable->name = xstrdup (name);
      variable->next = reader->variables;
      reader->variables = variable;
    }
  free (variable->value);
  variable->value = value;
}

static const char *
value_of (struct reader *reader, const char *name)
{
  const struct variable *variable = find_variable (reader, name);

  if (variable)
    return variable->value;
  if (!reader->unknown)
    reader->unknown = name;
  return "";
}

static char *
join (char *before, const char *more)
{
  char *both = xasprintf ("%s%s", before, more);

  free (before);
  return both;
}

/* Remove the backslashes that GRUB's lexer keeps outside of quotes.  */
static char *
unescape (const char *text)
{
  char *copy = xstrdup (text), *to = copy;

  for (; *text; *to++ = *text++)
    if (*text == '\\' && text[1])
      text++;
  *to = '\0';
  return copy;
}

/* Return the word that consists of PART and what follows it, or NULL if these
   are empty and without quotes, as at the end of a line that is continued.  */
static char *
make_word (struct reader *reader, const struct grub_script_arg *part,
	   struct words *words)
{
  char *word = xstrdup (""), *plain;
  int is_there = 0;

  for (; part; part = part->next)
    switch (part->type)
      {
      case GRUB_SCRIPT_ARG_TYPE_VAR:
      case GRUB_SCRIPT_ARG_TYPE_DQVAR:
	word = join (word, value_of (reader, part->str));
	break;
      case GRUB_SCRIPT_ARG_TYPE_BLOCK:
	words->block = part->script;
	is_there = 1;
	break;
      case GRUB_SCRIPT_ARG_TYPE_TEXT:
	plain = unescape (part->str);
	word = join (word, plain);
	free (plain);
	break;
      default:
	word = join (word, part->str);
	is_there = 1;
	break;
      }
  if (*word || is_there)
    return word;
  free (word);
  return NULL;
}

static void
read_words (struct reader *reader, struct grub_script_arglist *list,
	    struct words *words)
{
  char *word;

  words->n = 0;
  words->word = NULL;
  words->block = NULL;
  reader->unknown = NULL;
  for (; list && list->arg; list = list->next)
    {
      word = make_word (reader, list->arg, words);
      if (!word)
	continue;
      words->word = xrealloc (words->word,
			      (words->n + 2) * sizeof (*words->word));
      words->word[words->n++] = word;
    }
  if (words->n)
    words->word[words->n] = NULL;
}

static void
free_words (struct words *words)
{
  int i;

  for (i = 0; i < words->n; i++)
    free (words->word[i]);
  free (words->word);
}

/* A disk that `search' finds is identified by the arguments of `search'.  */
static void
search (struct reader *reader, const struct words *words)
{
  const char *variable = "root";
  char *what = xstrdup ("search");
  int i;

  for (i = 1; i < words->n; i++)
    {
      const char *word = words->word[i];

      if (strncmp (word, "--set=", 6) == 0)
	variable = word + 6;
      else if (strncmp (word, "--hint", 6) && strcmp (word, "--set")
	       && strcmp (word, "--no-floppy"))
	{
	  what = join (what, " ");
	  what = join (what, word);
	}
    }
  set_variable (reader, variable, what);
}

/* Remove "(DEVICE)" from WORD, or from the part of it after an option's `=',
   if DEVICE is the value of root.  */
static void
strip_root (struct reader *reader, char **word)
{
  const struct variable *root = find_variable (reader, "root");
  char *device, *at;

  if (!root)
    device = xstrdup ("()/");
  else
    device = xasprintf ("(%s)/", root->value);
  at = strstr (*word, device);
  if (at && (at == *word || at[-1] == '='))
    memmove (at, at + strlen (device) - 1, strlen (at + strlen (device) - 1) + 1);
  free (device);
}

static void
report_command (struct reader *reader, struct words *words)
{
  struct dom0less_menu_command command;
  int i;

  for (i = 1; i < words->n; i++)
    strip_root (reader, words->word + i);
  /* Without a `set', root is the disk from which GRUB was loaded.  */
  if (reader->unknown && strcmp (reader->unknown, "root") == 0)
    reader->unknown = NULL;
  command.entry = reader->entry;
  command.argc = words->n;
  command.argv = words->word;
  command.unknown = reader->unknown;
  reader->function (&command, reader->data);
}

static void walk (struct reader *reader, struct grub_script_cmd *command);

/* Read an entry or a submenu.  Its title is the first word that is not an
   option.  */
static void
enter (struct reader *reader, const struct words *words)
{
  char *above = reader->entry;
  const char *title = words->n > 1 ? words->word[1] : "";

  reader->entry = above ? xasprintf ("%s > %s", above, title)
    : xstrdup (title);
  if (words->block)
    walk (reader, words->block->cmd);
  free (reader->entry);
  reader->entry = above;
}

static void
walk_line (struct reader *reader, struct grub_script_cmdline *line)
{
  struct words words;
  const char *name;

  read_words (reader, line->arglist, &words);
  name = words.n ? words.word[0] : "";
  if (strcmp (name, "menuentry") == 0 || strcmp (name, "submenu") == 0)
    enter (reader, &words);
  else if (strcmp (name, "xen_dom0less") == 0)
    report_command (reader, &words);
  else if (strcmp (name, "search") == 0
	   || strncmp (name, "search.", 7) == 0)
    search (reader, &words);
  else if (strcmp (name, "set") == 0 && words.n > 1)
    {
      char *value = strchr (words.word[1], '=');

      if (value)
	{
	  *value++ = '\0';
	  set_variable (reader, words.word[1], xstrdup (value));
	}
    }
  free_words (&words);
}

/* GRUB identifies the type of a command by the function that executes it.  */
static void
walk (struct reader *reader, struct grub_script_cmd *command)
{
  if (!command)
    return;
  if (command->exec == grub_script_execute_cmdline)
    walk_line (reader, (struct grub_script_cmdline *) command);
  else if (command->exec == grub_script_execute_cmdlist)
    for (command = command->next; command; command = command->next)
      walk (reader, command);
  else if (command->exec == grub_script_execute_cmdif)
    {
      struct grub_script_cmdif *condition = (struct grub_script_cmdif *) command;

      walk (reader, condition->exec_to_evaluate);
      walk (reader, condition->exec_on_true);
      walk (reader, condition->exec_on_false);
    }
  else if (command->exec == grub_script_execute_cmdfor)
    walk (reader, ((struct grub_script_cmdfor *) command)->list);
  else if (command->exec == grub_script_execute_cmdwhile)
    walk (reader, ((struct grub_script_cmdwhile *) command)->list);
}

int
dom0less_menu_read (char *text,
		    void (*function) (const struct dom0less_menu_command *,
				      void *data), void *data)
{
  struct reader reader;
  struct grub_script *script;
  int wrong = 0;
  char *line;

  memset (&reader, 0, sizeof (reader));
  reader.function = function;
  reader.data = data;
  reader.text = text;
  while (!wrong && read_line (&line, 0, &reader) == GRUB_ERR_NONE)
    {
      script = grub_script_parse (line, read_line, &reader);
      if (script)
	{
	  walk (&reader, script->cmd);
	  grub_script_free (script);
	}
      else
	wrong = reader.line;
      grub_free (line);
      grub_errno = GRUB_ERR_NONE;
    }
  grub_errno = GRUB_ERR_NONE;
  while (reader.variables)
    {
      struct variable *next = reader.variables->next;

      free (reader.variables->name);
      free (reader.variables->value);
      free (reader.variables);
      reader.variables = next;
    }
  return wrong;
}
