"""How fast files come into memory, by which way, from where: `make bench`.

    make bench ROUNDS=3 GRUB=2.12        or, for a few minutes,   make bench QUICK=1

Every round is a machine of its own, which loads each thing in each way, one way after the other. Times are medians over
the rounds, by the guest's own clock; bytes and requests are QEMU's counts. One more machine has a clock that counts
instructions, which other load on the host does not change. Results go to build/bench: a table
(results.txt), all figures (results.json) and a plot (results.svg). Nothing is asserted.
"""

import argparse
import functools
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "boot"))

from disk import entry, make_disk, menu
from images import DOMAINS, FOLDER, MACHINE, SIZES, TREES, disks, loads, start
from machine import Machine, clean
from paths import BUILD, grub_dir
from plot import NAMES, plot
from web import web_server

OUT = BUILD / "bench"
WAYS = {
    "direct": "xen_dom0less",
    "ordinary": "with xen_dom0less_direct=0",
    "stock": "xen_hypervisor and xen_module, one for each domain",
    "stub": "Xen's EFI stub",
    "raw": "EFI Block I/O, 8 MiB at a time",
    "small": "EFI Block I/O, 640 KiB at a time, which is the most that GRUB itself asks for",
}
DISKS = ["fat_4k", "fat_32k", "ext4_1k", "ext4_4k", "xfs", "btrfs", "iso9660", "lvm"]
MARK = r"[\r\n]@(\d+|end)[\r\n]"
# Requests a second and MiB a second.
LIMITS = {"eMMC": (2000, 150), "SD card": (500, 40), "network disk": (200, 100)}


class Case:
    """One thing to be measured: a load (images.loads) from a place in one of WAYS, into memory that was never touched
    or not, from a disk within LIMITS or not. `unit` is that of the guest's clock."""

    def __init__(self, section, place, load, way, untouched=False, limit=None, unit="seconds"):
        self.section, self.place, self.load, self.way = section, place, load, way
        self.untouched, self.limit, self.unit = untouched, limit, unit
        self.results = []

    def key(self):
        return self.section, self.place, self.load, self.limit

    def is_network(self):
        return self.place in ("tftp", "http")

    def is_signed(self):
        return self.section.startswith("signed")

    def times(self):
        """How often in a round: what takes little is soon disturbed."""
        return 3 if self.section in ("disks", "domains") and self.way not in ("ordinary", "stock") else 1

    def kernels(self):
        return loads()[self.load]

    def size(self):
        """MiB of one kernel."""
        return -(-(FOLDER / "files" / self.kernels()[0]).stat().st_size >> 20)

    def lines(self):
        """GRUB's commands for it. Each `time` prints a time; they add up."""
        device = f"(${self.place})"
        lines = ["bench_forget"]
        if self.is_signed():
            lines.append("set check_signatures=enforce")
        if self.limit:
            # A second's tenth is free, until it is used up.
            lines.append(f"bench_raw ${self.place} {LIMITS[self.limit][1] // 10} 8192 0")
        if self.way == "stock":
            lines.append(f"time xen_hypervisor {device}/xen.efi")
            lines += [f"time xen_module {device}/{kernel}" for kernel in self.kernels()]
        elif self.way == "stub":
            lines += [f"set root=${self.place}", f"time chainloader /xen.efi xen.efi -cfg={self.load}.cfg", "time boot"]
        elif self.way in ("raw", "small"):
            # From where the file is: QEMU's host reads nothing for holes, and caches some images better than others.
            first = start(self.place, self.kernels()[0])
            lines.append(f"time bench_raw ${self.place} {self.size()} {8192 if self.way == 'raw' else 640} {first}")
        else:
            lines.append(f"set xen_dom0less_direct={int(self.way == 'direct')}")
            lines.append(f"time xen_dom0less --dtb {device}/{self.load}.dtb {device}/xen.efi")
        lines.append('echo "=$?"')
        if self.is_signed():
            lines.append("set check_signatures=no")
        if self.untouched:
            lines += ["bench_forget", f"bench_hold {self.size() + 16}"]
        return lines

    def note(self, text, counts):
        """What was printed and counted."""
        times = [int(seconds) + int(thousandths) / 1000
                 for seconds, thousandths in re.findall(r"Elapsed time: (\d+)\.(\d+) seconds", text)]
        status = re.search(r"^=(\d+)", text, re.MULTILINE)
        # Xen's stub has to come back, and for that reason.
        good = "Error processing boot modules" in text if self.way == "stub" else status and status.group(1) == "0"
        if not good or not times:
            print(f"\rbench: {self.way} failed, {' '.join(filter(None, self.key()))}:\n{text.strip()}", file=sys.stderr)
            return
        # With -icount one instruction is one nanosecond.
        scale = 1e9 if self.unit == "instructions" else 1
        self.results.append({self.unit: round(sum(times) * scale, 3), **counts})

    def median(self, what):
        values = [result[what] for result in self.results if result.get(what) is not None]
        return statistics.median(values) if values else None


