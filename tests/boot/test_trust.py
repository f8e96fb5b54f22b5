"""Signatures and Secure Boot: what is signed boots; one flipped bit, a missing or a foreign signature does not,
wherever it is, and there is no way round. GRUB's verifiers for that are the same in all three versions.
"""

import hashlib

import pytest

from conftest import GRUBS
from disk import at_once, entry, make_core, make_tar, menu
from guest import kernel, ramdisk
from keys import Keys, read
from machine import PRESS_KEY, findings, results, script
from paths import grub_dir, some_xen, xen_image
from prompt import accept, refuse
from rules import fixtures
from test_check import IMAGE
from test_overlay import CHOSEN, overlay
from tpm import Tpm
from tree import chosen, domain, make_dtb, module
from two import LOAD_TWO, check_two

# A GRUB that needs none of the modules on the disk, which have no signatures. `pgp` brings its hash for fingerprints
# itself, but neither that of the signatures nor their algorithm.
MODULES = ["part_gpt", "ext2", "normal", "configfile", "echo", "test", "memdisk", "tar", "procfs", "luks",
           "xen_dom0less"]
PGP = ["pgp", "gcry_sha256", "gcry_rsa"]

A, B = domain("DomA", ramdisk="a.img", cpus=2, memory=128), domain("DomB", ramdisk="b.img", cpus=3, memory=512)
CONFIG = "[global]\ndefault=xen\n[xen]\noptions=console=dtuart noreboot\n"

INITRD = "linux,initrd-start = <0x48000000>; linux,initrd-end = <0x48100000>;"
OLD_MODULE = """m {
    compatible = "xen,linux-zimage", "xen,multiboot-module";
    #address-cells = <2>;
    #size-cells = <2>;
    reg = <0 0x48000000 0 0x100000>;
};"""

BAD = "bad signature"
UNVERIFIED = "nobody has verified what lies at 0x48000000"
NOBODY = "nobody verifies files there"
NOT_STARTED = "is no image that the firmware starts"

# {name: (arguments, what the error names, what it says)}.
REFUSED = {
    "kernel": ("--dtb /kernel.dtb /xen.efi", "(hd0,gpt2)/bad/vmlinuz", BAD),
    "ramdisk": ("--dtb /ramdisk.dtb /xen.efi", "(hd0,gpt2)/bad/a.img", BAD),
    "policy": ("--dtb /policy.dtb /xen.efi", "(hd0,gpt2)/bad/policy", BAD),
    "partial": ("--dtb /partial.dtb /xen.efi", "(hd0,gpt2)/bad/partial.dtb", BAD),
    "tree": ("--dtb /bad/a.dtb /xen.efi", "(hd0,gpt2)/bad/a.dtb", BAD),
    "overlay": ("--dtb /a.dtb --overlay /bad/b.dtbo /xen.efi", "(hd0,gpt2)/bad/b.dtbo", BAD),
    "config": ("--dtb /a.dtb --config /bad/xen.cfg /xen.efi", "(hd0,gpt2)/bad/xen.cfg", BAD),
    "xen": ("--dtb /a.dtb /bad/xen.efi", "(hd0,gpt2)/bad/xen.efi", BAD),
    "missing": ("--dtb /missing.dtb /xen.efi", "(hd0,gpt2)/unsigned.img", "/unsigned.img.sig' not found"),
    "foreign": ("--dtb /foreign.dtb /xen.efi", "(hd0,gpt2)/foreign.img", "public key"),
    "missing-tree": ("--dtb /unsigned.dtb /xen.efi", "(hd0,gpt2)/unsigned.dtb", "/unsigned.dtb.sig' not found"),
    "foreign-xen": ("--dtb /a.dtb /foreign.efi", "(hd0,gpt2)/foreign.efi", "public key"),
    "config-beside": ("--dtb /asking.dtb /beside/xen-4.17.efi", "(hd0,gpt2)/beside/xen-4.17.cfg",
                      "/beside/xen-4.17.cfg.sig' not found"),
    "initrd": ("--dtb /initrd.dtb /xen.efi", "[reg-unverified] /chosen: ", UNVERIFIED),
    "initrd-overlay": ("--dtb /a.dtb --overlay /initrd.dtbo /xen.efi", "[reg-unverified] /chosen: ", UNVERIFIED),
    "initrd-elsewhere": ("--dtb /elsewhere.dtb /xen.efi", "[reg-unverified] /chosen@1: ", UNVERIFIED),
    "nested-module": ("--dtb /nested.dtb /xen.efi", "[reg-unverified] /chosen/modules/m: ", UNVERIFIED),
    "module-beside": ("--dtb /beside.dtb /xen.efi", "[reg-unverified] /chosen-old/m: ", UNVERIFIED),
    "reg": ("--dtb /reg.dtb /xen.efi", "[reg-unverified] /chosen/domU1/module@2", "nobody has verified"),
    "memdisk": ("--dtb /memdisk.dtb /xen.efi", "(memdisk)/a.img", NOBODY),
    "memdisk-tree": ("--dtb (memdisk)/a.dtb /xen.efi", "(memdisk)/a.dtb", NOBODY),
    "memdisk-xen": ("--dtb /a.dtb (memdisk)/xen.efi", "(memdisk)/xen.efi", NOBODY),
    "proc": ("--dtb (proc)/luks_script /xen.efi", "(proc)/luks_script", NOBODY),
}
# Those that are a domain's files.
MODULE_FILES = ["kernel", "ramdisk", "policy", "partial", "missing", "foreign", "memdisk"]


