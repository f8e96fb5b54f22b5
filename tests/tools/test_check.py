"""grub-dom0less-check: what it prints, and how it ends. That it judges as the module does is tests/boot/test_check.py's.
"""

import gzip
import json
import re
import struct
import subprocess
from xml.etree import ElementTree

import pytest

from conftest import IMAGE, SCHEMA, jsonschema
from evil import OVERLAYS, empty, flat, long_name, nested, overlapping
from paths import GUEST, need
from rules import rules
from tree import chosen, compile_dts, domain, module

BASE = """/dts-v1/;
/ { #address-cells = <2>; #size-cells = <2>; model = "A board, rev. 1";
    cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>; }; };
    memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x40000000>; };
    uart { compatible = "arm,pl011"; };
    chosen { stdout-path = "/uart"; }; };
"""
ONE = domain("DomA", ramdisk="a.img")
STATIC = domain("DomA", ramdisk="a.img", extra="xen,static-mem = <0 0x50000000 0 0x8000000>;")
FILES = {"vmlinuz": IMAGE, "a.img": b"a"}


def tree(*nodes, base=BASE):
    """A small machine's tree with these nodes in /chosen."""
    return compile_dts((base + chosen(*nodes)).encode())


def test_fine(check, put):
    """The plan as a table on standard output, nothing else, and 0."""
    folder = put({**FILES, "one.dtb": tree(ONE)})
    done = check(folder / "one.dtb")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("DomA (d1): 1 vCPU, 128 MiB (131072 KiB)\n  kernel ")
    assert " 4156 bytes /vmlinuz\n" in done.stdout and " 1 bytes /a.img\n" in done.stdout
    assert done.stdout.endswith("\n0 errors, 0 warnings\n")


def test_warning_and_error(check, put):
    """Findings come behind the table, errors first, and decide about the end."""
    folder = put({**FILES, "warn.dtb": tree('bootargs = "x";', ONE),
                  "both.dtb": tree('bootargs = "x";', ONE.replace("cpus = <1>;", ""))})
    done = check(folder / "warn.dtb")
    assert done.returncode == 1 and done.stdout.splitlines()[-2].startswith("warning: [bootargs-ignored] /chosen: ")
    assert done.stdout.endswith("\n0 errors, 1 warning\n")
    done = check(folder / "both.dtb")
    assert done.returncode == 2
    assert [line.split("]")[0] for line in done.stdout.splitlines()[-3:]] == \
        ["error: [cpus-impossible", "warning: [bootargs-ignored", "1 error, 1 warning"]


def test_usage(check, put):
    """A wrong command line ends with 64, and says why on standard error alone."""
    folder = put({**FILES, "one.dtb": tree(ONE)})
    put({"map": "grub> lsefimmap\n"})
    for arguments, words in [
        (["--memory-map", folder / "map", folder / "one.dtb"], "/map: no memory map, as lsefimmap prints it"),
        (["--nonsense"], "unrecognized option"), ([folder / "one.dtb", "two.dtb"], "more than one tree"),
        (["--explain=nonsense"], "there is no rule nonsense"),
        (["--root=/nonexistent", folder / "one.dtb"], "/nonexistent: No such file"),
        (["--root", folder / "one.dtb", folder / "one.dtb"], "Not a directory"),
        (["--root", folder, "--xen=/bin/sh", folder / "one.dtb"], "/bin/sh is not below"),
        (["--memory-map=/nonexistent", folder / "one.dtb"], "/nonexistent: No such file"),
    ]:
        done = check(*arguments)
        assert (done.returncode, done.stdout) == (64, "") and words in done.stderr, done.stderr


def test_no_tree(check, put):
    """What is no tree is an error that names the file, as is one that is missing."""
    folder = put({"text.dtb": "no tree"})
    done = check(folder / "text.dtb")
    assert done.returncode == 2 and "error: [tree-malformed] not a well-formed device tree: /text.dtb: it does not begin like one" in done.stdout
    done = check(folder / "gone.dtb")
    assert done.returncode == 2 and "error: /gone.dtb: file `/gone.dtb' not found" in done.stdout


