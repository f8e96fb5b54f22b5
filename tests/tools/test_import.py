"""grub-dom0less-import: what it makes of each variable of ImageBuilder's, and what it says of the others. That the
result boots is tests/boot/test_import.py's."""

import os
import re
import shlex
import struct
import subprocess

import pytest

from conftest import IMAGE
from paths import ROOT
from tree import compile_dts, read_dtb

BASE = """/dts-v1/;
/ { #address-cells = <2>; #size-cells = <2>; model = "A board, rev. 1";
    cpus { #address-cells = <1>; #size-cells = <0>;
           cpu@0 { device_type = "cpu"; reg = <0>; phandle = <7>; };
           cpu@1 { device_type = "cpu"; reg = <1>; };
           cpu@2 { device_type = "cpu"; reg = <2>; }; };
    memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x80000000>; };
    uart: serial@9000000 { reg = <0 0x9000000 0 0x1000>; };
    aliases { serial0 = &uart; };
    bus { ethernet@ff0e0000 { }; };
"""
WITHOUT_CHOSEN = compile_dts((BASE + "};").encode())
BASE = compile_dts((BASE + 'chosen { stdout-path = "serial0"; }; };').encode())

# A config that is complete, on the firmware's tree. What is assigned again counts.
ONE = 'XEN=xen\nNUM_DOMUS=1\nDOMU_KERNEL[0]=vmlinuz\n'
DOM0 = ONE + "DOM0_KERNEL=Image\n"
XEN_CMD = "console=dtuart dtuart=serial0 dom0_mem=1024M dom0_max_vcpus=1 bootscrub=0 vwfi=native sched=null"
DOM0_CMD = "console=hvc0 earlycon=xen earlyprintk=xen clk_ignore_unused"


class Imported:
    """A config's way through the tool. Status and standard error; `entry`, the words of the menu entry's command; and
    `tree`, the overlay applied to `base`, as read_dtb has it."""

    def __init__(self, grub, folder, config, *options, base=BASE, name="config"):
        self.folder, self.base = folder, base
        (folder / "in").mkdir(exist_ok=True)
        (folder / "out").mkdir(exist_ok=True)
        self.config = folder / "in" / name
        self.config.write_bytes(config.encode() if isinstance(config, str) else config)
        self.done = subprocess.run([grub / "bin/grub-dom0less-import", "-o", folder / "out", *options, self.config],
                                   capture_output=True, text=True)
        self.status, self.said = self.done.returncode, self.done.stderr.replace(f"{self.config}", "CONFIG")
        self.written = sorted(path.name for path in (folder / "out").iterdir())

    @property
    def text(self):
        path, = (self.folder / "out").glob("*.cfg")
        return path.read_text()

    @property
    def entry(self):
        # The quotes are a shell's as well.
        return shlex.split(self.text.split("\n\t")[2].rstrip("}\n"))

    @property
    def tree(self):
        path, = (self.folder / "out").glob("*.dtbo")
        base, merged = self.folder / "base.dtb", self.folder / "merged.dtb"
        base.write_bytes(self.base)
        subprocess.run(["fdtoverlay", "-i", base, "-o", merged, path], check=True)
        return read_dtb(merged.read_bytes())


@pytest.fixture
def run(grub, tmp_path):
    """run(CONFIG, OPTION..., base=…, name=…) -> Imported"""
    return lambda *arguments, **options: Imported(grub, tmp_path, *arguments, **options)


def string(*values):
    return b"".join(value.encode() + b"\0" for value in values)


def cells(*values):
    return struct.pack(f">{len(values)}I", *values)


def module(kind, name, **more):
    return {"compatible": string(f"multiboot,{kind}", "multiboot,module"), "uefi,binary": string(name), **more}


def below(tree, path):
    """The nodes of a part of the tree, by their names there."""
    return {name[len(path):]: node for name, node in tree.items() if f"{name}/".startswith(f"{path}/")}


def test_one(run):
    """The least config: all that ImageBuilder would add, and no more."""
    done = run(ONE)
    assert (done.status, done.said, done.written) == (0, "", ["config.cfg", "config.dtbo"])
    assert below(done.tree, "/chosen") == {
        "": {"stdout-path": string("serial0"), "#address-cells": cells(2), "#size-cells": cells(2)},
        "/domU0": {"compatible": string("xen,domain"), "#address-cells": cells(2), "#size-cells": cells(2),
                   "memory": cells(0, 512 * 1024), "cpus": cells(1), "vpl011": b""},
        "/domU0/kernel": module("kernel", "/vmlinuz", bootargs=string("console=ttyAMA0")),
    }
    # What is for a dom0 is not said to Xen when there is none.
    assert done.entry == ["xen_dom0less", "--overlay", "/config.dtbo", "/xen", "console=dtuart", "dtuart=serial0",
                          "bootscrub=0", "vwfi=native", "sched=null"]
    assert done.text.startswith("menuentry 'Xen (config)' {\n\tinsmod xen_dom0less\n\txen_dom0less ")


