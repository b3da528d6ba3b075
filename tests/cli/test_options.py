"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from pipeline.cli.options import check_place
from pipeline.errors import ConfigError


def test_a_file_is_refused_before_the_work_if_its_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    option = click.Option(["--html"])
    context = click.Context(click.Command("compare"))
    for name in ("taken/page.html", "taken/deeper/page.html"):
        with pytest.raises(ConfigError, match=r"--html .*page\.html: .*taken is no folder"):
            check_place(context, option, tmp_path / name)
    assert check_place(context, option, None) is None
    fine = tmp_path / "new" / "page.html"
    assert check_place(context, option, fine) == fine