def test_fixups_elsewhere(check, put):
    """libfdt would write to wherever an overlay's fixups say: one that says outside of its property does not fit."""
    overlay = """/dts-v1/; / { fragment@0 { target-path = "/"; __overlay__ { p = <1>; }; };
        __local_fixups__ { fragment@0 { __overlay__ { p = <OFFSET>; }; }; }; };"""
    folder = put({**FILES, "one.dtb": tree(ONE), "good.dtbo": compile_dts(overlay.replace("OFFSET", "0").encode()),
                  "bad.dtbo": compile_dts(overlay.replace("OFFSET", "0xfff00000").encode())})
    assert check("--overlay", folder / "good.dtbo", folder / "one.dtb").returncode == 0
    done = check("--overlay", folder / "bad.dtbo", folder / "one.dtb")
    assert done.returncode == 2 and "error: [overlay-malformed] cannot apply /bad.dtbo: " in done.stdout
    assert "/__local_fixups__/fragment@0/__overlay__: a fixup outside of its property" in done.stdout


def test_evil_overlays(check, put):
    """What would make libfdt write elsewhere is refused, with the node and the mistake."""
    folder = put({**FILES, "one.dtb": tree(ONE), **{f"{name}.dtbo": content for name, (content, _) in OVERLAYS.items()}})
    for name, (_, words) in OVERLAYS.items():
        done = check("--overlay", folder / "high.dtbo", *(["--overlay", folder / f"{name}.dtbo"] if words else []),
                     folder / "one.dtb")
        errors = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
        if words:
            assert done.returncode == 2 and len(errors) == 1 and f"/{name}.dtbo: " in errors[0] and words in errors[0], done
        else:
            assert done.returncode == 0, done


def test_worst_trees(check, put):
    """A MiB of mistakes is judged like any tree: so many lines for each rule, and how many more there are; memory may end
    where all addresses do. (Steps are counted in tests/unit/test_time.c.)"""
    def banks(*cells):
        return tree(STATIC, base=BASE.replace("reg = <0 0x40000000 0 0x40000000>", f"reg = <{' '.join(cells)}>"))

    last = "0 0", "0xffffffff 0xfffff000", "0xffffffff 0xfffff000", "0 0x1000"
    folder = put({"flat.dtb": flat(1 << 20), "empty.dtb": empty(1 << 20), "deep.dtb": nested(20000),
                  "name.dtb": long_name(1 << 19, 40000), "overlap.dtb": overlapping(tree(ONE)), **FILES,
                  "big.dtb": flat(3 << 20), "pieces.dtb": banks(*["0 0x40000000 0 0x1000"] * 1025),
                  "last.dtb": banks(*last)})
    for name, words in {
            "flat": "[nested-module] and ", "empty": "[no-module] ", "deep": "/deep.dtb: it is deeper than 64 levels",
            "name": "/name.dtb: a property's name has no end, or more than 255 bytes",
            "overlap": "/overlap.dtb: its blocks overlap", "big": "[tree-too-big] ",
            "pieces": "/pieces.dtb: memory in more than 1024 pieces",
    }.items():
        done = check(folder / f"{name}.dtb")
        assert done.returncode == 2 and words in done.stdout and done.stdout.count("\n") < 100, done.stdout
    done = check(folder / "last.dtb")
    assert done.returncode == 0, done.stdout


