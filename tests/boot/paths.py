"""Where the build left what the tests need, and what of it there is.

What is fetched, and some of Debian's packages, may be missing (scripts/things, scripts/packages): build/missing/NAME
then says why, and UNAVAILABLE in the environment makes more of them so. Whoever asks for such a thing here, in a test,
is skipped with that reason. So a test asks before it uses one, and needs no mark for that.
"""

import functools
import os
import re
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build"))


def _read_list(name):
    """The lines of scripts/NAME, in words."""
    lines = (ROOT / "scripts" / name).read_text().splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


# {kind: {name: what it is}}, and the packages that may be missing.
THINGS = {}
for _kind, _name, *_what in _read_list("things"):
    THINGS.setdefault(_kind, {})[_name.rstrip("?")] = " ".join(_what)
PACKAGES = {name.rstrip("?") for _, name, *_ in _read_list("packages") if name.endswith("?")}
NAMES = {name if kind in ("source", "guest") else f"{kind}-{name}" for kind in THINGS for name in THINGS[kind]} | PACKAGES

# What the running test has asked for, and what it has got where any of its kind would do; needs.py looks at both.
asked, chosen = set(), set()


def why_missing(name):
    """Why the thing or package `name` cannot be had; None when it can."""
    if name.endswith("-own"):
        return None
    if name not in NAMES:
        raise KeyError(f"{name}: neither scripts/things nor scripts/packages has that")
    if name in os.environ.get("UNAVAILABLE", "").split():
        return f"{name} cannot be had: it is in UNAVAILABLE"
    note = BUILD / "missing" / name
    return note.read_text().strip() if note.exists() else None


def skip(reason):
    """The running test cannot say anything, for this reason. Outside of tests that is an error."""
    if "pytest" not in sys.modules:
        sys.exit(reason)
    import pytest
    pytest.skip(reason, allow_module_level=True)


def need(*names):
    """Ask for things or packages."""
    asked.update(names)
    for name in names:
        reason = why_missing(name)
        if reason:
            skip(reason)


class _Guest:
    """BUILD/guest: what `GUEST / NAME` names is asked for."""

    def __truediv__(self, name):
        thing = re.sub(r"\.(efi|tar)$", "", name)
        if thing in NAMES:
            need(thing)
        return BUILD / "guest" / name


GUEST = _Guest()


def there(kind):
    """The names of that kind that can be had."""
    return [name for name in THINGS[kind] if not why_missing(f"{kind}-{name}")]


class Any(str):
    """The name of a thing that any other of its kind could stand in for."""


def _some(kind, wanted, told):
    """One of its kind, no matter which: the one that the environment chooses, else the first that can be had, and rather
    one of `wanted`."""
    found = [name for name in [told, *wanted, *THINGS[kind]] if name and (name == told or name in there(kind))]
    if not found:
        skip(f"no {kind} can be had: " + "; ".join(why_missing(f"{kind}-{name}") for name in THINGS[kind]))
    return Any(found[0])


OWN_GRUB = os.environ.get("GRUB_SOURCE")
OWN_XEN = os.environ.get("XEN_SOURCE") or ("/" in os.environ.get("XEN", "") and os.environ["XEN"])


def some_grub(*wanted):
    """A GRUB for a test that does not care which."""
    return _some("grub", wanted or ["2.12"], "own" if OWN_GRUB else os.environ.get("GRUB"))


def some_xen(*wanted):
    """The same of Xen."""
    return _some("xen", wanted, "own" if OWN_XEN else os.environ.get("XEN"))


def _take(name, version):
    """Ask for a thing by its full name, unless `version` was chosen as any."""
    if isinstance(version, Any):
        chosen.add(name)
    else:
        need(name)


def grub_dir(version):
    """The installation that `make install GRUB=version` leaves, as the tests use it."""
    _take(f"grub-{version}", version)
    return BUILD / f"grub-{version}" / "install"


def xen_image(version):
    """The file of a Xen: a version, `static`, or `own`, which is the one that the environment brings."""
    if version == "own" and not os.environ.get("XEN_SOURCE"):
        return Path(OWN_XEN).resolve()
    _take(f"xen-{version}", version)
    return BUILD / "guest" / f"xen-{version}.efi"


def static_xen(*options):
    """A Xen with static memory built in, and these other options of its configuration: the one that was built for that,
    or the one that the environment brings. Its name for xen_image."""
    name = "own" if OWN_XEN else "static"
    image = xen_image(name)
    lacking = [option for option in ("STATIC_MEMORY", *options) if option not in xen_options(image)]
    if lacking:
        skip(f"{image.name}, Xen {xen_version(image)}, is built without {', '.join(lacking)}")
    return name


@functools.cache
def _inflated(image):
    """The gzip streams in an image that are text."""
    data, found = image.read_bytes(), []
    for start in re.finditer(rb"\x1f\x8b\x08", data):
        try:
            text = zlib.decompressobj(31).decompress(data[start.start():])
        except zlib.error:
            continue
        if b"CONFIG_" in text:
            found.append(text.decode())
    return found


def xen_options(image):
    """What an image says it was built with, without CONFIG_."""
    return {option for text in _inflated(image) for option in re.findall(r"^CONFIG_(\w+)=y$", text, re.MULTILINE)}


def xen_version(image):
    """What an image says it is, such as 4.17.5."""
    found = re.search(r"\bXen (\d+\.\d+[\w.-]*)", image.read_bytes().decode("utf-16-le", errors="replace")) \
        or re.search(r"\bXen (\d+\.\d+[\w.-]*)", image.read_bytes()[1:].decode("utf-16-le", errors="replace"))
    return found[1] if found else "unknown"


def qemu_program():
    return os.environ.get("QEMU") or "qemu-system-aarch64"
