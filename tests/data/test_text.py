"""Texts as token ids: by hand, and against Keras's TextVectorization on real sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.text import TextConfig
from pipeline.data.raw_input import encode, split_words
from pipeline.data.text import TextEncoding, covering_length
from pipeline.data.text_files import read_texts
from pipeline.errors import DataError

TEXTS = np.array(["The cat, the dog!", "a dog", "the END of it", "unseen words"], object)


def fit(train: list[int], **values: Any) -> TextEncoding:
    return TextEncoding.fit(TEXTS, np.array(train), TextConfig(**values))


def test_words_are_lower_case_without_punctuation() -> None:
    assert split_words("It's  GREAT-ly\tÄ\u00a0b, e.g.\n--") == ["its", "greatly", "Ä\u00a0b", "eg"]
    assert split_words("?! ...") == []


def test_ids_by_hand() -> None:
    encoding = fit([0, 1, 2], sequence_length=4)
    # the 3, dog 2, then of, it, end, cat, a: equal counts by their letters, downwards.
    assert encoding.to_json()["vocabulary"] == ["the", "dog", "of", "it", "end", "cat", "a"]
    encoded = encoding.apply(TEXTS)
    assert encoded.dtype == np.int32
    assert encoded.tolist() == [[2, 7, 2, 3], [0, 0, 8, 3], [2, 6, 4, 5], [0, 0, 1, 1]]
    assert encoding.apply(TEXTS, np.array([1])).tolist() == [[0, 0, 8, 3]]
    assert encoding.input_shape == (4,)
    assert encoding.input_dtype == "int32"


def test_padding_after_and_cutting() -> None:
    encoding = fit([0, 1, 2], sequence_length=3, padding="after")
    assert encoding.apply(TEXTS)[:2].tolist() == [[2, 7, 2], [8, 3, 0]]


def test_padding_and_unknown_count_as_tokens() -> None:
    encoding = fit([0, 1, 2], max_tokens=4, sequence_length=3)
    assert encoding.to_json()["vocabulary"] == ["the", "dog"]
    assert encoding.apply(TEXTS)[0].tolist() == [2, 1, 2]


def test_length_that_most_texts_fit_into() -> None:
    assert covering_length([*range(1, 101)]) == 95
    assert covering_length([3, 3, 9]) == 9
    assert covering_length([0]) == 1
    assert fit([0, 1]).input_shape == (4,)


def test_only_training_texts_are_looked_at_and_one_needs_a_word() -> None:
    assert fit([0, 1]).to_json()["vocabulary"] == ["the", "dog", "cat", "a"]
    with pytest.raises(DataError, match="no training text has a word"):
        TextEncoding.fit(["?", "word"], np.array([0]), TextConfig())


def test_the_encoding_survives_json_and_is_what_ships() -> None:
    encoding = fit([0, 1, 2])
    content = json.loads(json.dumps(encoding.to_json()))
    np.testing.assert_array_equal(encode(list(TEXTS), content), encoding.apply(TEXTS))
    assert TextEncoding.from_json(content) == encoding


def test_keras_agrees_on_real_sentences(real_data: Path) -> None:
    from pipeline.runtime import import_tensorflow

    import_tensorflow()
    import keras

    files = sorted((real_data / "sentiment").glob("*_labelled.txt"))
    texts = read_texts(files, TextConfig(delimiter="\t", quotes=False), "binary").x
    config = TextConfig(max_tokens=1500, sequence_length=40, padding="after")
    encoding = TextEncoding.fit(texts, np.arange(2000), config)
    layer = keras.layers.TextVectorization(
        config.max_tokens,
        standardize="lower_and_strip_punctuation",
        output_sequence_length=config.sequence_length,
    )
    layer.adapt(list(texts[:2000]))
    assert layer.get_vocabulary()[2:] == encoding.to_json()["vocabulary"]
    np.testing.assert_array_equal(layer(list(texts)).numpy(), encoding.apply(texts))
