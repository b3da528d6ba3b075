"""Runs a model of this folder on an array: `python run_model.py input.npy [--model FILE]`.

Needs only ai-edge-litert and NumPy. `input.npy` holds raw samples (n, ...), or one sample; the
JSON file beside the model says how they are prepared. Prints number, label and score (softmax)
of each sample. Made by Slimline.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np

DEFAULT_MODEL = "int8.tflite"


def prepare(raw: np.ndarray, sidecar: dict) -> np.ndarray:
    """Turns raw samples into what the model's input stores: preprocessed, then quantized."""
    values = np.asarray(raw, np.float32)
    steps = sidecar["preprocessing"]
    if steps is not None and steps["placement"] == "sidecar":
        scale, offset = np.float32(steps["scale"]), np.float32(steps["offset"])
        values = values * scale + offset
    tensor = sidecar["inputs"][0]
    if tensor["scale"] is None:
        return values.astype(tensor["dtype"])
    limits = np.iinfo(tensor["dtype"])
    codes = np.rint(values / np.float32(tensor["scale"])) + tensor["zero_point"]
    return np.clip(codes, limits.min, limits.max).astype(tensor["dtype"])


def run(model: Path, sidecar: dict, raw: np.ndarray) -> np.ndarray:
    """Returns the logits (n, classes) of raw samples (n, ...)."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(model))
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]
    stored, batch, logits = prepare(raw, sidecar), sidecar["batch"], []
    for start in range(0, len(stored), batch):
        rows = stored[start : start + batch]
        filled = np.zeros((batch, *rows.shape[1:]), rows.dtype)
        filled[: len(rows)] = rows
        # Recurrent models keep their state between calls; every batch starts afresh.
        interpreter.reset_all_variables()
        interpreter.set_tensor(source, filled)
        interpreter.invoke()
        logits.append(interpreter.get_tensor(target)[: len(rows)].astype(np.float32))
    tensor, outputs = sidecar["outputs"][0], np.concatenate(logits)
    if tensor["scale"] is None:
        return outputs
    return (outputs - tensor["zero_point"]) * np.float32(tensor["scale"])


def main() -> None:
    """Reads the arguments, runs the model, prints one line per sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input", type=Path, help="raw samples, a .npy file")
    parser.add_argument("--model", type=Path, default=Path(__file__).parent / DEFAULT_MODEL)
    options = parser.parse_args()
    sidecar = json.loads(options.model.with_suffix(".json").read_text())
    if hashlib.sha256(options.model.read_bytes()).hexdigest() != sidecar["sha256"]:
        sys.exit(f"{options.model}: not the file that its .json describes; export it again")
    raw = np.load(options.input, allow_pickle=False)
    shape = tuple(sidecar["inputs"][0]["shape"][1:])
    if raw.shape == shape:
        raw = raw[None]
    if raw.shape[1:] != shape or len(raw) == 0:
        sys.exit(f"{options.input}: shape {raw.shape}, expected (n, {', '.join(map(str, shape))})")
    logits = run(options.model, sidecar, raw).astype(np.float64)
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    for number, row in enumerate(scores):
        best = int(row.argmax())
        print(f"{number}\t{sidecar['labels'][best]}\t{row[best]:.4f}")


if __name__ == "__main__":
    main()
