"""What every test here gets."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))

from needs import needs, pytest_fixture_setup      # noqa: F401: pytest finds them here
