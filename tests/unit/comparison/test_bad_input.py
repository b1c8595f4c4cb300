"""Whatever two tables hold: a verdict with its limitation, or one line that names the column."""

import json
import math
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import loanwatch
from loanwatch.errors import LoanwatchError
from loanwatch.monitoring import Severity, Status

ROWS = 300


def table(rows=ROWS, seed=0, **more):
    rng = np.random.default_rng(seed)
    return pl.DataFrame({"income": rng.lognormal(11, 0.5, rows), "town": rng.choice(["rome", "oslo"], rows), **more})


def notes(found):
    return [*found.limitations, *(line for r in found.reports.values() for line in r.limitations)]


def all_of(found):
    """Render everything, as the command line does; no NaN may reach JSON."""
    page = found.to_html()
    assert len(page) < 500_000
    text = json.dumps(found.to_dict(), allow_nan=False)
    return text + page


@pytest.mark.parametrize("side", ["reference", "current"])
def test_a_table_without_rows_is_not_compared_and_says_so(side):
    tables = {"reference": table(), "current": table()} | {side: table().head(0)}
    found = loanwatch.compare(**tables)
    assert found.reports["data_drift"].status is Status.SKIPPED
    assert not found.drifted
    assert any("no rows" in line for line in notes(found))
    all_of(found)


def test_two_tables_without_columns_are_compared():
    found = loanwatch.compare(pl.DataFrame(), pl.DataFrame())
    assert not found.drifted
    all_of(found)


def test_a_table_of_one_row_gets_a_limitation():
    found = loanwatch.compare(table(), table(1))
    assert not found.drifted
    assert any("only its missing rate" in line for line in notes(found))
    all_of(found)


@pytest.mark.parametrize(
    ("values", "then"),
    [
        ([1.0] * ROWS, [1.0] * ROWS),
        ([None] * ROWS, [None] * ROWS),
        ([math.nan] * ROWS, [math.nan] * ROWS),
        ([math.inf, -math.inf, 1.0] * 100, [math.inf, 2.0, 1.0] * 100),
        ([True, False, None] * 100, [True, False, None] * 100),
        ([Decimal("1.50"), Decimal("2.25"), None] * 100, [Decimal("1.50"), Decimal("2.25"), None] * 100),
        (["", " ", None] * 100, ["", " ", None] * 100),
    ],
    ids=["constant", "all null", "all nan", "infinite", "boolean", "decimal", "empty text"],
)
def test_odd_columns_are_compared(values, then):
    found = loanwatch.compare(
        table(odd=pl.Series(values, strict=False)), table(seed=1, odd=pl.Series(then, strict=False))
    )
    assert {f.subject for f in found.findings} <= {"odd"}
    all_of(found)


def test_a_column_that_became_constant_is_drift():
    rng = np.random.default_rng(0)
    found = loanwatch.compare(table(x=rng.normal(size=ROWS)), table(seed=1, x=np.zeros(ROWS)))
    assert {f.subject for f in found.findings} == {"x"}
    assert {f.check for f in found.findings if f.severity >= Severity.MEDIUM} == {
        "data_drift.univariate",
        "data_quality.constant",
    }


def test_a_column_that_became_empty_is_drift():
    found = loanwatch.compare(table(x=np.arange(ROWS) % 7), table(seed=1, x=pl.Series([None] * ROWS, dtype=pl.Int64)))
    assert "x" in {f.subject for f in found.findings if f.severity >= Severity.MEDIUM}


def test_a_column_that_vanished_is_serious_and_a_new_one_a_notice():
    found = loanwatch.compare(table(old=np.arange(ROWS) % 7), table(seed=1, new=np.arange(ROWS) % 7))
    severities = {f.subject: f.severity for f in found.findings}
    assert severities == {"old": Severity.HIGH, "new": Severity.LOW}
    assert found.drifted
    all_of(found)