@pytest.fixture(scope="module")
def keys():
    with Keys() as made:
        yield made


def flip(content):
    """The same with one bit flipped, in the middle."""
    content = bytearray(read(content))
    content[len(content) // 2] ^= 1
    return bytes(content)


def make_files(keys, xen):
    """The disk's files: what is good, with its signatures, and what is not."""
    # Whoever is not about the kernel has a small one, which is verified soon.
    small = A.replace("vmlinuz", "small")
    trees = {
        "a": A,
        "kernel": A.replace("vmlinuz", "bad/vmlinuz"),
        "ramdisk": small.replace("a.img", "bad/a.img"),
        "policy": module(9, "xen,xsm-policy", "bad/policy") + small,
        "partial": domain("DomA", kernel="small", extra=module(3, "device-tree", "bad/partial.dtb")),
        "missing": small.replace("a.img", "unsigned.img"),
        "foreign": small.replace("a.img", "foreign.img"),
        "memdisk": small.replace("a.img", "(memdisk)/a.img"),
        "asking": "xen,uefi-cfg-load;" + small,
        "initrd": INITRD + small,
        "elsewhere": small + "}; chosen@1 {" + INITRD,
        "nested": small + "modules {" + OLD_MODULE + "};",
        "beside": small + "}; chosen-old { #address-cells = <2>; #size-cells = <2>;" + OLD_MODULE,
    }
    files = {
        "xen.efi": xen, "vmlinuz": kernel(), "a.img": ramdisk("a.img"), "b.img": ramdisk("b.img"),
        "small": IMAGE, "policy": b"a policy", "partial.dtb": b"a partial tree",
        "xen.cfg": CONFIG, "b.dtbo": overlay((CHOSEN, B)), "both.dtbo": overlay((CHOSEN, A + B)),
        "initrd.dtbo": overlay((CHOSEN, INITRD)), "beside/xen-4.17.efi": xen, "beside/xen.cfg": CONFIG,
        "reg.dtb": make_dtb(fixtures("bad")["reg-unverified"]),
        **{f"{name}.dtb": make_dtb(chosen(nodes)) for name, nodes in trees.items()},
    }
    bad = {name: files[name]
           for name in ("xen.efi", "vmlinuz", "a.img", "policy", "partial.dtb", "xen.cfg", "a.dtb", "b.dtbo")}
    foreign = {"foreign.img": files["a.img"], "foreign.efi": xen}
    return {
        **keys.signed(files),
        **{f"bad/{name}": flip(content) for name, content in bad.items()},
        **{f"bad/{name}.sig": keys.sign(content) for name, content in bad.items()},
        **foreign, **{f"{name}.sig": keys.sign(content, "theirs") for name, content in foreign.items()},
        "unsigned.img": files["a.img"], "unsigned.dtb": files["a.dtb"], "beside/xen-4.17.cfg": CONFIG,
    }


def make_program(keys, grub, modules, config="", options=()):
    """A GRUB that takes what our key has signed."""
    return make_core(grub_dir(grub), modules, config, ["--pubkey", keys.public, "--sbat", keys.sbat, *options])


def secure_program(keys, grub, modules, config="", options=("--disable-shim-lock",)):
    """The same, started by the firmware under Secure Boot."""
    return keys.sign_program(make_program(keys, grub, modules, config, options))


def memdisk(keys, files):
    """Options for a GRUB that has some of the files in it."""
    path = keys.folder / "memdisk.tar"
    path.write_bytes(make_tar({name: read(files[name]) for name in ("a.img", "a.dtb", "xen.efi")}))
    return ["--memdisk", path]


def tries(cases, good):
    """A script that tries all, and loads what is good."""
    commands = {name: f"if xen_dom0less {arguments}; then echo loaded; else boot; fi"
                for name, (arguments, _, _) in cases.items()}
    return script({**commands, "good": f"xen_dom0less {good}"})


def check_tries(cases, told):
    """Each was refused by one error, which names the file, and nothing could be booted then; what is good was not."""
    assert list(told) == [*cases, "good"]
    text, status = told.pop("good")
    assert status == 0 and not findings(text), text
    faults = []
    for name, (text, _) in told.items():
        _, what, why = cases[name]
        # Long words are broken at the end of a line.
        errors = ["".join(line.split()) for line in findings(text) if line.startswith("error: ")]
        words = ["".join(line.split()) for line in (what, why, "you need to load the kernel first")]
        if name in MODULE_FILES and "[file-refused]" not in errors[0]:
            faults.append(f"{name} is not said to be refused: {text}")
        if (len(errors) != 2 or words[0] not in errors[0] or words[1] not in errors[0] or words[2] not in errors[1]
                or "loaded\n" in text):
            faults.append(f"{name}: {text}")
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize("grub", GRUBS)
def test_signatures(boot, keys, grub):
    """Without Secure Boot, check_signatures=enforce alone, which an embedded key switches on. What boots has a file of
    each sort that is asked for at the prompt."""
    files = make_files(keys, xen_image(some_xen()))
    files.update(keys.signed({
        "all.cfg": tries(REFUSED, "--dtb /a.dtb --overlay /b.dtbo --config /xen.cfg /xen.efi"),
        "grub/grub.cfg": "",
    }))
    machine = boot("", files, grub=grub, core=make_program(keys, grub, MODULES + PGP, options=memdisk(keys, files)))
    machine.prompt()
    check_tries(REFUSED, machine.run_all("/all.cfg"))
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))


