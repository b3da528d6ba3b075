"""README.md and docs/*.md: their configurations, links, commands and options exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.entry import commands
from pipeline.config.load import load_config, validate
from pipeline.config.schema import Config
from pipeline.config.yaml_file import parse_yaml
from pipeline.plan import chain_of
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^ *```yaml\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# A command on lines of its own, after the variables it needs and continued by backslashes.
COMMAND = re.compile(r"^ +(?:\$ )?slimline ((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
CELL = re.compile(r"`(?:\w+=… )?slimline ([a-z]+ [^`]*)`")


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _configurations() -> Iterator[Any]:
    """Yields each YAML block whose keys are sections of a configuration."""
    for page in PAGES:
        for number, block in enumerate(BLOCK.findall(_text(page)), start=1):
            values = parse_yaml(block)
            if isinstance(values, dict) and values.keys() <= Config.model_fields.keys():
                yield pytest.param(values, id=f"{page.stem}-{number}")


def _links() -> Iterator[Any]:
    for page in PAGES:
        for link in sorted(set(LINK.findall(_text(page)))):
            if not link.startswith(("http://", "https://", "#")):
                yield pytest.param(page, link, id=f"{page.stem}:{link}")


def _command_lines() -> Iterator[Any]:
    """Yields the words behind `slimline`, up to a comment or a pipe."""
    for page in PAGES:
        found = COMMAND.findall(_text(page)) + CELL.findall(_text(page))
        for number, line in enumerate(found, start=1):
            words = shlex.split(line.replace("\\\n", " "), comments=True)
            words = words[: words.index("|")] if "|" in words else words
            yield pytest.param(words, id=f"{page.stem}-{number}-{words[0]}")


@pytest.mark.parametrize("values", _configurations())
def test_a_configuration_is_planned_without_an_error(values: dict[str, Any]) -> None:
    chain_of(validate(values))


@pytest.mark.parametrize(("page", "link"), _links())
def test_a_link_leads_to_a_file(page: Path, link: str) -> None:
    assert (page.parent / link.partition("#")[0]).exists()


@pytest.mark.parametrize("words", _command_lines())
def test_a_command_and_its_options_exist(words: list[str]) -> None:
    command = commands.commands[words[0]]
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known | {"--help"}


@pytest.mark.parametrize("words", _command_lines())
def test_a_command_s_configuration_can_be_read(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIMLINE_DATA", "data")
    names = [word for word in words if word.startswith("configs/") and "NAME" not in word]
    overrides = [words[at + 1] for at, word in enumerate(words) if word == "--set"]
    for name in names:
        load_config(ROOT / name, overrides)
