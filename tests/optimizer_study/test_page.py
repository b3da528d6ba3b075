"""optimizers.html: whole, escaped, without script and network."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

from pipeline.optimizer_study.charts import draw_curves
from pipeline.optimizer_study.page import render_page
from tests.optimizer_study.sample_result import sample_result
from tests.reporting.conftest import Browse

HOSTILE = '<script>alert("x")</script>'


class Tags(HTMLParser):
    """Collects tags, and tells whether they are balanced."""

    VOID = frozenset({"meta", "link", "path", "line", "circle", "rect", "wbr", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def render(hostile: str = "") -> str:
    name, command = f"digits{hostile}", f"slimline optimizers x.yaml{hostile}"
    return render_page(sample_result(hostile), name, command, "2026-11-21T09:00:00+00:00")


def test_it_tells_figures_curves_candidates_and_how_to_make_it_again() -> None:
    page = render()
    for text in ("not reached", "[tuned]", "Search of the learning rates", "✓",
                 "slimline optimizers x.yaml", "test split is not read", "3 seeds only",
                 "momentum 0.9"):  # fmt: skip
        assert text in page.replace("\u00a0", " "), text
    assert page.count("<svg") == 4


def test_tags_are_balanced_and_a_users_texts_make_none() -> None:
    tags = Tags()
    tags.feed(render(HOSTILE))
    assert tags.open == []
    assert "script" not in tags.seen
    assert "default-src 'none'" in render()
    assert not re.search(r"(src|href)=\"(?!#|data:)", render())


def test_ids_of_charts_are_unique() -> None:
    ids = re.findall(r'id="([^"]+)"', render())
    assert len(ids) == len(set(ids))


def test_bands_are_drawn_for_several_seeds_only() -> None:
    result = sample_result()
    assert 'class="band' in draw_curves(result)["Validation loss"]
    for one in result["optimizers"]:
        one["histories"] = one["histories"][:1]
    assert 'class="band' not in draw_curves(result)["Validation loss"]


def test_an_optimizer_without_any_training_is_left_out_of_the_curves() -> None:
    result = sample_result()
    result["optimizers"][0].update(histories=[], step_seconds=None)
    charts = draw_curves(result)
    assert ">sgd<" not in charts["Training loss"]
    assert "adam, seconds of steps" in charts["Validation loss over time"]
    for one in result["optimizers"]:
        one["step_seconds"] = None
    assert "Validation loss over time" not in draw_curves(result)


def test_a_browser_shows_it_on_a_phone_and_runs_nothing_of_a_hostile_name(browse: Browse) -> None:
    hostile = "<script>top.document.title = 'owned'</script>"
    frame = f'<iframe width="320" height="900" srcdoc="{escape(render(hostile))}"></iframe>'
    script = """<script>addEventListener("load", () => {
        const page = document.querySelector("iframe").contentDocument
        const charts = page.querySelectorAll("svg").length
        document.title = page.documentElement.scrollWidth + " " + charts
    })</script>"""
    done = browse(f"<!DOCTYPE html><title>?</title>{frame}{script}", "--dump-dom")
    assert "CONSOLE" not in done.stderr
    assert "<title>320 4</title>" in done.stdout
