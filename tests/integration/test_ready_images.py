"""The ready configuration for a folder of images, on digits written as PNG files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.data import DataConfig
from pipeline.data.images import read_image_folder
from pipeline.data.sources import read_source
from pipeline.tflite.interpreter import load
from tests.conftest import ROOT
from tests.integration.conftest import slimline

SAMPLES = 600
OVERRIDES = (
    "data.images.size=null", "data.images.color=grayscale", "data.images.cache_mb=0",
    "model.filters=[8,16]", "model.units=32", "model.dropout=0",
    "train.epochs=12", "prune.epochs=2", "evaluate.latency_runs=10", "prune.batch_size=64",
)  # fmt: skip


@pytest.fixture(scope="module")
def images_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of configs/images.yaml; returns the folder it was run in."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("images")
    part = read_source(DataConfig()).parts["all"]
    for index in range(SAMPLES):
        path = folder / "pictures" / str(part.y[index]) / f"{index:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(part.x[index, ..., 0] * 15).save(path)
    words = [word for override in OVERRIDES for word in ("--set", override)]
    path = f"data.path={folder / 'pictures'}"
    config = ROOT / "configs" / "images.yaml"
    done = slimline("run", config, "--set", path, *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def config(folder: Path) -> DataConfig:
    return DataConfig(
        source="images",
        path=folder / "pictures",
        images={"size": None, "color": "grayscale", "resize": "crop"},
    )


def test_the_chain_reaches_a_file_that_ran(images_run: Path) -> None:
    run = images_run / "artifacts" / "images"
    rows = {r["name"]: r for r in json.loads((run / "run.json").read_text())["figures"]["files"]}
    assert set(rows) == {"float", "pruned", "int8"}
    assert rows["float"]["accuracy"] > 0.7
    assert rows["int8"]["accuracy"] > rows["pruned"]["accuracy"] - 0.06
    assert rows["int8"]["size_bytes"] < rows["pruned"]["size_bytes"] * 0.6
    data = json.loads((run / "data" / "manifest.json").read_text())["metrics"]
    assert data["input_shape"] == [8, 8, 1] and data["class_names"] == list("0123456789")
    assert sum(data["samples"].values()) == SAMPLES


def test_the_shipped_file_reads_an_image(images_run: Path) -> None:
    export = images_run / "artifacts" / "images" / "export"
    encoding = json.loads((export / "int8.json").read_text())["encoding"]
    assert encoding == {"kind": "images", "size": [8, 8], "channels": 1, "resize": "crop"}
    pictures = sorted((images_run / "pictures").glob("*/*.png"))[::150]
    answers = [
        subprocess.run(
            [sys.executable, str(export / "run_model.py"), str(picture)],
            capture_output=True, text=True, check=True,
        ).stdout
        for picture in pictures
    ]  # fmt: skip
    # What the data package decodes and the interpreter answers, in this process.
    source = read_image_folder(config(images_run), images_run / "pictures", None, None)
    x = source.parts["all"].x
    rows = np.array([x.names.index(f"{p.parent.name}/{p.name}") for p in pictures])
    expected = load(export / "int8.tflite").predict(x[rows].astype(np.float32) / 255).argmax(axis=1)
    assert [answer.split()[1] for answer in answers] == [str(label) for label in expected]


def test_a_picture_that_changes_makes_the_chain_run_again(images_run: Path) -> None:
    path = f"data.path={images_run / 'pictures'}"
    words = [word for override in OVERRIDES for word in ("--set", override)]
    command = ["run", ROOT / "configs" / "images.yaml", "--set", path, *words]
    done = slimline(*command, "--dry-run", "--json", cwd=images_run)
    assert {line["state"] for line in json.loads(done.stdout)["plan"]} == {"cached"}
    first = next((images_run / "pictures" / "0").glob("*.png"))
    first.rename(first.with_name("renamed.png"))
    done = slimline(*command, "--dry-run", "--json", cwd=images_run)
    assert json.loads(done.stdout)["plan"][0]["state"] == "run"
    (first.parent / "notes.txt").write_text("not an image")
    done = slimline(*command, "--dry-run", cwd=images_run)
    assert done.returncode == 3
    assert "notes.txt: not an image by its ending" in done.stderr
