/* overlay.c - apply an overlay to a tree  */
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

/*
 * This does what libfdt's fdt_overlay_apply does, with the same result, but in
 * time proportional to the size of the two trees.  For each property that it
 * adds, libfdt moves everything after it; it searches the whole tree for each
 * phandle and each path, and writes wherever an overlay's fixups point.
 *
 * Both trees are read into arrays of nodes and properties.  One dictionary
 * finds everything that has a name: children of a node, its properties, and
 * phandles.  The base is changed in the arrays, where a change moves nothing,
 * and is then written out.  In the two trees themselves, only cells within the
 * values of the overlay's properties are written.  All names and lengths are
 * read before that, from blocks that do not overlap
 * (grub_dom0less_tree_fault).
 */

#define NONE		(-1)

/* The maximum length of a path in a label, an alias or a target, in bytes
   including the terminator.  */
#define MAX_PATH	1024

/* The children of the overlay's root that are not fragments.  */
enum role
  {
    FRAGMENT,
    LOCAL_FIXUPS,
    FIXUPS,
    SYMBOLS
  };

static const char *const role_names[] =
  { "", "__local_fixups__", "__fixups__", "__symbols__" };

struct node
{
  const char *name;
  int parent;
  int depth;				/* the root's is 1 */
  int first, last, next;		/* children, and the next sibling */
  int property;				/* the first property */
  int end;				/* in an overlay: after its subtree */
  int offset;				/* in its own tree */
  int pair;				/* its counterpart in the other tree */
  enum role role;
};

struct property
{
  const char *name;
  const char *value;
  size_t length;
  size_t name_offset;			/* in the new strings block */
  int next;
  int target;				/* VALUE is a path below that node */
};

/* The kinds of keys in the dictionary, and what each consists of besides a
   name.  */
enum kind
  {
    STEM,				/* first child of that name up to @ */
    EXACT,				/* child with the whole name */
    PROPERTY,				/* property of a node */
    PHANDLE,				/* the base's node with that phandle */
    RENAMED				/* the phandle that replaces another */
  };

struct leaf
{
  const char *name;
  size_t length;
  uint32_t owner;
  enum kind kind;
  uint32_t value;
};

/* A branch of the dictionary, a crit-bit tree: the keys differ at the bits of
   MASK in byte BYTE.  A reference is an index times two, plus 1 if it is to a
   leaf.  */
struct fork
{
  uint32_t branch[2];
  uint32_t byte;
  unsigned int mask;
};

struct merge
{
  const void *base;
  void *overlay;
  struct node *nodes;
  struct property *properties;
  struct leaf *leaves;
  struct fork *forks;
  int n_nodes, n_properties;
  uint32_t n_leaves, n_forks, top;
  int root, overlay_root, overlay_end;
  uint32_t highest;			/* phandle of the base */
  struct grub_dom0less_misfit *misfit;
};


/*
 * The dictionary.  It is not a hash table, because whoever writes the tree
 * could choose colliding names: a search takes at most as many steps as its
 * key has bits.
 */

static unsigned int
key_byte (const struct leaf *key, size_t i)
{
  if (i < 4)
    return key->owner >> 8 * i & 0xff;
  if (i == 4)
    return (unsigned int) key->kind;
  i -= 5;
  /* A name contains no zero, so no key is a prefix of another.  */
  return i < key->length ? (unsigned char) key->name[i] : 0;
}

static uint32_t *
take_branch (const struct leaf *key, struct fork *fork)
{
  return fork->branch + ((key_byte (key, fork->byte) & fork->mask) != 0);
}

/* Return the leaf to which KEY leads: its own, or another one.  */
static struct leaf *
nearest (const struct merge *merge, const struct leaf *key)
{
  uint32_t branch = merge->top;

  while (!(branch & 1))
    branch = *take_branch (key, merge->forks + (branch >> 1));
  return merge->leaves + (branch >> 1);
}

static struct leaf
make_key (enum kind kind, uint32_t owner, const char *name, size_t length)
{
  struct leaf key = { name, length, owner, kind, 0 };

  return key;
}

static struct leaf *
find (const struct merge *merge, enum kind kind, uint32_t owner,
      const char *name, size_t length)
{
  struct leaf key = make_key (kind, owner, name, length), *leaf;

  if (!merge->n_leaves)
    return NULL;
  leaf = nearest (merge, &key);
  return leaf->kind == kind && leaf->owner == owner && leaf->length == length
    && (!length || memcmp (leaf->name, name, length) == 0) ? leaf : NULL;
}

/* Add an entry that find will return, with VALUE.  If there is one already,
   keep it and return it.  */
