"""A comparison on disk: real data, tiny trainings, the files it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.artifacts.locks import hold_lock
from pipeline.config.load import validate
from pipeline.config.schema import Config
from pipeline.errors import BusyError
from pipeline.optimizer_study import compare
from pipeline.optimizer_study.compare import compare_optimizers, prepared_data
from pipeline.optimizer_study.settings import plan_study
from pipeline.optimizer_study.study import study_digest
from pipeline.progress import SilentProgress


@pytest.fixture(scope="module")
def config() -> Config:
    return validate(
        {
            "run": {"name": "mine"},
            "data": {"source": "digits", "max_train_samples": 200},
            "model": {"architecture": "mlp", "units": [8]},
            "train": {"epochs": 2, "batch_size": 50},
        }
    )


def test_page_figures_and_ledger_and_a_second_call_trains_nothing(
    config: Config, tmp_path: Path
) -> None:
    settings = plan_study(config, ("sgd", "adam"), 1, {"sgd": 0.1, "adam": 0.01})
    first = compare_optimizers(config, settings, tmp_path, SilentProgress(), command="again")
    assert first.page == tmp_path / "mine" / "optimizers" / "optimizers.html"
    assert ">again<" in first.page.read_text(encoding="utf-8")
    figures = json.loads((tmp_path / "mine" / "optimizers" / "optimizers.json").read_text())
    assert figures == first.result
    assert [one["label"] for one in figures["optimizers"]] == ["sgd", "adam"]
    adam = figures["optimizers"][1]
    # two moments of (64 · 8 + 8 + 8 · 10 + 10) weights, and the counters
    assert 0 <= adam["state_bytes"] - 2 * 4 * 610 <= 16
    ledger = Path(figures["folder"]) / "ledger.jsonl"
    before = ledger.read_bytes()
    elsewhere = tmp_path / "page.html"
    again = compare_optimizers(config, settings, tmp_path, SilentProgress(), elsewhere)
    assert elsewhere.is_file()
    assert ledger.read_bytes() == before
    assert again.result["optimizers"] == first.result["optimizers"]
    assert not list((Path(figures["folder"]) / "trainings").iterdir())


def test_two_at_once_are_refused(config: Config, tmp_path: Path) -> None:
    settings = plan_study(config, ("sgd", "adam"), 1, {})
    _, digest = prepared_data(config, tmp_path, SilentProgress())
    folder = tmp_path / "mine" / "optimizers" / study_digest(settings, digest)[:16]
    with hold_lock(folder / ".lock", "held"), pytest.raises(BusyError, match="being compared"):
        compare_optimizers(config, settings, tmp_path, SilentProgress())


def test_another_file_of_weights_is_another_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, digests = tmp_path / "base.weights.h5", []
    config = validate(
        {
            "run": {"name": "mine"},
            "data": {"source": "digits", "preprocessing": {"kind": "none"}},
            "model": {"architecture": "applications/MobileNetV2", "weights": str(file)},
        }
    )
    settings = plan_study(config, ("sgd", "adam"), 1, {})

    def stop(settings: object, data: object, digest: str, *rest: object) -> None:
        digests.append(digest)
        raise BusyError("far enough")

    monkeypatch.setattr(compare, "run_study", stop)
    for content in (b"one", b"one", b"two"):
        file.write_bytes(content)
        with pytest.raises(BusyError, match="far enough"):
            compare_optimizers(config, settings, tmp_path, SilentProgress())
    assert digests[0] == digests[1] != digests[2]


def test_fresh_data_is_taken_as_it_is(config: Config, tmp_path: Path) -> None:
    first = prepared_data(config, tmp_path, SilentProgress())
    record = tmp_path / "mine" / "run.json"
    record.write_text("of a finished run")
    assert prepared_data(config, tmp_path, SilentProgress())[1] == first[1]
    assert record.read_text() == "of a finished run"