# Nobody has a password, so nobody gets further than to the menu.
LOCKED = "set superusers=nobody\nexport superusers\n"


@pytest.mark.parametrize("grub", GRUBS)
def test_sha256_instructions(boot, keys, grub):
    """SHA-256 by the processor's instructions and by GRUB's own accept and refuse the same, for sizes around those of
    a block; and GRUB's own is found again afterwards."""
    # Large enough for several blocks in one call; what differs is the size modulo 64.
    ramdisks = {f"r{size}.img": ramdisk("a.img") + bytes(size) for size in (0, 1, 7, 8, 9, 55, 56, 63)}
    files = {"xen.efi": xen_image(some_xen()), "small": IMAGE, "hashed": b"a file"} | ramdisks
    for name in ramdisks:
        files[f"{name}.dtb"] = make_dtb(chosen(domain("DomA", kernel="small", ramdisk=name)))
    files["bad.dtb"] = make_dtb(chosen(domain("DomA", kernel="small", ramdisk="bad.img")))
    files["bad.img"] = flip(ramdisks["r55.img"])
    signed = keys.signed(files) | {"bad.img.sig": keys.sign(ramdisks["r55.img"])}
    loads = {name: f"xen_dom0less -n --dtb /{name}.dtb /xen.efi" for name in [*ramdisks, "bad"]}
    signed |= keys.signed({"all.cfg": script({**loads, "hash": "hashsum --hash sha256 /hashed"}), "grub/grub.cfg": ""})
    machine = boot("", signed, grub=grub, core=make_program(keys, grub, [*MODULES, *PGP, "hashsum"]))
    machine.prompt()
    for setting, debug in (("unset xen_dom0less_sha256", "SHA-256 instructions are used"),
                           ("set xen_dom0less_sha256=0", "SHA-256 instructions are not used: xen_dom0less_sha256 is 0")):
        machine.run(setting)
        machine.run("set debug=xen_dom0less")
        assert debug in " ".join(machine.run(loads["r0.img"])[0].split())
        machine.run("unset debug")
        told = machine.run_all("/all.cfg")
        text, _ = told.pop("bad")
        assert any("bad.img" in line and "bad signature" in line for line in findings(text)), text
        text, status = told.pop("hash")
        assert status == 0 and hashlib.sha256(b"a file").hexdigest() in "".join(text.split())
        assert list(told) == list(ramdisks)
        for text, status in told.values():
            assert status == 0 and not findings(text), text


