"""Grid search proposes every point once, without waiting for a score."""

from __future__ import annotations

from pathlib import Path

from pipeline.tuning.oracle import Proposal, Proposer
from pipeline.tuning.parameters import assemble, parameters_of, points
from tests.tuning.conftest import make_config


def test_every_point_once_in_order(tmp_path: Path) -> None:
    space = {
        "model.units": {"list": {"choice": [4, 8]}, "length": [1, 2]},
        "train.batch_size": {"choice": [10, 50]},
    }
    config = make_config(algorithm="grid", search_space=space)
    proposer = Proposer(config.tune, 0, tmp_path)
    assert proposer.total == (2 + 4) * 2
    found = []
    while isinstance(proposal := proposer.propose(), Proposal):
        found.append(proposal.hyperparameters)
    spec = config.tune.search_space
    assert found == [assemble(spec, drawn) for drawn in points(parameters_of(spec))]
    assert found[0] == {"model.units": [4], "train.batch_size": 10}
    assert found[-1] == {"model.units": [8, 8], "train.batch_size": 50}