def test_names(check, put):
    """Relative to Xen's folder, or from the top of DIR; not those of another device, of which a note tells."""
    nodes = [domain("DomA", kernel="vmlinuz", ramdisk="/a.img"),
             domain("DomB", kernel="../b/vmlinuz", ramdisk="(hd9)/b.img")]
    folder = put({"xen/xen.efi": b"", "xen/vmlinuz": IMAGE, "a.img": b"a", "b/vmlinuz": IMAGE,
                  "trees/two.dtb": tree(*nodes)})
    done = check("--root", folder, "--xen", folder / "xen/xen.efi", folder / "trees/two.dtb")
    assert done.returncode == 0 and done.stderr == "note: (hd9)/b.img: not looked at, on another device\n"
    assert " /xen/vmlinuz\n" in done.stdout and " /a.img\n" in done.stdout and " /xen/../b/vmlinuz\n" in done.stdout
    # The same from inside, by another name of the folder.
    again = check("--root", ".", "--xen", "xen/xen.efi", "trees/two.dtb", cwd=folder)
    assert (again.returncode, again.stdout) == (0, done.stdout)


def test_files(check, put):
    """Every file once, as paths of the host, those that are missing as well; findings go to standard error."""
    overlay = compile_dts(b"""/dts-v1/; /plugin/; / { fragment@0 { target-path = "/chosen";
        __overlay__ { DomB { }; }; }; };""".replace(b"DomB { };", domain("DomB", ramdisk="gone.img").encode()))
    folder = put({**FILES, "xen.efi": b"", "one.dtb": tree(ONE), "b.dtbo": overlay,
                  "xen.cfg": "[global]\ndefault=a\n[a]\nkernel=vmlinuz-dom0\n", "vmlinuz-dom0": IMAGE})
    done = check("--files", "--xen", folder / "xen.efi", "--overlay", folder / "b.dtbo",
                 "--config", folder / "xen.cfg", folder / "one.dtb")
    assert sorted(done.stdout.splitlines()) == sorted(str(folder / name) for name in (
        "xen.efi", "xen.cfg", "one.dtb", "b.dtbo", "vmlinuz-dom0", "vmlinuz", "a.img", "gone.img"))
    assert done.returncode == 2 and done.stderr.startswith("error: [file-missing] /chosen/DomB/module@2: ")


def test_keys(check, put):
    """--module's keys and numbers, and a xen.cfg's keys."""
    node = ONE.replace('uefi,binary = "vmlinuz";', "mb-index = <1>;").replace('"a.img"', '"ramdisk"')
    folder = put({**FILES, "one.dtb": tree(node)})
    done = check("--module", f"ramdisk={folder}/a.img", "--module", folder / "vmlinuz", folder / "one.dtb")
    assert done.returncode == 0 and " /vmlinuz\n" in done.stdout and " /a.img\n" in done.stdout
    assert check(folder / "one.dtb").returncode == 2
    # A key is the whole of a name.
    done = check("--module", f"ram={folder}/a.img", "--module", folder / "vmlinuz",
                 "--module", f"ramdisks={folder}/a.img", folder / "one.dtb")
    assert done.returncode == 2 and "cannot load /ramdisk: " in done.stdout


def test_section(check, put):
    """--section takes another section of the xen.cfg."""
    config = "[global]\ndefault=a\n[a]\nkernel=vmlinuz-a\n[b]\nkernel=vmlinuz-b console=hvc0\n"
    folder = put({**FILES, "vmlinuz-b": IMAGE, "xen.cfg": config, "one.dtb": tree(ONE)})
    done = check("--config", folder / "xen.cfg", "--section=b", folder / "one.dtb")
    assert done.returncode == 0 and " /vmlinuz-b\n" in done.stdout
    assert "cannot load /vmlinuz-a" in check("--config", folder / "xen.cfg", folder / "one.dtb").stdout


