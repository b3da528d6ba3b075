"""report.html: one file with everything in it; no script, no network, no external font."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from pipeline.reporting import units
from pipeline.reporting.metric import metric_of
from pipeline.reporting.report_charts import draw_charts
from pipeline.reporting.tables import format_score, sort_trials
from pipeline.reporting.trial_charts import MAX_THREADS

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"
BEFORE_UNIT = re.compile(r"(?<=\d) (?=(%|B|KB|MB|GB|M|G|ms|s|min|h|points)\b|%)")
# Sections in their order: template and anchor, heading, key of the report that it needs.
SECTIONS = (
    ("result", "Result", None),
    ("files", "Model files", "files"),
    ("classes", "Classes", "classes"),
    ("training", "Training", "training"),
    ("trials", "Search", "trials"),
    ("distillation", "Teacher and student", "distillation"),
    ("channels", "Channels", "channels"),
    ("sparsity", "Sparsity", "sparsity"),
    ("clusters", "Clusters", "clusters"),
    ("weights", "Values of the weights", "weights"),
    ("quantization", "Quantization", "quantization"),
    ("data", "Data", "data"),
    ("preflight", "Layers", "preflight"),
    ("cost", "Cost", "stages"),
    ("setup", "Configuration and versions", None),
)
# More classes or trials than this are summed up, with the rest folded away.
MAX_CLASSES = 30
MAX_TRIALS = 12
# Single figures that evaluate's `details` add to a file's row, by task: key and heading.
EXTRAS = {
    "binary": (("auc", "AUC"),),
    "multi_label": (("f1_micro", "F1, micro"), ("exact_match", "all labels right")),
    "regression": (("rmse", "RMSE"), ("r2", "R²")),
    "reconstruction": (("psnr", "PSNR in dB"),),
    "parity": (("relative_difference", "of the spread"), ("agreement", "same answer")),
}

# How prune.distribution spread its one target over the layers.
SPREAD_BY = {
    "erk": "by the shapes of the layers (Erdős–Rényi-Kernel): wide ones are sparser",
    "global": "by one threshold for the magnitudes of all layers",
    "lamp": "by one threshold for magnitudes relative to those of their layer (LAMP)",
    "sensitivity": "to where the loss on validation samples rises least",
}


def render_report(report: Mapping[str, Any]) -> str:
    """Renders the content of report.json as one HTML file.

    Args:
        report: what `build_report` returned, or what was read back from report.json.

    Returns:
        str: a complete HTML document, to be written as UTF-8. Names and texts of the user are
        escaped; a Content-Security-Policy in it forbids scripts and any network access.
    """
    trials, files = report["trials"], report["files"]
    return template_environment().get_template("report.html.j2").render(
        report=report,
        sections=[one for one in SECTIONS if one[2] is None or report[one[2]]],
        charts=draw_charts(report),
        metric=metric_of(report["task"], (files or {}).get("samples")),
        described_task=describe_answers(report["task"]),
        extras=EXTRAS.get(report["task"]["name"], ()),
        max_threads=MAX_THREADS,
        ranked_trials=sort_trials(trials["trials"], trials["objective"]) if trials else [],
        trial_paths=hyperparameter_paths(trials["trials"]) if trials else [],
        dtype_counts=count_dtypes,
        spread_by=SPREAD_BY,
        max_classes=MAX_CLASSES,
        max_trials=MAX_TRIALS,
    )  # fmt: skip


@functools.cache
def template_environment() -> jinja2.Environment:
    """Jinja2 with escaping always on; a name that a template misspells is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bytes": lambda value: unbroken(units.format_bytes(value)),
        "percent": lambda value, decimals=1: unbroken(units.format_percent(value, decimals)),
        "count": lambda value: unbroken(units.format_count(value)),
        "points": units.format_points,
        "ratio": units.format_ratio,
        "seconds": lambda value: unbroken(units.format_seconds(value)),
        "milliseconds": lambda value: unbroken(units.format_milliseconds(value)),
        "figure": units.format_figure,
        "score": format_score,
        "unbroken": unbroken,
        "breakable": breakable,
        "spread": describe_spread,
        "factor": format_factor,
        "moment": format_moment,
    }
    return environment


def unbroken(text: str) -> str:
    """Keeps a figure and its unit on one line, by non-breaking spaces."""
    return BEFORE_UNIT.sub("\u00a0", text)


def breakable(text: str) -> Markup:
    """Lets a dotted path or a long name break after dots, underscores and slashes."""
    safe = str(escape(text))
    for character in "._/":
        safe = safe.replace(character, character + "<wbr>")
    return Markup(safe)


def describe_spread(counts: Sequence[int]) -> str:
    """Smallest to largest of some counts: "20", "34 to 37"."""
    low, high = min(counts, default=0), max(counts, default=0)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def format_factor(value: float | Sequence[float]) -> str:
    """A factor of the preprocessing: one for all values, or how many there are and their range."""
    if not isinstance(value, list | tuple) or len(value) <= 3:
        return units.format_figure(value)
    low, high = units.format_figure(min(value)), units.format_figure(max(value))
    return f"({len(value)} values from {low} to {high})"


def format_moment(created: str) -> str:
    """An ISO 8601 time for people: 2026-11-21 05:20 UTC; anything else as it is."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".rstrip()


def hyperparameter_paths(trials: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every path that some trial set, in the order met."""
    return list(dict.fromkeys(path for trial in trials for path in trial["hyperparameters"]))


def describe_answers(task: Mapping[str, Any]) -> str:
    """What a sample's answer is: "10 classes", "2 numbers (quality, price)"."""
    names = [str(name) for name in task["class_names"]]
    if task["name"] == "parity":
        return "no answers: files are compared with the float model"
    if task["name"] == "reconstruction":
        return "the answer is the sample itself"
    if task["name"] == "regression":
        listed = f" ({', '.join(names)})" if 0 < len(names) <= 8 else ""
        return f"{len(names)} {'number' if len(names) == 1 else 'numbers'} to predict{listed}"
    return f"{len(names)} {'labels' if task['name'] == 'multi_label' else 'classes'}"


def count_dtypes(tensors: Sequence[Mapping[str, Any]]) -> str:
    """How many constant tensors a file has of each dtype: "int8 × 5, int32 × 4"."""
    counts = Counter(tensor["dtype"] for tensor in tensors)
    return ", ".join(f"{dtype} × {count}" for dtype, count in counts.most_common())
