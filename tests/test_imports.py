"""Imports point one way, and nothing heavy is imported on the way to --help."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "pipeline"

# Lowest first: a module may import from its own layer's package and from lower layers.
LAYERS = (
    {"errors"},
    {"compression"},
    {"tasks"},
    {"progress", "runtime", "stderr", "child_process", "artifacts", "config"},
    {"data", "models", "tflite", "reporting", "training", "foreign"},
    {"bridge"},
    {"preflight"},
    {"tuning", "narrowing", "quantization"},
    {"stages"},
    {"plan", "results"},
    {"record"},
    {"runner"},
    {"optimizer_study", "prediction"},
    {"api"},
    {"recipe"},
    {"cli"},
)
# Of the same layer, who may import whom; training runs on batches of data, and the shipped
# runner reads raw input with the very code that read the training data.
NEIGHBOURS = {
    ("training", "data"),
    ("tflite", "data"),
    ("foreign", "models"),
    ("artifacts", "progress"),
    ("runner", "runtime"),
}
HEAVY = {
    "tensorflow", "keras", "tf_keras", "tensorflow_model_optimization", "keras_tuner", "sklearn",
    "ai_edge_litert", "ai_edge_quantizer", "tflite_micro", "scipy", "jinja2",
}  # fmt: skip
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports_of(path: Path, top_level_only: bool) -> list[str]:
    """Dotted names that a file imports; imports for type checkers do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes: list[ast.AST] = []

    def collect(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if top_level_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            nodes.append(child)
            collect(child)

    collect(tree)
    names: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imports_of(path, top_level_only=False):
        parts = name.split(".")
        if parts[0] != "pipeline" or len(parts) < 2 or parts[1] not in LEVEL or own not in LEVEL:
            continue
        other = parts[1]
        if other == own or (own, other) in NEIGHBOURS:
            continue
        if own in LAYERS[3]:
            assert LEVEL[other] <= LEVEL[own], f"{path.name} imports {name}"
        else:
            assert LEVEL[other] < LEVEL[own], f"{path.name} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_heavy_at_module_level_and_each_library_in_its_place(path: Path) -> None:
    heavy = {name.split(".")[0] for name in imports_of(path, top_level_only=True)} & HEAVY
    own = path.relative_to(PACKAGE).parts[0]
    assert not heavy, f"{path} imports {heavy} at module level"
    everywhere = {name.split(".")[0] for name in imports_of(path, top_level_only=False)}
    if own != "cli":
        assert "click" not in everywhere
    if own != "bridge":
        assert not everywhere & {"tf_keras", "tensorflow_model_optimization"}
    if own == "compression":
        assert everywhere <= set(sys.stdlib_module_names) | {"numpy", "pipeline"}


def test_stages_do_not_import_stages() -> None:
    shared = {"pipeline.stages.contract", "pipeline.stages.inputs"}
    for path in (PACKAGE / "stages").glob("*.py"):
        if path.name == "table.py":
            continue
        for name in imports_of(path, top_level_only=False):
            if name.startswith("pipeline.stages"):
                assert name.rpartition(".")[0] in shared, f"{path.name} imports {name}"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, pipeline.cli\n"
        f"heavy = {sorted(HEAVY | {'numpy', 'pydantic', 'yaml', 'rich'})}\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