def cases(quick, sections):
    """All of them, in the order of a round."""
    def each(section, places, loads, ways=tuple(WAYS), **more):
        return [Case(section, place, load, way, **more) for load in loads for place in places for way in ways
                if (way != "stub" or place.startswith("fat"))
                and (way not in ("raw", "small") or place not in ("lvm", "tftp", "http"))]

    # Untouched memory first: afterwards there is less of it.
    found = each("untouched", ["fat_4k", "ext4_1k", "ext4_4k"], ["1x256"], untouched=True)
    found += each("disks", ["fat_4k", "ext4_1k", "ext4_4k"] if quick else DISKS,
                  ["1x256"] if quick else [f"1x{size}" for size in SIZES])
    found += each("domains", ["fat_4k", "ext4_4k"], [f"{count}x32" for count in ([1, 12] if quick else DOMAINS)],
                  ["direct", "stock", "stub"])
    signed = functools.partial(each, places=["fat_4k", "ext4_4k"], loads=["1x32"], ways=["direct", "ordinary", "stock"])
    found += signed("signed")
    if not quick:
        packed = functools.partial(each, "packed", ["ext4_4k"])
        found += packed(["1xlinux", "1xlinux.gz"], ["direct", "ordinary", "stock"])
        found += packed(["4xlinux", "4xlinux.gz", "12xlinux", "12xlinux.gz"], ["direct", "ordinary"])
        found += each("tree", ["ext4_4k"], ["1x1", *(f"tree-{size}" for size in TREES)], ["direct"])
        for limit in LIMITS:
            found += each("limits", ["fat_4k", "ext4_4k"], ["1x32"], limit=limit)
        # No more than that: GRUB gets some MiB a second there.
        found += each("network", ["http", "tftp"], ["1x1", "1x32"], ["direct", "stock"])
        instructions = functools.partial(each, "instructions", unit="instructions")
        found += instructions(DISKS, ["1x32"], ["direct", "ordinary", "stock", "stub"])
        found += signed("signed-instructions", unit="instructions")
        found += instructions(["fat_4k", "ext4_4k"], ["1x256"], ["direct", "stub", "raw", "small"])
        found += instructions(["ext4_4k"], [f"{count}x32" for count in DOMAINS[1:]], ["direct"])
        found += instructions(["ext4_4k"], ["1xlinux.gz", "4xlinux.gz"], ["direct", "ordinary"])
        found += instructions(["ext4_4k"], ["1x1", *(f"tree-{size}" for size in TREES)], ["direct"])
    return [case for case in found if not sections or case.section in sections]


def in_turn(cases, number):
    """The cases of one round: those that differ in the way alone begin with another one each time, and some come more
    than once."""
    groups = {}
    for case in cases:
        groups.setdefault(case.key(), []).append(case)
    return [case for group in groups.values()
            for case in group[number % len(group):] + group[:number % len(group)]
            for _ in range(case.times())]


