"""The manual's command lines for GRUB, run there, on a disk with what the manual's other examples have made
(tests/tools/test_docs.py judges those). manual.py says how examples are marked."""

import functools

import pytest

from machine import Machine, findings, script, unwrap
from manual import GRUB, Root, as_shown, examples
from paths import BUILD
from test_overlay import overlay
from tree import chosen, domain, make_dtb
from web import web_server

# Menus that are started, and what is then seen on the console.
SEEN = {
    "first-boot.texi": ["This is DomA with 1 vCPUs", "This is DomB with 2 vCPUs"],
    "coming-from.texi": ["guest DomA: ramdisk a.img", "guest DomB: ramdisk b.img"],
}


@pytest.fixture
def root(tmp_path):
    """The files of the examples, and those that the examples of the chapter on the command take for given."""
    made = Root(tmp_path / "root")
    made.run_all()
    guest = functools.partial(domain, kernel="vmlinuz-guest")
    for name, content in {
        "two.dtb": make_dtb(chosen(guest("DomA", ramdisk="a.img", cpus=2),
                                   guest("DomB", ramdisk="b.img", cpus=3, memory=512))),
        "key.dtb": make_dtb(chosen(domain("DomA", kernel="domu-kernel"))),
        "efi/board.dtb": make_dtb(chosen(guest("DomA"))),
        "label.dtbo": overlay(("target = <&nolabel>", "status = \"disabled\";")),
    }.items():
        made.put(f"/boot/{name}", content)
    return made


@pytest.fixture
def server(root):
    """An HTTP server for what lies in /srv/tftp; its port."""
    with web_server(root.path / "srv/tftp") as port:
        yield port


def start(boot, root, menu="", **machine):
    files, esp = root.on_disk()
    return boot(menu, files, esp, grub=GRUB, xen="4.17", **machine)


def network(root, bootfile=""):
    """QEMU's arguments for a card in a network with a TFTP server. EDK2 connects a card that it might boot from."""
    return ["-netdev", f"user,id=net,net=192.0.2.0/24,host=192.0.2.2,tftp={root.path}/srv/tftp,bootfile={bootfile}",
            "-device", "virtio-net-device,netdev=net,bootindex=1"]


def test_grub(boot, root, server):
    """Every command line for GRUB ends as the manual shows, in its order, in one session. Nothing is started, so that
    kernels are cut short: reading them takes time, by TFTP most of all."""
    for kernel in root.path.rglob("vmlinuz*"):
        kernel.write_bytes(kernel.read_bytes()[:1 << 20])
    lines = [(example.place, command.replace(":8000", f":{server}"), shown)
             for example in examples("grub") for _, command, shown in example.commands()]
    root.put("/boot/script", script({str(number): command for number, (_, command, _) in enumerate(lines)}))
    machine = start(boot, root, extra=network(root))
    machine.prompt()
    printed = machine.run_all("/boot/script")
    assert [int(number) for number in printed] == list(range(len(lines)))
    wrong = []
    for (place, command, shown), (text, status) in zip(lines, printed.values()):
        text = unwrap(text).replace(f":{server}", ":8000")
        refused = any(line.startswith("error:") for line in shown)
        if (status != 0) != refused or not as_shown(shown, text) or (findings(text) and not shown):
            wrong.append(f"{place}: {command}\nended with {status} and printed\n{text}")
    assert wrong == [], "\n\n".join(wrong)


def see(machine, lines):
    """Wait for all of these lines, in any order."""
    missing = list(lines)
    while missing:
        missing.pop(machine.expect(*missing)[1])


@pytest.mark.parametrize("example", [example for example in examples("menu") if example.about == "boots"],
                         ids=lambda example: example.place)
def test_menu(boot, root, example):
    """A menu entry that the manual tells to start does."""
    machine = start(boot, root, "set timeout=0\n" + example.text)
    see(machine, SEEN[example.place.split(":")[0]])


def test_diskless(tmp_path, root):
    """What the manual makes of a TFTP server's folder is enough for a machine without a disk."""
    example, = (example for example in examples("menu") if example.about == "boots from the network")
    root.put("/srv/tftp/grub/grub.cfg", "set timeout=0\n" + example.text)
    disk = tmp_path / "empty"
    disk.write_bytes(bytes(1 << 20))
    with Machine(disk, BUILD / "boot/test_diskless.log", extra=network(root, "grub/arm64-efi/core.efi")) as machine:
        see(machine, SEEN["first-boot.texi"])


def test_uboot(boot, root):
    """What is told of U-Boot boots there, before it boots here."""
    machine = start(boot, root, firmware="uboot")
    example, = examples("uboot")
    machine.uboot(*(command for _, command, _ in example.commands()))
    found = machine.domains("DomA")
    assert found["DomA"]["ramdisk"] == "a.img"
