"""One contract over every stage of the table."""

from __future__ import annotations

import inspect

import pytest

from pipeline.config.load import validate
from pipeline.config.schema import STAGE_NAMES, Config
from pipeline.plan import sections_of, stages_for
from pipeline.stages.contract import Stage
from pipeline.stages.table import STAGES

# Stages that no configuration names, and their section.
IMPLICIT = {"data": "data", "load": "model"}
ALL = pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)


def test_the_table_has_the_stages_that_a_configuration_may_name() -> None:
    assert tuple(STAGES) == (*IMPLICIT, *STAGE_NAMES)


@ALL
def test_a_stage_is_keyed_by_its_own_section(stage: Stage) -> None:
    parts = sections_of(validate({}), stage.sections)
    section = IMPLICIT.get(stage.name, stage.name)
    assert section in parts or "all" in parts
    assert parts.get(section, parts.get("all")) is not None
    assert section in Config.model_fields


@ALL
def test_a_stage_runs_on_a_configuration_and_a_context(stage: Stage) -> None:
    assert list(inspect.signature(stage.run).parameters) == ["config", "context"]
    assert stage.libraries
    assert stage.version >= 1


@ALL
def test_what_a_stage_needs_an_earlier_one_makes(stage: Stage) -> None:
    before = list(STAGES.values())[: list(STAGES).index(stage.name)]
    for role in stage.needs:
        assert stages_for(role, before), f"{stage.name} needs {role}"


@ALL
def test_only_models_have_a_label(stage: Stage) -> None:
    assert (stage.label is not None) == (stage.produces == "model")


@ALL
def test_checks_accept_the_default_configuration(stage: Stage) -> None:
    if stage.check is not None:
        stage.check(validate({}))


def test_quantize_is_keyed_by_what_it_prepares_for_export() -> None:
    """It saves the model for a batch size, and the answers that its files are compared with."""
    parts = sections_of(validate({"export": {"parity_samples": 7}}), STAGES["quantize"].sections)
    assert parts["export.parity_samples"] == 7
    assert parts["export.batch_size"] == 1