def test_read_once(check, put):
    """A tree that asks for a xen.cfg, which names another tree: the overlay, which goes on both, is read once."""
    overlay = compile_dts(b"""/dts-v1/; /plugin/; / { fragment@0 { target-path = "/chosen";
        __overlay__ { DomB { }; }; }; };""".replace(b"DomB { };", domain("DomB", ramdisk="a.img").encode()))
    folder = put({**FILES, "xen.efi": b"", "asks.dtb": tree("xen,uefi-cfg-load;"), "other.dtb": tree(ONE),
                  "b.dtbo": overlay, "xen.cfg": "[global]\ndefault=a\n[a]\nkernel=vmlinuz\ndtb=other.dtb\n"})
    done = check("--json", "--xen", folder / "xen.efi", "--overlay", folder / "b.dtbo",
                 "--machine-tree", folder / "asks.dtb")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert [domain["name"] for domain in found["domains"]] == ["dom0", "DomB", "DomA"]
    assert [one["what"] for one in found["measurements"] if one["pcr"] == 9].count("/b.dtbo") == 1


@pytest.mark.parametrize("version", ["4.17", "4.20"])
def test_xen(check, put, version):
    """The hypervisor is asked for its version and what it was built with."""
    folder = put({**FILES, "one.dtb": tree(STATIC)})
    assert "not-built-in" not in check(folder / "one.dtb").stdout
    (folder / "xen.efi").write_bytes((GUEST / f"xen-{version}.efi").read_bytes())
    done = check("--json", "--xen", folder / "xen.efi", folder / "one.dtb")
    found = json.loads(done.stdout)
    assert found["xen_version"] == version and found["xen"] == "/xen.efi"
    assert [finding["rule"] for finding in found["findings"]] == ["not-built-in"] and done.returncode == 2


def test_xen_args(check, put):
    """What would be given after XEN counts in place of the tree's own."""
    folder = put({**FILES, "one.dtb": tree('xen,xen-bootargs = "console=dtuart";', ONE)})
    assert check(folder / "one.dtb").returncode == 0
    done = check("--xen-args", "a" * 3000, folder / "one.dtb")
    assert done.returncode == 1 and "[xen-args-long]" in done.stdout


def test_kernels(check, put):
    """Packed kernels are unpacked, and what is in them is judged."""
    two = [domain("DomA"), domain("DomB")]
    for content, status, words in [
        (gzip.compress(IMAGE), 0, ""), (gzip.compress(b"text"), 2, "[kernel-format]"),
        # More in it than it says, which GRUB's own decompressor does not mind.
        (gzip.compress(IMAGE)[:-4] + struct.pack("<I", len(IMAGE) - 1), 2, "wrong checksum"),
        (gzip.compress(IMAGE)[:-9], 2, "[kernel-broken]"), (b"\x7fELF" + bytes(100), 2, "is an ELF file"),
        (b"", 2, "[file-empty]"),
    ]:
        folder = put({"vmlinuz": content, "two.dtb": tree(*two)})
        done = check(folder / "two.dtb")
        assert done.returncode == status and words in done.stdout, done.stdout


def test_packed_tree(check, put):
    """GRUB reads a packed tree when it has the decompressor, and so does the tool."""
    folder = put({**FILES, "one.dtb": gzip.compress(tree(ONE))})
    assert check(folder / "one.dtb").returncode == 0


def test_memory_map(check, put):
    """The machine's map, as a terminal has broken its lines, decides where the tree's memory nodes cannot."""
    lines = """Type      Physical start  - end             #Pages        Size Attributes
conv-mem  0000000040000000-0000000053ffffff 00014000      320MiB UC WC WT WB
RT-data   0000000054000000-0000000054ffffff 00001000       16MiB RT UC WC WT
WB
conv-mem  0000000055000000-000000007fffffff 0002b000      688MiB UC WC WT WB
"""
    folder = put({**FILES, "one.dtb": tree(STATIC), "map": lines})
    assert check(folder / "one.dtb").returncode == 0
    done = check("--memory-map", folder / "map", folder / "one.dtb")
    assert done.returncode == 2 and "[range-over-firmware] /chosen/DomA: " in done.stdout


