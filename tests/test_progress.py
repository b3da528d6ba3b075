"""Progress that nobody watches takes everything and says nothing."""

from __future__ import annotations

import pytest

from pipeline.progress import Progress, SilentProgress


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    progress: Progress = SilentProgress()
    progress.begin("train", 3, "epochs")
    progress.advance(1, loss=0.5)
    progress.table(("trial",), [("0000",)], "1 of 2 done")
    progress.note("a warning")
    progress.end()
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
