from __future__ import annotations

import pytest

from pipeline.config.sources import PREFIXES, SOURCES, check_answers, source_row
from pipeline.tasks.task import TASKS


def test_every_source_can_be_asked_for_something() -> None:
    for source in (*SOURCES, "tfds:mnist", "python:a.b:c"):
        fitting = []
        for task in TASKS:
            try:
                check_answers(source, task)
            except ValueError as error:
                assert "set task: " in str(error) or "expected task" in str(error)
            else:
                fitting.append(task)
        assert fitting, source


@pytest.mark.parametrize(
    "source", ["tfds:mnist", "tfds:glue/mrpc:1.0.0", "python:data:load", "python:a.b_2.c:load_all"]
)
def test_forms_behind_a_prefix(source: str) -> None:
    prefix = source.partition(":")[0] + ":"
    assert source_row(source) is PREFIXES[prefix][0]


@pytest.mark.parametrize(
    "source",
    ["tfds:", "tfds:a b", "python:", "python:a", "python:a:b:c", "python:1a:b", "PYTHON:a:b"],
)
def test_other_forms_are_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"expected|unknown source"):
        source_row(source)
