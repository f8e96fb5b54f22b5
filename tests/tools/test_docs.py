"""The manual and the manual pages: they are well formed, they agree with the code, and their command lines work here.
What GRUB and U-Boot take is run by tests/boot/test_manual.py."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/boot"))

from manual import DOCS, GRUB, Root, chapters, examples
from paths import grub_dir, need
from rules import rules

TOOLS = ["grub-dom0less-check", "grub-dom0less-import", "grub-dom0less-new", "grub-dom0less-sign"]
MENTIONS_A_COMMAND = r"@(?:code|command|samp|kbd)\{(?:xen_dom0less|grub-dom0less-\w+) +[^}]"


def manual():
    return "".join(path.read_text() for path in chapters() if path.suffix == ".texi")


def run(*command, **more):
    need(*PROGRAMS.get(command[0], ()))
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    return done.returncode, done.stdout + done.stderr


# What may be missing of what is run here.
PROGRAMS = {"makeinfo": ["texinfo"], "mandoc": ["mandoc"]}

# Form

@pytest.mark.parametrize("form", ["--info", "--html", "--docbook"])
def test_makeinfo(tmp_path, form):
    """Without a warning."""
    source = DOCS / "xen_dom0less.texi"
    assert run("makeinfo", form, "--no-split", "-I", DOCS, "-o", tmp_path / "out", source) == (0, "")


@pytest.mark.parametrize("page", sorted(path.name for path in (DOCS / "man").iterdir()))
def test_page(page):
    """As mandoc wants a page."""
    assert run("mandoc", "-T", "lint", "-W", "style", DOCS / "man" / page) == (0, "")


# Examples

@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A root with the outcome of each source and shell example."""
    made = Root(tmp_path_factory.mktemp("root"))
    made.wrong = made.run_all()
    return made


def test_marks():
    """Each example says how it is run, no command line stands elsewhere, and what is not run can be counted."""
    assert [example.place for example in examples() if not example.kind] == []
    hidden = [path.name for path in chapters() if path.suffix == ".texi"
              for shown in re.findall(r"^@(?:display|verbatim|smallexample)\n(.*?)^@end", path.read_text(), re.S | re.M)
              if re.search(r"^(?:\$|#|grub>|=>) |^menuentry", shown, re.M)]
    assert hidden == []
    assert re.findall(MENTIONS_A_COMMAND, manual()) == []
    not_here = examples("not here:")
    for example in not_here:
        print(f"{example.place}: not run here: {example.about}")
        assert example.about
    assert len(not_here) <= 3


@pytest.mark.parametrize("example", examples("shell"), ids=lambda example: example.place)
def test_shell(root, example):
    """Each command ends well and prints what the manual shows."""
    assert root.wrong[example.place] == []


@pytest.mark.parametrize("example", [example for example in examples("source") if ".dts" in example.about],
                         ids=lambda example: example.place)
def test_source(root, tmp_path, example):
    """dtc has nothing to say of it, and grub-dom0less-check finds no error in the whole tree that it makes."""
    source = root.find(example.about)
    compiled = tmp_path / "compiled"
    whole = tmp_path / "board.dtb"
    whole.write_bytes(root.board)
    text = source.read_text()
    if source.suffix == ".dtsi":        # merged into the machine's tree, about which dtc has much to say
        _, board = run("dtc", "-q", "-I", "dtb", "-O", "dts", whole)
        text = board + text
    status, said = run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", compiled, input=text)
    assert (status, said) == (0, "")
    options = [compiled] if source.suffix == ".dtsi" else [f"--overlay={compiled}", whole]
    if "xen,domain" not in text:        # an overlay for another one
        options.insert(0, f"--overlay={root.find('/boot/dom0less/domains.dtbo')}")
    folder = root.find("/boot") if "dom0less/" in example.about or "xen,domain" not in text else source.parent
    xen = next(folder.glob("xen*.efi"))
    config = ["--config=" + str(source.parent / "xen.cfg"), "--module=guest=" + str(folder / "vmlinuz-dom0")] \
        if "uefi-cfg-load" in text else []
    status, said = run(grub_dir(GRUB) / "bin/grub-dom0less-check", f"--xen={xen}", *config, *options)
    assert status == 0, said


@pytest.mark.parametrize("example", examples("menu"), ids=lambda example: example.place)
def test_menu(example):
    """grub-script-check takes it."""
    assert run(grub_dir(GRUB) / "bin/grub-script-check", input=example.text) == (0, "")


# What the code has

def test_rules():
    """Each rule with its severity and a cure, in the code's order, and no other."""
    entries = re.findall(r"^@deffn (\w+) ([a-z0-9-]+)\n(.*?)^@end deffn$", (DOCS / "rules.texi").read_text(),
                         re.DOTALL | re.MULTILINE)
    assert [(name, severity.lower()) for severity, name, _ in entries] \
        == [(name, severity) for name, (severity, _) in rules().items()]
    assert [name for _, name, text in entries if len(re.findall(r"^Cure: \S", text, re.MULTILINE)) != 1] == []


