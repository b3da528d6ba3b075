"""Tables and their answers from CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.csv import CsvConfig
from pipeline.data.csv_file import answer_names, read_tables
from pipeline.data.table import Table
from pipeline.errors import DataError

PEOPLE = "age,job,pay\n39,clerk,<=50K\n?,boss,>50K.\n28,,<=50K\n"


def write(tmp_path: Path, text: str = PEOPLE, name: str = "people.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def config(**values: Any) -> CsvConfig:
    return CsvConfig(**{"target": "pay", "target_strip": ".", **values})


def columns_of(table: Table) -> dict[str, list[str | None]]:
    return {name: values.tolist() for name, values in table.columns.items()}


def test_columns_missing_values_and_answers(tmp_path: Path) -> None:
    part = read_tables([write(tmp_path)], config(), "binary")
    assert columns_of(part.x) == {"age": ["39", None, "28"], "job": ["clerk", "boss", None]}
    assert part.y is not None and part.y.tolist() == ["<=50K", ">50K", "<=50K"]
    assert len(part.x) == 3


def test_names_in_place_of_a_header_and_a_header_that_repeats_them(tmp_path: Path) -> None:
    named = config(columns=("age", "job", "pay"))
    with_header = read_tables([write(tmp_path)], named, "binary").x
    without = write(tmp_path, PEOPLE.partition("\n")[2], "bare.csv")
    assert columns_of(read_tables([without], named, "binary").x) == columns_of(with_header)


def test_several_files_follow_each_other(tmp_path: Path) -> None:
    paths = [write(tmp_path), write(tmp_path, "age,job,pay\n50,none,>50K\n", "more.csv")]
    part = read_tables(paths, config(), "binary")
    assert columns_of(part.x)["age"] == ["39", None, "28", "50"]
    other = write(tmp_path, "job,age,pay\n1,2,3\n", "other.csv")
    with pytest.raises(DataError, match=r"other.csv: columns job, age, pay; expected those of"):
        read_tables([*paths, other], config(), "binary")


def test_numbers_as_answers(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,c\n1,0,0.5\n2,1,-1e3\n")
    part = read_tables([path], config(target=("b", "c"), target_strip=""), "regression")
    assert part.y is not None and part.y.dtype == np.float64
    assert part.y.tolist() == [[0.0, 0.5], [1.0, -1000.0]]
    assert list(part.x.columns) == ["a"]
    assert answer_names(config(target=("b", "c")), "multi_label", part.y) == ("b", "c")


def test_no_answers_for_reconstruction(tmp_path: Path) -> None:
    part = read_tables([write(tmp_path)], CsvConfig(), "reconstruction")
    assert part.y is None
    assert list(part.x.columns) == ["age", "job", "pay"]


def test_names_of_answers_are_in_order_and_the_positive_one_is_last() -> None:
    labels = np.array(["10", "9", "9"], object)
    assert answer_names(config(), "classification", labels) == ("9", "10")
    words = np.array(["yes", "no"], object)
    assert answer_names(config(), "binary", words) == ("no", "yes")
    assert answer_names(config(positive="no"), "binary", words) == ("yes", "no")
    with pytest.raises(DataError, match="no answer 'noo'; did you mean 'no'"):
        answer_names(config(positive="noo"), "binary", words)


@pytest.mark.parametrize(
    ("text", "values", "task", "message"),
    [
        (PEOPLE, {"target": "pya"}, "binary", r"no column 'pya' \(data.csv.target\); did you mean"),
        (PEOPLE, {"target": ("age", "pay")}, "binary", "names 2 columns, data.task binary takes"),
        (PEOPLE, {"target": None}, "binary", "data.csv.target: received none"),
        (PEOPLE, {}, "regression", "people.csv:2: column 'pay' is '<=50K', data.task regression"),
        (PEOPLE, {"columns": ("a", "pay")}, "binary", "people.csv:1: 3 fields, data.csv.columns"),
        ("a,pay\n1,?\n", {}, "binary", "people.csv:2: column 'pay' is empty, expected an answer"),
        ("a,a\n1,2\n", {"target": "a"}, "binary", "people.csv:1: column 2 is called 'a'"),
        ("a,pay\n", {}, "binary", "has a header and no rows"),
        ("a,pay\n1\n", {"delimiter": ","}, "binary", "people.csv:2: 1 fields, line 1 has 2"),
    ],
)
def test_refusals(
    tmp_path: Path, text: str, values: dict[str, Any], task: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_tables([write(tmp_path, text)], config(**values), task)


def test_adult_as_it_lies_there(real_data: Path) -> None:
    names = (
        "age workclass fnlwgt education education_num marital_status occupation relationship "
        "race sex capital_gain capital_loss hours_per_week native_country income"
    )
    adult = config(target="income", columns=tuple(names.split()))
    part = read_tables([real_data / "uci_tabular" / "adult-test.csv.xz"], adult, "binary")
    assert len(part.x) == 16_281
    assert part.y is not None and (part.y == ">50K").sum() == 3846
