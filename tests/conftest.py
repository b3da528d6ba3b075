"""Fixtures for all tests: real data where it is, a stage that begins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.artifacts.measurements import Measurements

pytest_plugins = ["tests.fake_chain", "tests.foreign.good_files"]
ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With pytest-xdist a file stays on one worker, and so do the fixtures that it shares.

    All that looks at the one trained run of the integration tests is a group of its own.
    """
    for item in items:
        shared = "small_run" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("small_run" if shared else str(item.path)))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is unset."""
    folder = os.environ.get("SLIMLINE_DATA")
    if not folder:
        pytest.skip("SLIMLINE_DATA is unset: no real data sets here")
    return Path(folder)


@pytest.fixture
def known(tmp_path: Path) -> Measurements:
    """Measurements of a stage that was never begun."""
    return Measurements(tmp_path / "sensitivity.json")
