"""Any two generated frames get a report or one line; nothing else."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loanwatch
from loanwatch.errors import LoanwatchError

CELLS = [
    st.floats(),
    st.integers(-(2**40), 2**40),
    st.booleans(),
    st.text(max_size=5),
    st.sampled_from(["a", "b", "", "1", "2.5", "$3", "2024-01-01", "999"]),
    st.sampled_from([999.0, 9999.0, -999.0, 1.0, 2.0]),
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.decimals(-1000, 1000, places=2).map(Decimal),
    st.lists(st.integers(0, 3), max_size=2),
    st.binary(max_size=3),
]
NAMES = st.sampled_from(["y", "p", "t", "x", 'a long name, with "quotes" <b>', "", "ünï"])


@st.composite
def frames(draw):
    rows = draw(st.sampled_from([0, 1, 2, 30, 70]))
    columns = {}
    for name in draw(st.lists(NAMES, max_size=4, unique=True)):
        cells = st.one_of(st.none(), draw(st.sampled_from(CELLS)))
        few = draw(st.lists(cells, min_size=1, max_size=12))
        columns[name] = pl.Series(name, (few * rows)[:rows] if rows else [], strict=False)
    return pl.DataFrame(columns)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frames(), frames(), st.booleans())
def test_any_two_frames_get_a_report_or_one_line(first, second, with_roles):
    roles = {"label": "y", "score": "p", "time": "t"} if with_roles else {}
    held = {*first.columns, *second.columns}
    try:
        found = loanwatch.compare(first, second, **{k: v for k, v in roles.items() if v in held})
    except LoanwatchError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    json.dumps(found.to_dict(), allow_nan=False)
    assert "<b>" not in found.to_html()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frames())
def test_any_frame_compared_with_itself_does_not_drift(frame):
    assert not loanwatch.compare(frame, frame).findings
