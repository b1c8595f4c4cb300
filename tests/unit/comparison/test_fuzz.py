"""Any two tables get a report or one line; nothing else."""

import gzip
import json
import string
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import loanwatch
from loanwatch.errors import LoanwatchError

UNHURRIED = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=60
)

CELLS = [
    st.floats(),
    st.integers(-(2**40), 2**40),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.text(max_size=5),
    st.sampled_from(["a", "b", "", "1", "2.5", "$3", "2024-01-01", "999", "01.02.2024"]),
    st.sampled_from(["approved", "refused"]),
    st.sampled_from([999.0, 9999.0, -999.0, 1.0, 2.0]),
    st.sampled_from([1e308, -1e308, 5e-324, float("inf"), 0.5]),
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(days=-900), timedelta(days=900)),
    st.times(),
    st.decimals(-1000, 1000, places=2).map(Decimal),
    st.lists(st.integers(0, 3), max_size=2),
    st.fixed_dictionaries({"a": st.integers(0, 3)}),
    st.binary(max_size=3),
]
NAMES = st.sampled_from(
    ["y", "p", "t", "x", 'a long name, with "quotes" <b>', "", "ünï", "count", "rows", "label", "score", "*", "^a$"]
)
ROWS = [0, 1, 2, 30, 70]


@st.composite
def frames(draw):
    rows = draw(st.sampled_from(ROWS))
    columns = {}
    for name in draw(st.lists(NAMES, max_size=5, unique=True)):
        cells = st.one_of(st.none(), draw(st.sampled_from(CELLS)))
        few = draw(st.lists(cells, min_size=1, max_size=12))
        columns[name] = pl.Series((few * rows)[:rows] if rows else [], strict=False)
    return pl.DataFrame(columns)


@st.composite
def pandas_frames(draw):
    """Frames whose columns mix types, as those of pandas may."""
    rows = draw(st.sampled_from(ROWS))
    cells = st.one_of(st.none(), st.just(pd.NA), st.just(pd.NaT), *CELLS)
    columns = {}
    for name in draw(st.lists(NAMES, max_size=3, unique=True)):
        few = draw(st.lists(cells, min_size=1, max_size=8))
        columns[name] = pd.Series((few * rows)[:rows], dtype=object)
    return pd.DataFrame(columns)


def compare(first, second, **options):
    """Compare and render everything; an error must be one line."""
    try:
        found = loanwatch.compare(first, second, **options)
    except LoanwatchError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return None
    json.dumps(found.to_dict(), allow_nan=False)
    page = found.to_html()
    assert "<b>" not in page
    assert len(page.encode()) < 500_000
    return found


@UNHURRIED
@given(frames(), frames(), st.booleans())
def test_any_two_frames_get_a_report_or_one_line(first, second, with_roles):
    roles = {"label": "y", "score": "p", "time": "t"} if with_roles else {}
    held = {*first.columns, *second.columns}
    compare(first, second, **{role: name for role, name in roles.items() if name in held})


@UNHURRIED
@given(pandas_frames(), pandas_frames(), st.booleans())
def test_any_two_frames_of_pandas_get_a_report_or_one_line(first, second, with_roles):
    roles = {"label": "y", "score": "p", "time": "t"} if with_roles else {}
    held = {*first.columns, *second.columns}
    compare(first, second, **{role: name for role, name in roles.items() if name in held})


@settings(UNHURRIED, max_examples=30)
@given(frames())
def test_any_frame_compared_with_itself_does_not_drift(frame):
    assert not loanwatch.compare(frame, frame).findings


LETTERS = string.ascii_letters + string.digits + ' ,;\t|"\n\r.$-áé€<>'
CSV = st.one_of(
    st.binary(max_size=400),
    st.text(LETTERS, max_size=400).map(str.encode),
    st.text(LETTERS, max_size=400).map(lambda text: text.encode("cp1252")),
    st.text(LETTERS, max_size=200).map(lambda text: text.encode("utf-16")),
    st.lists(st.lists(st.text(LETTERS, max_size=6), min_size=2, max_size=3), max_size=40).map(
        lambda rows: "\n".join(map(";".join, rows)).encode()
    ),
    st.text(LETTERS, max_size=400).map(lambda text: gzip.compress(text.encode())),
    st.binary(max_size=60).map(lambda noise: gzip.compress(b"a,b\n1,2\n")[:20] + noise),
)


@settings(UNHURRIED, max_examples=150)
@given(CSV, st.sampled_from([".csv", ".csv.gz", ".tsv", ".txt"]))
@example(b"\n\n,\n", ".csv")
@example(b'"', ".csv")
@example(b"PAR1", ".csv")
def test_any_bytes_called_csv_get_a_report_or_one_line(tmp_path, content, ending):
    path = tmp_path / f"table{ending}"
    path.write_bytes(content)
    compare(path, pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}))


WHOLE = pl.DataFrame({"a": range(60), "b": ["x", "y"] * 30})


@settings(UNHURRIED, max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6), st.integers(0, 400))
def test_a_damaged_parquet_file_gets_a_report_or_one_line(tmp_path, damages, lost):
    path = tmp_path / "table.parquet"
    WHOLE.write_parquet(path)
    content = bytearray(path.read_bytes())
    for at, byte in damages:
        content[at % len(content)] = byte
    path.write_bytes(content[: len(content) - (lost if lost > 350 else 0)])
    compare(path, WHOLE)