def test_json(check, put):
    """Domains, modules with their nodes and files, ranges and findings; what is no character is replaced."""
    folder = put({**FILES, "one.dtb": tree('bootargs = "x";', domain("DomA", ramdisk=r"bär \xff\""))})
    done = check("--json", folder / "one.dtb")
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (2, "")
    assert found["model"] == "A board, rev. 1" and found["xen_version"] is None and found["tree"] == "/one.dtb"
    dom0, dom_a = found["domains"]
    assert (dom0["name"], dom0["id"], dom0["modules"]) == ("dom0", 0, [])
    assert (dom_a["name"], dom_a["id"], dom_a["memory_kib"], dom_a["cpus"]) == ("DomA", 1, 131072, 1)
    assert dom_a["modules"][1] == {"kind": "ramdisk", "node": "/chosen/DomA/module@2", "file": "/bär \ufffd\""}
    assert {(finding["severity"], finding["rule"], finding["node"]) for finding in found["findings"]} == {
        ("error", "file-missing", "/chosen/DomA/module@2"), ("warning", "bootargs-ignored", "/chosen")}
    assert {finding["rule"]: finding["hint"] for finding in found["findings"]} == {
        "file-missing": None, "bootargs-ignored": "say xen,xen-bootargs, or give arguments after XEN"}


