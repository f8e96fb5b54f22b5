"""What the domains of a tree were promised, against what they say that they got."""

import re
from dataclasses import dataclass, field

import verdict as verdicts

# What became of a tree.
BOOTS, LOSES, DIES = "boots", "loses something", "dies"


@dataclass
class Promise:
    name: str                   # what the guest calls itself
    facts: dict                 # {fact: [value, ...]}
    also: dict = field(default_factory=dict)        # {fact: another value that is as good}


def promises(draft):
    """One for each domain that the tree describes."""
    found = []
    dom0 = _module(draft.chosen, "kernel")
    if dom0 is not None:
        found.append(_promise(draft, draft.chosen, None, None))
    for node in draft.chosen.children:
        if node.is_compatible("xen,domain"):
            memory = int.from_bytes(node.properties.get("memory", b"")[:8], "big")
            cpus = (node.cells("cpus") or [0])[0]
            found.append(_promise(draft, node, memory, cpus))
    return found


def _promise(draft, node, memory, cpus):
    facts = {"up": [""]}
    kernel, ramdisk = _module(node, "kernel"), _module(node, "ramdisk")
    bootargs = kernel.string("bootargs") if kernel is not None else None
    # The small guest believes its header, and sums up what lies behind it.
    if kernel is not None and "in-header" not in (kernel.string("uefi,binary") or ""):
        facts["kernel"] = ["kernel"]
    if memory is not None:
        facts["memory"] = [f"{memory} kB"]
        facts["cpus"] = [f"{cpus}"]
        # Xen takes the first of several strings, and loses the others.
        facts["cmdline"] = [" ".join(kernel.strings("bootargs")) if bootargs else ""]
    elif bootargs:
        # Xen prefers what /chosen says.
        facts["cmdline"] = [node.string("xen,dom0-bootargs") or bootargs]
    title = None
    if ramdisk is not None:
        content = draft.files.get(ramdisk.string("uefi,binary") or ramdisk.string("xen,uefi-binary") or "", b"")
        title = content.split(b"\n")[0].decode(errors="replace")
        facts["ramdisk"] = [title]
    tree = _module(node, "device-tree")
    if tree is not None and memory is not None:
        # The domain may have got another name since.
        content = draft.files.get(tree.string("uefi,binary") or "", b"")
        facts["device"] = [name.decode() for name in re.findall(rb"clock of [^\0]+", content)[:1]] or [f"clock of {node.name}"]
    shared = [child.string("xen,shm-id") for child in node.children if child.is_compatible("xen,domain-shared-memory-v1")]
    if shared and memory is not None:
        facts["shared-memory"] = sorted(map(str, shared))
    # Newer Xens count shared memory as the guest's own.
    also = {}
    if shared and memory is not None:
        also["memory"] = f"{memory + sum(map(_shared_kib, node.children))} kB"
    words = re.search(r"\bevtchn=(\d+)", bootargs or "")
    if words:
        facts["connected"] = re.findall(r"\bevtchn=(\d+)", bootargs)[-1:]
    hostname = re.findall(r"\bhostname=(\S+)", bootargs or "")
    return Promise(hostname[-1] if hostname else title or "", facts, also)


def _shared_kib(node):
    """How much a node shares, in the cells that the grammar always gives it."""
    value = node.properties.get("xen,shared-mem")
    return int.from_bytes(value[-8:], "big") // 1024 if value and node.is_compatible("xen,domain-shared-memory-v1") else 0


def _module(node, kind):
    """The kernel, ramdisk or device-tree of a domain."""
    old = {"kernel": "xen,linux-zimage", "ramdisk": "xen,linux-initrd"}.get(kind)
    return next((child for child in node.children
                 if child.is_compatible(f"multiboot,{kind}") or old and child.is_compatible(old)), None)


def compare(draft, outcome):
    """(word, differences): whether all promises were kept."""
    differences, dead = [], False
    for promise in promises(draft):
        told = outcome.guests.get(promise.name, {})
        if "up" not in told:
            dead = True
            differences.append(f"{promise.name or '(no name)'}: is not up")
            continue
        for fact, values in promise.facts.items():
            got = sorted(told.get(fact, []))
            if got != values and got != [promise.also.get(fact)]:
                differences.append(f"{promise.name}: {fact} is {', '.join(got) or 'nothing'}, not {', '.join(values)}"[:300])
    for node in draft.chosen.children:
        if not node.is_compatible("xen,domain"):
            differences += [f"{child.name}: is not up, and not in /chosen" for child in node.children
                            if child.is_compatible("xen,domain")]
    # Xen takes one policy, whether it has a use for it or not.
    if sum(node.is_compatible("xen,xsm-policy") for node in draft.chosen.children) > 1:
        differences.append("Xen has lost a policy")
    # A pool does not show in a domain, but in what Xen says when it makes pools at all.
    if not dead and "in Pool-" not in outcome.text and any(
            "domain-cpupool" in node.properties for node in draft.chosen.children if node.is_compatible("xen,domain")):
        differences.append("Xen has made no pools")
    if dead:
        differences.append(f"Xen: {outcome.reason}")
    return (DIES if dead else LOSES if differences else BOOTS), differences


# What only Xen's EFI stub rejects, which has no part in this.
STUB = {"chosen-ranges", "nested-module", "cells-missing", "no-module", "config-missing"}


def disagree(verdict, word):
    """What is wrong with the verdict, if something is: a name for it, or None. With a warning something may be lost;
    nothing may die. What is refused may be what loses something."""
    if word == BOOTS and set(verdict.errors) <= STUB:
        return None
    if word == DIES and verdict.word != verdicts.REFUSED:
        return "death, no more than a warning" if verdict.word == verdicts.WARNED else "silent death"
    if word == LOSES and verdict.word == verdicts.FINE:
        return "silent loss"
    if word == BOOTS and verdict.word == verdicts.REFUSED:
        return "false refusal"
    return None
