"""Plain values of a config: numbers, texts, lists, and the few special forms of Keras 3."""

from __future__ import annotations

from typing import Any

from pipeline.foreign.classes import DTYPES

MAX_LIST = 100_000
MAX_TEXT = 10_000
MAX_INTEGER = 1 << 64
_ARRAY_FORMS = ("__numpy__", "__tensor__")


class Refusal(Exception):
    """A config that is not used; the message lacks the file's name."""


def plain_value(value: Any, where: str) -> Any:
    """Checks a setting that is no object.

    Args:
        value: as JSON gives it.
        where: for the message.

    Returns:
        The same, written anew.

    Raises:
        Refusal: an object, or a value of no use for a setting.
    """
    if isinstance(value, dict) and "class_name" in value:
        if value["class_name"] in _ARRAY_FORMS:
            return _array(value, where)
        raise Refusal(f"{where} holds an object ({str(value['class_name'])[:200]})")
    return _container(value, where, plain_value)


def call_argument(value: Any, where: str) -> Any:
    """Checks an argument of a call in a functional model.

    Args:
        value: a plain value, a tensor of the model, a slice, or a list of these.
        where: for the message.

    Returns:
        The same, written anew.

    Raises:
        Refusal: anything else.
    """
    if isinstance(value, dict) and "class_name" in value:
        class_name, config = value["class_name"], value.get("config")
        if class_name in _ARRAY_FORMS:
            return _array(value, where)
        if class_name == "__keras_tensor__":
            return tensor(_history(config, where))
        if class_name == "__ellipsis__":
            return {"class_name": "__ellipsis__", "config": {}}
        if class_name == "__slice__" and isinstance(config, dict):
            ends = {key: call_argument(config.get(key), where) for key in ("start", "stop", "step")}
            return {"class_name": "__slice__", "config": ends}
        raise Refusal(f"{where} is called with an object ({str(class_name)[:200]})")
    return _container(value, where, call_argument)


def tensor(history: list[Any]) -> dict[str, Any]:
    """Writes a reference to a layer's output: [layer, call, output].

    Shape and dtype are not read when a model is rebuilt (keras 3.15.1).
    """
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": [], "dtype": "float32", "keras_history": history},
    }


def _history(config: Any, where: str) -> list[Any]:
    history = config.get("keras_history") if isinstance(config, dict) else None
    if (
        not isinstance(history, list)
        or [type(part) for part in history] != [str, int, int]
        or min(history[1:]) < 0
    ):
        raise Refusal(f"{where} is called with a tensor of no layer")
    return list(history)


def _array(value: dict[str, Any], where: str) -> dict[str, Any]:
    config = value.get("config")
    if not isinstance(config, dict) or str(config.get("dtype")) not in DTYPES:
        raise Refusal(f"{where} holds an array of no number type")
    # Never "__tensor__": it would belong to the graph in which the model is first built.
    return {
        "class_name": "__numpy__",
        "config": {"value": plain_value(config.get("value"), where), "dtype": config["dtype"]},
    }


def _container(value: Any, where: str, check: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        if abs(value) >= MAX_INTEGER:
            raise Refusal(f"{where} is {str(value)[:40]}, a number beyond 64 bits")
        return value
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise Refusal(f"{where} is a text of {len(value):,} characters")
        return value
    if isinstance(value, list) and len(value) <= MAX_LIST:
        return [check(one, where) for one in value]
    if isinstance(value, dict) and len(value) <= MAX_LIST:
        return {str(key): check(one, where) for key, one in value.items()}
    raise Refusal(f"{where} has {len(value):,} entries, expected at most {MAX_LIST:,}")
