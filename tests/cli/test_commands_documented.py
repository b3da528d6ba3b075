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


def test_options_in_examples_are_options_of_the_command() -> None:
    for example in re.findall(r"`slimline ([^`]+)`|^    slimline (.+)$", PAGE, re.MULTILINE):
        words = " ".join(example).split("#")[0].split()
        known = {opt for param in commands.commands[words[0]].params for opt in param.opts}
        used = {word for word in words if word.startswith("--")}
        assert used <= known, words