def script(cases, port):
    """For GRUB: every case between a mark and the next, where it waits for a key."""
    lines = ["insmod xen_dom0less", "insmod xen_dom0less_bench", "insmod lvm"]
    for place in DISKS:
        lines.append(f"search --no-floppy --set={place} --file /is-{place}")
    if any(case.is_signed() for case in cases):
        # Nothing is loaded by itself while signatures are wanted.
        lines += ["insmod time", "insmod xen_boot", "insmod pgp", "insmod gcry_sha256", "insmod gcry_sha512", "insmod gcry_rsa",
                  "trust ($fat_4k)/key"]
    if any(case.is_network() for case in cases):
        lines += ["insmod efinet", "net_dhcp", "set tftp=tftp,192.0.2.2", f"set http=http,192.0.2.2:{port}"]
    for number, case in enumerate(cases):
        # From here on all memory that is read to has been touched.
        if not case.untouched and (number == 0 or cases[number - 1].untouched):
            lines.append("bench_raw $fat_4k 1000 8192 0")
        lines += [f'echo "@{number}"', "read go", *case.lines()]
    return "\n".join([*lines, 'echo "@end"', "read go", ""])


class Monitor:
    """QEMU's, by QMP."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("r")
        self.file.readline()
        self.run("qmp_capabilities")

    def run(self, command, **arguments):
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = json.loads(self.file.readline())
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def counts(self, disk):
        """What was read from it so far."""
        stats = {block["device"]: block["stats"] for block in self.run("query-blockstats")}[disk]
        return {"bytes": stats["rd_bytes"], "requests": stats["rd_operations"]}

    def limit(self, disk, requests=0, mib=0):
        nothing = dict.fromkeys(["bps_rd", "bps_wr", "iops_rd", "iops_wr"], 0)
        self.run("block_set_io_throttle", device=disk, bps=mib << 20, iops=requests, **nothing)


def run_round(name, cases, images, grub, options=()):
    """One machine, and all that is measured in it. `options` are QEMU's."""
    if not cases:
        return
    with tempfile.TemporaryDirectory(dir=OUT) as scratch, web_server(FOLDER / "files") as port:
        system = make_disk(f"{scratch}/disk", grub, {"bench": script(cases, port)}, menu(entry("none", "true")))
        extra = [*options, "-qmp", f"unix:{scratch}/qmp,server=on,wait=off",
                 "-netdev", f"user,id=net,net=192.0.2.0/24,host=192.0.2.2,tftp={FOLDER}/files",
                 "-device", f"virtio-net-device,netdev=net,bootindex={len(images) + 1}"]
        for index, place in enumerate(DISKS, 1):
            # EDK2 finds a disk only if it might boot from it.
            extra += ["-drive", f"if=none,id=disk{index},format=raw,readonly=on,file={images[place]}",
                      "-device", f"virtio-blk-device,drive=disk{index},bootindex={index}"]
        with Machine(system, OUT / f"{name}.log", extra=extra, **MACHINE) as machine:
            machine.prompt()
            monitor = Monitor(f"{scratch}/qmp")
            machine.send("source /bench")
            machine.expect(MARK)
            for index, case in enumerate(cases):
                if sys.stdout.isatty():
                    print(f"\rbench: {name}, {index + 1} of {len(cases)} ", end="", flush=True)
                disk = f"disk{DISKS.index(case.place) + 1}" if case.place in DISKS else None
                if case.limit:
                    monitor.limit(disk, *LIMITS[case.limit])
                before = monitor.counts(disk) if disk else {}
                machine.press("\r")
                match, _ = machine.expect(r"(?s)^(.*?)" + MARK, timeout=1800)
                after = monitor.counts(disk) if disk else {}
                if case.limit:
                    monitor.limit(disk)
                case.note(clean(match.group(1)), {what: after[what] - before[what] for what in after})
    print(f"\rbench: {name} is done    ", flush=True)


