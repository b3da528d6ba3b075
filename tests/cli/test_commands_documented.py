"""docs/commands.md names every command that there is, and no other."""

from __future__ import annotations

import re

from pipeline.cli.entry import commands
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| .+ \| `slimline (\w+)[ `]", re.MULTILINE)


def test_each_command_has_its_row_with_an_example() -> None:
    rows = ROW.findall(PAGE)
    assert [name for name, _ in rows] == list(dict.fromkeys(name for name, _ in rows))
    assert {name for name, _ in rows} == set(commands.commands)
    assert all(name == example for name, example in rows)
