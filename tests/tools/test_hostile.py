"""grub-dom0less-check on what somebody has made to harm it, its terminal or whoever believes it.

Its callers' part is in test_mkconfig.py and test_sign.py.
"""

import json
import os
import re
import socket
import subprocess
from xml.etree import ElementTree

import pytest

from conftest import IMAGE
from test_check import BASE, FILES, tree
from tree import domain

HUGE = BASE.replace("reg = <0 0x40000000 0 0x40000000>", "reg = <0 0 0x4000 0>")      # 64 TiB of memory
TIMEOUT = 60


def placed(reg):
    """A domain whose kernel has a place of its own."""
    return domain("DomA", cells=(2, 2)).replace('uefi,binary = "vmlinuz";', f'uefi,binary = "vmlinuz"; reg = <{reg}>;')


@pytest.mark.parametrize("reg, status", [
    ("0x1000 0 0x1000 0", 0),                   # room for 16 TiB, of which nobody fills more than a file
    ("0 0xfff 0xffffffff 0xfffff001", 2),       # to the last byte of the address space
    ("0 0x1000 0xffffffff 0xfffff000", 2),
    ("0 0xfff 0xffffffff 0xffffffff", 2),       # and beyond
])
def test_room(check, put, reg, status):
    """The size of a place is a tree's to say: it costs nothing, and wraps nothing."""
    folder = put({"vmlinuz": IMAGE, "one.dtb": tree(placed(reg), base=HUGE)})
    done = check(folder / "one.dtb", timeout=TIMEOUT)
    assert done.returncode == status and ("error: [" in done.stdout) == (status == 2), done.stdout + done.stderr