def test_dom0(run):
    """A dom0 with all it can have."""
    done = run(DOM0 + 'DOM0_RAMDISK=initrd\nXEN_POLICY=policy\nDOM0_CMD="console=hvc0 root=/dev/sda2"\n')
    assert (done.status, done.said) == (0, "")
    chosen = below(done.tree, "/chosen")
    assert chosen[""]["xen,dom0-bootargs"] == string("console=hvc0 root=/dev/sda2")
    assert chosen["/dom0"] == module("kernel", "/Image")
    assert chosen["/dom0-ramdisk"] == module("ramdisk", "/initrd")
    assert chosen["/xen-policy"] == {"compatible": string("xen,xsm-policy", "multiboot,module"),
                                     "uefi,binary": string("/policy")}
    assert chosen["/domU0"]["xen,enhanced"] == string("enabled")
    assert done.entry[4:] == XEN_CMD.split()


def test_dom0_alone(run):
    """ImageBuilder takes a config without domUs."""
    done = run("XEN=xen\nDOM0_KERNEL=Image\n")
    assert done.status == 0 and [name for name in done.tree if name.startswith("/chosen/")] == ["/chosen/dom0"]


def test_tree_without_chosen(run):
    """The overlay makes what DEVICE_TREE lacks."""
    assert "/chosen/domU0/kernel" in run(ONE, base=WITHOUT_CHOSEN).tree


DOMAIN = {
    'DOMU_RAMDISK[0]=initrd': {"/ramdisk": module("ramdisk", "/initrd")},
    'DOMU_PASSTHROUGH_DTB[0]=part.dtb': {"/device-tree": module("device-tree", "/part.dtb")},
    'DOMU_CMD[0]="console=ttyAMA0 root=/dev/ram0"':
        {"/kernel": module("kernel", "/vmlinuz", bootargs=string("console=ttyAMA0 root=/dev/ram0"))},
    'DOMU_MEM[0]=1024': {"": {"memory": cells(0, 1 << 20)}},
    'DOMU_MEM[0]=0x1000000': {"": {"memory": cells(4, 0)}},
    'DOMU_MEM[0]=0': {"": {"memory": cells(0, 1 << 19)}},
    'DOMU_VCPUS[0]=3; DOMU_VCPU_HARD_AFFINITY[0,0]="0-2"; DOMU_VCPU_HARD_AFFINITY[0,2]="1,3"':
        {"/vcpu0": {"compatible": string("xen,vcpu"), "id": cells(0), "hard-affinity": string("0-2")},
         "/vcpu2": {"compatible": string("xen,vcpu"), "id": cells(2), "hard-affinity": string("1,3")}},
    'DOMU_VCPUS[0]=4': {"": {"cpus": cells(4)}},
    'DOMU_VPL011[0]=0': {"": {"vpl011": None}, "/kernel": module("kernel", "/vmlinuz", bootargs=None)},
    'DOMU_VPL011[0]=1': {"": {"vpl011": b""}},
    'DOMU_ENHANCED[0]=0': {"": {"xen,enhanced": None}},
    'DOMU_ENHANCED[0]=1': {"": {"xen,enhanced": string("enabled")}},
    'DOMU_ENHANCED[0]=2': {"": {"xen,enhanced": string("no-xenstore")}},
    'DOM0_KERNEL=Image; DOMU_ENHANCED[0]=0': {"": {"xen,enhanced": None}},
    # The sum of the sizes is its memory, and it is mapped one to one.
    'DOMU_STATIC_MEM[0]="0x50000000 0x8000000 0x100000000 0x4000000"; DOMU_MEM[0]=64':
        {"": {"memory": cells(0, 0xc000000 >> 10), "direct-map": b"",
              "xen,static-mem": cells(0, 0x50000000, 0, 0x8000000, 1, 0, 0, 0x4000000)}},
    'DOMU_STATIC_MEM[0]="0x50000000 0x8000000"; DOMU_DIRECT_MAP[0]=0':
        {"": {"direct-map": None, "xen,static-mem": cells(0, 0x50000000, 0, 0x8000000)}},
    'DOMU_DIRECT_MAP[0]=1': {"": {"direct-map": None}},
    'DOMU_SHARED_MEM[0]="my-shm 0x50000000 0x6000000 0x10000000"':
        {"/shared-mem": {"compatible": string("xen,domain-shared-memory-v1"), "xen,shm-id": string("my-shm"),
                         "xen,shared-mem": cells(0, 0x50000000, 0, 0x6000000, 0, 0x10000000)}},
    'DOMU_SHARED_MEM[0]="my-shm 0x6000000 0x10000000"':
        {"/shared-mem": {"xen,shared-mem": cells(0, 0x6000000, 0, 0x10000000)}},
    'DOMU_COLORS[0]="6-14"': {"": {"llc-colors": string("6-14")}},
    'DOMU_NR_SPIS[0]=2': {"": {"nr_spis": cells(2)}},
    'DOMU_GRANT_VER[0]=1': {"": {"max_grant_version": cells(1)}},
    'DOMU_GRANT_FRAMES[0]=32': {"": {"max_grant_frames": cells(32)}},
    'DOMU_MAPTRACK_FRAMES[0]=0': {"": {"max_maptrack_frames": cells(0)}},
    'DOMU_P2M_MEM_MB[0]=8': {"": {"xen,domain-p2m-mem-mb": cells(8)}},
    'DOMU_TRAP_UNMAP[0]=0': {"": {"trap-unmapped-accesses": cells(0)}},
    'DOMU_CAPS[0]="Control|hardware"': {"": {"capabilities": cells(3)}},
    'DOMU_CAPS[0]="dom0"': {"": {"capabilities": cells(7)}},
    'DOMU_CAPS[0]="0x4 | none"': {"": {"capabilities": cells(4)}},
    'DOMU_PASSTHROUGH_PROP[0]=enabled': {"": {"passthrough": string("enabled")}},
    'DOMU_PASSTHROUGH_PROP[0]=disabled': {"": {"passthrough": None}},
    # Empty is not set.
    'DOMU_MEM[0]=; DOMU_VCPUS[0]=""; DOMU_RAMDISK[0]=""': {"": {"memory": cells(0, 1 << 19)}},
}