static struct leaf *
add (struct merge *merge, enum kind kind, uint32_t owner, const char *name,
     size_t length, uint32_t value)
{
  struct leaf *leaf = merge->leaves + merge->n_leaves, *other;
  unsigned int mask, bits;
  uint32_t at, *branch = &merge->top;
  struct fork *fork;

  *leaf = make_key (kind, owner, name, length);
  leaf->value = value;
  if (!merge->n_leaves)
    {
      merge->top = 1;
      merge->n_leaves++;
      return leaf;
    }

  other = nearest (merge, leaf);
  for (at = 0; key_byte (leaf, at) == key_byte (other, at); at++)
    if (at >= 5 + length)
      return other;
  bits = key_byte (leaf, at) ^ key_byte (other, at);
  for (mask = 0x80; !(mask & bits); mask >>= 1)
    ;

  while (!(*branch & 1))
    {
      fork = merge->forks + (*branch >> 1);
      if (fork->byte > at || (fork->byte == at && fork->mask < mask))
	break;
      branch = take_branch (leaf, fork);
    }
  fork = merge->forks + merge->n_forks;
  fork->byte = at;
  fork->mask = mask;
  fork->branch[0] = fork->branch[1] = *branch;
  *take_branch (leaf, fork) = merge->n_leaves++ << 1 | 1;
  *branch = merge->n_forks++ << 1;
  return leaf;
}


/*
 * Nodes and properties.
 */

/* Return the child of PARENT that libfdt would find by that name: a name
   without a unit address matches the first child that has one.  */
static int
find_child (const struct merge *merge, int parent, const char *name,
	    size_t length)
{
  enum kind kind = length && memchr (name, '@', length) ? EXACT : STEM;
  struct leaf *leaf = find (merge, kind, (uint32_t) parent, name, length);

  return leaf ? (int) leaf->value : NONE;
}

static int
find_named_child (const struct merge *merge, int parent, const char *name)
{
  return find_child (merge, parent, name, strlen (name));
}

static struct property *
find_property (const struct merge *merge, int node, const char *name,
	       size_t length)
{
  struct leaf *leaf = find (merge, PROPERTY, (uint32_t) node, name, length);

  return leaf ? merge->properties + leaf->value : NULL;
}

static struct property *
find_named_property (const struct merge *merge, int node, const char *name)
{
  return find_property (merge, node, name, strlen (name));
}

/* Create a node below PARENT, but do not add it to PARENT's list yet.  */
static int
make_node (struct merge *merge, int parent, const char *name, int offset)
{
  struct node *node = merge->nodes + merge->n_nodes;
  size_t length = strlen (name);
  const char *unit = length ? memchr (name, '@', length) : NULL;

  memset (node, 0, sizeof (*node));
  node->name = name;
  node->parent = parent;
  node->depth = parent == NONE ? 1 : merge->nodes[parent].depth + 1;
  node->first = node->last = node->next = node->property = node->pair = NONE;
  node->offset = offset;
  if (parent != NONE)
    {
      add (merge, STEM, (uint32_t) parent, name,
	   unit ? (size_t) (unit - name) : length, (uint32_t) merge->n_nodes);
      if (unit)
	add (merge, EXACT, (uint32_t) parent, name, length,
	     (uint32_t) merge->n_nodes);
    }
  return merge->n_nodes++;
}

/* Create a property of NODE, but do not add it to NODE's list yet.  */
static struct property *
make_property (struct merge *merge, int node, const char *name,
	       size_t name_offset)
{
  struct property *property = merge->properties + merge->n_properties;

  property->name = name;
  property->name_offset = name_offset;
  property->next = property->target = NONE;
  add (merge, PROPERTY, (uint32_t) node, name, strlen (name),
       (uint32_t) merge->n_properties++);
  return property;
}

static void
load_property (struct merge *merge, const void *fdt, int node, int offset,
	       size_t strings)
{
  const char *name, *value;
  struct property *property;
  int length;

  value = fdt_getprop_by_offset (fdt, offset, &name, &length);
  property = make_property
    (merge, node, name,
     strings + fdt32_to_cpu (fdt_get_property_by_offset (fdt, offset, NULL)
			     ->nameoff));
  property->value = value;
  property->length = (size_t) length;
  /* The properties of a node are adjacent.  */
  if (merge->nodes[node].property == NONE)
    merge->nodes[node].property = merge->n_properties - 1;
  else
    property[-1].next = merge->n_properties - 1;
}

/* Add all of FDT; its strings will follow STRINGS bytes of others.  Return its
   root.  */