def test_no_verdict(check, put, tmp_path):
    """What only this host is in the way of is no verdict, neither `fine' nor `warnings': 3."""
    folder = put({**FILES, "one.dtb": tree(domain("DomA", ramdisk="sparse"))})
    with open(folder / "sparse", "wb") as sparse:
        sparse.truncate(1 << 42)
    done = check(folder / "one.dtb", timeout=TIMEOUT)
    assert done.returncode == 3 and "/sparse: cannot be judged: File too large" in done.stderr

    folder = put({"one.dtb": tree(domain("DomA"))})
    with open("/dev/full", "w") as full:
        done = subprocess.run([check("--help").args[0], folder / "one.dtb"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 3 and "cannot write" in done.stderr

    # Less memory than a file is long.
    folder = put({"vmlinuz": IMAGE + bytes(200 << 20)})
    done = subprocess.run(["sh", "-c", 'ulimit -v 150000; exec "$0" "$1"', check("--help").args[0], folder / "one.dtb"],
                          capture_output=True, text=True)
    assert done.returncode == 3 and "cannot be judged" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0 and not os.path.exists("/usr/bin/setpriv"), reason="root may read anything")
def test_unreadable(check, put, tmp_path):
    """A file that may not be read here is read on the machine."""
    folder = put({**FILES, "one.dtb": tree(domain("DomA"))})
    (folder / "vmlinuz").chmod(0)
    for parent in [folder, *folder.parents]:
        if parent.owner() == "root" and parent != parent.parent and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    user = ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all"] if os.geteuid() == 0 else []
    if subprocess.run([*user, "test", "-x", check("--help").args[0], "-a", "-r", folder / "one.dtb"]).returncode:
        pytest.skip("another user cannot reach the tool, or the tree")
    done = subprocess.run([*user, check("--help").args[0], folder / "one.dtb"], capture_output=True, text=True)
    assert done.returncode == 3 and "/vmlinuz: cannot be judged: Permission denied" in done.stderr


@pytest.mark.parametrize("name", ["fifo", "socket", "folder", "device", "to-fifo", "loop", "long", "/", "folder/", "vmlinuz/x"])
def test_no_regular_file(check, put, name):
    """What GRUB takes for no file is not opened, so nothing waits for it."""
    folder = put({"vmlinuz": IMAGE, "folder/x": b"", "one.dtb": tree(domain("DomA", ramdisk=name))})
    os.mkfifo(folder / "fifo")
    (folder / "to-fifo").symlink_to("fifo")
    (folder / "loop").symlink_to("loop")
    (folder / "device").symlink_to("/dev/zero")
    for number in range(9):
        (folder / f"long{number}").symlink_to(f"long{number + 1}")
    (folder / "long").symlink_to("long0")
    (folder / "long9").write_bytes(b"a")
    cwd = os.getcwd()
    os.chdir(folder)                            # a socket's name is short
    try:
        socket.socket(socket.AF_UNIX).bind("socket")
    finally:
        os.chdir(cwd)
    done = check(folder / "one.dtb", timeout=TIMEOUT)
    assert done.returncode == 2 and re.search(r"error: \[file-(missing|unreadable)\] /chosen/DomA/module@2: ", done.stdout), done.stdout + done.stderr


@pytest.mark.parametrize("option", ["--machine-tree=", "--memory-map=", "--pcr=", "--overlay=", "--config=", ""])
@pytest.mark.parametrize("kind", ["fifo", "/dev/zero"])
def test_options_no_regular_file(check, put, option, kind):
    """The same for what the command line names."""
    folder = put({**FILES, "one.dtb": tree(domain("DomA"))})
    os.mkfifo(folder / "fifo")
    done = check(option + str(folder / kind), *([folder / "one.dtb"] if option not in ("", "--machine-tree=") else []),
                 timeout=TIMEOUT)
    assert done.returncode in (2, 3, 64) and "not a regular file" in done.stdout + done.stderr or done.returncode == 3


@pytest.mark.parametrize("name, found", [
    ("/../inside", "/inside"), ("../../../sub/../inside", "/inside"), ("/x/../inside", None), ("/sub/../inside", "/inside"),
    ("/up/inside", "/inside"), ("/absolute", "/inside"), ("/links/a", "/inside"), ("//inside", "/inside"),
    ("/./inside", "/inside"), ("/inside/", "/inside"), ("sub\\\\..\\\\inside", "/inside"),
    ("/../outside", None), ("/up/outside", None), ("/out", None), ("/out-by-name", None), ("/sub/../../outside", None),
    ("host:/OUT", None), ("(host)/OUT", "note"), ("/inside/.", None), ("/inside/..", None), ("/absent/../inside", None),
])
def test_links(check, put, tmp_path, name, found):
    """Names are resolved as GRUB does, which sees nothing but the boot file system: `..' and links do not leave it."""
    folder = put({"vmlinuz": IMAGE, "inside": b"12345", "sub/x": b"", "links/b/x": b"",
                  "one.dtb": tree(domain("DomA", ramdisk=name.replace("OUT", str(tmp_path / "outside"))))})
    (tmp_path / "outside").write_bytes(b"1234567")
    (folder / "up").symlink_to("../..")
    (folder / "absolute").symlink_to("/inside")
    (folder / "links/a").symlink_to("b/../../absolute")
    (folder / "out").symlink_to("../outside")
    (folder / "out-by-name").symlink_to(tmp_path / "outside")
    done = check(folder / "one.dtb")
    assert " 7 bytes" not in done.stdout
    if found == "note":
        assert done.returncode == 0 and done.stderr.startswith("note: (host)/")
    elif found:
        assert done.returncode == 0 and " 5 bytes " in done.stdout, done.stdout
    else:
        assert done.returncode == 2 and re.search(r"\[file-(missing|unreadable)\]", done.stdout)


def test_files_by_link(check, put):
    """A list of files is for this host's programs: where these would follow a link to elsewhere, there is none."""
    folder = put({**FILES, "real/a.img": b"a", "one.dtb": tree(domain("DomA", ramdisk="/there/../to-a"))})
    (folder / "there").symlink_to("/real/sub")
    (folder / "real/sub").mkdir()
    (folder / "real/to-a").symlink_to("a.img")
    done = check("--files", folder / "one.dtb")
    assert done.returncode == 0 and f"{folder}/real/to-a" in done.stdout.splitlines()
    (folder / "real/to-a").unlink()
    (folder / "real/to-a").symlink_to("/a.img")
    done = check("--files", folder / "one.dtb")
    assert done.returncode == 3 and "on this host that is another file" in done.stderr
    # Without a list it does not matter.
    assert check(folder / "one.dtb").returncode == 0


def test_mounted_elsewhere(check, put, tmp_path):
    """GRUB does not see what this host has mounted upon the boot file system."""
    folder = put({"vmlinuz": IMAGE, "efi/a.img": b"a", "one.dtb": tree(domain("DomA", ramdisk="efi/a.img"))})
    unshare = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no namespaces to mount something in")
    done = subprocess.run([*unshare, "sh", "-c", 'mount -t tmpfs none "$1/efi" && echo a >"$1/efi/a.img" && exec "$0" "$1/one.dtb"',
                           check("--help").args[0], folder], capture_output=True, text=True)
    assert done.returncode == 2 and "another file system" in done.stdout
    assert check(folder / "one.dtb").returncode == 0


# What a terminal obeys, or what turns text round, by its bytes in a tree; and what each is in JSON.
STRANGE = {r"\x1b[2J": "\x1b[2J", r"\xc2\x9b31m": "\x9b31m", r"\x9b31m": "\ufffd31m", r"a\nb\r\t": "a\nb\r\t", r"\x7f": "\x7f",
           r"\xe2\x80\xae": "\u202e", r"\xed\xa0\x80": "\ufffd\ufffd\ufffd", r"\xe2\x81\xa7'\"$`": "\u2067'\"$`"}


@pytest.mark.parametrize("bytes_, text", STRANGE.items(), ids=range(len(STRANGE)))
@pytest.mark.parametrize("where", ["file", "device", "node", "model", "bootargs"])
def test_terminal(check, put, tmp_path, where, bytes_, text):
    """Nothing that is printed could be obeyed by a terminal; JSON and SVG say the same in their own way."""
    def unescaped(value):
        """What dtc makes of it."""
        return value.encode("latin-1").decode("unicode_escape").encode("latin-1")

    nodes = {"file": domain("DomA", ramdisk=bytes_), "device": domain("DomA", ramdisk=f"(hd9)/{bytes_}"),
             "node": domain("Dom_HERE", ramdisk="gone"), "model": domain("DomA"),
             "bootargs": f'bootargs = "{bytes_}"; ' + domain("DomA")}
    base = BASE.replace("A board, rev. 1", bytes_) if where == "model" else BASE
    dtb = tree(nodes[where], base=base)
    if where == "node":
        name = unescaped(bytes_.replace('\\"', '"')).replace(b"/", b"?")[:8]
        dtb = dtb.replace(b"Dom_HERE", name.ljust(8, b"_"))
    folder = put({"vmlinuz": IMAGE, "one.dtb": dtb})
    for options in [], ["--json"], ["--model"], ["--map", tmp_path / "map.svg"]:
        done = check(*options, folder / "one.dtb")
        printed = done.stdout + done.stderr
        assert all(char in "\n" or char.isprintable() for char in printed), ascii(printed)
        if "--json" in options and where in ("file", "model"):
            found = json.loads(done.stdout)
            assert text in (found["domains"][1]["modules"][1]["file"] if where == "file" else found["model"])
        if "--map" in options and done.returncode != 3:
            ElementTree.parse(tmp_path / "map.svg")


@pytest.mark.parametrize("bytes_", list(STRANGE)[:6])
def test_list_of_strange_names(check, put, bytes_):
    """Neither a terminal nor who reads line by line is shown a name that is more than a name."""
    folder = put({"vmlinuz": IMAGE, "one.dtb": tree(domain("DomA", ramdisk=bytes_))})
    done = check("--files", folder / "one.dtb")
    assert done.returncode == 3 and "it cannot be listed" in done.stderr
    assert all(char in "\n" or char.isprintable() for char in done.stdout + done.stderr)
