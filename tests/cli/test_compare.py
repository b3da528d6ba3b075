from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.compare import compare
from pipeline.errors import ArtifactError, ConfigError
from pipeline.reporting.comparison_runs import read_runs
from tests.reporting.sample_comparison import sample_runs, write_sample


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    for run in sample_runs():
        write_sample(tmp_path / "artifacts", run)
    return tmp_path / "artifacts"


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(compare, [str(word) for word in words])


def test_command_prints_tables_and_writes_the_page(artifacts: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = invoke("first", "second", "--artifacts", artifacts, "--html", page)
    assert done.exit_code == 0, done.output
    assert "train.epochs" in done.stdout and f"page: {page}" in done.stdout
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_command_prints_one_json_object(artifacts: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = invoke("first", artifacts / "second", "--artifacts", artifacts, "--json", "--html", page)
    assert [run["name"] for run in json.loads(done.stdout)["runs"]] == ["first", "second"]
    assert done.stderr == f"page: {page}\n"


@pytest.mark.parametrize(
    ("names", "kind", "words"),
    [
        ([], ConfigError, "0 runs given, expected two or more; .* has: first, second"),
        (["first"], ConfigError, "1 run given"),
        (["first", "first"], ConfigError, "'first' is given twice"),
        (["first", "third"], ArtifactError, "no run 'third'; there are: first, second"),
        (["first"] * 27, ConfigError, "27 runs given, expected at most 26"),
    ],
)
def test_what_is_no_comparison_is_refused(
    artifacts: Path, names: list[str], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        read_runs(artifacts, names)
    error = invoke(*names, "--artifacts", artifacts).exception
    assert isinstance(error, kind)


def test_a_page_that_cannot_be_written_is_said(artifacts: Path, tmp_path: Path) -> None:
    page = tmp_path / "file" / "page.html"
    page.parent.touch()
    error = invoke("first", "second", "--artifacts", artifacts, "--html", page).exception
    assert isinstance(error, ConfigError) and "is no folder" in str(error)