static int
load (struct merge *merge, const void *fdt, size_t strings)
{
  int root = merge->n_nodes, node = NONE, child, offset, next = 0;
  uint32_t tag;

  do
    {
      offset = next;
      tag = fdt_next_tag (fdt, offset, &next);
      switch (tag)
	{
	case FDT_BEGIN_NODE:
	  child = make_node (merge, node, fdt_get_name (fdt, offset, NULL),
			     offset);
	  if (node != NONE)
	    {
	      if (merge->nodes[node].first == NONE)
		merge->nodes[node].first = child;
	      else
		merge->nodes[merge->nodes[node].last].next = child;
	      merge->nodes[node].last = child;
	    }
	  node = child;
	  break;
	case FDT_END_NODE:
	  merge->nodes[node].end = merge->n_nodes;
	  node = merge->nodes[node].parent;
	  break;
	case FDT_PROP:
	  load_property (merge, fdt, node, offset, strings);
	  break;
	}
    }
  while (tag != FDT_END);
  return root;
}

/* Report FAULT of the overlay's NODE.  */
static int
refuse (struct merge *merge, int node, const char *fault)
{
  merge->misfit->node = merge->nodes[node].offset;
  merge->misfit->fault = fault;
  return -FDT_ERR_BADOVERLAY;
}

/* Report that the overlay's NODE needs a label or a path that the base does
   not have.  */
static int
miss (struct merge *merge, int node, const char *missing, const char *hint)
{
  merge->misfit->node = merge->nodes[node].offset;
  merge->misfit->missing = missing;
  merge->misfit->hint = hint;
  return -FDT_ERR_NOTFOUND;
}

/* Assign each node of the overlay its role.  Parents come before their
   children.  Of two nodes with the same name, the first one counts.  */
static int
assign_roles (struct merge *merge)
{
  int i, role;

  for (role = LOCAL_FIXUPS; role <= SYMBOLS; role++)
    {
      i = find_named_child (merge, merge->overlay_root, role_names[role]);
      if (i == NONE)
	continue;
      merge->nodes[i].role = (enum role) role;
      /* libfdt would treat it as a fragment as well.  */
      if (find_named_child (merge, i, "__overlay__") != NONE)
	return refuse (merge, i, "fixups or symbols in __overlay__");
    }
  for (i = merge->overlay_root + 1; i < merge->overlay_end; i++)
    if (merge->nodes[i].parent != merge->overlay_root)
      merge->nodes[i].role = merge->nodes[merge->nodes[i].parent].role;
  return 0;
}

static int
is_cell (const struct property *property)
{
  return property && property->length == sizeof (fdt32_t);
}

static uint32_t
get_cell (const struct property *property, size_t offset)
{
  return fdt32_ld ((const fdt32_t *) (const void *) (property->value
						      + offset));
}

/* Write a cell of an overlay's property, which is in the caller's copy.  */
static void
set_cell (struct property *property, size_t offset, uint32_t value)
{
  fdt32_st ((void *) (uintptr_t) (property->value + offset), value);
}

static int
is_phandle (const char *name, size_t length)
{
  return ((length == 7 && memcmp (name, "phandle", 7) == 0)
	  || (length == 13 && memcmp (name, "linux,phandle", 13) == 0));
}

/* Return NODE's phandle, or 0.  */
static uint32_t
get_phandle (const struct merge *merge, int node)
{
  struct property *property = find_named_property (merge, node, "phandle");

  if (!is_cell (property))
    property = find_named_property (merge, node, "linux,phandle");
  return is_cell (property) ? get_cell (property, 0) : 0;
}

/* Return the string in PROPERTY, or NULL.  All strings that are read are
   paths, so a longer one is not valid; the limit matters because many
   properties may refer to the same string.  */
static const char *
get_string (const struct property *property)
{
  if (!property || !property->length || property->length > MAX_PATH
      || memchr (property->value, '\0', property->length)
	 != property->value + property->length - 1)
    return NULL;
  return property->value;
}

/* Return the node below ROOT to which the LENGTH bytes of PATH lead.  */
static int
find_node (const struct merge *merge, int root, const char *path,
	   size_t length)
{
  const char *end = path + length, *next;
  int node = root;

  if (!length)
    return NONE;
  while (node != NONE && path < end)
    {
      if (*path == '/')
	{
	  path++;
	  continue;
	}
      next = memchr (path, '/', (size_t) (end - path));
      next = next ? next : end;
      node = find_child (merge, node, path, (size_t) (next - path));
      path = next;
    }
  return node;
}

