"""Chromium, for the tests that look at the page as a reader's browser would."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--enable-logging=stderr",
)  # fmt: skip

Browse = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Opens an HTML text in a fresh headless Chromium with the flags given."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no browser to look with: none of {', '.join(PROGRAMS)} is installed")

    def run(html: str, *flags: str) -> subprocess.CompletedProcess[str]:
        page = tmp_path / "page.html"
        page.write_text(html, encoding="utf-8")
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        return subprocess.run(
            [program, *FLAGS, profile, *flags, page.as_uri()],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip

    return run
