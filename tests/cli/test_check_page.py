"""The page of `slimline check`, its JSON and its exit codes."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.cli import check_page
from pipeline.cli.entry import commands
from pipeline.config.load import validate
from pipeline.preflight import check
from pipeline.preflight.subject import Subject
from pipeline.preflight.verdicts import (
    ASPECTS,
    NOTHING,
    YES,
    Answers,
    Conversion,
    LayerRow,
    Preflight,
    TensorFacts,
    Verdict,
)
from tests.bridge.bridge_models import residual

HALF = Verdict("no", "computes in float16", "rebuild it with float32", blocks=True)
LEFT = Verdict("converter", "tfmot cannot quantize the class Rescaling")
ITSELF = Verdict("as_itself", "no row for it")


def row(name: str, kind: str, macs: int | None = 0, **verdicts: Verdict) -> LayerRow:
    return LayerRow(name, kind, 1_536, macs, 1, dict.fromkeys(ASPECTS, YES) | verdicts)  # type: ignore[arg-type]


def preflight(*rows: LayerRow, **changes: Any) -> Preflight:
    values: dict[str, Any] = {
        "name": "m",
        "class_name": "Functional",
        "rows": rows,
        "inputs": (TensorFacts("image", (None, None, 8, 3), "float32"),),
        "outputs": (TensorFacts("logits", (None, 10), "float32"),),
        "answers": Answers("classification", "its loss is x", "x", "one_hot", "logits", "it ends"),
        "conversion": Conversion("converts", int8="integer"),
        "plan": ("prune: 1 layer", "cluster: 1 layer", "qat: all", "export: int8"),
        "notes": ("a note",),
    }
    return Preflight(**values | changes)


MIXED = preflight(
    row("a_name_that_is_far_too_long_for_it", "Rescaling", qat=LEFT, pruned=NOTHING),
    row("half", "GlobalAveragePooling2D", 10_800_000, bridged=HALF),
    row("own", "Own", None, bridged=ITSELF),
)


def show(found: Preflight, config: Any = None, impossible: tuple[str, ...] = ()) -> str:
    return check_page.page(found, Subject(None, "a .keras", config=config), impossible)  # type: ignore[arg-type]


def test_everything_fits_a_terminal_of_100_columns() -> None:
    assert max(map(len, show(MIXED).splitlines())) <= 100


def test_a_row_per_layer_with_short_words() -> None:
    lines = [line.split() for line in show(MIXED).splitlines()]
    assert ["half", "GlobalAve…ooling2D", "1,536", "10.8", "M", "no"] + ["yes"] * 4 in lines
    assert ["own", "Own", "1,536", "?", "itself"] + ["yes"] * 4 in lines
    cut = next(line for line in lines if line and line[0].startswith("a_name"))
    assert cut[0] == "a_name_that_…long_for_it"
    assert cut[-5:] == ["yes", "–", "yes", "left", "yes"]


def test_facts_obstacles_reasons_and_what_will_be_done() -> None:
    text = show(MIXED)
    assert "inputs   image ?×8×3 float32" in text
    assert "task     classification, one-hot labels: its loss is x" in text
    assert "not known of own" in text
    assert "obstacles:\n  bridge no: half: computes in float16 → rebuild it with float32" in text
    assert "  QAT left: a_name_that_is_far_too_long_for_it: tfmot cannot quantize" in text
    assert "left: not trained with quantization" in text and "itself: tf_keras has no" in text
    assert "what can be done:\n  prune: 1 layer\n  cluster: 1 layer\n" in text
    assert "notes:\n  a note" in text
    assert "impossible" not in text


def test_of_a_configuration_only_its_own_stages_are_told() -> None:
    stages = ["train", "prune", "quantize", "export"]
    config = validate({"data": {"source": "npz", "path": "x.npz"}, "stages": stages})
    text = show(MIXED, config, ("prune: half: computes in float16",))
    assert "what will be done:\n  prune: 1 layer\n  export: int8\n" in text
    assert "impossible, so this chain cannot be made:\n  prune: half: computes" in text


def test_one_reason_for_all_layers() -> None:
    text = show(preflight(row("a", "Dense", qat=LEFT), row("b", "Dense", qat=LEFT)))
    assert "QAT left: all layers: tfmot cannot quantize" in text


@pytest.fixture
def no_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is about what was found; the converter has tests of its own."""
    worker = "pipeline.tflite.worker.ConversionWorker"
    monkeypatch.setattr(worker, lambda limit: nullcontext(None))
    monkeypatch.setattr(check, "too_large", lambda *sizes: "31 M parameters")


def run(monkeypatch: pytest.MonkeyPatch, subject: Subject, *options: str) -> Any:
    monkeypatch.setattr(check_page, "check_source", lambda *given: None)
    monkeypatch.setattr(check_page, "read_subject", lambda *given: subject)
    return CliRunner().invoke(commands, ["check", "m.keras", *options], standalone_mode=False)


def test_json_is_one_object_and_possible_is_exit_0(
    monkeypatch: pytest.MonkeyPatch, no_converter: None
) -> None:
    done = run(monkeypatch, Subject(residual(), "a .keras", notes=("read",)), "--json")
    told = json.loads(done.stdout)
    assert (done.return_value, told["impossible"], told["notes"]) == (0, [], ["read"])
    assert (told["source"], told["origin"], told["name"]) == ("m.keras", "a .keras", "residual")
    assert len(told["layers"]) == 8


def test_a_chain_that_asks_for_the_impossible_is_exit_9(
    monkeypatch: pytest.MonkeyPatch, no_converter: None
) -> None:
    import keras

    inputs = keras.Input((4,), name="x")
    model = keras.Model(inputs, keras.layers.LayerNormalization(name="ln")(inputs))
    stages = ["train", "prune", "export"]
    config = validate({"data": {"source": "npz", "path": "x.npz"}, "stages": stages})
    done = run(monkeypatch, Subject(model, "as configured", config=config))
    assert done.return_value == 9
    assert "impossible, so this chain cannot be made:\n  prune: ln: no layer" in done.stdout


def test_what_is_no_model_is_refused_before_tensorflow_is_loaded(tmp_path: Path) -> None:
    from pipeline.errors import ConfigError

    with pytest.raises(ConfigError, match="expected a file that ends in"):
        CliRunner().invoke(
            commands, ["check", str(tmp_path)], standalone_mode=False, catch_exceptions=False
        )
