from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.config.data import DataConfig
from pipeline.data.load import load_data
from pipeline.data.prepare import prepare_data, save_preparation
from pipeline.data.prepared import SPLITS
from pipeline.errors import DataError


def write_table(path: Path, rows: int = 60, color: str = "red") -> DataConfig:
    """Rows of a number, a category and an answer; one row in three has another color."""
    lines = [f"{i},{'blue' if i % 3 else color},{'yes' if i % 2 else 'no'}" for i in range(rows)]
    path.write_text("\n".join(["size,color,answer", *lines, ""]))
    return DataConfig(source="csv", path=path, csv={"target": "answer", "clip": None})


def test_table_is_encoded_as_it_was_fitted_on_training(tmp_path: Path) -> None:
    config = write_table(tmp_path / "a.csv")
    preparation = prepare_data(config, 0)
    save_preparation(preparation, tmp_path / "out")
    data = load_data(config, tmp_path / "out", SPLITS)
    assert data.encoding is not None and data.encoding["kind"] == "table"
    assert data.task.class_names == ("no", "yes") and data.preprocessing is None
    assert data.input_shape == (4,)  # the number, blue, red and any other color
    train = preparation.indices["train"].astype(np.float64)
    expected = (preparation.indices["test"] - train.mean()) / train.std()
    np.testing.assert_allclose(data.test.x[:, 0], expected, rtol=1e-5)
    np.testing.assert_array_equal(data.test.y, preparation.indices["test"] % 2)


def test_table_that_changed_after_it_was_prepared_is_refused(tmp_path: Path) -> None:
    config = write_table(tmp_path / "a.csv")
    save_preparation(prepare_data(config, 0), tmp_path / "out")
    write_table(tmp_path / "a.csv", color="green")
    with pytest.raises(DataError, match=r"a\.csv: the all arrays changed after they were prepared"):
        load_data(config, tmp_path / "out", ("test",))


def test_texts_become_token_ids_of_the_training_vocabulary(tmp_path: Path) -> None:
    rows = [f"{'good' if i % 2 else 'bad'} w{i}\t{i % 2}" for i in range(40)]
    (tmp_path / "a.tsv").write_text("\n".join(["text\tlabel", *rows, ""]))
    config = DataConfig(source="text", path=tmp_path / "a.tsv", task="binary")
    save_preparation(prepare_data(config, 0), tmp_path / "out")
    data = load_data(config, tmp_path / "out", SPLITS)
    assert data.input_dtype == "int32" and data.train.x.dtype == np.int32
    assert data.encoding is not None and len(data.encoding["vocabulary"]) == 2 + len(data.train)
    # Words of the test split alone are unknown (1); good and bad are the most frequent.
    assert set(data.test.x[:, 1].tolist()) == {1}
    assert set(data.test.x[:, 0].tolist()) == {2, 3}
    assert data.tokens == 4 + len(data.train)


def test_duplicates_of_rows_are_counted(tmp_path: Path) -> None:
    config = write_table(tmp_path / "a.csv", rows=60)
    text = (tmp_path / "a.csv").read_text().splitlines()
    (tmp_path / "test.csv").write_text("\n".join([*text[:4], ""]))
    both = config.model_copy(update={"test_path": tmp_path / "test.csv"})
    duplicates = prepare_data(both, 0).duplicates
    assert duplicates["train/test"] + duplicates["validation/test"] == 3