def unrestricted(menu):
    """The same menu, whose entries everybody may start."""
    return menu.replace('" {\n', '" --unrestricted {\n')


@pytest.mark.parametrize("grub", GRUBS)
def test_secure_boot(boot, keys, grub):
    """With one's own keys, from a menu that cannot be left. The tree is the firmware's, which nobody verifies, with a
    signed overlay. What is good for GRUB must be so for the firmware as well if it is Xen."""
    cases = {**REFUSED, "unsigned": ("--dtb /a.dtb /plain.efi", "(hd0,gpt2)/plain.efi", NOT_STARTED)}
    good = "--overlay /both.dtbo /xen.efi console=dtuart noreboot"
    choice = unrestricted(menu(entry("tries", "source /all.cfg")))
    files = make_files(keys, keys.sign_program(xen_image(some_xen())))
    files.update(keys.signed({"plain.efi": xen_image(some_xen()), "all.cfg": tries(cases, good),
                              "grub/grub.cfg": choice}))
    machine = boot(choice, files, grub=grub, firmware="edk2-secure",
                   core=secure_program(keys, grub, MODULES + PGP, LOCKED,
                                       ["--disable-shim-lock", *memdisk(keys, files)]))
    machine.menu()
    for key in "ec":
        machine.press(key)
        machine.expect("Enter username: ")
        machine.press("\x1b")
        machine.menu()
    machine.select(0)
    machine.expect(PRESS_KEY)
    text = machine.text
    assert "grub>" not in text
    check_tries(cases, results(text))
    machine.press("\r")
    check_two(machine.domains("DomA", "DomB"))


@pytest.mark.parametrize("grub", GRUBS)
def test_edited_menu(boot, keys, grub):
    """An edited grub.cfg is not read, and without one there is only the question who it is."""
    choice = unrestricted(at_once("echo signed"))
    machine = boot(choice.replace("signed", "edited"), keys.signed({"grub/grub.cfg": choice}), grub=grub,
                   firmware="edk2-secure", core=secure_program(keys, grub, MODULES + PGP, LOCKED))
    for _ in range(2):
        machine.expect("Enter username: ")
        machine.press("\x1b")
    assert "edited" not in machine.text and "grub>" not in machine.text


@pytest.mark.parametrize("grub", GRUBS)
def test_signatures_off(boot, keys, grub):
    """Under lockdown the module tpm is enough for GRUB to let unsigned files of all kinds pass, but not for us; nor is
    the variable without the module that it is for. (2.06's tpm does not even need a TPM for that.)"""
    xen = keys.sign_program(xen_image(some_xen()))
    with Tpm() as tpm:
        machine = boot("", {"xen.efi": xen}, grub=grub, firmware="edk2-secure", extra=tpm.arguments,
                       core=secure_program(keys, grub, [*MODULES, "tpm"]))
        machine.prompt()
        load = "xen_dom0less -d /two.dtb /xen.efi"
        refuse(machine, load, "signatures-off", "check_signatures=enforce")
        machine.run("check_signatures=enforce")
        refuse(machine, load, "signatures-off")
        # From the disk, unsigned: that is how little it takes.
        machine.run("insmod pgp")
        text, status = machine.run(load)
        assert status and "(hd0,gpt2)/xen.efi: file `/xen.efi.sig' not found" in text, text
        machine.run("check_signatures=no")
        refuse(machine, load, "signatures-off")


# Run in a context of their own, like that of a submenu. When GRUB comes back its variables are what they were, and pgp
# still does what it was last told.
CONTEXTS = {"no.cfg": "set check_signatures=no\n", "yes.cfg": "set check_signatures=enforce\n",
            "pgp.cfg": "insmod pgp\n"}


def variable(machine):
    """What check_signatures says at the prompt."""
    return machine.run("echo $check_signatures")[0]


def check_contexts(machine, load):
    """However check_signatures came to say that signatures are enforced, an unsigned file is not loaded."""
    for context in "no.cfg", "yes.cfg":
        machine.run(f"configfile /{context}")
        assert variable(machine) == "enforce"
        refuse(machine, load.format("missing"), "file-refused", "(hd0,gpt2)/unsigned.img: ", ".sig' not found")
        accept(machine, load.format("small"))


def refuse_at_once(machine, load, *words):
    """Signatures should be enforced and are not: the command ends before it opens a file, and what was loaded before
    stays loaded."""
    text, status = machine.run(load)
    assert status and "[signatures-off]" in text and all(word in text for word in words), text


