import json
import math

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from loanwatch.contract import default_contract
from loanwatch.monitoring import CheckReport, Status, data_drift, profile_window

CONTRACT = default_contract()
NUMBERS = st.one_of(st.none(), st.floats(), st.integers(0, 3).map(float))
ROWS = st.lists(
    st.tuples(NUMBERS, NUMBERS, st.one_of(st.none(), st.text(max_size=4), st.sampled_from(["rent", "own home"]))),
    max_size=50,
)


def frame_of(rows):
    return pl.DataFrame(
        rows,
        schema={"annual_income": pl.Float64, "no_of_cars": pl.Float64, "home_ownership": pl.String},
        orient="row",
    )


def refuse_nan(word):
    raise AssertionError(f"{word} in a report")


@settings(max_examples=25, deadline=None)
@given(ROWS, ROWS)
def test_any_two_windows_get_a_report_without_nan(first, second):
    reference = profile_window(frame_of(first), CONTRACT)
    current = profile_window(frame_of(second), CONTRACT, edges=reference.edges)
    report = data_drift.check(reference, current, CONTRACT)
    is_short = min(len(first), len(second)) < 20 and not report.findings
    assert (report.status is Status.SKIPPED) == (not first or not second or is_short)
    text = json.dumps(report.to_dict())
    values = json.loads(text, parse_constant=refuse_nan)
    assert CheckReport.from_dict(values).to_dict() == values
    assert all(math.isfinite(m.value) for found in report.measurements.values() for m in found)


@settings(max_examples=20, deadline=None)
@given(ROWS)
def test_any_window_compared_with_itself_has_not_moved(rows):
    profile = profile_window(frame_of(rows), CONTRACT)
    assert data_drift.check(profile, profile, CONTRACT).findings == ()
