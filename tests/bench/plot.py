"""build/bench/results.svg, drawn by gnuplot."""

import subprocess

COLOURS = {"direct": "#1b7837", "ordinary": "#a6dba0", "stock": "#c2a5cf", "stub": "#762a83", "raw": "#888888"}


def plot(out, cases):
    """Three pictures on one page: where a large file comes from, the same under limits, and how cost grows."""
    lines = [
        "set terminal svg size 960,1080 font 'sans-serif,13' background 'white'", f"set output '{out}/results.svg'",
        "set multiplot layout 3,1", "set style fill solid", "set grid y", "set key outside right", "set logscale y",
        "set ylabel 'seconds'",
    ]
    largest = [case for case in cases if case.section == "disks" and case.load == "1x256"]
    lines += bars("one kernel of 256 MiB", largest, lambda case: case.place)
    limited = [case for case in cases if case.section == "limits"]
    lines += bars("one kernel of 32 MiB from slower disks", limited, lambda case: f"{case.limit}\\n{case.place}")
    grown = [case for case in cases if case.section == "domains"]
    lines += curves("domains that share a kernel of 32 MiB", grown)
    (out / "results.gnuplot").write_text("\n".join(lines) + "\n")
    subprocess.run(["gnuplot", out / "results.gnuplot"], check=True)


def bars(title, cases, name):
    """A group for each place, a bar for each way."""
    if not cases:
        return []
    places = list(dict.fromkeys(map(name, cases)))
    ways = [way for way in COLOURS if any(case.way == way for case in cases)]
    seconds = {(name(case), case.way): case.median("seconds") for case in cases}
    lines = ["$data << END"]
    lines += [" ".join([f'"{place}"', *(str(seconds.get((place, way), "?")) for way in ways)]) for place in places]
    lines += ["END", f"set title {title!r}", "set style data histogram", "set style histogram clustered gap 1",
              "set datafile missing '?'", "unset xlabel", "set xrange [*:*]", "set xtics auto"]
    return [*lines, "plot " + ", ".join(
        f"$data using {column}:xtic(1) title {way!r} linecolor rgb {COLOURS[way]!r}"
        for column, way in enumerate(ways, 2))]


def curves(title, cases):
    """A curve for each place and way."""
    if not cases:
        return []
    lines, curves = [], {}
    for case in cases:
        curves.setdefault((case.place, case.way), []).append(f"{len(case.kernels())} {case.median('seconds')}")
    for number, points in enumerate(curves.values()):
        lines += [f"$curve{number} << END", *points, "END"]
    return [*lines, f"set title {title!r}", "set xlabel 'domains'", "set xrange [0:17]", "set xtics 1,1,16", "plot " + ", ".join(
        f"$curve{number} using 1:2 with linespoints title '{place.replace('_', ' ')}, {way}' linecolor rgb {COLOURS[way]!r}"
        f" dashtype {1 if place.startswith('fat') else 2}"
        for number, (place, way) in enumerate(curves))]
