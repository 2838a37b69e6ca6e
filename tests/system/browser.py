"""Debian's Chromium under Playwright, without a word to anybody outside this machine."""

from __future__ import annotations

import os
import shutil

from playwright.sync_api import Browser, Playwright

_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


def chromium(playwright: Playwright) -> Browser:
    """Start it, headless. Root may only do so without the sandbox."""
    program = shutil.which("chromium")
    assert program, "the Debian package chromium is missing"
    arguments = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return playwright.chromium.launch(executable_path=program, args=arguments, timeout=180_000)
