"""Commands name the stages that there are."""

from __future__ import annotations

from click.testing import CliRunner

from pipeline.cli.entry import commands
from pipeline.cli.run import STAGE_HELP
from pipeline.config.schema import STAGE_NAMES


def test_there_is_a_command_for_each_stage() -> None:
    assert tuple(STAGE_HELP) == STAGE_NAMES


def test_each_command_has_help() -> None:
    for name, command in commands.commands.items():
        result = CliRunner().invoke(commands, [name, "--help"])
        assert result.exit_code == 0, name
        assert command.help
        assert "--debug" in result.output