@pytest.mark.parametrize("config", DOMAIN)
def test_domain(run, config):
    """What each variable of a domain becomes; None is a property that is not there."""
    done = run(ONE + config)
    assert done.status == 0, done.said
    found = below(done.tree, "/chosen/domU0")
    for path, properties in DOMAIN[config].items():
        for name, value in properties.items():
            assert found[path].get(name) == value, name


def test_order(run, tmp_path):
    """Xen numbers domains in the order of their nodes, and U-Boot puts each new node before the others: so do fdtput,
    and libfdt when it applies our overlay."""
    done = run(DOM0 + 'NUM_DOMUS=4\nDOMU_KERNEL[1]=b\nDOMU_KERNEL[2]=c\nDOMU_KERNEL[3]=d\nDOMU_NOBOOT[1]=1')
    ours = [path for path in done.tree if path.startswith("/chosen/d") and path.count("/") == 2]
    tree = tmp_path / "put.dtb"
    tree.write_bytes(BASE)
    for name in ("dom0", "domU0", "domU2", "domU3"):
        subprocess.run(["fdtput", "-c", tree, f"/chosen/{name}"], check=True)
    assert ours == [path for path in read_dtb(tree.read_bytes()) if path.startswith("/chosen/d")]


@pytest.mark.parametrize("config, args", {
    'XEN_CMD="dom0_mem=1G dom0less  sched=null"': "sched=null",         # as by ImageBuilder without a dom0
    'XEN_CMD="dom0_mem=1G sched=null" DOM0_KERNEL=Image': "dom0_mem=1G sched=null",
    # One of these could not count, and ImageBuilder refuses that.
    'XEN_CMD="dom0_mem=1G sched=null" DOM0_KERNEL=Image DOM0_MEM=512': None,
    'XEN_CMD="dom0_mem=1G sched=null" DOM0_KERNEL=Image DOM0_VCPUS=2': None,
    'DOM0_KERNEL=Image DOM0_MEM=512 DOM0_VCPUS=2':
        XEN_CMD.replace("1024M", "512M").replace("vcpus=1", "vcpus=2"),
    'XEN_CMD=a XEN_COLORS=0-1': "a xen-llc-colors=0-1 llc-coloring=on",
    'XEN_CMD=a DOM0_KERNEL=Image DOM0_COLORS=2-5': "a dom0-llc-colors=2-5 llc-coloring=on",
    'XEN_CMD="a llc-coloring=true" DOMU_COLORS[0]=6-14': "a llc-coloring=true",
    'XEN_CMD=a DOMU_COLORS[0]=6-14': "a llc-coloring=on",
    'XEN_CMD="--a=1 $PATH; {b} *"': None,
    "XEN_CMD='--a=1 $=; {b} * ü #c'": "--a=1 $=; {b} * ü #c",
    # U-Boot's variables.
    "XEN_CMD='a=$PATH'": None,
    "XEN_CMD='a=${PATH}'": None,
}.items())
def test_xen_args(run, config, args):
    """Xen's command line, word by word."""
    done = run(ONE + config)
    if args is None:
        assert done.status == 2
    else:
        assert done.status == 0 and done.entry[4:] == args.split()


def test_xen_args_with_quotes(run):
    """GRUB puts backslashes before quotes and backslashes, so such a command line goes by the tree."""
    done = run(ONE + r"""XEN_CMD='a "b c" d\e'""")
    assert done.entry[3:] == ["/xen"]
    assert done.tree["/chosen"]["xen,xen-bootargs"] == string(r'a "b c" d\e')
    assert "xen,xen-bootargs" not in run(ONE).tree["/chosen"]


@pytest.mark.parametrize("config, root", {
    "": "/dev/ram0",
    'DOM0_ROOTFS=dom0.cpio.gz LOAD_CMD="load mmc 0:1"': "/dev/mmcblk0p2",
    'DOM0_ROOTFS=dom0.cpio.gz LOAD_CMD="load scsi 1:2"': "/dev/sdb3",
    'DOM0_ROOTFS=dom0.cpio.gz LOAD_CMD="load scsi 0:1" DOM0_LOAD="ext4load mmc 2:4"': "/dev/mmcblk2p5",
    'DOM0_ROOTFS=dom0.cpio.gz LOAD_CMD=tftpb': None,
    'DOM0_ROOTFS=dom0.cpio.gz LOAD_CMD="load usb 0:1"': None,
    'DOM0_ROOTFS=dom0.cpio.gz': None,
}.items())
def test_root(run, config, root):
    """Dom0's root= is what ImageBuilder works out. What it could not work out either is said."""
    done = run(DOM0 + config)
    assert done.tree["/chosen"]["xen,dom0-bootargs"] == string(DOM0_CMD + (f" root={root}" if root else ""))
    assert ("DOM0_ROOTFS is not carried over: LOAD_CMD does not tell" in done.said) == (root is None)