def section(name):
    """A section or chapter of the manual, by its node."""
    return re.search(rf"^@node {name}\n(.*?)(?=^@node )", manual(), re.DOTALL | re.MULTILINE)[1]


def in_table(text):
    """The options of a manual's table, {long: short or None}."""
    pairs = re.findall(r"^@item (?:-(\w)\b.*\n@itemx )?--([a-z-]+)", text, re.MULTILINE)
    return {long: short or None for short, long in pairs}


def in_page(page):
    """Those of a manual page's OPTIONS."""
    text = re.search(r"^\.SH OPTIONS\n(.*?)(?=^\.SH)", (DOCS / "man" / page).read_text(), re.DOTALL | re.MULTILINE)[1]
    pairs = re.findall(r"^\.T[PQ]\n\.(?:BR?|IR?|BI)\s+(?:\\-(\w)\b.*?)?\\-\\-([a-z\\-]+)", text, re.MULTILINE)
    return {long.replace("\\-", "-").rstrip("\\"): short or None for short, long in pairs}


def in_code():
    """Those of the command."""
    source = (ROOT / "grub-core/loader/arm64/xen_dom0less.c").read_text()
    table = re.search(r"grub_arg_option options\[\] =\n(.*?)\n  \};", source, re.DOTALL)[1]
    return dict(re.findall(r"\{\"([a-z-]+)\", '(\w)'", table))


def in_help(tool):
    """Those that a tool says it has."""
    status, said = run(grub_dir(GRUB) / "bin" / tool, "--help")
    assert status == 0, said
    pairs = re.findall(r"^ +(?:-(\w|\?), +)?--([a-z-]+)", said, re.MULTILINE)
    assert "help" in [long for _, long in pairs]
    return {long: short or None for short, long in pairs}


def own(options):
    """Those that not every tool of GRUB has."""
    return {long: short for long, short in options.items() if long not in ("help", "usage", "version")}


def test_command_options():
    """The command's are those of its chapter and of its page."""
    assert in_code() == in_table(section("The command")) == in_page("xen_dom0less.7")
    assert in_code()


@pytest.mark.parametrize("tool", TOOLS)
def test_tool_options(tool):
    """A tool's are those of its section and of its page."""
    assert own(in_help(tool)) == in_table(section(tool)) == in_page(f"{tool}.1")
    assert own(in_help(tool))


# Completion in bash

def complete(tmp_path, *words):
    """What bash offers for the last of these words."""
    script = f"""
        . {ROOT}/util/bash-completion.d/grub-dom0less
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        function=$(complete -p "$1" | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
        "$function" "$1" "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
        for word in "${{COMPREPLY[@]}}"; do printf '%s\\n' "$word"; done
        """
    done = subprocess.run(["bash", "-c", script, "bash", *words], cwd=tmp_path, capture_output=True, text=True,
                          env={"PATH": f"{grub_dir(GRUB) / 'bin'}:/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.split("\n")[:-1]), done.stderr


@pytest.mark.parametrize("tool", TOOLS)
def test_completion_options(tmp_path, tool):
    """Each of the tool's options."""
    offered, said = complete(tmp_path, tool, "--")
    assert said == ""
    assert {word.strip("-=") for word in offered} == set(in_help(tool))


OFFERED = [
    (["grub-dom0less-check", "--ex"], ["--explain="]),
    (["grub-dom0less-check", "--root", "="], ["some folder", "trees"]),
    (["grub-dom0less-check", "-r", "t"], ["trees"]),
    (["grub-dom0less-check", "--overlay", "=", "trees/"], ["trees/one.dtbo", "trees/two words.dtbo"]),
    (["grub-dom0less-check", "--module", "KEY", "=", "f"], ["file"]),
    (["grub-dom0less-check", "--files", ""], ["file", "some folder", "trees"]),
    (["grub-dom0less-import", "f"], ["file"]),
    (["grub-dom0less-sign", "--gpg-key", "="], []),
    (["grub-dom0less-sign", "--gpg-home", "=", "t"], ["trees"]),
    (["grub-dom0less-sign", "--sb-key", "=", "f"], ["file"]),
    (["grub-dom0less-import", "-o", ""], ["some folder", "trees"]),
    (["grub-dom0less-check", "--explain", "=", "dom0-s"], ["dom0-shares"]),
    (["grub-dom0less-check", "--section", ""], []),
    (["grub-dom0less-check", "--command", ""], []),
    (["grub-dom0less-check", "--pcr", "=", "f"], ["file"]),
]


@pytest.mark.parametrize("words, offered", OFFERED, ids=[" ".join(words) for words, _ in OFFERED])
def test_completion(tmp_path, words, offered):
    """Files and folders where they belong; `=' is a word of its own to bash."""
    for folder in "trees", "some folder":
        (tmp_path / folder).mkdir()
    for file in "file", "trees/one.dtbo", "trees/two words.dtbo":
        (tmp_path / file).touch()
    assert complete(tmp_path, *words) == (offered, "")
