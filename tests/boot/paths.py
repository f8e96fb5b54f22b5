"""Where the build left what the boot tests need."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build"))
GUEST = BUILD / "guest"


def grub_dir(version):
    """The installation that `make install GRUB=version` leaves, as the tests use it."""
    return BUILD / f"grub-{version}" / "install"