def test_passthrough(run):
    """Each path gets a fragment of its own, also of a domain that dom0 will start."""
    config = ONE + 'DOMU_PASSTHROUGH_PATHS[0]=" /bus/ethernet@ff0e0000  /serial@9000000 "\n'
    done = run(config + "DOMU_PASSTHROUGH_DTB[0]=part.dtb LOPPER_PATH=/lopper.py")
    assert (done.status, done.said) == (0, "note: not needed here: LOPPER_PATH\n")
    assert done.tree["/bus/ethernet@ff0e0000"] == {"xen,passthrough": b""}
    assert done.tree["/serial@9000000"]["xen,passthrough"] == b""
    done = run(config)
    assert done.status == 1 and "DOMU_PASSTHROUGH_PATHS[0] is carried over in part: these nodes are kept from dom0, but" in done.said
    assert done.tree["/serial@9000000"]["xen,passthrough"] == b""
    done = run("DOM0_KERNEL=Image\n" + config + "DOMU_NOBOOT[0]=y")
    assert done.status == 0 and done.tree["/serial@9000000"]["xen,passthrough"] == b""
    assert "/chosen/domU0" not in done.tree


def test_passthrough_without_the_node(run):
    """With DEVICE_TREE at hand a path that it lacks is refused; an overlay of the config's own may have it."""
    config = ONE + "DEVICE_TREE=board.dtb\nDOMU_PASSTHROUGH_DTB[0]=part.dtb\nDOMU_PASSTHROUGH_PATHS[0]=/amba/ethernet@ff0e0000\n"
    assert run(config).status == 0
    (run(ONE).folder / "in/board.dtb").write_bytes(BASE)
    done = run(config)
    assert done.status == 2 and "DOMU_PASSTHROUGH_PATHS[0] names a node that is not in DEVICE_TREE" in done.said
    assert run(config.replace("/amba/ethernet@ff0e0000", "/bus/ethernet@ff0e0000")).status == 0
    assert run(config + "NUM_DT_OVERLAY=1\nDT_OVERLAY[0]=more.dtbo\n").status == 0


def test_event_channels(run, check, tmp_path):
    """Two ends that lead to each other, by phandles that the tree's own do not meet. The check finds nothing wrong."""
    done = run(DOM0 + "NUM_DOMUS=2\nDOMU_KERNEL[1]=b\nDOMU_STATIC_EVTCHNS[0]='10 1 11; 12 1 13'\n"
               "DOMU_STATIC_EVTCHNS[1]='11 0 10; 13 0 12'\n")
    assert (done.status, done.said) == (0, "")
    ends = {path.removeprefix("/chosen/"): node for path, node in done.tree.items() if "/evtchn@" in path}
    assert sorted(ends) == ["domU0/evtchn@10", "domU0/evtchn@12", "domU1/evtchn@11", "domU1/evtchn@13"]
    handles = [node["phandle"] for node in done.tree.values() if "phandle" in node]
    assert len(set(handles)) == len(handles)
    for one, port, other in ("domU0/evtchn@10", 10, "domU1/evtchn@11"), ("domU1/evtchn@13", 13, "domU0/evtchn@12"):
        assert ends[one]["compatible"] == string("xen,evtchn-v1")
        assert ends[one]["xen,evtchn"] == cells(port) + ends[other]["phandle"]
    assert not [path for path in done.tree if "fixups" in path]
    for name in "xen", "vmlinuz", "Image", "b":
        (tmp_path / "in" / name).write_bytes(IMAGE)
    (tmp_path / "in/board.dtb").write_bytes(BASE)
    said = check("--xen", tmp_path / "in/xen", "--overlay", tmp_path / "out/config.dtbo", tmp_path / "in/board.dtb")
    assert "error:" not in said.stdout, said.stdout


def test_absolute_names(run, tmp_path):
    """What lies in --directory is named from there on, as by ImageBuilder."""
    config = f"XEN={tmp_path}/in/./xen\nNUM_DOMUS=1\nDOMU_KERNEL[0]={tmp_path}/in/k\nDOMU_RAMDISK[0]=a/../initrd\n"
    for options, kernel in ([], "/k"), (["-d", "/"], f"{tmp_path}/in/k"), (["-d", f"{tmp_path}/in//"], "/k"), (["-p", "x"], "/x/k"):
        done = run(config, *options)
        assert done.status == 0 and done.tree["/chosen/domU0/kernel"]["uefi,binary"] == string(kernel)
    assert done.tree["/chosen/domU0/ramdisk"]["uefi,binary"] == string("/x/initrd") and done.entry[3] == "/x/xen"


POOLS = ONE + ('NUM_DOMUS=2; DOMU_KERNEL[1]=b; DEVICE_TREE=board.dtb; NUM_CPUPOOLS=2\n'
               'CPUPOOL[0]="cpu@1,cpu@0 null"; CPUPOOL[1]=cpu@2; DOMU_CPUPOOL[1]=1\n')


