"""What tools find wrong in the project's sources without running them: nothing but what tests/lint/excused has.

    make lint, or  /usr/bin/python3 -m pytest tests/lint

GCC's analyzer follows C from function to function, on the host and, for the loader, with GRUB's own headers. Beside it
stands cppcheck and not clang-tidy, whose analyzer is of the same kind as GCC's: cppcheck goes by other ways, and needs
a quarter of the time. Each tool is also shown something wrong, to see that it looks.

GRUB in the environment chooses whose headers are used.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/boot"))

from paths import BUILD, PACKAGES, grub_dir, need, some_grub

LIBFDT = BUILD / "src/dtc/libfdt"
GRUB = grub_dir(some_grub()).parent
SRC, OBJ = GRUB / "src", GRUB / "obj"
CROSS = "aarch64-linux-gnu-gcc"

ANALYZER = ["-std=gnu99", "-fanalyzer", "-fdiagnostics-path-format=separate-events", "-c", "-o", "/dev/null"]
GRUB_HEADERS = ["-DHAVE_CONFIG_H", "-DGRUB_FILE=__FILE__", "-D_FILE_OFFSET_BITS=64", f"-I{OBJ}", f"-I{SRC}/include",
                f"-I{OBJ}/include", f"-I{SRC}", f"-I{SRC}/grub-core", "-Igrub-core/loader/arm64",
                "-Igrub-core/lib/xen_dom0less", f"-I{SRC}/grub-core/lib/libfdt", f"-I{SRC}/grub-core/lib/zstd"]
ON_HOST = ["gcc", "-O1", "-Wall", "-Wextra", "-Iinclude", "-Igrub-core/tests", "-Itests/unit", f"-I{LIBFDT}"]
OF_CROSS = subprocess.run([CROSS, "-print-file-name=include"], capture_output=True, text=True).stdout.strip()
IN_GRUB = [CROSS, "-Os", "-ffreestanding", "-mgeneral-regs-only", "-nostdinc", "-isystem", OF_CROSS,
           "-DGRUB_MACHINE_EFI=1", "-DGRUB_MACHINE=ARM64_EFI", f"-I{SRC}/grub-core/lib/posix_wrap",
           *GRUB_HEADERS, "-include", "tests/lint/grub.h"]

# The compiler of all C below a folder; the longest that fits counts.
COMPILERS = {
    "grub-core": IN_GRUB,
    "grub-core/lib/xen_dom0less": ON_HOST,
    "grub-core/lib/xen_dom0less/module.c": IN_GRUB,
    "tests/boot": ["gcc", "-O1", "-Wall", "-Wextra"],
    "tests/cache": ["gcc", "-O1", "-Wall", "-Wextra"],
    "tests/faults": IN_GRUB,
    "tests/fuzz": [*ON_HOST, "-Iutil/imagebuilder", "-Itests/fuzz", "-Igrub-core/loader/arm64"],
    "tests/guest": [CROSS, "-O1", "-Wall", "-Wextra", "-ffreestanding", "-march=armv8-a+crc", "-mgeneral-regs-only",
                    "-include", "tests/guest/libfdt_env.h", f"-I{LIBFDT}"],
    "tests/unit": [*ON_HOST, "-Iutil/imagebuilder"],
    "util": ["gcc", "-O1", "-DGRUB_UTIL=1", f"-I{OBJ}/grub-core/lib/gnulib", f"-I{SRC}/grub-core/lib/gnulib",
             *GRUB_HEADERS],
    "util/imagebuilder": ON_HOST,
}


def files():
    """Every file of the project's, as words below its root."""
    folders = [".ci", "buildroot", "ci", "debian", "demo", "docs", "grub-core", "include", "scripts", "tests", "util", "yocto"]
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    found = [path for path in [*found, *ROOT.glob("[A-Z]*")] if path.is_file() and "__pycache__" not in path.parts]
    names = {str(path.relative_to(ROOT)) for path in found}
    return sorted(names - {"tests/lint/excused", "tests/lint/test_lint.py"})        # which have mistakes on purpose


def sources():
    return [name for name in files() if name.endswith(".c")]


def scripts():
    def is_script(name):
        return (ROOT / name).read_bytes().startswith((b"#!/bin/sh", b"#! @BUILD_SHEBANG@")) \
            or name.startswith("util/bash-completion.d/")
    return [name for name in files() if is_script(name)]


