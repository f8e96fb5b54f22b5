"""What scripts/upstream takes away from the sources, and what it makes an error. Whether the patches build is for
`make check-upstream`; that all of them can be made, for test_layers.py."""
import re
import sys

import pytest

from paths import ROOT

sys.path.insert(0, str(ROOT / "scripts/upstream"))

import series                                                           # noqa: E402
from sources import Missing, Sources, chunks, format_comments           # noqa: E402

CODE = '''\
/* a.c - a file  */

#define SIZE	8

/* What it is.  */
static const struct
{
  int a;

  int b;
} table[] =
  {
    { 1, 2 }
  };

static int
first (void)
{
  const char *brace = "{";

  return brace[0];	/* } */
}

int
second (int value)
{
  /* Of one
     and another.  */
  if (value)
    return first ();
  return 0;
}
'''


def test_chunks():
    """Nothing is lost, and blank lines within braces and comments separate nothing."""
    parts = chunks(CODE)
    assert "".join(parts) == CODE and len(parts) == 5


@pytest.mark.parametrize("name, gone, left", [("first", "first (void)", "return first ()"), ("table", "What it is", "SIZE"),
                                              ("SIZE", "SIZE", "table"), ("second", "second", "first (void)")])
def test_drop(name, gone, left):
    sources = Sources({"a.c": CODE})
    sources.drop("a.c", name)
    assert gone not in sources["a.c"] and left in sources["a.c"]


@pytest.mark.parametrize("what", [lambda sources: sources.drop("a.c", "third"), lambda sources: sources.drop("a.c", "firs"),
                                  lambda sources: sources.cut("a.c", "return 1;"), lambda sources: sources.cut("a.c", "int"),
                                  lambda sources: sources.remove("b.c"), lambda sources: sources.section("a.c", "b.c"),
                                  lambda sources: sources.insert("a.c", "third", "x")])
def test_missing(what):
    """What is not there, or not just once, is an error."""
    with pytest.raises(Missing):
        what(Sources({"a.c": CODE + "#endif\n"}))


def test_cut():
    """Comments and blanks may have changed; code may not."""
    sources = Sources({"a.c": CODE})
    sources.cut("a.c", "  return   brace[0]; /* another */\n", "  return 1;\n")
    assert "return 1;" in sources["a.c"] and "brace[0]" not in sources["a.c"]
    with pytest.raises(Missing):
        sources.cut("a.c", "  return brace[1];\n")


def test_option():
    """A row goes, whatever braces its text has; its neighbours stay."""
    rows = '    {"a", 0, N_("A {thing}.")},\n    {"b", 0,\n     N_("\\"B\\"")},\n    {0, 0}\n'
    sources = Sources({"a.c": rows})
    sources.option("a.c", "a")
    assert sources["a.c"] == '    {"b", 0,\n     N_("\\"B\\"")},\n    {0, 0}\n'
    sources.option("a.c", "b")
    assert sources["a.c"] == "    {0, 0}\n"
    with pytest.raises(Missing):
        sources.option("a.c", "b")


def test_section():
    text = "#define H\n\n\n/*\n * a.c: one.\n */\nint a;\n\n\n/*\n * b.c: two.\n */\nint b;\n\n#endif\n"
    sources = Sources({"h": text})
    sources.section("h", "a.c")
    assert sources["h"] == "#define H\n\n\n/*\n * b.c: two.\n */\nint b;\n\n#endif\n"
    sources.section("h", "b.c")
    assert sources["h"] == "#define H\n\n\n#endif\n"


def test_rules():
    """A rule is kept where somebody reports it, or has its check."""
    row = 'RULE ({0}, "{1}", ERROR, {2}, {3},\n      "text (of {{file}})", NULL)\n'
    rules = (row.format("A_ONE", "a-one", "BY_LOADER", "NULL") + row.format("A", "a", "BY_LOADER", "NULL")
             + row.format("B", "b", "WITH_TREE", "dom0less_check_b") + row.format("C", "c", "WITH_TREE", "dom0less_check_c"))
    sources = Sources({"rules.h": rules, "a.c": "x (GRUB_DOM0LESS_RULE_A_ONE);\n\nvoid\ndom0less_check_c (context_t context)\n{\n}\n"})
    sources.keep_used_rules("rules.h")
    assert re.findall(r"RULE \((\w+)", sources["rules.h"]) == ["A_ONE", "C"]


def test_comments():
    """As grub-dev.texi has it; what is right is left alone, and so is code."""
    done = format_comments(CODE)
    assert "  /*\n   * Of one\n   * and another.\n   */\n  if (value)\n" in done
    assert done.replace("  /*\n   * Of one\n   * and another.\n   */\n", "") \
        == CODE.replace("  /* Of one\n     and another.  */\n", "")
    assert format_comments(done) == done
    assert format_comments("  int a;\t\t/* one\n\t\t\t   two */\n") == "  /*\n   * one\n   * two\n   */\n  int a;\n"
    assert format_comments('  char *a = "/*";\n  /* b */\n') == '  char *a = "/*";\n  /* b */\n'


def test_series():
    """Each series has a cover letter that says what was tested, and no line of a message is too long for a mail."""
    names = [name for name, _, _ in series.SERIES]
    covers = {path.name.removeprefix("cover-") for path in (ROOT / "scripts/upstream").glob("cover-*")}
    assert covers == set(names) and len(names) == len(covers) == 11
    for name, title, patches in series.SERIES:
        cover = (ROOT / f"scripts/upstream/cover-{name}").read_text()
        assert "\nTested: " in cover and patches and len(title) < 72
        assert all(len(line) < 79 for line in cover.splitlines())
        for _, summary, body in patches:
            assert len(summary) < 72 and all(len(line) < 79 for line in body.splitlines())
    # What this is about was agreed on a list, which the first letter says.
    assert "xen-devel" in (ROOT / "scripts/upstream/cover-loader").read_text()