def test_cpu_pools(run, tmp_path):
    """Pools and CPUs are named by phandles: those that the tree has stay, others are made."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files/board.dtb").write_bytes(BASE)
    done = run(POOLS, "-d", tmp_path / "files")
    assert (done.status, done.said) == (0, "")
    tree = done.tree
    handle = {path: node["phandle"] for path, node in tree.items() if "phandle" in node}
    assert handle["/cpus/cpu@0"] == cells(7) and len(set(handle.values())) == len(handle) == 5
    assert tree["/chosen/cpupool_0"] == {
        "compatible": string("xen,cpupool"), "phandle": handle["/chosen/cpupool_0"],
        "cpupool-cpus": handle["/cpus/cpu@1"] + handle["/cpus/cpu@0"], "cpupool-sched": string("null")}
    assert tree["/chosen/cpupool_1"] == {
        "compatible": string("xen,cpupool"), "phandle": handle["/chosen/cpupool_1"],
        "cpupool-cpus": handle["/cpus/cpu@2"]}
    assert tree["/chosen/domU1"]["domain-cpupool"] == handle["/chosen/cpupool_1"]
    assert "domain-cpupool" not in tree["/chosen/domU0"]
    assert "/__local_fixups__" not in tree

    for change, words in [("CPUPOOL[1]=cpu@1", "CPUPOOL[1] has a CPU for the second time"),
                          ("CPUPOOL[1]=cpu@9", "CPUPOOL[1] has a CPU that is not in DEVICE_TREE"),
                          ("CPUPOOL[1]=", "CPUPOOL[1] is not set"),
                          ("DOMU_CPUPOOL[0]=2", "DOMU_CPUPOOL[0] is neither 0 nor 1")]:
        done = run(POOLS + change, "-d", tmp_path / "files")
        assert done.status == 2 and words in done.said
    (tmp_path / "files/board.dtb").write_bytes(BASE[:-9])
    assert "board.dtb: it is no device tree" in run(POOLS, "-d", tmp_path / "files").said


def test_cpu_pools_without_the_tree(run):
    """Without DEVICE_TREE at hand nobody knows the CPUs."""
    done = run(POOLS)
    assert done.status == 1 and not [path for path in done.tree if "pool" in path]
    assert [line.split(" is not")[0] for line in done.said.splitlines()] == \
        ["warning: CONFIG:5: CPUPOOL[0]", "warning: CONFIG:5: CPUPOOL[1]", "warning: CONFIG:5: DOMU_CPUPOOL[1]"]


def test_static_heap(run, tmp_path):
    """The heap is in the root's cells, which DEVICE_TREE tells if it is there."""
    config = ONE + 'XEN_STATIC_HEAP="0x50000000 0x10000000"\n'
    assert run(config).tree["/chosen"]["xen,static-heap"] == cells(0, 0x50000000, 0, 0x10000000)
    assert run(config.replace("XEN_STATIC", "STATIC")).tree["/chosen"]["xen,static-heap"] == \
        cells(0, 0x50000000, 0, 0x10000000)
    (tmp_path / "in/board.dtb").write_bytes(compile_dts(b"/dts-v1/; / { #address-cells = <1>; #size-cells = <1>; };"))
    done = run(config + "DEVICE_TREE=board.dtb")
    assert done.tree["/chosen"]["xen,static-heap"] == cells(0x50000000, 0x10000000)
    done = run(config.replace("0x50000000", "0x100000000") + "DEVICE_TREE=board.dtb")
    assert done.status == 2 and "XEN_STATIC_HEAP has a word that is no number, or too big a one" in done.said


def test_names(run):
    """Names begin where the folder of files lies in GRUB's file system, in the tree as in the entry; ours too."""
    config = ONE + 'DEVICE_TREE=./a/b.dtb NUM_DT_OVERLAY=2 DT_OVERLAY[0]=x.dtbo DT_OVERLAY[1]=/y.dtbo ' \
                   'XEN=bin/xen DOMU_RAMDISK[0]="(hd0,gpt3)/r" XEN_CMD=a'
    done = run(config, name="board.conf")
    assert done.written == ["board.cfg", "board.dtbo"]
    assert done.entry == ["xen_dom0less", "--dtb", "/a/b.dtb", "--overlay", "/x.dtbo", "--overlay", "/y.dtbo",
                          "--overlay", "/board.dtbo", "/bin/xen", "a"]
    for prefix in ("boot/xen", "//boot/xen/"):
        done = run(config, "-p", prefix, name="board.conf")
        assert done.entry[1:] == [
            "--dtb", "/boot/xen/a/b.dtb", "--overlay", "/boot/xen/x.dtbo", "--overlay", "/boot/xen/y.dtbo",
            "--overlay", "/boot/xen/board.dtbo", "/boot/xen/bin/xen", "a"]
        assert done.tree["/chosen/domU0/kernel"]["uefi,binary"] == string("/boot/xen/vmlinuz")
        assert done.tree["/chosen/domU0/ramdisk"]["uefi,binary"] == string("(hd0,gpt3)/r")
    assert run(config, "-p", "/", name="board.conf").entry[2] == "/a/b.dtb"


