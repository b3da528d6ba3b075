"""Fixtures for all tests: real data where it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.fake_chain"]
ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With pytest-xdist a file stays on one worker, and so do the fixtures that it shares.

    The whole chains are one group: they share a trained run.
    """
    for item in items:
        chains = item.path.parent.name == "integration"
        item.add_marker(pytest.mark.xdist_group("chains" if chains else str(item.path)))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is unset."""
    folder = os.environ.get("SLIMLINE_DATA")
    if not folder:
        pytest.skip("SLIMLINE_DATA is unset: no real data sets here")
    return Path(folder)
