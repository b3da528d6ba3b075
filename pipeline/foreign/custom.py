"""`--custom-objects package.module`: the user's own layers and functions, imported on request."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import traceback
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError

# Keys under which Keras finds the objects again; no file can hold one by chance.
_PREFIX = "slimline_custom>"
_NEVER = frozenset({"Lambda"})


@dataclass(frozen=True)
class CustomObjects:
    """What one module defines, by each name that a file may use for it.

    Attributes:
        by_name: class or function name, "package>Name" → the object.
    """

    by_name: Mapping[str, Any] = field(default_factory=dict)

    def find(self, node: Any) -> Any | None:
        """Returns the object that a part of a config names; None for what is Keras's own."""
        if not self.by_name or not isinstance(node, dict):
            return None
        module = node.get("module")
        if module is not None and str(module).split(".")[0] in ("keras", "tf_keras"):
            return None
        for name in self._names(node):
            if name in self.by_name:
                return self.by_name[name]
        return None

    def reference(self, node: dict[str, Any]) -> dict[str, Any]:
        """Writes the part of a config by which Keras finds the object again."""
        found = self.find(node)
        assert found is not None
        key = _key(found)
        if isinstance(found, type):
            # `module` must be stated, or Keras takes the config for one of an `.h5` file.
            return {
                "module": found.__module__, "class_name": found.__name__, "config": {},
                "registered_name": key,
            }  # fmt: skip
        return {
            "module": found.__module__, "class_name": "function", "config": key,
            "registered_name": key,
        }  # fmt: skip

    def for_keras(self) -> dict[str, Any]:
        """Returns the objects as Keras takes them: key → object."""
        return {_key(found): found for found in self.by_name.values()}

    @staticmethod
    def _names(node: dict[str, Any]) -> list[str]:
        names = [node.get("registered_name"), node.get("class_name")]
        if node.get("class_name") == "function":
            names = [node.get("registered_name"), node.get("config")]
        return [name for name in names if isinstance(name, str)]


def load_custom_objects(module_name: str | None) -> CustomObjects:
    """Imports the module that the user names, from the current folder too.

    Args:
        module_name: "package.module"; None for no custom objects.

    Returns:
        Its classes that Keras can rebuild, and its functions.

    Raises:
        ConfigError: it cannot be imported, or defines neither.
    """
    if module_name is None:
        return CustomObjects()
    module = _import(module_name)
    found: dict[str, Any] = {}
    for name, value in vars(module).items():
        if not _is_own(value, module) or name in _NEVER:
            continue
        found[name] = value
        found[value.__name__] = value
        found[_registered_name(value)] = value
    if not found:
        raise ConfigError(
            f"custom objects {module_name}: the module defines no layer and no function; name the "
            "module that defines them"
        )
    return CustomObjects(found)


def describe_module(module_name: str) -> dict[str, str]:
    """Returns {"module", "sha256"} of a module's file, which is not run for it.

    Raises:
        ConfigError: there is no such module, or no file of it.
    """
    _see_current_folder()
    try:
        found = importlib.util.find_spec(module_name)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(f"No module named '{module_name}'")
        content = Path(found.origin).read_bytes()
    except (ImportError, OSError, ValueError) as error:
        raise ConfigError(
            f"custom objects {module_name}: {error}; expected a module such as package.module, in "
            "the current folder or installed"
        ) from error
    return {"module": module_name, "sha256": hashlib.sha256(content).hexdigest()}


def _see_current_folder() -> None:
    # A console script starts without the current folder on the path; `python -m` has it as "".
    folder = str(Path.cwd())
    if folder not in sys.path and "" not in sys.path:
        sys.path.insert(0, folder)


def _import(module_name: str) -> types.ModuleType:
    _see_current_folder()
    try:
        return importlib.import_module(module_name)
    except Exception as error:  # the user's own code may raise anything
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if f.filename != __file__ and "importlib" not in f.filename]
        place = f" at {own[-1].filename}:{own[-1].lineno}" if own else ""
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError(
            f"custom objects {module_name}: cannot be imported ({reason}{place}); expected a "
            "module such as package.module, in the current folder or installed"
        ) from error


def _is_own(value: Any, module: types.ModuleType) -> bool:
    """True for a class with a config, or a function, that the module or its package defines."""
    is_class = isinstance(value, type) and hasattr(value, "from_config")
    if not is_class and not isinstance(value, types.FunctionType):
        return False
    package = module.__name__.split(".")[0]
    return value.__module__ == module.__name__ or value.__module__.startswith(f"{package}.")


def _registered_name(value: Any) -> str:
    """Returns the name that @keras.saving.register_keras_serializable gave, or the plain one."""
    import keras

    return str(keras.saving.get_registered_name(value))


def _key(found: Any) -> str:
    return f"{_PREFIX}{found.__module__}.{found.__name__}"