# Every character that means something to a shell, to GRUB or to nobody.
NASTY = """it's a "test" $HOME ${x} `id` \\n; & | < > ( ) [ ] { } * ? ! # ~ % = , Grüße"""

# In a command line U-Boot would replace these, so they are refused there.
ARGUMENTS = NASTY.replace("$HOME", "$").replace("${x}", "$1")


def test_nasty_names(run, grub):
    """A name survives whatever is in it, and stays one word."""
    quoted = shlex.quote(NASTY)
    done = run(f"XEN={quoted} NUM_DOMUS=1 DOMU_KERNEL[0]={quoted} DEVICE_TREE={quoted} "
               f"DOMU_CMD[0]={shlex.quote(ARGUMENTS)} XEN_CMD=a",
               name=NASTY.replace("/", "") + ".conf")
    assert done.status == 0, done.said
    assert done.entry == ["xen_dom0less", "--dtb", f"/{NASTY}", "--overlay", f"/{NASTY}.dtbo", f"/{NASTY}", "a"]
    assert done.tree["/chosen/domU0/kernel"] == module("kernel", f"/{NASTY}", bootargs=string(ARGUMENTS))
    path, = (done.folder / "out").glob("*.cfg")
    subprocess.run([grub / "bin/grub-script-check", path], check=True)
    title = shlex.split(done.text.split(" {\n")[0] if " {\n" in NASTY else done.text[:done.text.index(" {\n\tinsmod")])
    assert title == ["menuentry", f"Xen ({NASTY})"]


SHELL = {
    "plain": "DOM0_CMD=root=a",
    "double": 'DOM0_CMD="root=a  b \\" \\\\ \\$= \\` \\n \'c\'"',
    "single": """DOM0_CMD='root=a  "b" \\ $= `c` #d'""",
    "pieces": """DOM0_CMD=root=a"b c"'d e'\\ f\\'""",
    "comments": "# X=1\n  DOM0_CMD=root=a#b # c 'd\n# e",
    "continued": 'DOM0_CMD="root=a \\\nb" \\\n XEN=\\\ny',
    "one line": "DOM0_CMD=root=a;XEN=x ; DOMU_MEM[0]=1 DOMU_VCPUS[0]=2",
    "variables": 'A=root=a\nB[2]="$A ${A}x"\nDOM0_CMD="${B[2]} $A$A" C=$ D="$ "',
    "element 0": 'B[0]="root=a b"\nDOM0_CMD[0]="$B ${B[0]}"',
    "appended": 'DOM0_CMD="root=a"\nDOM0_CMD+=" b"\nDOM0_CMD="$DOM0_CMD c"',
    "last counts": "DOM0_CMD=root=a\nDOM0_CMD=root=b",
    "exported": 'export A=root=a B\nexport DOM0_CMD="$A b"; XEN=y',
    "an index": 'i=3 A[$i]=root=a\nA[${i}]+=x j=$i\nDOM0_CMD="${A[$j]}"',
    "no newline at the end, bytes": "DOM0_CMD='root=Grüße'",
}


@pytest.mark.parametrize("name", SHELL)
def test_shell(run, tmp_path, name):
    """What is understood means what it means to bash."""
    config = DOM0 + SHELL[name]
    done = run(config)
    assert done.status in (0, 1), done.said     # helpers that are used nowhere are named
    told = subprocess.run(["bash", "-c", 'source "$1"; printf "%s\\0" "$DOM0_CMD" "$XEN"', "bash", done.config],
                          check=True, capture_output=True).stdout
    found = done.tree["/chosen"]["xen,dom0-bootargs"] + string(done.entry[3].removeprefix("/"))
    assert found == told


def test_lines(run):
    """A line's end within quotes is a blank, and may be DOS's anywhere."""
    done = run(DOM0.replace("\n", "\r\n") + 'DOM0_CMD="root=a\r\n\tb\nc"\r\n')
    assert done.status == 0 and done.tree["/chosen"]["xen,dom0-bootargs"] == string("root=a  b c")


