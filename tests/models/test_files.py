from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ArtifactError
from pipeline.models.build import build_model
from pipeline.models.digest import model_digest
from pipeline.models.files import load_model, save_model
from tests.models.conftest import SMALL, model_config, task_of


@pytest.fixture
def model() -> Any:
    return build_model(model_config("mlp", dropout=0.5), SMALL["mlp"][1], task_of("mlp"))


def test_round_trip(model: Any, tmp_path: Path) -> None:
    path = tmp_path / "new" / "model.keras"
    save_model(model, path)
    loaded = load_model(path)
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(loaded(x), model(x))
    assert not loaded.compiled
    assert [file.name for file in path.parent.iterdir()] == ["model.keras"]


def test_optimizer_is_not_saved(model: Any, tmp_path: Path) -> None:
    model.compile(optimizer="adam", loss="mse")
    model.fit(np.ones((4, 4), np.float32), np.ones((4, 3), np.float32), verbose=0)
    save_model(model, tmp_path / "trained.keras")
    assert model.compiled and model.optimizer is not None
    with zipfile.ZipFile(tmp_path / "trained.keras") as archive:
        assert json.loads(archive.read("config.json"))["compile_config"] == {}
    loaded = load_model(tmp_path / "trained.keras")
    assert model_digest(loaded) == model_digest(model)
    # 4 times less than with Adam's two moments, were they in
    plain = tmp_path / "plain.keras"
    save_model(loaded, plain)
    assert abs(plain.stat().st_size - (tmp_path / "trained.keras").stat().st_size) < 200


def test_failed_save_leaves_the_old_file(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.keras"
    save_model(model, path)
    before = path.read_bytes()

    def fail(self: Any, target: Path) -> None:
        target.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(type(model), "save", fail)
    with pytest.raises(KeyboardInterrupt):
        save_model(model, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"gone\.keras: there is no such model; run the stage"):
        load_model(tmp_path / "gone.keras")


@pytest.mark.parametrize("keep", [0.0, 0.2, 0.5, 0.9, 0.99])
def test_torn_file_is_refused(model: Any, tmp_path: Path, keep: float) -> None:
    path = tmp_path / "model.keras"
    save_model(model, path)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))])
    with pytest.raises(ArtifactError, match=r"not a whole \.keras file") as error:
        load_model(path)
    assert "\n" not in str(error.value)


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((2,), name="input")
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2, name="code")(inputs))
    save_model(model, tmp_path / "model.keras")
    with pytest.raises(ArtifactError, match="not a whole"):
        load_model(tmp_path / "model.keras")