/* Return the base's node with that PATH, which may begin with an alias.  */
static int
find_in_base (const struct merge *merge, const char *path)
{
  const char *rest = strchr (path, '/'), *alias;
  int node;

  if (rest == path)
    return find_node (merge, merge->root, path, strlen (path));
  rest = rest ? rest : path + strlen (path);
  node = find_named_child (merge, merge->root, "aliases");
  alias = node == NONE ? NULL
    : get_string (find_property (merge, node, path, (size_t) (rest - path)));
  if (!alias || *alias != '/')
    return NONE;
  node = find_node (merge, merge->root, alias, strlen (alias));
  return node == NONE || !*rest ? node
    : find_node (merge, node, rest, strlen (rest));
}


/*
 * The steps, in libfdt's order.
 */

/* Add the base's highest phandle to each of the overlay's.  */
static int
shift_phandles (struct merge *merge)
{
  static const char *const names[] = { "phandle", "linux,phandle" };
  struct property *property;
  uint32_t phandle;
  int i, n;

  for (i = merge->overlay_root; i < merge->overlay_end; i++)
    for (n = 0; n < 2; n++)
      {
	property = find_named_property (merge, i, names[n]);
	if (!property)
	  continue;
	if (merge->nodes[i].role != FRAGMENT)
	  return refuse (merge, i, "a phandle among fixups or symbols");
	if (!is_cell (property))
	  return refuse (merge, i, "its phandle is not one cell");
	phandle = get_cell (property, 0);
	if (!phandle || phandle >= UINT32_MAX - merge->highest)
	  return refuse (merge, i, "its phandle has no place among the base's");
	set_cell (property, 0, phandle + merge->highest);
      }
  return 0;
}

/* Find the property NAME of NODE, to which a fixup at FIXUP applies.  Fixups,
   symbols and phandles themselves may not be changed.  */
static int
find_fixed (struct merge *merge, int fixup, int node, const char *name,
	    size_t length, struct property **property)
{
  if (node == NONE)
    return refuse (merge, fixup, "a fixup of a node that is not there");
  if (merge->nodes[node].role != FRAGMENT)
    return refuse (merge, fixup, "a fixup of fixups or symbols");
  *property = find_property (merge, node, name, length);
  if (!*property)
    return refuse (merge, fixup, "a fixup of a property that is not there");
  if (is_phandle (name, length))
    return refuse (merge, fixup, "a fixup of a phandle");
  return 0;
}

static int
is_within (const struct property *property, uint64_t offset)
{
  return (property->length >= sizeof (fdt32_t)
	  && offset <= property->length - sizeof (fdt32_t));
}

static void
shift_reference (const struct merge *merge, struct property *property,
		 uint32_t offset)
{
  set_cell (property, offset, get_cell (property, offset) + merge->highest);
}

static void
rename_reference (const struct merge *merge, struct property *property,
		  uint32_t offset)
{
  struct leaf *leaf = find (merge, RENAMED, get_cell (property, offset), "", 0);

  if (leaf)
    set_cell (property, offset, leaf->value);
}

/* Apply CHANGE to each reference that __local_fixups__ lists.  */
static int
fix_local (struct merge *merge,
	   void (*change) (const struct merge *merge,
			   struct property *property, uint32_t offset))
{
  struct property *list, *property;
  size_t at;
  int i, p, err;

  for (i = merge->overlay_root; i < merge->overlay_end; i++)
    {
      struct node *node = merge->nodes + i;

      if (node->role != LOCAL_FIXUPS)
	continue;
      node->pair = node->parent == merge->overlay_root ? merge->overlay_root
	: find_named_child (merge, merge->nodes[node->parent].pair,
			    node->name);
      if (node->pair == NONE || merge->nodes[node->pair].role != FRAGMENT)
	return refuse (merge, i, "a fixup of no node of a fragment");
      for (p = node->property; p != NONE; p = list->next)
	{
	  list = merge->properties + p;
	  err = find_fixed (merge, i, node->pair, list->name,
			    strlen (list->name), &property);
	  if (err)
	    return err;
	  if (list->length % sizeof (fdt32_t))
	    return refuse (merge, i, "a fixup that is not whole cells");
	  for (at = 0; at < list->length; at += sizeof (fdt32_t))
	    if (is_within (property, get_cell (list, at)))
	      change (merge, property, get_cell (list, at));
	    else
	      return refuse (merge, i, "a fixup outside of its property");
	}
    }
  return 0;
}

/* Read the LENGTH bytes at TEXT as a number.  If they are not a number, the
   result is more than the length of any property.  */
static uint64_t
read_number (const char *text, size_t length)
{
  uint64_t number = 0;
  size_t i;

  if (length < 1 || length > 10)
    return UINT64_MAX;
  for (i = 0; i < length; i++)
    {
      if (text[i] < '0' || text[i] > '9')
	return UINT64_MAX;
      number = number * 10 + (uint64_t) (text[i] - '0');
    }
  return number;
}

