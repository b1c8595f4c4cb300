"""Columns of every type that pandas and Arrow have are compared, or set aside by name."""

from datetime import datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import loanwatch
from loanwatch.errors import LoanwatchError
from loanwatch.monitoring import Severity

ROWS = 300
THIRD = ROWS // 3
DAYS = pd.date_range("2020-01-01", periods=ROWS)

OF_PANDAS = {
    "mixed": pd.Series([1, "two", 3.5, None, pd.NA, b"x"] * (ROWS // 6), dtype=object),
    "category": pd.Series(["a", "b", None] * THIRD, dtype="category"),
    "empty category": pd.Series([None] * ROWS, dtype="category"),
    "nullable integer": pd.Series([1, None, 3] * THIRD, dtype="Int64"),
    "nullable boolean": pd.Series([True, None, False] * THIRD, dtype="boolean"),
    "time with zone": pd.Series(DAYS.tz_localize("Europe/Madrid")),
    "no time": pd.Series([pd.NaT] * ROWS),
    "length of time": pd.Series(pd.to_timedelta(np.arange(ROWS), unit="h")),
    "period": pd.Series(pd.period_range("2000-01", periods=ROWS, freq="M")),
    "interval": pd.Series(pd.interval_range(0, ROWS)),
    "arrow text": pd.Series(["a", "b", None] * THIRD, dtype="string[pyarrow]"),
    "complex": pd.Series([1 + 2j] * ROWS),
    "sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1] * THIRD)),
    "huge integers": pd.Series([2**70, -(2**70), 1] * THIRD, dtype=object),
    "lists": pd.Series([[1], [2], None] * THIRD, dtype=object),
}
OF_ARROW = {
    "dictionary": pa.array(["a", "b", None] * THIRD).dictionary_encode(),
    "decimal": pa.array([Decimal("1.50"), None, Decimal(3)] * THIRD, type=pa.decimal128(20, 2)),
    "long decimal": pa.array([Decimal("1.50"), None, Decimal(3)] * THIRD, type=pa.decimal256(60, 2)),
    "list": pa.array([[1], [], None] * THIRD),
    "struct": pa.array([{"a": 1}, {"a": None}, None] * THIRD),
    "large text": pa.array(["a", "b", None] * THIRD, type=pa.large_string()),
    "bytes": pa.array([b"\xff", b"b", None] * THIRD),
    "duration": pa.array([timedelta(1), timedelta(2), None] * THIRD),
    "nothing": pa.nulls(ROWS),
    "clock": pa.array([time(1), None, time(3)] * THIRD),
    "time with an offset": pa.array([datetime(2020, 1, 1)] * ROWS, type=pa.timestamp("s", "+03:30")),  # noqa: DTZ001
    "run ends": pa.RunEndEncodedArray.from_arrays(pa.array([ROWS // 2, ROWS], pa.int32()), pa.array(["a", "b"])),
    "union": pa.UnionArray.from_sparse(
        pa.array([0, 1] * (ROWS // 2), type=pa.int8()), [pa.array(range(ROWS)), pa.array(["a"] * ROWS)]
    ),
    "months": pa.array([(1, 2, 3)] * ROWS, type=pa.month_day_nano_interval()),
}
OF_POLARS = {
    "duration": pl.Series([timedelta(1), timedelta(-2), None] * THIRD),
    "beyond the calendar": pl.Series([-(2**62), 2**62, None] * THIRD).cast(pl.Datetime("ms")),
    "days beyond the calendar": pl.Series([2**31 - 1, -(2**31), None] * THIRD, dtype=pl.Int32).cast(pl.Date),
    "object": pl.Series([object() for _ in range(ROWS)], dtype=pl.Object),
    "wide integer": pl.Series([2**100, -(2**100), 1] * THIRD, dtype=pl.Int128),
}
COLUMNS = {
    **{f"pandas {name}": (pd.DataFrame, values) for name, values in OF_PANDAS.items()},
    **{f"arrow {name}": (pa.table, values) for name, values in OF_ARROW.items()},
    **{f"polars {name}": (pl.DataFrame, values) for name, values in OF_POLARS.items()},
}
OTHERS = {"numbers": np.arange(ROWS) % 7, "words": ["a", "b", "c"] * THIRD}


@pytest.mark.parametrize(("frame", "odd"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_of_any_type_is_compared_or_set_aside_by_name(frame, odd):
    both = frame({"x": np.arange(ROWS) % 7, "odd": odd})
    found = loanwatch.compare(both, both)
    assert not found.findings
    told = [*found.limitations, *found.reports["data_drift"].limitations]
    assert "odd" in found.reports["data_drift"].measurements or any(line.lower().startswith("odd") for line in told)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize(("frame", "odd"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_that_changed_to_or_from_any_type_gets_a_report(frame, odd, other):
    odd_one = frame({"x": np.arange(ROWS) % 7, "odd": odd})
    plain = pl.DataFrame({"x": np.arange(ROWS) % 7, "odd": other})
    for pair in ((odd_one, plain), (plain, odd_one)):
        assert loanwatch.compare(*pair).to_html()


@pytest.mark.parametrize("role", ["label", "score", "time"])
@pytest.mark.parametrize(("frame", "odd"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_of_any_type_has_its_role_or_is_named_in_one_line(frame, odd, role):
    both = frame({"x": np.arange(ROWS) % 7, "odd": odd})
    try:
        loanwatch.compare(both, both, **{role: "odd"}).to_html()
    except LoanwatchError as error:
        told = str(error)
        assert f"--{role} odd" in told, told
        assert "\n" not in told


def test_what_a_lazy_frame_raises_is_one_line():
    def fail(_):
        raise ZeroDivisionError("no\nway")

    broken = pl.LazyFrame({"x": [1.0]}).with_columns(pl.col("x").map_elements(fail, return_dtype=pl.Float64))
    with pytest.raises(LoanwatchError, match="reference cannot be read") as caught:
        loanwatch.compare(broken, pl.DataFrame({"x": [1.0]}))
    assert "\n" not in str(caught.value)


def test_infinite_and_immense_numbers_are_counted_as_missing_and_that_is_told():
    odd = pl.DataFrame({"x": [float("inf"), 1e308, 1.0] * THIRD})
    found = loanwatch.compare(odd, odd)
    assert any("x holds infinite numbers" in line for line in found.limitations)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %B %Y", "%Y-%m-%dT%H:%M:%SZ", "%d-%b-%y"])
def test_dates_written_in_any_usual_way_date_the_rows(form):
    texts = [day.strftime(form) for day in DAYS]
    rows = pl.DataFrame({"x": np.arange(ROWS) % 7, "t": texts})
    dated = pl.DataFrame({"x": np.arange(ROWS) % 7, "t": DAYS.to_numpy()})
    assert loanwatch.compare(rows, rows, time="t").limitations == ()
    assert loanwatch.compare(dated, rows, time="t").limitations == ()
    (told,) = loanwatch.compare(dated, rows.with_columns(pl.lit("soon").alias("t")), time="t").limitations
    assert "100 % of the times in t of the current table cannot be read" in told


def write(amounts: np.ndarray, style: str) -> list[str]:
    """Write amounts as exports of several countries do."""
    grouped = [f"{a:,.2f}" for a in amounts]
    written = {
        "comma": [text.translate(str.maketrans(",.", ".,")) for text in grouped],
        "per cent": [f"{a:.2f}%" for a in amounts],
        "behind": [f"{text} €" for text in grouped],
        "before": [f"USD {a:.2f}" for a in amounts],
        "swiss": [text.replace(",", "'") for text in grouped],
    }
    return written[style]


@pytest.mark.parametrize("style", ["comma", "per cent", "behind", "before", "swiss"])
def test_amounts_are_numbers_however_they_are_written(style):
    rng = np.random.default_rng(1)
    reference, current = rng.lognormal(8, 1, 4_000), 1.5 * rng.lognormal(8, 1, 4_000)
    plain = loanwatch.compare(*(pl.DataFrame({"amount": np.round(a, 2)}) for a in (reference, current)))
    written = loanwatch.compare(*(pl.DataFrame({"amount": write(a, style)}) for a in (reference, current)))
    assert written.severity == plain.severity >= Severity.MEDIUM
    assert [f.sentence for f in written.findings] == [f.sentence for f in plain.findings]
    assert any("decimal comma" in told for told in written.limitations) == (style == "comma")


def test_thousands_are_thousands_where_both_readings_fit():
    frame = pl.DataFrame({"amount": [f"{a:,}" for a in np.random.default_rng(1).integers(1_000, 900_000, 2_000)]})
    result = loanwatch.compare(frame, frame)
    assert not any("decimal comma" in told or "not compared" in told for told in result.limitations)


def test_codes_with_figures_are_no_amounts():
    codes = [f"NYC {n}" for n in np.random.default_rng(1).integers(1, 9, 2_000)]
    other = loanwatch.compare(pl.DataFrame({"branch": codes}), pl.DataFrame({"branch": ["NYC 1"] * 2_000}))
    assert "NYC" in other.findings[0].sentence