def test_schema(check, put):
    """The fixture `check` holds all JSON against the schema, and the schema is strict: no key more, none less."""
    need("python3-jsonschema")
    folder = put({**FILES, "one.dtb": tree(STATIC)})
    whole = json.loads(check("--json", folder / "one.dtb").stdout)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(whole, SCHEMA)
    for change in ({"more": 1}, {"format": 2}, {"findings": [{"severity": "error"}]}, {"domains": [{**whole["domains"][1], "id": -1}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**whole, **change}, SCHEMA)
    for key in whole:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({name: value for name, value in whole.items() if name != key}, SCHEMA)


def test_json_after_errors(check, put):
    """The same keys, however early it ends."""
    folder = put({**FILES, "text.dtb": "no tree", "one.dtb": tree(ONE)})
    keys = [list(json.loads(check("--json", *arguments).stdout)) for arguments in (
        [folder / "one.dtb"], [folder / "text.dtb"], [folder / "gone.dtb"], ["--xen", folder / "gone.efi", folder / "one.dtb"])]
    assert keys[1:] == keys[:1] * 3 and keys[0][0] == "format"


def test_elsewhere(check, put):
    """A file on another device has a name, and no size; what is in memory has neither."""
    folder = put({**FILES, "one.dtb": tree(ONE.replace("vmlinuz", "(hd0,gpt2)/far"))})
    done = check(folder / "one.dtb")
    assert done.returncode == 0 and "  kernel       (hd0,gpt2)/far (not looked at)\n" in done.stdout
    assert "note: (hd0,gpt2)/far: not looked at, on another device\n" in done.stderr


MENU = r"""
set timeout=5
if [ "$grub_platform" = efi ]; then set files=/boot; else set files=/none; fi
set files=/boot
search --no-floppy --fs-uuid --set=root 1234-5678
menuentry 'Good "one"' --class xen {
    insmod xen_dom0less
    xen_dom0less --dtb $files/one.dtb --overlay=/boot/none.dtbo \
        "${files}/xen.efi" console=dtuart 'a b'
}
submenu "More" {
    menuentry Bad\ cpus { xen_dom0less -d ($root)/boot/bad.dtb /boot/xen.efi; }
    menuentry Elsewhere {
        search --fs-uuid --set=other 9999-9999
        xen_dom0less -d ($other)/boot/one.dtb /boot/xen.efi
    }
    menuentry Unknown { xen_dom0less --dtb $nobody/one.dtb /boot/xen.efi; }
    menuentry Late { xen_dom0less --dtb /boot/one.dtb /boot/xen.efi --dry-run; }
    menuentry Wrong { xen_dom0less --dbt /boot/one.dtb /boot/xen.efi; }
}
menuentry Linux { linux /vmlinuz; }
"""


def test_grub_cfg(check, put):
    """Every command of a menu, as GRUB would read it, and the worst of their statuses."""
    folder = put({**{f"boot/{name}": content for name, content in FILES.items()}, "boot/one.dtb": tree(ONE),
                  "boot/bad.dtb": tree(ONE.replace("cpus = <1>;", "")), "boot/xen.efi": b"no Xen to learn from",
                  "boot/none.dtbo": compile_dts(b"/dts-v1/; /plugin/; / { fragment@0 {"
                  b" target-path = \"/\"; __overlay__ { note = \"x\"; }; }; };"), "boot/grub/grub.cfg": MENU})
    done = check("--root", folder, "--grub-cfg", folder / "boot/grub/grub.cfg")
    assert done.returncode == 2, done.stderr
    *found, last = [part.splitlines() for part in done.stdout.split("\n\n")]
    assert last == ["6 xen_dom0less commands"]
    assert {part[0]: part[-1] for part in found} == {
        'Good "one":': "0 errors, 0 warnings", "More > Bad cpus:": "1 error, 0 warnings",
        "More > Elsewhere:": "1 error, 0 warnings", "More > Unknown:": "not judged: nothing sets $nobody",
        "More > Late:": "0 errors, 1 warning", "More > Wrong:": "error: GRUB refuses this option, or its value is missing: --dbt"}
    assert "warning: [option-after-xen] /chosen: Xen gets the argument --dry-run" in done.stdout

    good = MENU[:MENU.index("submenu")]
    for menu, status, words in [
        (good, 0, "1 xen_dom0less command\n"), ("", 0, "0 xen_dom0less commands\n"),
        (good.replace("$files/", "$nobody/"), 3, "not judged"), (good + "menuentry x {", 2, ":11: GRUB cannot parse this"),
    ]:
        put({"boot/grub/grub.cfg": menu})
        done = check("--root", folder, "--grub-cfg", folder / "boot/grub/grub.cfg")
        # GRUB's parser says on the standard error what it does not like.
        assert done.returncode == status and bool(done.stderr) == ("parse" in words) and words in done.stdout, done
    done = check("--grub-cfg", folder / "boot/grub/grub.cfg", "--json")
    assert (done.returncode, done.stdout) == (64, "") and "--grub-cfg" in done.stderr


def test_name_of_root(check, put):
    """GRUB's names begin above the folder: with that, they are found, and what lies outside is not."""
    folder = put({**FILES, "one.dtb": tree(ONE.replace('"a.img"', '"/@/a.img"')), "out.dtb": tree(ONE.replace('"a.img"', '"/a.img"')),
                  "up.dtb": tree(ONE.replace('"a.img"', '"/@/../@/a.img"'))})
    for name, words in ("one", ""), ("out", "only `/@' is seen here"), ("up", "it leads out of `/@'"):
        done = check("--root", folder, "--name-of-root=/@", folder / f"{name}.dtb")
        assert done.returncode == (2 if words else 0) and words in done.stdout, done.stdout
    assert " /@/vmlinuz\n" in check("--root", folder, "--name-of-root", "/@/", folder / "one.dtb").stdout
    (folder / "link").symlink_to("/@/a.img")
    (folder / "away").symlink_to("/a.img")
    for name, status in ("link", 0), ("away", 2):
        put({"link.dtb": tree(ONE.replace("a.img", name))})
        assert check("--root", folder, "--name-of-root=/@", folder / "link.dtb").returncode == status


def test_version(grub):
    """All programs, in GRUB's form."""
    for program in "check", "import", "new", "sign":
        done = subprocess.run([grub / f"bin/grub-dom0less-{program}", "--version"], capture_output=True, text=True)
        assert done.returncode == 0 and re.fullmatch(rf"\S*grub-dom0less-{program} \(GRUB\) 2\.\S+\n", done.stdout), done


def test_model(check, put):
    """--model prints the model alone; a tree without one has none."""
    folder = put({**FILES, "one.dtb": tree(ONE), "none.dtb": tree(ONE, base=BASE.replace("model", "x,model"))})
    assert check("--model", folder / "one.dtb").stdout == "A board, rev. 1\n"
    assert check("--model", folder / "none.dtb").stdout == ""


@pytest.mark.parametrize("name", rules())
def test_explain(check, name):
    """Every rule can be explained: its severity, its sentence."""
    done = check(f"--explain={name}")
    first, empty, sentence, *_ = done.stdout.splitlines()
    assert done.returncode == 0 and first.startswith(f"{name}: a") and rules()[name][0] in first
    assert not empty and sentence and "$" not in done.stdout


def test_map(check, put, tmp_path):
    """A well-formed picture that names every domain, static range and file, what is special in XML among them."""
    folder = put({"vmlinuz": IMAGE, "<&>.img": b"a", "one.dtb": tree(STATIC.replace("a.img", "<&>.img"))})
    assert check("--map", tmp_path / "map.svg", folder / "one.dtb").returncode == 0
    texts = [element.text for element in ElementTree.parse(tmp_path / "map.svg").iter()
             if element.tag.endswith("}text")]
    assert "domains: 128 of 1024 MiB" in texts and "DomA: 131072 KiB, 1 vCPUs" in texts
    assert "static-mem 0x50000000-0x57ffffff /chosen/DomA" in texts
    assert "RAM 0x40000000-0x7fffffff, 1024 MiB" in texts and "DomA ramdisk: /<&>.img, 1 KiB" in texts
    boxes = {element[0].text: float(element.get("width")) for element in ElementTree.parse(tmp_path / "map.svg").iter()
             if element.tag.endswith("}rect") and len(element)}
    assert boxes["DomA: 131072 KiB, 1 vCPUs"] * 8 == pytest.approx(boxes["domains: 128 of 1024 MiB"], abs=1)
    # The files are where they have been loaded, and all of it is on a ground of its own.
    loaded = re.findall(r"^  (\w+) +(0x\w+) (\d+) bytes (.*)$", check(folder / "one.dtb").stdout, re.MULTILINE)
    assert [kind for kind, *_ in loaded] == ["kernel", "ramdisk"]
    for kind, address, size, file in loaded:
        assert f"DomA {kind} {address}-{int(address, 16) + int(size) - 1:#x} {file}" in boxes, boxes
    ground = next(ElementTree.parse(tmp_path / "map.svg").iter("{http://www.w3.org/2000/svg}rect"))
    assert (ground.get("width"), ground.get("height"), ground.get("fill")) == ("100%", "100%", "#fff")
    assert check("--map=/nonexistent/x", folder / "one.dtb").returncode == 3


def test_help(check):
    """--help names every option, and 64."""
    done = check("--help")
    assert done.returncode == 0 and "64 if the" in done.stdout and "--memory-map=FILE" in done.stdout


def test_linux_fdt(check, put):
    """Out of /sys/firmware/fdt: what Linux's loader wrote there is not the firmware's."""
    written = 'bootargs = "quiet"; linux,initrd-start = <0 0x50000000>; linux,initrd-end = <0 0x50001000>;'
    folder = put({**FILES, "fdt": tree(f"{written} linux,uefi-system-table = <0 0x7fff0000>;", ONE),
                  "own.dtb": tree(written, ONE)})
    assert check(folder / "fdt").returncode == 0
    assert check(folder / "own.dtb").returncode == 1


@pytest.mark.parametrize("memory", [True, False])
@pytest.mark.parametrize("ranges", ["<0 0xffe00000 0 0x200000>", "<0 0xffe00000 0 0x100000 0 0xfff00000 0 0x100000>",
                                    "<0 0xf0000000 0 0x8000000 0 0xf4000000 0 0xc000000>"])
def test_reserved_at_the_top(check, put, memory, ranges):
    """Nothing is placed into memory that the tree reserves, be it where the tool would begin, or in pieces that overlap."""
    base = BASE.replace("memory@40000000 {", "memory@80000000 {").replace("<0 0x40000000 0 0x40000000>",
                                                                         "<0 0x80000000 0 0x80000000>")
    if not memory:
        base = base.replace('device_type = "memory";', "")
    base = base.replace("chosen {", f"reserved-memory {{ #address-cells = <2>; #size-cells = <2>; ranges; "
                                    f"r@f0000000 {{ reg = {ranges}; }}; }}; chosen {{")
    folder = put({**FILES, "one.dtb": tree(ONE, base=base)})
    done = check(folder / "one.dtb")
    assert "image-in-range" not in done.stdout and done.returncode == (2 if "0xf4" in ranges else 0), done.stdout


def test_without_chosen(check, put, tmp_path):
    """A board's file without /chosen gets one, as from Xen's own stub: an overlay finds it there."""
    base = BASE[:BASE.index("    chosen")] + "};"
    folder = put({**FILES, "board.dtb": compile_dts(base.encode()), "o.dtbo": compile_dts(
        ("/dts-v1/; /plugin/; / { fragment@0 { target-path = \"/chosen\"; __overlay__ {" + ONE + "}; }; };").encode())})
    done = check("--xen-args=dtuart=/uart", "--overlay", folder / "o.dtbo", folder / "board.dtb")
    assert (done.returncode, done.stderr) == (0, "") and " /vmlinuz\n" in done.stdout


PLACEHOLDER = domain("DomA", ramdisk="a.img", extra="xen,static-mem = <0x20 0x80000000 0 0x8000000>;")
LARGE = domain("DomA", ramdisk="a.img", memory=8192)


@pytest.mark.parametrize("node, rule", [(PLACEHOLDER, "range-outside-ram"), (LARGE, "memory-too-much")])
def test_placeholder_memory(check, put, node, rule):
    """What a board's file says of memory may not be what firmware will: it is no error by that alone. It is where firmware
    has said it, in a machine's own tree or its map."""
    folder = put({**FILES, "board.dtb": tree(node), "seed.dtb": tree("kaslr-seed = <1 2>;", node),
                  "map": "conv-mem 0000000040000000-000000007fffffff 00040000 1GiB UC WC WT WB\n"})
    done = check(folder / "board.dtb")
    assert done.returncode == 1 and f"warning: [{rule}]" in done.stdout and "--memory-map knows" in done.stdout
    for sure in [folder / "seed.dtb"], ["--machine-tree", folder / "board.dtb"], ["--memory-map", folder / "map", folder / "board.dtb"]:
        done = check(*sure)
        assert done.returncode == 2 and f"error: [{rule}]" in done.stdout, (sure, done.stdout)


def test_console(check, put):
    """By Xen's own image: which UART it drives, and which interrupt controller."""
    uart = BASE.replace('"arm,pl011"', '"arm,sbsa-uart"')
    gic = BASE.replace("uart {", 'gic { interrupt-controller; compatible = "apple,aic"; }; uart {')
    folder = put({**FILES, "uart.dtb": tree(ONE, base=uart), "gic.dtb": tree(ONE, base=gic),
                  "gone.dtb": tree('stdout-path = "serial0:115200n8";', ONE)})
    for version, status in ("4.17", 1), ("4.20", 0):
        (folder / "xen.efi").write_bytes((GUEST / f"xen-{version}.efi").read_bytes())
        done = check("--xen", folder / "xen.efi", folder / "uart.dtb")
        assert done.returncode == status and ("[console-undriven]" in done.stdout) == status, done.stdout
        done = check("--xen", folder / "xen.efi", folder / "gic.dtb")
        assert done.returncode == 2 and "error: [gic-undriven]" in done.stdout
    done = check(folder / "gone.dtb")
    assert done.returncode == 1 and "stdout-path names no node" in done.stdout