def test_numbers_that_became_words_are_serious():
    found = loanwatch.compare(table(x=np.arange(ROWS) % 7), table(seed=1, x=["much", "little", "none"] * 100))
    worst = found.findings[0]
    assert (worst.subject, worst.severity) == ("x", Severity.HIGH)
    assert "numbers" in worst.sentence
    all_of(found)


def test_mixed_types_of_a_pandas_column_are_read_as_text():
    mixed = pd.DataFrame({"x": [1, "two", 3.5, None] * 75, "y": np.arange(300) % 5})
    found = loanwatch.compare(mixed, mixed)
    assert not found.findings
    assert "x" in found.reports["data_drift"].measurements


@pytest.mark.parametrize(
    "twins",
    [
        pd.DataFrame(np.zeros((3, 2)), columns=["x", "x"]),
        pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["x", "x"]),
    ],
    ids=["pandas", "arrow"],
)
def test_a_column_name_that_stands_twice_is_refused_by_name(twins):
    with pytest.raises(LoanwatchError, match="current has 2 columns called 'x'"):
        loanwatch.compare(table(), twins)


def test_a_column_name_that_stands_twice_in_a_file_is_refused_by_name(tmp_path):
    path = tmp_path / "twins.csv"
    path.write_text("x,y,x\n1,2,3\n")
    with pytest.raises(LoanwatchError, match=r"twins\.csv has 2 columns called 'x'"):
        loanwatch.compare(path, path)


def test_a_hundred_thousand_categories_are_compared_or_set_aside():
    rng = np.random.default_rng(0)
    many = [pl.DataFrame({"shop": [f"shop {i}" for i in rng.integers(0, 100_000, 250_000)]}) for _ in range(2)]
    found = loanwatch.compare(*many)
    assert not found.findings
    all_of(found)
    own = [pl.DataFrame({"shop": [f"{seed}-{i}" for i in range(100_000)]}) for seed in range(2)]
    found = loanwatch.compare(*own)
    assert not found.findings
    assert any("shop is not compared" in line for line in found.limitations)


@pytest.mark.parametrize(
    "values",
    [
        ["2024-01-05", "2024-02-11"] * 150,
        ["05-01-2024 10:11:12", "17-02-2024 23:59:01"] * 150,
        [date(2024, 1, 1), date(2024, 2, 1)] * 150,
        [datetime(2024, 1, 1), None] * 150,  # noqa: DTZ001  (files often hold naive times)
        [[1, 2], [3]] * 150,
        [{"a": 1}, {"a": 2}] * 150,
        [b"a", b"b"] * 150,
    ],
    ids=["iso text", "text", "dates", "times", "lists", "structs", "bytes"],
)
def test_times_and_nested_values_are_set_aside_by_name(values):
    found = loanwatch.compare(table(odd=values), table(seed=1, odd=values))
    assert not found.findings
    assert any(line.startswith("odd is not compared") for line in found.limitations)
    all_of(found)


def test_identifiers_and_free_text_are_set_aside_by_name():
    more = {
        "loan_id": np.arange(ROWS),
        "uuid": [f"{i:08x}-ffff" for i in range(ROWS)],
        "remark": [f"the customer number {i} called us again" for i in range(ROWS)],
    }
    found = loanwatch.compare(table(**more), table(seed=1, **more))
    assert [line.split(" is not compared")[0] for line in found.limitations] == ["loan_id", "uuid", "remark"]
    assert not found.findings


def test_amounts_are_no_identifiers_even_if_each_occurs_once():
    rng = np.random.default_rng(0)
    amounts = [pl.DataFrame({"amount": rng.integers(1_000, 10_000_000, ROWS)}) for _ in range(2)]
    assert loanwatch.compare(*amounts).limitations == ()


def test_windows_that_do_not_overlap_are_compared():
    days = [pl.Series([datetime(2024, month, 1 + i % 28) for i in range(ROWS)]) for month in (1, 6)]  # noqa: DTZ001
    found = loanwatch.compare(table(at=days[0]), table(seed=1, at=days[1]), time="at")
    assert not found.drifted
    assert not found.limitations


