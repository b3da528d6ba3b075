from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.foreign.custom import describe_module


def test_a_module_is_described_by_its_content_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "described_layers.py").write_text("raise RuntimeError('run')\n")
    found = describe_module("described_layers")
    assert found["module"] == "described_layers"
    (tmp_path / "described_layers.py").write_text("raise RuntimeError('changed')\n")
    assert describe_module("described_layers")["sha256"] != found["sha256"]
    with pytest.raises(ConfigError, match="No module named 'missing_layers'; expected a module"):
        describe_module("missing_layers")
