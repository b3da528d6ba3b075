"""The shipped configurations on a part of MNIST and Fashion-MNIST."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.integration.conftest import slimline

SHORT = ("data.max_train_samples=4000", "train.epochs=3", "prune.epochs=3")
CASES = {
    "mnist_lenet_300_100": ("mnist.npz", ("prune.epochs=8",), 0.85),
    "fashion_mnist_cnn": (
        "fashion_mnist.npz",
        ("quantize.qat.epochs=1", "model.filters=[8, 16]", "export.min_label_agreement=0.9"),
        0.65,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_shipped_configuration_ends_in_a_verified_file(
    name: str, real_data: Path, tmp_path: Path
) -> None:
    file, more, least_accuracy = CASES[name]
    overrides = [f"data.path={real_data / file}", *SHORT, *more]
    words = [word for override in overrides for word in ("--set", override)]
    done = slimline("run", ROOT / "configs" / f"{name}.yaml", *words, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    metrics = {stage["stage"]: stage["metrics"] for stage in json.loads(done.stdout)["stages"]}
    rows = {row["name"]: row for row in metrics["evaluate"]["files"]}
    assert metrics["evaluate"]["samples"] == 10_000
    assert rows["int8"]["accuracy"] > least_accuracy
    assert rows["int8"]["sparsity"] >= metrics["prune"]["sparsity"] - 1e-3
    assert rows["int8"]["gzip_ratio"] > 10