/* Write PHANDLE to each "PATH:PROPERTY:OFFSET" in LIST, a property of the node
   FIXUPS.  */
static int
fix_label (struct merge *merge, int fixups, const struct property *list,
	   uint32_t phandle)
{
  const char *at = list->value, *end = at + list->length;
  const char *name, *offset, *stop;
  struct property *property;
  int err;

  do
    {
      stop = at < end ? memchr (at, '\0', (size_t) (end - at)) : NULL;
      name = stop ? memchr (at, ':', (size_t) (stop - at)) : NULL;
      offset = name ? memchr (name + 1, ':', (size_t) (stop - name - 1)) : NULL;
      if (!offset || *at != '/' || offset == name + 1)
	return refuse (merge, fixups, "a fixup that is no PATH:PROPERTY:OFFSET");
      err = find_fixed (merge, fixups,
			find_node (merge, merge->overlay_root, at,
				   (size_t) (name - at)),
			name + 1, (size_t) (offset - name - 1), &property);
      if (err)
	return err;
      if (!is_within (property, read_number (offset + 1, (size_t)
					     (stop - offset - 1))))
	return refuse (merge, fixups, "a fixup outside of its property");
      set_cell (property, (size_t) read_number (offset + 1, (size_t)
						(stop - offset - 1)), phandle);
      at = stop + 1;
    }
  while (at < end);
  return 0;
}

/* Return the node for a message about LIST: the fragment whose path begins it,
   or FIXUPS.  */
static int
find_fragment (const struct merge *merge, int fixups,
	       const struct property *list)
{
  const char *path = list->value;
  size_t length = 1;
  int node;

  if (list->length < 2 || *path != '/')
    return fixups;
  while (length < list->length && path[length] && path[length] != '/'
	 && path[length] != ':')
    length++;
  node = find_node (merge, merge->overlay_root, path, length);
  return node == NONE ? fixups : node;
}

/* Write the phandles of the base's labels into the references to them.  */
static int
fix_labels (struct merge *merge)
{
  int fixups = find_named_child (merge, merge->overlay_root, "__fixups__");
  int symbols = find_named_child (merge, merge->root, "__symbols__");
  int p, node, err;

  if (fixups == NONE)
    return 0;
  for (p = merge->nodes[fixups].property; p != NONE;
       p = merge->properties[p].next)
    {
      const struct property *list = merge->properties + p;
      const char *path = symbols == NONE ? NULL
	: get_string (find_named_property (merge, symbols, list->name));
      uint32_t phandle;

      node = path ? find_in_base (merge, path) : NONE;
      phandle = node == NONE ? 0 : get_phandle (merge, node);
      if (!phandle)
	return miss (merge, find_fragment (merge, fixups, list), list->name,
		     symbols == NONE ? NULL
		     : "the tree has labels, and none is called so");
      err = fix_label (merge, fixups, list, phandle);
      if (err)
	return err;
    }
  return 0;
}

int
grub_dom0less_is_overlay (const void *fdt)
{
  int node;

  fdt_for_each_subnode (node, fdt, 0)
    if (fdt_subnode_offset (fdt, node, "__overlay__") >= 0)
      return 1;
  return 0;
}

/* Return the target of FRAGMENT in the base, or NONE if only that node is
   missing.  */
static int
find_target (struct merge *merge, int fragment, int *target)
{
  struct property *property = find_named_property (merge, fragment, "target");
  struct leaf *leaf;
  const char *path;

  if (property && (!is_cell (property)
		   || get_cell (property, 0) == UINT32_MAX))
    return refuse (merge, fragment, "its target is no phandle");
  if (property && get_cell (property, 0))
    {
      leaf = find (merge, PHANDLE, get_cell (property, 0), "", 0);
      *target = leaf ? (int) leaf->value : NONE;
      return 0;
    }
  path = get_string (find_named_property (merge, fragment, "target-path"));
  if (!path || !*path)
    {
      merge->misfit->hint = "give it one: target-path = \"/chosen\"";
      return refuse (merge, fragment, "it has no target");
    }
  *target = find_in_base (merge, path);
  return 0;
}

/* Return the next fragment after FRAGMENT, or the first if that is NONE, that
   has contents: *CONTENT is its __overlay__.  */
static int
next_fragment (const struct merge *merge, int fragment, int *content)
{
  int next = fragment == NONE ? merge->nodes[merge->overlay_root].first
    : merge->nodes[fragment].next;

  for (; next != NONE; next = merge->nodes[next].next)
    if (merge->nodes[next].role == FRAGMENT)
      {
	*content = find_named_child (merge, next, "__overlay__");
	if (*content != NONE)
	  break;
      }
  return next;
}

