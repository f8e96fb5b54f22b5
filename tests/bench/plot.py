"""build/bench/results.svg, drawn by gnuplot."""

import subprocess

NAMES = {
    "fat_4k": "FAT 4 KiB", "fat_32k": "FAT 32 KiB", "ext4_1k": "ext4 1 KiB", "ext4_4k": "ext4 4 KiB", "xfs": "XFS",
    "btrfs": "btrfs", "iso9660": "ISO 9660", "lvm": "ext4 on LVM", "http": "HTTP", "tftp": "TFTP",
}
COLOURS = {"direct": "#1b7837", "ordinary": "#a6dba0", "stock": "#c2a5cf", "stub": "#762a83", "raw": "#888888",
           "small": "#cccccc"}


def plot(out, cases):
    """On one page: where a large file comes from, the same under limits, how that grows, and what it costs."""
    def some(section, *loads):
        return [case for case in cases
                if case.section == section and case.results and (not loads or case.load in loads)]

    def label(case):
        return NAMES[case.place].replace(" ", "\\n", 1)

    pictures = [
        *bars("one kernel of 256 MiB", "seconds", some("disks", "1x256"), label),
        *bars("one kernel of 32 MiB from slower disks", "seconds", some("limits"),
              lambda case: f"{case.limit}\\n{NAMES[case.place]}"),
        *curves("domains that share a kernel of 32 MiB", "seconds", some("domains")),
        *bars("one kernel of 32 MiB", "instructions", some("instructions", "1x32"), label),
    ]
    if not pictures:
        return
    script = "\n".join([
        "set terminal svg noenhanced size 1100,1300 font 'sans-serif,13' background 'white'",
        f"set output '{out}/results.svg'", "set multiplot layout 4,1", "set style fill solid",
        "set style data histogram", "set style histogram clustered gap 1", "set datafile missing '?'",
        "set grid y", "set key outside right", "set logscale y", "set yrange [:] extend", *pictures]) + "\n"
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def bars(title, unit, cases, name):
    """A group for each place, a bar for each way."""
    if not cases:
        return []
    ways = [way for way in COLOURS if any(case.way == way for case in cases)]
    value = {(name(case), case.way): case.median(unit) for case in cases}
    lines = ["$data << END"]
    for place in dict.fromkeys(map(name, cases)):
        lines.append(" ".join([f'"{place}"', *(str(value.get((place, way), "?")) for way in ways)]))
    drawn = [f"$data using {column}:xtic(1) title '{way}' linecolor rgb '{COLOURS[way]}'"
             for column, way in enumerate(ways, 2)]
    return [*lines, "END", f"set title '{title}'", f"set ylabel '{unit}'", "unset xlabel", "set xrange [*:*]",
            "set xtics auto", "plot " + ", ".join(drawn)]


def curves(title, unit, cases):
    """A curve for each place and way."""
    if not cases:
        return []
    curves = {}
    for case in cases:
        curves.setdefault((case.place, case.way), []).append(f"{len(case.kernels())} {case.median(unit)}")
    lines, drawn = [], []
    for number, ((place, way), points) in enumerate(curves.items()):
        lines += [f"$curve{number} << END", *points, "END"]
        drawn.append(f"$curve{number} using 1:2 with linespoints title '{NAMES[place]}, {way}'"
                     f" linecolor rgb '{COLOURS[way]}' dashtype {1 + (place != 'fat_4k')}")
    return [*lines, f"set title '{title}'", f"set ylabel '{unit}'", "set xlabel 'domains'", "set xrange [0:17]",
            "set xtics 1,1,16", "plot " + ", ".join(drawn)]