def table(cases):
    """A line for what was loaded, a column for how."""
    lines, section = [], None
    by_key = {}
    for case in cases:
        by_key.setdefault(case.key(), {})[case.way] = case
    for (name, place, load, limit), ways in by_key.items():
        if name != section:
            section = name
            lines += ["", f"{name:38}" + "".join(f"{way:>22}" for way in WAYS)]
        line = f"{NAMES[place]:13}{load:12}{limit or '':13}"
        for way in WAYS:
            case = ways.get(way)
            text = "failed" if case else ""
            if case and case.results:
                value = case.median(case.unit)
                text = f"{value:.3f} s" if case.unit == "seconds" else f"{value / 1e6:.0f} M"
                if case.median("requests") is not None:
                    text += f" {case.median('requests'):6.0f} req"
            line += f"{text:>22}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def figures(cases):
    """What the project promises: [(what, measured, the word for the limit, wanted)]."""
    found = {(*case.key()[:3], case.way): case for case in cases if not case.limit}

    def ratio(above, below, what="seconds"):
        above, below = (case and case.median(what) for case in (found.get(above), found.get(below)))
        return above / below if above and below else None

    wanted = []
    for section, memory in ("disks", "used memory"), ("untouched", "untouched memory"):
        def pair(place, one, other):
            return (section, place, "1x256", one), (section, place, "1x256", other)

        wanted += [(f"{NAMES[place]}, 256 MiB, {memory}: {one} / {other}",
                    ratio(*pair(place, one, other)), limit, value)
                   for place, one, other, limit, value in (
                       ("fat_4k", "direct", "stub", "at most", 1),
                       ("fat_4k", "stock", "direct", "at least", 5),
                       ("ext4_4k", "stock", "direct", "at least", 5),
                       ("ext4_1k", "stock", "direct", "at least", 3),
                   )]
    wanted.append(("ext4 4 KiB, 256 MiB, untouched memory: direct / raw", ratio(*pair("ext4_4k", "direct", "raw")),
                   "at most", 2))
    for section, what in ("domains", "seconds"), ("domains", "bytes"), ("instructions", "instructions"):
        twelve, one = ((section, "ext4_4k", f"{count}x32", "direct") for count in (12, 1))
        wanted.append((f"ext4 4 KiB, 12 domains / 1, {what}", ratio(twelve, one, what), "at most", 1.1))
    return [figure for figure in wanted if figure[1] is not None]


def versions(grub):
    """What it was measured with, and on."""
    def said(*command):
        return subprocess.run(command, capture_output=True, text=True, cwd=BUILD).stdout.split("\n")[0].strip()

    return {
        "QEMU": said("qemu-system-aarch64", "--version"),
        "EDK2": said("dpkg-query", "-W", "-f", "${Version}", "qemu-efi-aarch64"),
        "GRUB": said(str(grub / "bin/grub-mkimage"), "--version").split(" ")[-1],
        "Xen": "4.17",
        "commit": said("git", "describe", "--always", "--dirty"),
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def write_results(measured, rounds, context):
    """What is known after so many rounds. Returns the table."""
    found = figures(measured)
    text = table(measured) + "\n\n" + "\n".join(
        f"figure: {what}: {ratio:.2f}, wanted {limit} {wanted}" for what, ratio, limit, wanted in found) + "\n"
    (OUT / "results.txt").write_text(text)
    (OUT / "results.json").write_text(json.dumps({
        "on": context, "rounds": rounds, "ways": WAYS,
        "limits": {name: {"requests per second": requests, "MiB per second": mib}
                   for name, (requests, mib) in LIMITS.items()},
        "measured": [{"section": case.section, "place": case.place, "load": case.load, "way": case.way,
                      "limit": case.limit, "untouched": case.untouched,
                      **{what: case.median(what) for what in (case.unit, "bytes", "requests")},
                      "rounds": case.results} for case in measured],
        "figures": [dict(zip(("what", "measured", "limit", "wanted"), figure)) for figure in found],
    }, indent=1) + "\n")
    return text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--grub", default="2.12")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("sections", nargs="*",
                        help="untouched, disks, domains, signed, packed, tree, limits, network, instructions,"
                             " signed-instructions; or all")
    options = parser.parse_args()
    grub = grub_dir(options.grub)
    OUT.mkdir(parents=True, exist_ok=True)
    measured = cases(options.quick, options.sections)
    if not measured:
        parser.error("there is nothing to measure in these sections, or not with --quick")
    context = versions(grub)
    images = disks()
    timed, counted = ([case for case in measured if case.unit == unit] for unit in ("seconds", "instructions"))
    for number in range(1, options.rounds + 1):
        run_round(f"round-{number}", in_turn(timed, number), images, grub)
        write_results(timed, number, context)
    run_round("instructions", counted, images, grub, ["-icount", "shift=0,sleep=off"])
    print(write_results(measured, options.rounds, context))
    plot(OUT, measured)


main()