def run(*command):
    """What a tool prints. It may end with whatever it likes when it has found something."""
    need(*PACKAGES & {command[0]})
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def shellcheck(names):
    return run("shellcheck", "-f", "gcc", *names)


def cppcheck(names):
    # With libfdt's headers, or it would give up at the first of its loops.
    return run("cppcheck", "--quiet", f"-j{os.cpu_count()}", "--std=c99", "--template=gcc", "--inconclusive",
               "--enable=warning,style,performance,portability", "-Iinclude", "-Igrub-core/tests", f"-I{LIBFDT}",
               f"--suppress=*:{LIBFDT}/*", *names)


def codespell(names):
    return run("codespell", *names)


def gcc(names, compiler=None):
    def analyze(name):
        folder = max((folder for folder in COMPILERS if f"{name}/".startswith(f"{folder}/")), key=len, default=None)
        assert compiler or folder, f"{name}: nothing here says how this is compiled"
        return run(*(compiler or COMPILERS[folder]), *ANALYZER, name)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return "".join(pool.map(analyze, names))


# What is looked at, and where a finding says what it is.
TOOLS = {
    shellcheck: (scripts, r"\[(SC\d+)\]"),
    cppcheck: (sources, r"(?:warning|error|style|performance|portability): .*\[(\w+)\]"),
    codespell: (files, r"(\w+) ==>"),
    gcc: (sources, r"(?:warning|error): .*?(?:\[-W([\w-]+)\])?$"),
}


def findings(tool, text):
    """What a tool says: {(what, file): its lines}."""
    found, lines = {}, []
    for line in text.splitlines():
        match = re.match(rf"(\S+?):\d+:.*?{TOOLS[tool][1]}", line)
        if match:
            lines = found.setdefault((match[2] or "error", os.path.relpath(ROOT / match[1], ROOT)), [])
        lines.append(line)
    return found


def excuses(tool):
    """Of that tool: {(what, file or *)}."""
    lines = [line for line in (ROOT / "tests/lint/excused").read_text().splitlines() if line and line[0] != "#"]
    words = [line.split(maxsplit=3) for line in lines]
    assert all(len(word) == 4 for word in words), "a line without a reason"
    assert {word[0] for word in words} <= {tool.__name__ for tool in TOOLS}
    return {(what, name) for name_of_tool, what, name, _ in words if name_of_tool == tool.__name__}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.__name__)
def test_sources(tool):
    """Nothing is found that is not excused, and nothing is excused that is not found."""
    names = TOOLS[tool][0]()
    assert names
    text = tool(names)
    found, excused = findings(tool, text), excuses(tool)
    assert text == "" or found, text
    wrong = {at: lines for at, lines in found.items() if not {at, (at[0], "*")} & excused}
    assert not wrong, "\n".join(line for lines in wrong.values() for line in lines)
    assert not excused - set(found) - {(what, "*") for what, _ in found}, "an excuse for nothing"


# In each function of the last two: a leak, and a use of what is no more.
WRONG = {
    "shellcheck": (shellcheck, "x.sh", "#!/bin/sh\nrm $1\n", {"SC2086"}),
    "cppcheck": (cppcheck, "x.c", "int main (void) { int x[4]; x[4] = 1; return x[4]; }\n", {"arrayIndexOutOfBounds"}),
    "codespell": (codespell, "x.texi", "This is teh way.\n", {"teh"}),
    "gcc-host": (lambda names: gcc(names, COMPILERS["util"]), "x.c", """
#include <stdlib.h>
int leak (int n) { char *p = malloc (n); return p != NULL; }
int use (void) { char *p = malloc (1); if (!p) return 0; free (p); return *p; }
""", {"analyzer-malloc-leak", "analyzer-use-after-free"}),
    "gcc-grub": (lambda names: gcc(names, COMPILERS["grub-core"]), "x.c", """
int leak (int n); int use (void);
int leak (int n) { char *p = grub_malloc (n); return p != 0; }
int use (void) { char *p = grub_zalloc (1); if (!p) return 0; grub_free (p); return *p; }
""", {"analyzer-malloc-leak", "analyzer-use-after-free"}),
}


@pytest.mark.parametrize("tool, name, text, expected", WRONG.values(), ids=WRONG)
def test_tool(tmp_path, tool, name, text, expected):
    """Each sees what it is there for."""
    (tmp_path / name).write_text(text)
    by = tool if tool in TOOLS else gcc
    assert {what for what, _ in findings(by, tool([str(tmp_path / name)]))} >= expected
