"""The plan: what is fresh, what is not, and why; and chains that cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import plan as planning
from pipeline.artifacts.manifest import read_manifest
from pipeline.artifacts.store import Store
from pipeline.errors import ConfigError, DataError
from pipeline.plan import make_plan
from tests.fake_chain import CHAIN, config_with, run


def test_the_plan_says_why(calls: list[str], tmp_path: Path) -> None:
    store = Store(tmp_path / "artifacts")
    fresh = make_plan(config_with(), store, "mine")
    assert [(p.state, p.reason) for p in fresh[:2]] == [
        ("run", "not made yet"),
        ("waits", "its input data will be made"),
    ]
    run(config_with(), tmp_path)
    changed = config_with(prune={"epochs": 4})
    lines = {p.stage: p for p in make_plan(changed, store, "mine")}
    assert lines["tune"].state == "cached"
    assert (lines["prune"].state, lines["prune"].reason) == ("run", "prune.epochs changed")
    assert lines["quantize"].state == "waits"
    forced = make_plan(config_with(), store, "mine", force=frozenset({"train"}))
    assert (forced[1].state, forced[1].reason) == ("run", "forced")
    assert calls == CHAIN, "planning runs nothing"


def test_the_plan_of_a_part(calls: list[str], tmp_path: Path) -> None:
    store = Store(tmp_path / "artifacts")
    run(config_with(), tmp_path, last="train")
    part = make_plan(config_with(), store, "mine", first="prune", last="quantize")
    assert [(p.stage, p.state) for p in part] == [
        ("data", "cached"),
        ("train", "cached"),
        ("tune", "missing"),
        ("prune", "waits"),
        ("quantize", "waits"),
    ]
    with pytest.raises(ConfigError, match="stage 'cluster' is not in this chain"):
        make_plan(config_with(), store, "mine", force=frozenset({"cluster"}))


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (["prune"], "'prune' needs a model, and no stage before it makes one; put train or tune"),
        (["train", "evaluate"], "'evaluate' needs a bundle, .* put export before it"),
        (["quantize", "train"], "'quantize' needs a model"),
    ],
)
def test_a_chain_that_lacks_something_is_refused(stages: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        planning.chain_of(config_with(stages=stages))


def test_a_teacher_is_part_of_the_key_where_there_is_one_to_learn_from(
    calls: list[str], tmp_path: Path
) -> None:
    store = Store(tmp_path / "artifacts")

    def inputs_of(**prune: object) -> dict[str, list[str]]:
        run(config_with(prune=prune), tmp_path, last="prune")
        manifest = read_manifest(tmp_path / "artifacts" / "mine" / "prune")
        return {role: list(results) for role, results in manifest.made_of["inputs"].items()}

    assert inputs_of() == {"data": ["data"], "model": ["tune"]}
    taught = inputs_of(distillation={})
    assert taught == {"data": ["data"], "model": ["tune"], "teacher": ["float"]}
    assert make_plan(config_with(prune={"distillation": {}}), store, "mine")[3].state == "cached"
    # The last float model, whatever comes between.
    chain = [planning.STAGES[name] for name in ("data", "train", "tune", "prune")]
    assert planning.stages_for("teacher", chain) == {"float": "tune"}


def test_a_first_training_has_no_teacher(tmp_path: Path) -> None:
    message = "the distillation of 'train' needs a float model before it .*; give model.path, or"
    with pytest.raises(ConfigError, match=message):
        planning.chain_of(config_with(stages=["train"], train={"distillation": {}}))
    planning.chain_of(
        config_with(
            stages=["train"], train={"distillation": {}}, model={"path": str(tmp_path / "m.keras")}
        )
    )


def test_a_weights_file_goes_into_the_key_by_its_content_alone(tmp_path: Path) -> None:
    from pipeline.config.load import validate
    from pipeline.plan import describe_stage
    from pipeline.stages.table import STAGES

    def described(name: str) -> dict[str, object]:
        config = validate(
            {
                "data": {"preprocessing": {"kind": "none"}},
                "model": {"architecture": "applications/VGG16", "weights": str(tmp_path / name)},
                "stages": ["train"],
            }
        )
        return describe_stage(STAGES["train"], config, {}, Store(tmp_path / "artifacts"))

    (tmp_path / "a.h5").write_bytes(b"one")
    (tmp_path / "b.h5").write_bytes(b"one")
    first = described("a.h5")
    assert described("b.h5") == first, "its place does not matter"
    (tmp_path / "b.h5").write_bytes(b"two")
    assert described("b.h5") != first
    with pytest.raises(DataError, match=r"model\.weights .*c\.h5: No such file or directory"):
        described("c.h5")