@pytest.mark.parametrize("config, words", {
    "echo x": "4: only assignments NAME=VALUE are understood",
    "if true; then A=1; fi": "4: only assignments",
    "export A=1 && B=2": "4: only assignments",
    "declare A=1": "4: only assignments",
    "f() { A=1; }": "4: only assignments",
    "A=1 B": "4: only assignments",
    "1A=1": "4: only assignments",
    "A = 1": "4: only assignments",
    "A=(1 2)": "4: an array is understood only as NAME[N]=VALUE",
    "A[x]=1": "4: an index is a plain number",
    "A[$x]=1": "4: an index is a plain number, or the variable of one",
    "A[99999999999]=1": "4: an index is a plain number",
    "\nA=`id`": "5: commands are not executed",
    'A="`id`"': "4: commands are not executed",
    "A=$(id)": "4: of what begins with $",
    "A=$((1+1))": "4: of what begins with $",
    "A=$1": "4: of what begins with $",
    "A=$'a'": "4: of what begins with $",
    "A=${B:-c}": "4: in ${ } only NAME and NAME[N] are understood",
    "A=$B": "4: a variable is used that is not set before",
    "A=~/x": "4: ~ is not understood",
    "A=1 && B=2": "4: only assignments",
    "A=1&": "4: only assignments are understood; & | < > ( ) want quotes",
    "A='1\n\n": "6: a quote is not closed",
    "A=\\": "4: nothing follows the backslash",
    "A=a\x01": "4: there is a control character",
    "A=a\0": "4: there is a control character",
    "XEN=": " XEN is not set",
    "NUM_DOMUS=": " neither DOM0_KERNEL nor NUM_DOMUS is set",
    "NUM_DOMUS=65": "4: NUM_DOMUS is no number, or too big",
    "NUM_DOMUS=2": " DOMU_KERNEL[1] is not set",
    "NUM_DT_OVERLAY=1": " DT_OVERLAY[0] is not set",
    "DOMU_MEM[0]=512M": "4: DOMU_MEM[0] is no number",
    "DOMU_MEM[0]=0512": "4: DOMU_MEM[0] is no number",
    "DOMU_MEM[0]=18014398509481984": "4: DOMU_MEM[0] is no number, or too big a one",
    "DOMU_VCPUS=1.5": "4: DOMU_VCPUS is no number",
    "DOMU_VPL011[0]=yes": "4: DOMU_VPL011[0] is neither 0 nor 1",
    "DOMU_STATIC_MEM[0]=0x50000000": "4: DOMU_STATIC_MEM[0] is not addresses and sizes by turns",
    "DOMU_STATIC_MEM[0]='a 1'": "4: DOMU_STATIC_MEM[0] has a word that is no number",
    "DOMU_SHARED_MEM[0]='id 1'": "4: DOMU_SHARED_MEM[0] is not ID,",
    "DOMU_SHARED_MEM[0]='id 1 2 x'": "4: DOMU_SHARED_MEM[0] has a word",
    "DOMU_COLORS[0]=all": "4: DOMU_COLORS[0] is no list of NUMBER or FIRST-LAST",
    "DOMU_VCPU_HARD_AFFINITY[0,0]=all": "4: DOMU_VCPU_HARD_AFFINITY[0,0] is no list of NUMBER or FIRST-LAST",
    "DOMU_STATIC_EVTCHNS[0]='1 2'": "4: DOMU_STATIC_EVTCHNS[0] has a channel that is not PORT DOMAIN PORT",
    "DOMU_STATIC_EVTCHNS[0]='1 0 1'": "4: DOMU_STATIC_EVTCHNS[0] has a channel whose other end does not lead back",
    "DOM0_MEM=512": "4: DOM0_MEM is for a dom0, and there is no DOM0_KERNEL",
    "DOM0_CMD=a": "4: DOM0_CMD is for a dom0",
    "DOMU_CMD[0]='root=/dev/mmcblk${devnum}p2'": "4: DOMU_CMD[0] has a $ with the name of a variable, which U-Boot would replace",
    "DOMU_KERNEL[0]=../x": "4: DOMU_KERNEL[0] leads out of the file system",
    "DOMU_CAPS[0]=all": "4: DOMU_CAPS[0] has a word that is no capability",
    "DOMU_PASSTHROUGH_PATHS[0]=uart": "4: DOMU_PASSTHROUGH_PATHS[0] has a word that is no path",
    "A=x\nB=" + "$A" * 9 + "".join(f"\nA={'$B' * 9}\nB={'$A' * 9}" for _ in range(9)): "the values are too long",
    "\n".join(f"A[{number}]=1" for number in range(1100)): "there are too many variables",
}.items(), ids=lambda value: value[:30])
def test_errors(run, config, words):
    """One line with the place, 2, and nothing written."""
    done = run(ONE + config)
    assert (done.status, done.written, done.done.stdout) == (2, [], "")
    assert done.said.count("\n") == 1 and done.said.startswith("error: CONFIG:") and words in done.said


def test_losses(run):
    """What cannot be carried over is named with the reason; the rest is written."""
    lost = {
        "BITSTREAM": "BITSTREAM=a.bit", "APPEND_EXTRA_CMDS": "APPEND_EXTRA_CMDS=a", "LINUX": "LINUX=a",
        "LINUX_CMD": "LINUX_CMD=a", "LINUX_RAMDISK": "LINUX_RAMDISK=a", "LINUX_ROOTFS": "LINUX_ROOTFS=a",
        "XEN_LOAD": "XEN_LOAD=a", "DOM0_LOAD": "DOM0_LOAD=a", "DOMU_LOAD[0]": "DOMU_LOAD[0]=a",
        "DOMU_DOMID[0]": "DOMU_DOMID[0]=1",
        "DOMU_ROOTFS[1]": "DOMU_ROOTFS[1]=a", "DOMU_CPUPOOL[0]": "DOMU_CPUPOOL[0]=0",
        "DOMU_VCPU[0]": "DOMU_VCPU[0]=1", "unknown": "unknown=a",
    }
    done = run(ONE + "NUM_DOMUS=2\n" + "\n".join(lost.values()))
    assert done.status == 1
    assert done.said.splitlines() == [line for line in done.said.splitlines() if line.startswith("warning: CONFIG:")]
    assert [line.split(" ")[2] for line in done.said.splitlines()] == list(lost)
    assert "DOMU_VCPU[0] is not carried over: it is not known" in done.said
    assert "CONFIG:6: APPEND_EXTRA_CMDS is not carried over: GRUB does not know U-Boot's commands" in done.said
    assert [path for path in done.tree if path.startswith("/chosen/domU")] == \
        ["/chosen/domU0", "/chosen/domU0/kernel"]