/* Let NODE of the overlay keep the PHANDLE of its counterpart in the base, and
   remember this for references to it.  */
static void
rename_phandle (struct merge *merge, int node, uint32_t phandle)
{
  static const char *const names[] = { "phandle", "linux,phandle" };
  uint32_t old = get_phandle (merge, node);
  int n;

  if (!old || !phandle)
    return;
  add (merge, RENAMED, old, "", 0, phandle);
  for (n = 0; n < 2; n++)
    {
      struct property *property = find_named_property (merge, node, names[n]);

      if (property)
	set_cell (property, 0, phandle);
    }
}

/* Nodes that the base already has keep their phandles.  */
static int
keep_phandles (struct merge *merge)
{
  int fragment = NONE, content, i, err;

  while ((fragment = next_fragment (merge, fragment, &content)) != NONE)
    {
      err = find_target (merge, fragment, &merge->nodes[content].pair);
      if (err)
	return err;
      for (i = content; i < merge->nodes[content].end; i++)
	{
	  struct node *node = merge->nodes + i;

	  if (i != content)
	    node->pair = merge->nodes[node->parent].pair == NONE ? NONE
	      : find_named_child (merge, merge->nodes[node->parent].pair,
				  node->name);
	  if (node->pair != NONE)
	    rename_phandle (merge, i, get_phandle (merge, node->pair));
	}
    }
  return fix_local (merge, rename_reference);
}

/* Return NODE's property NAME.  A new property is inserted before the
   others.  */
static struct property *
set_property (struct merge *merge, int node, const struct property *from)
{
  struct property *property = find_named_property (merge, node, from->name);

  if (!property)
    {
      property = make_property (merge, node, from->name, from->name_offset);
      property->next = merge->nodes[node].property;
      merge->nodes[node].property = merge->n_properties - 1;
    }
  property->value = from->value;
  property->length = from->length;
  property->target = NONE;
  return property;
}

/* Return PARENT's child NAME.  A new child is inserted before the others.
   Return NONE if it would be too deep.  */
static int
set_child (struct merge *merge, int parent, const char *name)
{
  int child = find_named_child (merge, parent, name);
  const char *unit;

  if (child != NONE)
    return child;
  if (merge->nodes[parent].depth >= GRUB_DOM0LESS_MAX_DEPTH)
    return NONE;
  child = make_node (merge, parent, name, NONE);
  merge->nodes[child].next = merge->nodes[parent].first;
  merge->nodes[parent].first = child;
  /* It is now the first of the children that differ only in their unit
     addresses.  */
  unit = strchr (name, '@');
  if (unit)
    find (merge, STEM, (uint32_t) parent, name, (size_t) (unit - name))
      ->value = (uint32_t) child;
  return child;
}

static int
copy_content (struct merge *merge, int content)
{
  int i, p;

  for (i = content; i < merge->nodes[content].end; i++)
    {
      struct node *node = merge->nodes + i;
      uint32_t phandle;

      if (i != content)
	node->pair = set_child (merge, merge->nodes[node->parent].pair,
				node->name);
      if (node->pair == NONE)
	return refuse (merge, i, "it would lie deeper than 64 levels");
      for (p = node->property; p != NONE; p = merge->properties[p].next)
	set_property (merge, node->pair, merge->properties + p);
      phandle = get_phandle (merge, node->pair);
      if (phandle)
	add (merge, PHANDLE, phandle, "", 0, (uint32_t) node->pair);
    }
  return 0;
}

/* The target of a fragment may have been added by an earlier one.  */
static int
copy_fragments (struct merge *merge)
{
  int fragment = NONE, content, err;

  while ((fragment = next_fragment (merge, fragment, &content)) != NONE)
    {
      int *target = &merge->nodes[content].pair;

      err = find_target (merge, fragment, target);
      if (err)
	return err;
      if (*target == NONE)
	{
	  struct property *phandle
	    = find_named_property (merge, fragment, "target");

	  if (phandle && get_cell (phandle, 0))
	    return refuse (merge, fragment, "its target is nobody's phandle");
	  return miss (merge, fragment,
		       get_string (find_named_property (merge, fragment,
							"target-path")),
		       "the tree has no such node: is the path right?");
	}
      err = copy_content (merge, content);
      if (err)
	return err;
    }
  return 0;
}

/* PROPERTY of the overlay's __symbols__ is "/FRAGMENT/__overlay__/REST", which
   names a node that is now below the fragment's target.  Add it to SYMBOLS of
   the base.  */