SCORES = {"y": np.tile([0, 1], ROWS // 2), "p": np.linspace(0.1, 0.9, ROWS)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": np.ones(ROWS)}, ""),
        ({"p": np.linspace(-1, 2, ROWS)}, "outside [0, 1]"),
        ({"y": pl.Series([None] * ROWS, dtype=pl.Int64)}, "no known label"),
        ({"y": ["a", "b", "c"] * 100}, "5 different labels"),
        ({"p": pl.Series([None] * ROWS, dtype=pl.Float64)}, ""),
    ],
    ids=["one class", "no probabilities", "no label yet", "three words", "no score"],
)
def test_labels_and_scores_that_cannot_be_judged_get_a_limitation(change, words):
    found = loanwatch.compare(table(**SCORES), table(seed=1, **(SCORES | change)), label="y", score="p")
    assert any(words in line for line in notes(found))
    all_of(found)


def test_labels_may_be_words_and_the_positive_one_is_told():
    words = np.where(SCORES["p"] > 0.4, "paid", "late")
    found = loanwatch.compare(
        table(y=words, p=SCORES["p"]), table(seed=1, y=words, p=SCORES["p"]), label="y", score="p"
    )
    assert any("“paid” is taken for the positive label" in line for line in found.limitations)
    assert found.reports["model_drift"].status is not Status.SKIPPED


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"label": "z"}, "--label: neither table has a column 'z'"),
        ({"score": "town"}, "--score town: scores are numbers"),
        ({"time": "town"}, "--time town: the column holds"),
        ({"label": "town", "score": "town"}, "both name column 'town'"),
        ({"label": "nested"}, "--label nested: the column holds nested values"),
    ],
)
def test_a_column_that_cannot_have_its_role_is_named_in_one_line(options, words):
    both = table(nested=[[1]] * ROWS)
    with pytest.raises(LoanwatchError) as caught:
        loanwatch.compare(both, both, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.csv", None),
        ("broken.parquet", b"no parquet"),
        ("broken.csv.gz", b"no gzip"),
        ("table.xlsx", b"x"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_in_one_line(tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LoanwatchError) as caught:
        loanwatch.compare(path, table())
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_a_table_without_rows(tmp_path):
    path = tmp_path / "empty.csv"
    path.write_text("")
    assert not loanwatch.compare(path, path).drifted


@pytest.mark.parametrize("source", [None, 3, [1, 2], {"x": [1]}])
def test_what_is_no_table_is_refused(source):
    with pytest.raises(LoanwatchError, match="give a path, or a frame"):
        loanwatch.compare(source, table())


def test_identifiers_of_a_few_rows_are_set_aside_by_name():
    def numbered(first):
        ids = np.arange(first, first + 30)
        return table(30, customer_id=ids, loan_id=[f"{i:07d}" for i in ids], age=np.arange(20, 50))

    found = loanwatch.compare(numbered(1_000), numbered(900_000))
    assert not found.findings
    assert set(found.reports["data_drift"].measurements) == {"income", "town", "age"}
    assert {line.partition(" ")[0] for line in found.limitations} == {"customer_id", "loan_id"}


def test_where_scores_do_not_tell_two_words_apart_the_one_that_says_yes_is_positive():
    flat = judged(1).with_columns(p=pl.lit(0.4))
    found = loanwatch.compare(flat, flat, label="y", score="p")
    assert "“yes” is taken for the positive label." in found.limitations
    all_of(found)


def judged(seed, rows=2_000):
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.1, 0.9, rows)
    return table(rows, seed, p=score, y=np.where(rng.random(rows) < score, "yes", "no"))


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_scores_that_are_not_known_are_no_scores_outside_the_range(share):
    unknown = np.random.default_rng(3).random(2_000) < share
    now = judged(2).with_columns(p=pl.when(pl.Series(unknown)).then(math.nan).otherwise("p"))
    found = loanwatch.compare(judged(1), now, label="y", score="p")
    assert not any("outside [0, 1]" in line for line in notes(found))
    assert (found.reports["model_drift"].status is Status.SKIPPED) is (share == 1.0)
    all_of(found)


@pytest.mark.parametrize("known", [0.0, 0.5])
def test_labels_that_are_not_known_yet_are_no_drift(known):
    late = judged(2).with_columns(y=pl.when(pl.Series(np.random.default_rng(4).random(2_000) < known)).then("y"))
    found = loanwatch.compare(judged(1), late, label="y", score="p")
    assert not found.findings
    told = "no known label" if known == 0.0 else "The label is known and due in "
    assert any(told in line for line in notes(found))
    all_of(found)


@pytest.mark.parametrize("values", [3, 1_000])
def test_a_label_of_many_numbers_does_not_give_itself_away(values):
    def with_label(seed):
        return table(2_000, seed).with_columns(y=pl.Series(np.random.default_rng(seed).integers(0, values, 2_000)))

    found = loanwatch.compare(with_label(1), with_label(2), label="y")
    assert not found.findings
    assert any("different labels" in line for line in notes(found))


def test_a_new_column_without_values_is_a_notice():
    found = loanwatch.compare(table(), table(seed=1).with_columns(new=pl.lit(None, dtype=pl.Float64)))
    assert [(f.check, f.subject, f.severity) for f in found.findings] == [("columns.schema", "new", Severity.LOW)]


def test_a_column_that_holds_nested_values_now_is_named():
    found = loanwatch.compare(table(), table(seed=1).with_columns(town=pl.struct("income", "town")))
    assert found.reports["columns"].findings[0].sentence == "town held categories and now nested values."
    all_of(found)


def test_tables_that_share_no_column_are_not_called_sound():
    found = loanwatch.compare(table(), table(seed=1).rename({"income": "a", "town": "b"}))
    assert {name: report.status for name, report in found.reports.items()} == {
        "columns": Status.FAIL,
        "data_quality": Status.SKIPPED,
        "data_drift": Status.SKIPPED,
    }
    all_of(found)


def test_a_class_derived_from_a_frame_of_pandas_is_one():
    class Derived(pd.DataFrame):
        pass

    Derived.__module__ = "elsewhere"
    frame = pd.DataFrame({"x": np.random.default_rng(1).normal(size=300)})
    assert loanwatch.compare(frame, Derived(frame)).findings == ()


def test_tables_that_share_a_nested_column_alone_are_compared():
    lists = pl.Series("basket", [[1], [2, 3]] * 40)
    tables = (pl.DataFrame([lists, pl.Series(name, range(80))]) for name in ("before", "now"))
    assert loanwatch.compare(*tables).reports["columns"].findings


def test_words_for_nothing_among_numbers_are_missing_and_no_words():
    def with_words(seed, word):
        amount = np.random.default_rng(seed).normal(50, 10, ROWS).round(2).astype(str)
        amount[: ROWS // 3] = word
        return table(seed=seed, amount=amount)

    found = loanwatch.compare(with_words(1, "n/a"), with_words(2, "-"))
    assert not found.findings
    assert found.reports["data_drift"].measurements["amount"][0].name == "psi"
    assert found.reports["data_drift"].details["columns"]["amount"]["absent"]["unreadable"] == {
        "reference": 0,
        "current": 0,
    }


def test_a_category_that_csv_files_write_for_nothing_is_read_alike_from_file_and_frame(tmp_path):
    def regions(seed):
        return table(seed=seed, region=np.random.default_rng(seed).choice(["EU", "US", "NA"], ROWS))

    path = tmp_path / "now.csv"
    regions(2).write_csv(path)
    for one, other in ((regions(1), path), (path, regions(1))):
        found = loanwatch.compare(one, other)
        assert not found.findings
        assert "region: “NA” is taken to mean “not known”." in found.limitations
