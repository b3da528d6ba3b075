"""The examples of docs/tune.md are configurations that run."""

from __future__ import annotations

import re

import pytest

from pipeline.config.load import validate
from pipeline.config.yaml_file import parse_yaml
from pipeline.plan import chain_of
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "tune.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("example", EXAMPLES, ids=["space", "sparsity"])
def test_an_example_is_planned_without_an_error(example: str) -> None:
    chain_of(validate(parse_yaml(example)))
