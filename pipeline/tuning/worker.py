"""A worker of a search: `python -m pipeline.tuning.worker`, started by pool.py.

The first line of stdin says what all trials work on, each later one is a trial to do; stdout
carries one JSON line per report. It ends with stdin, that is with its parent.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.artifacts.locks import hold_lock
from pipeline.child_process import end_with_parent, reply, reserve_stdout
from pipeline.errors import SlimlineError
from pipeline.tuning.crew import Report, do_trial
from pipeline.tuning.task import TrialInputs, TrialTask


def main() -> None:
    """Does trials until stdin ends."""
    replies = reserve_stdout()
    setup = json.loads(sys.stdin.readline())
    end_with_parent(True)
    try:
        train = _find(setup["train"])
        inputs = _find(setup["prepare"])(setup["arguments"], setup["threads"])
        # Disarmed before each reply that the parent may answer with an order.
        end_with_parent(False)
        reply(replies, {"ready": True})
        for line in sys.stdin:
            end_with_parent(True)
            report = _serve(json.loads(line), train, inputs, replies)
            end_with_parent(False)
            reply(replies, {"report": asdict(report)})
    except SlimlineError as error:
        reply(replies, {"error": type(error).__name__, "message": str(error)})
    except Exception:
        reply(replies, {"error": "RuntimeError", "message": traceback.format_exc()})


def setup_for(
    config: dict[str, Any], seed: int, data_folder: Path, base_model: Path | None
) -> dict[str, Any]:
    """Returns what a worker of a real search reads first.

    Args:
        config: the whole configuration as plain data.
        seed: of the run.
        data_folder: where the data was prepared.
        base_model: file of the model before tune, or None.
    """
    return {
        "train": "pipeline.tuning.trial:run_trial",
        "prepare": "pipeline.tuning.worker:prepare_inputs",
        "arguments": {
            "config": config,
            "seed": seed,
            "data_folder": str(data_folder.resolve()),
            "base_model": None if base_model is None else str(base_model.resolve()),
        },
    }


def prepare_inputs(arguments: dict[str, Any], threads: int) -> TrialInputs:
    """Starts TensorFlow with its share of the threads and loads the data."""
    from pipeline.config.load import validate
    from pipeline.data.load import load_for_model
    from pipeline.foreign.custom import load_custom_objects
    from pipeline.runtime import import_tensorflow, start_tensorflow
    from pipeline.tflite.worker import ConversionWorker

    import_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    start_tensorflow(arguments["seed"])
    config = validate(arguments["config"])
    load_custom_objects(getattr(config.model, "custom_objects", None))
    data = load_for_model(config, Path(arguments["data_folder"]), ("train", "validation"))
    base = arguments["base_model"]
    converter = ConversionWorker()

    def start_converter() -> ConversionWorker:
        converter.start()
        return converter

    return TrialInputs(data, None if base is None else Path(base), start_converter)


def _serve(order: dict[str, Any], train: Any, inputs: Any, replies: Any) -> Report:
    task = TrialTask.from_json(order["task"])
    # A worker of a search that was just killed may not be quite dead yet.
    with hold_lock(task.work / ".lock", "held by another worker", wait=True):
        return do_trial(
            train,
            task,
            order["fence"],
            inputs,
            lambda report: reply(replies, {"report": asdict(report)}),
        )


def _find(name: str) -> Any:
    """Returns what "module:name" names."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


if __name__ == "__main__":
    main()
