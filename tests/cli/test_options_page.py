"""What `slimline options` prints."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from pipeline.cli.entry import commands
from pipeline.cli.options_page import MAX_WIDTH, page
from pipeline.config.describe import all_paths, describe
from pipeline.config.schema import Config


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines break where the terminal ends, and a test's terminal may be any."""
    monkeypatch.setenv("COLUMNS", str(MAX_WIDTH))


def test_the_overview_names_every_section_and_where_to_go_on() -> None:
    text = page(describe())
    for section in Config.model_fields:
        assert f"\n{section} " in text
    assert "slimline options train.optimizer.sgd" in text


def test_a_section_shows_type_limits_default_and_meaning() -> None:
    text = page(describe("train"))
    assert "epochs" in text
    assert "integer, 1 to 100,000; default 20; passes over the training split" in text
    assert "early_stopping.patience" in text
    assert "more: slimline options train.optimizer | train.schedule" in text


def test_kinds_and_how_to_choose_one() -> None:
    text = page(describe("train.schedule"))
    assert "kind: one of" in text
    assert "cosine: Half a cosine" in text
    assert 'steps (300 or "300 steps"), "2 epochs"' in text
    arguments = page(describe("train.optimizer"))
    assert "beta_1, beta_2: a number from 0 to 1" in arguments


def test_no_line_is_longer_than_a_terminal() -> None:
    paths = [path for path in all_paths() if path.count(".") < 3]
    lines = [line for path in ["", *paths] for line in page(describe(path)).splitlines()]
    assert max(map(len, lines)) <= MAX_WIDTH


def test_json_is_one_object_with_all_of_it() -> None:
    result = CliRunner().invoke(commands, ["options", "train.schedule", "--json"])
    told = json.loads(result.output)
    assert told["path"] == "train.schedule"
    kinds = {kind["name"]: kind for kind in told["kinds"]}
    drop = next(k for k in kinds["step"]["keys"] if k["path"].endswith("drop"))
    assert drop["required"] is True
    assert drop["limits"] == "> 0, ≤ 1"


def test_neither_tensorflow_nor_numpy_is_needed() -> None:
    code = (
        "import sys; from pipeline.config.describe import describe; describe('train'); "
        "from pipeline.cli import options_page; "
        "print([m for m in ('tensorflow', 'keras', 'numpy', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