def test_not_needed(run):
    """What is about U-Boot only, or what ImageBuilder would not look at either, is no loss."""
    names = """MEMORY_START MEMORY_END LOAD_CMD BOOT_CMD EFI UBOOT_SOURCE UBOOT_SCRIPT FDTEDIT FIT FIT_ENC_KEY_DIR
        FIT_ENC_UB_DTB CALC NUM_BOOT_AUX_FILE BOOT_AUX_FILE[0] GPT DOMU_DRIVER_DOMAIN[0] PASSTHROUGH_DTS_REPO
        LOPPER_CMD DOMU_VCPU_HARD_AFFINITY[0,1] DOMU_KERNEL[7]""".split()
    done = run(DOM0 + "XEN_CMD=a\n" + "\n".join(f"{name}=a" for name in names)
               + "\nfolder=x; DOMU_RAMDISK[0]=$folder/r")
    assert (done.status, done.said) == (0, f"note: not needed here: {', '.join(names)}\n")


def test_docs():
    """The manual has every variable that the tool knows, and no other."""
    source = (ROOT / "util/imagebuilder/variables.c").read_text()
    source = source[source.index("known[]"):source.index("};")]
    tables, not_needed = (ROOT / "docs/imagebuilder.texi").read_text().split("\nNot needed:\n")
    assert {*re.findall(r"^@itemx? ([A-Z][A-Z0-9_]+)", tables, re.MULTILINE),
            *re.findall(r"@code\{([A-Z][A-Z0-9_]+)", not_needed)} == set(re.findall(r'\{ "(\w+)",', source))


def test_usage(grub, tmp_path):
    """A wrong command line ends with 64, files with 2; both say why."""
    def tool(*arguments):
        return subprocess.run([grub / "bin/grub-dom0less-import", *arguments], capture_output=True, text=True,
                              cwd=tmp_path)
    for arguments, words in [([], "CONFIG is missing"), (["a", "b"], "more than one CONFIG"),
                             (["--nonsense", "a"], "unrecognized option")]:
        done = tool(*arguments)
        assert (done.returncode, done.stdout) == (64, "") and words in done.stderr
    (tmp_path / "one.cfg").write_text(ONE)
    (tmp_path / "big").write_text("#" * ((1 << 20) + 1))
    (tmp_path / "a\nb").write_text(ONE)
    for arguments, words in [(["gone"], "gone: No such file"), (["big"], "big: File too large"),
                             (["one.cfg"], "one.cfg: it would be overwritten: choose another --output"),
                             (["-o", "gone", "one.cfg"], "gone/one.dtbo: No such file"),
                             (["a\nb"], "there is a control character in its name")]:
        done = tool(*arguments)
        assert (done.returncode, done.stdout) == (2, "") and words in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a\nb", "big", "one.cfg"]


def test_no_file(run, tmp_path):
    """What is no regular file is not waited for; and what is in the way of the new files stays as it was."""
    os.mkfifo(tmp_path / "fifo.cfg")
    done = subprocess.run([run(ONE).done.args[0], tmp_path / "fifo.cfg"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "fifo.cfg: Invalid argument" in done.stderr


def test_links(grub, tmp_path):
    """A link in the new files' place is replaced, not followed; nothing with another name is left."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/one.cfg").write_text(ONE)
    (tmp_path / "victim").write_text("precious")
    for name in "one.dtbo", "one.cfg", "one.dtbo.new", "one.cfg.new":
        (tmp_path / name).symlink_to("victim")
    done = subprocess.run([grub / "bin/grub-dom0less-import", "in/one.cfg"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "one.dtbo").is_symlink() and not (tmp_path / "one.cfg").is_symlink()
    assert (tmp_path / "one.cfg").stat().st_mode & 0o777 == 0o666 & ~umask()
    assert len(list(tmp_path.iterdir())) == 6


def umask():
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_check(run, tmp_path):
    """The command that it advises finds every file, and no error: the names in the tree are those of the folder."""
    config = DOM0 + 'DEVICE_TREE=board.dtb DOMU_RAMDISK[0]="dom 1/initrd" NUM_DOMUS=2 DOMU_KERNEL[1]=vmlinuz'
    run(ONE)
    for name, content in {"xen": b"", "Image": IMAGE, "vmlinuz": IMAGE, "dom 1/initrd": b"x",
                          "board.dtb": BASE}.items():
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    done = run(config)
    assert done.status == 0
    first, advice = done.done.stdout.splitlines()
    assert first.endswith("config.cfg are written. Before the reboot:")
    words = shlex.split(advice)
    words[0] = done.done.args[0].parent / words[0]
    checked = subprocess.run(words, capture_output=True, text=True)
    assert "error:" not in checked.stdout + checked.stderr and checked.returncode < 2
    assert "/dom 1/initrd" in checked.stdout and "domU1 (d1): 1 vCPU, " in checked.stdout
    assert "--root ROOT --xen ROOT/boot/xen " in run(config, "--prefix=/boot").done.stdout