static int
copy_symbol (struct merge *merge, int node, const struct property *property,
	     int symbols)
{
  static const char within[] = "/__overlay__";
  const char *path = get_string (property), *rest;
  int fragment, content;
  struct property *symbol;

  if (!path || *path != '/')
    return refuse (merge, node, "a symbol that is no path");
  rest = strchr (path + 1, '/');
  if (!rest || strlen (rest) < sizeof (within) - 1
      || memcmp (rest, within, sizeof (within) - 1)
      || (rest[sizeof (within) - 1] && rest[sizeof (within) - 1] != '/'))
    return 0;
  fragment = find_child (merge, merge->overlay_root, path + 1,
			 (size_t) (rest - path - 1));
  content = fragment == NONE || merge->nodes[fragment].role != FRAGMENT ? NONE
    : find_named_child (merge, fragment, "__overlay__");
  if (content == NONE)
    return refuse (merge, node, "a symbol in no fragment");

  rest += sizeof (within) - 1;
  rest += *rest == '/';
  symbol = set_property (merge, symbols, property);
  symbol->value = rest;
  symbol->length = (size_t) (property->value + property->length - rest);
  symbol->target = merge->nodes[content].pair;
  return 0;
}

static int
copy_symbols (struct merge *merge)
{
  int from = find_named_child (merge, merge->overlay_root, "__symbols__");
  int to, p, err;

  if (from == NONE)
    return 0;
  to = set_child (merge, merge->root, "__symbols__");
  for (p = merge->nodes[from].property; p != NONE;
       p = merge->properties[p].next)
    {
      err = copy_symbol (merge, from, merge->properties + p, to);
      if (err)
	return err;
    }
  return 0;
}


/*
 * The whole merge.
 */

/* Count the nodes and properties of FDT.  */
static void
count (const void *fdt, size_t *nodes, size_t *properties)
{
  int offset = 0;
  uint32_t tag;

  *nodes = *properties = 0;
  do
    {
      tag = fdt_next_tag (fdt, offset, &offset);
      *nodes += tag == FDT_BEGIN_NODE;
      *properties += tag == FDT_PROP;
    }
  while (tag != FDT_END);
}

/* Divide WORK, unless it is NULL, into the arrays for BASE and OVERLAY.
   Return the size of all of them.  In the worst case the base gets all nodes
   and properties of the overlay, and a node for symbols.  */
static size_t
divide (char *work, const void *base, const void *overlay)
{
  struct merge *merge = (struct merge *) (void *) work;
  size_t nodes, properties, more_nodes, more_properties, leaves, at;

  count (base, &nodes, &properties);
  count (overlay, &more_nodes, &more_properties);
  nodes += 2 * more_nodes + 1;
  properties += 2 * more_properties;
  /* Each node has two names and a phandle, and may have a renamed phandle.  */
  leaves = 3 * nodes + properties + more_nodes + 1;

  at = sizeof (*merge);
  if (work)
    merge->leaves = (struct leaf *) (void *) (work + at);
  at += leaves * sizeof (*merge->leaves);
  if (work)
    merge->properties = (struct property *) (void *) (work + at);
  at += properties * sizeof (*merge->properties);
  if (work)
    merge->nodes = (struct node *) (void *) (work + at);
  at += nodes * sizeof (*merge->nodes);
  if (work)
    merge->forks = (struct fork *) (void *) (work + at);
  return at + leaves * sizeof (*merge->forks);
}

size_t
grub_dom0less_merge_size (const void *base, const void *overlay)
{
  return divide (NULL, base, overlay);
}

int
grub_dom0less_merge (void *work, const void *base, void *overlay,
		     struct grub_dom0less_misfit *misfit)
{
  struct merge *merge = work;
  uint32_t phandle;
  int i, err;

  memset (merge, 0, sizeof (*merge));
  divide (work, base, overlay);
  merge->base = base;
  merge->overlay = overlay;
  merge->misfit = misfit;
  memset (misfit, 0, sizeof (*misfit));

  merge->root = load (merge, base, 0);
  merge->overlay_root = merge->n_nodes;
  for (i = merge->root; i < merge->overlay_root; i++)
    {
      phandle = get_phandle (merge, i);
      if (phandle > merge->highest)
	merge->highest = phandle;
      if (phandle)
	add (merge, PHANDLE, phandle, "", 0, (uint32_t) i);
    }
  load (merge, overlay, fdt_size_dt_strings (base));
  merge->overlay_end = merge->n_nodes;

  if ((err = assign_roles (merge))
      || (err = shift_phandles (merge))
      || (err = fix_local (merge, shift_reference))
      || (err = fix_labels (merge))
      || (err = keep_phandles (merge))
      || (err = copy_fragments (merge)))
    return err;
  return copy_symbols (merge);
}

