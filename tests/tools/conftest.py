"""What tests of the host's tools share: the tools as GRUB's build installs them, and boot/, a made-up boot file system.

    make check-tools, or  /usr/bin/python3 -m pytest tests/tools

GRUB in the environment chooses whose host programs are used.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

try:
    import jsonschema
except ImportError:
    jsonschema = None

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))

from needs import needs, pytest_fixture_setup      # noqa: F401: pytest finds them here
from paths import grub_dir, some_grub

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs/grub-dom0less-check.schema.json").read_text())

# As little as is taken for a kernel: an arm64 Image's magic, and room for its header.
IMAGE = bytes(0x38) + b"ARM\x64" + bytes(4096)


@pytest.fixture
def grub():
    """The installation of GRUB that has the tools."""
    return grub_dir(some_grub())


@pytest.fixture
def check(grub):
    """check(ARGUMENT...) runs grub-dom0less-check. Returns what subprocess.run does, with text. Whatever JSON it prints
    has been seen to fit the schema; without python3-jsonschema test_schema is skipped."""
    def run(*arguments, **options):
        done = subprocess.run([grub / "bin/grub-dom0less-check", *arguments], capture_output=True, text=True, **options)
        if "--json" in arguments and done.stdout and jsonschema:
            jsonschema.validate(json.loads(done.stdout), SCHEMA)
        return done
    return run


@pytest.fixture
def put(tmp_path):
    """put({name: bytes or text}) makes files in boot/. Returns that folder."""
    def write(files):
        folder = tmp_path / "boot"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder
    return write
