"""The climb: the first rung that keeps the promise, or none and the best file kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PromiseError
from pipeline.quantization import ladder
from pipeline.quantization.attempt import Attempt, Change
from pipeline.quantization.ladder import climb, describe_attempt
from pipeline.quantization.material import Material
from pipeline.quantization.rungs import QAT, Rung
from pipeline.quantization.source import Source

SOURCE = Source(save=lambda folder, batch: None, predict=lambda x: x[:])
ONE, TWO = Change("one"), Change("two")


def tried(rung: str, change: Change, drop: float, tmp_path: Path, loss: float = 1.0) -> Attempt:
    path = tmp_path / f"{change.words}.tflite"
    path.write_bytes(change.words.encode())
    file = {
        "name": "int8", "accuracy_drop": drop, "size_bytes": 4300, "gzip_bytes": 2000,
        "validation": {"loss": loss}, "layer_errors": None,
    }  # fmt: skip
    return Attempt(rung, change, 1.5, file, path, SOURCE, tmp_path)


@pytest.fixture
def steps(
    gather: Callable[..., Material], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[Material, list[str]]]:
    """Sets what each try loses, by its words; a text is the reason why it cannot be tried."""

    def build(drops: dict[str, float | str]) -> tuple[Material, list[str]]:
        seen: list[str] = []

        def answer(rung: str, change: Change) -> Attempt:
            seen.append(change.words)
            found = drops[change.words]
            if isinstance(found, str):
                return Attempt(rung, change, 0.5, reason=found)
            return tried(rung, change, found, tmp_path)

        def after(rung: str, change: Change, *rest: Any) -> Attempt:
            return answer(rung, change)

        rungs = (Rung("first", lambda best, layers: [ONE]), Rung("second", lambda b, e: [TWO]))
        monkeypatch.setattr(ladder, "RUNGS", rungs)
        monkeypatch.setattr(ladder, "try_after_training", after)
        monkeypatch.setattr(ladder, "try_with_training", lambda r, m: answer(r, Change("qat")))
        monkeypatch.setattr(ladder._Climber, "measure_layers", lambda *args: {"layers": []})
        material = gather(method="auto", max_accuracy_drop=0.01)
        material.output.mkdir()
        return material, seen

    return build


def test_the_first_rung_that_keeps_the_promise_is_taken(steps: Any) -> None:
    material, seen = steps({"one": 0.02, "two": 0.01, "qat": 0.0})
    made = climb(material)
    assert seen == ["one", "two"]
    assert made.paths == [material.output / "int8.tflite"]
    assert made.paths[0].read_bytes() == b"two"
    assert made.files[0]["accuracy_drop"] == 0.01 and made.source is SOURCE
    assert made.files[0]["layer_errors"] == {"layers": []}
    assert made.ladder is not None
    assert made.ladder["promise"] == {"max_accuracy_drop": 0.01}
    assert [row["kept"] for row in made.ladder["rungs"]] == [False, True]
    assert material.progress.lines == [
        "first (one): loses 0.0200 of accuracy, 4.3 KB, 1.5 s: promise not kept",
        "second (two): loses 0.0100 of accuracy, 4.3 KB, 1.5 s: promise kept",
    ]
    assert not material.failed.exists()


def test_a_rung_that_cannot_be_tried_is_named_and_passed_over(steps: Any) -> None:
    material, seen = steps({"one": "refused", "two": 0.02, "qat": 0.005})
    made = climb(material)
    assert seen == ["one", "two", "qat"]
    assert material.progress.lines[0] == "first (one): passed over: refused"
    assert made.ladder is not None and made.ladder["rungs"][0]["reason"] == "refused"
    assert made.ladder["rungs"][-1]["rung"] == QAT
    assert made.files[0]["layer_errors"] == {"layers": []}


def test_when_none_keeps_it_the_best_file_is_kept_and_named(steps: Any) -> None:
    material, _ = steps({"one": 0.03, "two": 0.02, "qat": 0.025})
    with pytest.raises(PromiseError) as caught:
        climb(material)
    path = material.failed / "int8.tflite"
    assert path.read_bytes() == b"two"
    assert str(caught.value).startswith(
        "quantize: no rung of the ladder keeps max_accuracy_drop 0.01; the best, second (two), "
        f"loses 0.0200 of accuracy on validation data and is kept in {path}; "
    )
    rows = json.loads((material.failed / "ladder.json").read_text())["rungs"]
    assert [row["tried"] for row in rows] == ["one", "two", "qat"]
    assert not list(material.output.iterdir())


def test_when_nothing_can_be_tried_all_reasons_are_told(steps: Any) -> None:
    material, _ = steps({"one": "a", "two": "b", "qat": "c"})
    with pytest.raises(PromiseError, match=r"could be tried: first: a; second: b; quantiz.*: c$"):
        climb(material)
    assert not material.failed.exists()


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        ({"layers": []}, "fewer than two layers have noise of their own"),
        ({"reason": "no kernel for X"}, "no kernel for X"),
    ],
)
def test_a_rung_that_has_nothing_to_try_says_why(
    steps: Any, monkeypatch: pytest.MonkeyPatch, measured: Any, reason: str
) -> None:
    material, _ = steps({"one": 0.02, "qat": 0.0})
    first = Rung("first", lambda best, layers: [ONE])
    empty = Rung("worst", lambda best, layers: [], reads_layers=True)
    monkeypatch.setattr(ladder, "RUNGS", (first, empty))
    monkeypatch.setattr(ladder._Climber, "measure_layers", lambda *args: measured)
    made = climb(material)
    assert material.progress.lines[1] == f"worst (nothing): passed over: {reason}"
    assert made.ladder is not None and made.ladder["rungs"][1]["reason"] == reason


def test_outputs_that_are_not_finite_keep_no_promise(gather: Any, tmp_path: Path) -> None:
    material = gather(method="auto", max_accuracy_drop=0.5)
    attempt = tried("first", ONE, 0.1, tmp_path, loss=float("nan"))
    assert describe_attempt(attempt, material.settings, "accuracy").endswith("promise not kept")
    assert ladder._rank(attempt) > ladder._rank(tried("second", TWO, 0.4, tmp_path))
    finite = replace(attempt, file={**(attempt.file or {}), "validation": {"loss": 1.0}})
    assert describe_attempt(finite, material.settings, "accuracy").endswith("promise kept")
