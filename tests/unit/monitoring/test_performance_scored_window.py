"""A window of scored applications, and its way through Parquet."""

import io

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanwatch.errors import LoanwatchError
from loanwatch.monitoring.scored_window import ScoredWindow

TIMES = np.array(["2026-03-01T12:00", "2026-03-02T00:00", "2026-03-03T06:30"], dtype="datetime64[us]")


def window(**changes):
    values = {
        "frame": pl.DataFrame({"annual_income": [1.0, None, 3.0], "purpose": ["car", None, "house"]}),
        "label": np.array([1.0, np.nan, 0.0]),
        "probability": np.array([0.9, 0.5, 0.1]),
        "time": TIMES,
    }
    return ScoredWindow(**(values | changes))


def test_labelled_keeps_the_rows_whose_label_is_known():
    kept = window().labelled()
    assert kept.rows == 2
    assert kept.frame["purpose"].to_list() == ["car", "house"]
    assert kept.positive.tolist() == [True, False]
    assert kept.labelled() is kept


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, None]), st.floats(0, 1), st.floats(allow_nan=False) | st.none())))
def test_a_window_comes_back_from_parquet_as_it_went(rows):
    label = np.array([np.nan if r[0] is None else r[0] for r in rows], dtype=float)
    written = ScoredWindow(
        frame=pl.DataFrame({"x": [r[2] for r in rows]}, schema={"x": pl.Float64}),
        label=label,
        probability=np.array([r[1] for r in rows], dtype=float),
        time=np.datetime64("2026-01-01", "us") + np.arange(len(rows)),
    )
    buffer = io.BytesIO()
    written.to_frame().write_parquet(buffer)
    read = ScoredWindow.from_frame(pl.read_parquet(buffer.getvalue()))
    assert read.frame.equals(written.frame)
    for name in ("label", "probability", "time"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
        assert getattr(read, name).dtype == getattr(written, name).dtype


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": np.array([1.0, 0.0])}, "label has 2 rows, probability has 3"),
        ({"label": np.array([1.0, 0.0, 2.0])}, "label 2.0 of row 2"),
        ({"probability": np.array([0.5, 1.2, 0.1])}, "probability 1.2 of row 1"),
        ({"time": TIMES[:1]}, "time has 1 rows"),
    ],
)
def test_a_window_that_does_not_fit_together_is_refused(changes, message):
    with pytest.raises(LoanwatchError, match=message):
        window(**changes)


def test_reserved_names_and_missing_columns_are_named():
    with pytest.raises(LoanwatchError, match="may not be called __label__"):
        window(frame=pl.DataFrame({"__label__": [1, 2, 3]})).to_frame()
    with pytest.raises(LoanwatchError, match="column __time__ is missing"):
        ScoredWindow.from_frame(window().to_frame().drop("__time__"))


def test_thinning_takes_rows_evenly_and_leaves_small_windows_alone():
    rows = 1_000
    window = ScoredWindow(
        frame=pl.DataFrame({"x": np.arange(rows)}),
        label=np.zeros(rows),
        probability=np.full(rows, 0.5),
        time=np.full(rows, np.datetime64("2026-03-01", "us")),
    )
    assert window.thinned(rows) is window
    thin = window.thinned(10)
    assert thin.frame["x"].to_list() == [0, 111, 222, 333, 444, 555, 666, 777, 888, 999]
