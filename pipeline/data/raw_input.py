"""From a file as people have it (CSV, sentences, an image, .npy) to the array a model takes.

Stand-alone, with data.rows, NumPy and the standard library only: this very code encodes the
training data and travels inside `run_model.py`, so that what a model is fed later is what it was
trained on.
The formats of `encoding` are told in docs/sidecar.md. Faults are ValueErrors of one line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pipeline.data.rows import COMPRESSED, pick_columns, read_rows, read_text

TABLE_ENDINGS = (".csv", ".tsv", ".tab", ".data", ".txt")
IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
IMAGE_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
LARGEST_IMAGE = 10**8  # pixels; a small file can claim far more than memory holds
# What keras.layers.TextVectorization(standardize="lower_and_strip_punctuation") does (Keras
# 3.15.1): ASCII letters are lowered, ASCII punctuation is dropped, ASCII white space splits.
LOWERED = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
PUNCTUATION = dict.fromkeys(map(ord, "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"))
WHITE_SPACE = re.compile(r"[ \t\n\v\f\r]+")


def read_raw(path: Path, encoding: Mapping[str, Any] | None) -> Any:
    """Reads raw samples from a file.

    Args:
        path: .npy; for table encodings also CSV (plain, .gz, .xz, .bz2); for text encodings also
            .txt (a text per line, up to a tab if there is one) and CSV; for images an image
            file, if Pillow is installed.
        encoding: the sidecar's.

    Returns:
        An array from .npy, or what `encode` takes.
    """
    kind = None if encoding is None else encoding["kind"]
    ending = next((e for e in reversed(path.suffixes) if e.lower() not in COMPRESSED), "").lower()
    if ending == ".npy":
        return np.load(path, allow_pickle=False)
    if encoding is not None and kind == "text" and ending == ".txt":
        lines = read_text(path).split("\n")
        return [line.split("\t")[0] for line in lines if line.strip()]
    if encoding is not None and kind == "text" and ending in TABLE_ENDINGS:
        rows = read_rows(path, encoding["delimiter"], encoding["quotes"])
        name = encoding["column"]
        return pick_columns(rows, [name], encoding["file_columns"], path)[name]
    if encoding is not None and kind == "table" and ending in TABLE_ENDINGS:
        names = [column["name"] for column in encoding["columns"]]
        rows = read_rows(path, encoding["delimiter"], encoding["quotes"])
        return pick_columns(rows, names, encoding["file_columns"], path)
    if encoding is not None and kind == "images" and ending in IMAGE_ENDINGS:
        return [path]
    expected = {"table": ".csv or .npy", "text": ".txt, .csv or .npy", "images": "an image or .npy"}
    raise ValueError(f"{path}: expected {expected.get(str(kind), '.npy')}")


def encode(raw: Any, encoding: Mapping[str, Any] | None) -> np.ndarray:
    """Turns raw samples into what the model takes, before quantization.

    Args:
        raw: by kind of encoding: columns of strings by name (table), texts (text), paths
            (images). An array is taken to be encoded already.
        encoding: the sidecar's; None for arrays.

    Returns:
        float32 (n, features) or (n, height, width, channels), or int32 (n, length).
    """
    if encoding is None or isinstance(raw, np.ndarray):
        return np.asarray(raw)
    if encoding["kind"] == "table":
        return encode_table(raw, encoding)
    if encoding["kind"] == "text":
        return encode_texts(raw, encoding)
    return np.stack([decode_image(Path(path), encoding) for path in raw]).astype(np.float32)


def encode_table(columns: Mapping[str, Sequence[Any]], encoding: Mapping[str, Any]) -> np.ndarray:
    """Encodes rows of a table as float32 (n, features), feature by feature in order.

    Args:
        columns: name → texts or numbers; None, NaN or one of the encoding's marks: missing.
        encoding: the sidecar's.
    """
    missing = frozenset(encoding["missing"])
    blocks = []
    for column in encoding["columns"]:
        values = columns[column["name"]]
        if column["type"] == "number":
            blocks.append(encode_numbers(values, column, missing))
        else:
            blocks.append(encode_categories(values, column, missing))
    return np.concatenate(blocks, axis=1).astype(np.float32)


def encode_numbers(
    values: Sequence[Any], column: Mapping[str, Any], missing: frozenset[str]
) -> np.ndarray:
    """(n, 1): clip((log1p of) value · scale + offset); (n, 2) with the mark of missing values."""
    numbers = parse_numbers(values, column["name"], missing)
    absent = np.isnan(numbers)
    if column["log"]:
        numbers = np.sign(numbers) * np.log1p(np.abs(numbers))
    numbers = np.where(absent, column["fill"], numbers) * column["scale"] + column["offset"]
    if column["clip"] is not None:
        numbers = np.clip(numbers, -column["clip"], column["clip"])
    return np.stack([numbers, absent], 1) if column["indicator"] else numbers[:, None]


def encode_categories(
    values: Sequence[Any], column: Mapping[str, Any], missing: frozenset[str]
) -> np.ndarray:
    """(n, values + 1): one-hot; the last place is for every other value. "" stands for missing."""
    places = {value: place for place, value in enumerate(column["values"])}
    other = len(places)
    found = [places.get(to_category(value, missing), other) for value in values]
    return np.eye(other + 1)[found].reshape(len(values), other + 1)


def parse_numbers(values: Sequence[Any], name: str, missing: frozenset[str]) -> np.ndarray:
    """Returns float64 (n,), NaN where a value is missing; ValueError where it is no number."""
    numbers = np.empty(len(values))
    for row, value in enumerate(values):
        number = math.nan if is_missing(value, missing) else to_number(value)
        if number is None:
            raise ValueError(f"column {name!r}, sample {row}: {value!r}; expected a number")
        numbers[row] = number
    return numbers


def is_missing(value: Any, missing: frozenset[str]) -> bool:
    """Tells None, NaN and the marks of a missing value."""
    return value is None or value in missing or value != value


def to_category(value: Any, missing: frozenset[str]) -> str:
    """Returns the text of a category; "" for a missing one. A number is written shortly."""
    if is_missing(value, missing):
        return ""
    return value if isinstance(value, str) else f"{value:g}"


def to_number(value: Any) -> float | None:
    """Returns the finite number that a text says (or that it is), None if it says none."""
    try:
        number = float(value)
    except ValueError:
        return None
    # float() takes "1_000", which nobody means as a number in a file.
    return number if math.isfinite(number) and "_" not in str(value) else None


def split_words(text: str) -> list[str]:
    """Splits a text into its words: lower case, without punctuation, at white space."""
    plain = text.translate(LOWERED).translate(PUNCTUATION)
    return [word for word in WHITE_SPACE.split(plain) if word]


def encode_texts(texts: Sequence[str], encoding: Mapping[str, Any]) -> np.ndarray:
    """Encodes texts as int32 (n, length): 0 is padding, 1 unknown, 2… the vocabulary's words.

    Of a longer text the first words are kept; a shorter one is padded "before" or "after".
    """
    ids = {word: number for number, word in enumerate(encoding["vocabulary"], start=2)}
    length = encoding["length"]
    encoded = np.zeros((len(texts), length), np.int32)
    for row, text in enumerate(texts):
        found = [ids.get(word, 1) for word in split_words(text)[:length]]
        start = length - len(found) if encoding["padding"] == "before" else 0
        encoded[row, start : start + len(found)] = found
    return encoded


def decode_image(source: Path | BinaryIO, encoding: Mapping[str, Any]) -> np.ndarray:
    """Decodes an image file: upright, without transparency, the first frame, resized bilinearly.

    Args:
        source: .png, .jpg, .bmp, .gif or .webp, 8 bits per channel.
        encoding: size [height, width], channels 3 or 1, resize: stretch each axis, crop the
            middle of what is too long, or pad with black.

    Returns:
        uint8 (height, width, channels).
    """
    name = source if isinstance(source, Path) else "image"
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise ValueError(f"{name}: images need Pillow: pip install pillow, or give .npy") from error
    height, width = encoding["size"]
    try:
        with Image.open(source, formats=IMAGE_FORMATS) as image:
            if image.mode[0] in "IF":
                raise ValueError(f"has pixels of mode {image.mode}, expected 8 bits per channel")
            if image.width * image.height > LARGEST_IMAGE:
                raise ValueError(f"has {image.width} x {image.height} pixels, expected up to 10^8")
            opaque = image.convert("RGBA") if image.has_transparency_data else image
            mode = "L" if encoding["channels"] == 1 else "RGB"
            plain = ImageOps.exif_transpose(opaque).convert(mode)
    except Exception as error:  # Pillow has an error of its own kind for every broken format
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{name}: not a whole image: {reason}") from error
    fits: dict[str, Any] = {
        "stretch": Image.Image.resize,
        "crop": ImageOps.fit,
        "pad": ImageOps.pad,
    }
    if plain.size != (width, height):
        plain = fits[encoding["resize"]](plain, (width, height), Image.Resampling.BILINEAR)
    return np.asarray(plain, np.uint8).reshape(height, width, encoding["channels"])
