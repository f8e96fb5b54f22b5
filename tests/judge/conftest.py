"""Where the boot tests' helpers are, and what a test needs that may be missing."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1] / "boot")]

from needs import needs, pytest_fixture_setup      # noqa: F401: pytest finds them here