def context_files(keys, xen):
    """small.dtb names signed files only, and missing.dtb one without a signature."""
    small = A.replace("vmlinuz", "small")
    trees = {"small": small, "missing": small.replace("a.img", "unsigned.img")}
    return {**keys.signed({"xen.efi": xen, "small": kernel(size=0), "a.img": ramdisk("a.img"), "grub/grub.cfg": "",
                           **{f"{name}.dtb": make_dtb(chosen(nodes)) for name, nodes in trees.items()}, **CONTEXTS}),
            "unsigned.img": ramdisk("a.img")}


@pytest.mark.parametrize("grub", GRUBS)
def test_contexts(boot, keys, grub):
    """What pgp does and what its variable says are two things in GRUB, and one here."""
    machine = boot("", context_files(keys, xen_image(some_xen())), grub=grub,
                   core=make_program(keys, grub, MODULES + PGP))
    machine.prompt()
    load = "xen_dom0less --dtb /{}.dtb /xen.efi console=dtuart noreboot bootscrub=0"
    check_contexts(machine, load)
    # Where an inner context has switched them on, pgp asks for signatures, whatever the variable says here.
    machine.run("set check_signatures=no")
    accept(machine, load.format("missing"))
    machine.run("configfile /yes.cfg")
    assert variable(machine) == "no"
    refuse(machine, load.format("missing"), "file-refused")
    # What was loaded without a signature is not started after they have been switched on.
    machine.run("set check_signatures=no")
    accept(machine, load.format("missing"))
    machine.run("set check_signatures=enforce")
    text, _ = machine.run("boot")
    assert "[signatures-off] check_signatures is on" in text, text
    refuse(machine, load.format("missing"), "file-refused")
    accept(machine, load.format("small"))
    machine.run("set check_signatures=no")
    machine.send("boot")
    assert machine.domains("DomA")["DomA"]["ramdisk"] == "a.img"


@pytest.mark.parametrize("grub", GRUBS)
def test_contexts_under_secure_boot(boot, keys, grub):
    """The same with tpm there, which is enough for lockdown."""
    with Tpm() as tpm:
        machine = boot("", context_files(keys, keys.sign_program(xen_image(some_xen()))), grub=grub,
                       firmware="edk2-secure", extra=tpm.arguments,
                       core=secure_program(keys, grub, [*MODULES, *PGP, "tpm"]))
        machine.prompt()
        load = "xen_dom0less --dtb /{}.dtb /xen.efi"
        check_contexts(machine, load)
        machine.run("set check_signatures=no")
        refuse_at_once(machine, load.format("small"), "GRUB is locked down")


@pytest.mark.parametrize("grub", GRUBS)
def test_pgp_that_does_not_hear(boot, keys, grub):
    """The variable says that signatures are enforced, and there is no pgp; there is one that came in an inner context,
    and listens to the variable of that; and it has gone."""
    files = {**CONTEXTS, "one.dtb": make_dtb(chosen(A.replace("vmlinuz", "small"))), "small": kernel(size=0)}
    machine = boot("", files, grub=grub)
    machine.prompt()
    load = "xen_dom0less --dtb /one.dtb /xen.efi"
    accept(machine, load)
    machine.run("set check_signatures=enforce")
    refuse_at_once(machine, load, "check_signatures is on")
    # Nor does what was loaded before start.
    text, _ = machine.run("boot")
    assert "[signatures-off] check_signatures is on" in text, text
    machine.run("unset check_signatures")
    machine.run("configfile /pgp.cfg")
    accept(machine, load)
    machine.run("set check_signatures=enforce")
    refuse_at_once(machine, load, "check_signatures is on")
    machine.run("rmmod pgp")
    machine.run("set check_signatures=enforce")
    refuse_at_once(machine, load, "check_signatures is on")
    machine.run("unset check_signatures")
    accept(machine, load)


@pytest.mark.parametrize("grub", GRUBS)
def test_shim(boot, keys, grub):
    """A GRUB that wants shim under Secure Boot starts without it, and then nothing passes. The module itself has to be
    built in: from a disk none is loaded, whoever has signed it."""
    files = keys.signed({"grub/grub.cfg": "", "hello.mod": grub_dir(grub) / "lib/grub/arm64-efi/hello.mod"})
    machine = boot("", files, grub=grub, firmware="edk2-secure",
                   core=secure_program(keys, grub, MODULES + PGP, options=()))
    machine.prompt()
    refuse(machine, LOAD_TWO, "shim", "without shim")
    text, _ = machine.run("insmod /hello.mod")
    assert "prohibited by secure boot policy" in text, text
