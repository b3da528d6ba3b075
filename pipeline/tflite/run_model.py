"""Runs a model of this folder: `python run_model.py INPUT [--model FILE]`.

Needs only ai-edge-litert and NumPy (for image files also Pillow). INPUT holds raw samples: a .npy
file of (n, ...), or of one sample; for models of tables a .csv file, for models of texts a .txt
file with a text per line, a .csv file, or --text "…" in its place; for models of images an image.
The JSON file beside the model says how they are prepared. Prints a line per sample: its number,
then label and score, or values by name. Made by Slimline.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.raw_input import encode, read_raw

DEFAULT_MODEL = "int8.tflite"
FORMAT = 2


def prepare(raw: np.ndarray, sidecar: dict) -> np.ndarray:
    """Turns encoded samples into what the model's input stores: preprocessed, then quantized."""
    tensor = sidecar["inputs"][0]
    if tensor["scale"] is None and np.dtype(tensor["dtype"]).kind in "iu":
        return np.asarray(raw).astype(tensor["dtype"])  # token ids
    values = preprocess(raw, sidecar)
    if tensor["scale"] is None:
        return values.astype(tensor["dtype"])
    limits = np.iinfo(tensor["dtype"])
    codes = np.rint(values / np.float32(tensor["scale"])) + tensor["zero_point"]
    return np.clip(codes, limits.min, limits.max).astype(tensor["dtype"])


def preprocess(raw: np.ndarray, sidecar: dict) -> np.ndarray:
    """Applies the affine map that the file does not apply itself: float32."""
    values = np.asarray(raw, np.float32)
    steps = sidecar["preprocessing"]
    if steps is not None and steps["placement"] == "sidecar":
        values = values * np.float32(steps["scale"]) + np.float32(steps["offset"])
    return values


def run(model: Path, sidecar: dict, raw: np.ndarray) -> np.ndarray:
    """Returns the dequantized outputs (n, …) of encoded samples (n, …)."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(model))
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]
    stored, batch, found = prepare(raw, sidecar), sidecar["batch"], []
    for start in range(0, len(stored), batch):
        rows = stored[start : start + batch]
        filled = np.zeros((batch, *rows.shape[1:]), rows.dtype)
        filled[: len(rows)] = rows
        # Recurrent models keep their state between calls; every batch starts afresh.
        interpreter.reset_all_variables()
        interpreter.set_tensor(source, filled)
        interpreter.invoke()
        found.append(interpreter.get_tensor(target)[: len(rows)].astype(np.float32))
    tensor, outputs = sidecar["outputs"][0], np.concatenate(found)
    if tensor["scale"] is None:
        return outputs
    return (outputs - tensor["zero_point"]) * np.float32(tensor["scale"])


def interpret(outputs: np.ndarray, raw: np.ndarray, sidecar: dict) -> list[dict[str, Any]]:
    """Reads the outputs as the task means them.

    Args:
        outputs: (n, …), dequantized.
        raw: (n, …), the encoded samples; used for a reconstruction.
        sidecar: the model's.

    Returns:
        Per sample: {"label", "score"} (classes; the score is the label's probability), {"labels":
        {label: probability}} (those above 1/2), {"values": {name: value}} in the unit of the
        source (or the bare numbers of a model whose answers are not known), or {"error": mean
        squared error} of a reconstruction.
    """
    kind, labels = sidecar["output_kind"], sidecar["labels"]
    z = np.asarray(outputs, np.float64)
    if kind == "reconstruction":
        errors = np.square(z - preprocess(raw, sidecar)).reshape(len(z), -1).mean(axis=1)
        return [{"error": float(error)} for error in errors]
    if kind in ("values", "numbers"):
        values = z.reshape(len(z), -1)
        if kind == "values":
            values = values * sidecar["targets"]["scale"] + sidecar["targets"]["offset"]
        names = labels or [f"value_{place}" for place in range(values.shape[1])]
        return [{"values": dict(zip(names, row.tolist(), strict=True))} for row in values]
    if kind in ("logits", "probabilities"):
        scores = z
        if kind == "logits":
            scores = np.exp(z - z.max(axis=1, keepdims=True))
            scores /= scores.sum(axis=1, keepdims=True)
        return [{"label": labels[row.argmax()], "score": float(row.max())} for row in scores]
    scores = z
    if kind in ("logit", "label_logits"):
        scores = 0.5 * (1.0 + np.tanh(0.5 * z))  # the logistic function, without overflow
    if kind in ("logit", "probability"):
        return [
            {"label": labels[int(p > 0.5)], "score": float(max(p, 1.0 - p))} for p in scores[:, 0]
        ]
    pairs = [zip(labels, row.tolist(), strict=True) for row in scores]
    return [{"labels": {name: score for name, score in row if score > 0.5}} for row in pairs]


def write_answer(answer: dict[str, Any]) -> str:
    """Writes one answer as fields between tabs."""
    if "label" in answer:
        return f"{answer['label']}\t{answer['score']:.4f}"
    if "labels" in answer:
        return "\t".join(f"{name} {p:.4f}" for name, p in answer["labels"].items()) or "(none)"
    values = answer.get("values", answer)
    return "\t".join(f"{name} {value:.6g}" for name, value in values.items())


def read_samples(path: Path, sidecar: dict) -> np.ndarray:
    """Reads and encodes the samples of a file; ValueError if they do not fit the model."""
    samples = encode(read_raw(path, sidecar["encoding"]), sidecar["encoding"])
    shape = tuple(sidecar["inputs"][0]["shape"][1:])
    if samples.shape == shape:
        samples = samples[None]
    if samples.shape[1:] != shape or len(samples) == 0:
        expected = ", ".join(map(str, shape))
        raise ValueError(f"{path}: shape {samples.shape}, expected (n, {expected})")
    return samples


def read_sidecar(model: Path) -> dict:
    """Reads the JSON beside a model; ValueError if it is of another file or format."""
    path = model.with_suffix(".json")
    sidecar: dict = json.loads(path.read_text(encoding="utf-8"))
    if sidecar["format"] != FORMAT:
        raise ValueError(f"{path}: format {sidecar['format']}, expected {FORMAT}; export it again")
    if hashlib.sha256(model.read_bytes()).hexdigest() != sidecar["sha256"]:
        raise ValueError(f"{model}: not the file that its .json describes; export it again")
    return sidecar


def main() -> None:
    """Reads the arguments, runs the model, prints one line per sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input", type=Path, nargs="?", help="raw samples: .npy, .csv, .txt, image")
    parser.add_argument("--text", action="append", help="a text; may be repeated")
    parser.add_argument("--model", type=Path, default=Path(__file__).parent / DEFAULT_MODEL)
    options = parser.parse_args()
    if (options.input is None) == (options.text is None):
        parser.error("expected a file of samples, or --text")
    try:
        sidecar = read_sidecar(options.model)
        if options.text is None:
            raw = read_samples(options.input, sidecar)
        elif (sidecar["encoding"] or {}).get("kind") == "text":
            raw = encode(options.text, sidecar["encoding"])
        else:
            raise ValueError(f"{options.model}: does not read texts; give a file of samples")
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    answers = interpret(run(options.model, sidecar, raw), raw, sidecar)
    try:
        for number, answer in enumerate(answers):
            print(f"{number}\t{write_answer(answer)}")
        sys.stdout.flush()
    except BrokenPipeError:  # `… | head` has read enough; nothing may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
