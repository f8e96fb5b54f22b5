"""The demonstration, as `make run` starts it."""

import os
import subprocess

import pexpect

from machine import TIMEOUT
from paths import ROOT, need

RUN = str(ROOT / "scripts/run-demo")


def test_without_terminal():
    """It shows the console, what both domains reported, and ends with 0."""
    need("vmlinuz", "busybox")
    done = subprocess.run([RUN], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Xen with DomA and DomB" in done.stdout
    assert "DomA: 2 vCPUs" in done.stdout and "DomB: 3 vCPUs" in done.stdout


def test_failure():
    """It ends with 1, and the reason in one line."""
    for name, value in {"FIRMWARE": "bios", "MEMORY": "much", "XEN": "3.0"}.items():
        done = subprocess.run([RUN], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, name: value})
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert value in done.stderr


def test_on_terminal():
    """It says the keys first; they switch the console from domain to domain, and leave."""
    need("vmlinuz", "busybox")
    demo = pexpect.spawn(RUN, encoding="utf-8", codec_errors="replace", timeout=TIMEOUT)
    try:
        demo.expect("Ctrl-a three times .*Ctrl-\\] x ")
        demo.expect("guest DomB: up")
        demo.send("\x01\x01\x01")
        demo.expect(r"Serial input to DOM\d")
        demo.send("\x1dx")
        demo.expect(pexpect.EOF)
        demo.close()
        assert demo.exitstatus == 0
    finally:
        demo.close(force=True)