/* A buffer that also counts the bytes that do not fit.  */
struct out
{
  char *buf;
  size_t size;
  size_t length;
};

static void
put (struct out *out, const void *bytes, size_t n)
{
  if (n && out->length <= out->size && n <= out->size - out->length)
    memcpy (out->buf + out->length, bytes, n);
  out->length += n;
}

static void
put_cell (struct out *out, size_t value)
{
  fdt32_t cell = cpu_to_fdt32 ((uint32_t) value);

  put (out, &cell, sizeof (cell));
}

/* Pad to a whole tag.  */
static void
align (struct out *out)
{
  static const char zeros[FDT_TAGSIZE];

  put (out, zeros, -out->length & (FDT_TAGSIZE - 1));
}

/* Return the length of NODE's path without a trailing slash: 0 for the
   root.  */
static size_t
path_length (const struct merge *merge, int node)
{
  size_t length = 0;

  for (; merge->nodes[node].parent != NONE; node = merge->nodes[node].parent)
    length += 1 + strlen (merge->nodes[node].name);
  return length;
}

static void
put_path (struct out *out, const struct merge *merge, int node)
{
  int way[GRUB_DOM0LESS_MAX_DEPTH], n = 0;

  for (; merge->nodes[node].parent != NONE; node = merge->nodes[node].parent)
    way[n++] = node;
  while (n--)
    {
      put (out, "/", 1);
      put (out, merge->nodes[way[n]].name, strlen (merge->nodes[way[n]].name));
    }
}

static void
put_property (struct out *out, const struct merge *merge,
	      const struct property *property)
{
  size_t length = property->length;

  if (property->target != NONE)
    length += path_length (merge, property->target) + 1;
  put_cell (out, FDT_PROP);
  put_cell (out, length);
  put_cell (out, property->name_offset);
  if (property->target != NONE)
    {
      put_path (out, merge, property->target);
      put (out, "/", 1);
    }
  put (out, property->value, property->length);
  align (out);
}

static void
put_nodes (struct out *out, const struct merge *merge)
{
  int node = merge->root, p;

  while (node != NONE)
    {
      const struct node *at = merge->nodes + node;

      put_cell (out, FDT_BEGIN_NODE);
      put (out, at->name, strlen (at->name) + 1);
      align (out);
      for (p = at->property; p != NONE; p = merge->properties[p].next)
	put_property (out, merge, merge->properties + p);

      if (at->first != NONE)
	{
	  node = at->first;
	  continue;
	}
      /* Go up until there is a sibling.  */
      for (; node != NONE; node = merge->nodes[node].parent)
	{
	  put_cell (out, FDT_END_NODE);
	  if (merge->nodes[node].next != NONE)
	    {
	      node = merge->nodes[node].next;
	      break;
	    }
	}
    }
  put_cell (out, FDT_END);
}

static void
put_strings (struct out *out, const void *fdt)
{
  put (out, (const char *) fdt + fdt_off_dt_strings (fdt),
       fdt_size_dt_strings (fdt));
}

size_t
grub_dom0less_write_merged (const void *work, void *buf, size_t size)
{
  const struct merge *merge = work;
  struct fdt_header header;
  struct out out = { buf, size, sizeof (header) };
  size_t structure, strings;

  put (&out, (const char *) merge->base + fdt_off_mem_rsvmap (merge->base),
       (size_t) (fdt_num_mem_rsv (merge->base) + 1)
       * sizeof (struct fdt_reserve_entry));
  structure = out.length;
  put_nodes (&out, merge);
  strings = out.length;
  put_strings (&out, merge->base);
  put_strings (&out, merge->overlay);

  memset (&header, 0, sizeof (header));
  header.magic = cpu_to_fdt32 (FDT_MAGIC);
  header.totalsize = cpu_to_fdt32 ((uint32_t) out.length);
  header.off_dt_struct = cpu_to_fdt32 ((uint32_t) structure);
  header.off_dt_strings = cpu_to_fdt32 ((uint32_t) strings);
  header.off_mem_rsvmap = cpu_to_fdt32 ((uint32_t) sizeof (header));
  header.version = cpu_to_fdt32 (17);
  header.last_comp_version = cpu_to_fdt32 (16);
  header.boot_cpuid_phys = cpu_to_fdt32 (fdt_boot_cpuid_phys (merge->base));
  header.size_dt_strings = cpu_to_fdt32 ((uint32_t) (out.length - strings));
  header.size_dt_struct = cpu_to_fdt32 ((uint32_t) (strings - structure));
  if (out.length <= size)
    memcpy (buf, &header, sizeof (header));
  return out.length;
}
