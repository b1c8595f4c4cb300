from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from loanwatch.contract import Contract, default_contract
from loanwatch.features import ISSUES, clean

LOANS = default_contract()


def clean_column(name: str, values: object, contract: Contract, dtype: object = None) -> tuple[list, list]:
    cleaned = clean(pl.DataFrame({name: pl.Series(values, dtype=dtype, strict=False)}), contract)
    issues = cleaned.issues
    return cleaned.frame[name].to_list(), issues[name].to_list() if name in issues.columns else []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("$1,234.50", 1234.5),
        ("-12", -12.0),
        ("-$12", -12.0),
        ("$-12", -12.0),
        ("+3", 3.0),
        ("(12)", -12.0),
        ("($1,200)", -1200.0),
        (" 7 ", 7.0),
        ("1 234", 1234.0),
        ("1.5e3", 1500.0),
        ("2E-1", 0.2),
        (".5", 0.5),
        ("5.", 5.0),
        ("1,234,567", 1234567.0),
    ],
)
def test_a_number_in_text_is_read_with_sign_and_exponent(cars, text, number):
    assert clean_column("wage", [text], cars) == ([number], [])
    assert clean_column("wage", [text, None], cars) == ([number, None], [])


@pytest.mark.parametrize(
    "text", ["#VALUE!", "1,2,3", "nan", "inf", "-Infinity", "1_000", "0x10", "12%", "1e999", "--3", "1-", "0,873"]
)
def test_text_that_is_no_number_is_unreadable(cars, text):
    assert clean_column("wage", [text], cars) == ([None], ["unreadable"])
    assert clean_column("wage", [text, "1"], cars) == ([None, 1.0], ["unreadable", None])


def test_empty_text_is_missing_and_no_issue(cars):
    assert clean_column("wage", ["", "  ", None], cars) == ([None, None, None], [])
    assert clean_column("wage", [" "], cars) == ([None], [])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_unreadable(cars, value):
    assert clean_column("wage", [value], cars) == ([None], ["unreadable"])
    assert clean_column("wage", [value, 1.0], cars) == ([None, 1.0], ["unreadable", None])


def test_a_sentinel_becomes_null_and_says_so(loans):
    values, issues = clean_column("current_loan_amount", [99_999_999.0, 5_000.0], loans)
    assert (values, issues) == ([None, 5_000.0], ["sentinel", None])


@pytest.mark.parametrize(
    ("value", "expected", "issue"),
    [
        (7510, 751.0, "rescaled"),
        (8500, 850.0, "rescaled"),
        (3000, 300.0, "rescaled"),
        (850, 850.0, None),
        (300, 300.0, None),
        (851, None, "out_of_range"),
        (299.999, None, "out_of_range"),
        (8501, None, "out_of_range"),
        (-751, None, "out_of_range"),
    ],
)
def test_a_score_ten_times_too_large_is_divided_and_others_out_of_range_are_dropped(loans, value, expected, issue):
    assert clean_column("credit_score", [value], loans) == ([expected], [issue] if issue else [])
    assert clean_column("credit_score", [value, 500], loans) == ([expected, 500.0], [issue, None] if issue else [])


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 0], pl.Int8),
        ([1, 0], pl.UInt64),
        ([1, 0], pl.Int128),
        ([1.0, 0.0], pl.Float32),
        ([Decimal("1.00"), Decimal(0)], pl.Decimal(10, 2)),
        ([True, False], pl.Boolean),
        (["1", "0"], pl.Categorical()),
        (["1", "0"], pl.Enum(["0", "1"])),
    ],
)
def test_any_type_that_holds_numbers_is_read_as_numbers(cars, values, dtype):
    assert clean_column("wage", values, cars, dtype) == ([1.0, 0.0], [])
    assert clean_column("wage", values[:1], cars, dtype) == ([1.0], [])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("wage", date(2020, 1, 1)),
        *[(column, value) for column in ("wage", "fuel") for value in ([1.0], {"a": 1}, b"1", object())],
    ],
)
def test_values_that_cannot_be_what_the_column_holds_are_unreadable(cars, column, value):
    assert clean_column(column, [value], cars) == ([None], ["unreadable"])
    assert clean_column(column, [value] * 2, cars) == ([None] * 2, ["unreadable"] * 2)


def test_categories_are_trimmed_lowered_and_respelled(cars):
    values, issues = clean_column("fuel", [" Petrol", "BENZINE", "?", "", None, "gas"], cars)
    assert values == ["petrol", "petrol", None, None, None, "gas"]
    assert issues == [None, "respelled", "sentinel", None, None, None]


def test_numbers_as_categories_are_written_without_a_decimal_point(cars):
    assert clean_column("fuel", [1.0, 2.5], cars)[0] == ["1", "2.5"]
    assert clean_column("fuel", [1, 2], cars)[0] == ["1", "2"]
    assert clean_column("request_no", [17.0], cars)[0] == ["17"]


def test_free_text_is_left_as_it_is(cars):
    assert clean_column("remark", [" Call BACK "], cars)[0] == [" Call BACK "]
    assert clean_column("remark", [" Call BACK ", ""], cars)[0] == [" Call BACK ", ""]


def test_times_are_read_by_the_first_format_that_fits(loans):
    values, issues = clean_column("application_time", ["16-04-2015 10:00:05", "16-04-2015 10:01", "2015", ""], loans)
    assert values[:2] == [datetime(2015, 4, 16, 10, 0, 5, tzinfo=UTC), datetime(2015, 4, 16, 10, 1, tzinfo=UTC)]
    assert values[2:] == [None, None]
    assert issues == [None, None, "unreadable", None]


@pytest.mark.parametrize(
    "value", [datetime(2020, 5, 1, tzinfo=UTC).replace(tzinfo=None), datetime(2020, 5, 1, tzinfo=UTC), date(2020, 5, 1)]
)
def test_typed_times_become_utc(loans, value):
    assert clean_column("application_time", [value], loans)[0] == [datetime(2020, 5, 1, tzinfo=UTC)]


def test_numbers_are_no_times(loans):
    assert clean_column("application_time", [20150416], loans) == ([None], ["unreadable"])


def test_missing_columns_are_null_and_other_columns_pass_through(cars):
    for rows in (1, 2, 0):
        cleaned = clean(pl.DataFrame({"duplicate_rows": [7] * rows}, schema={"duplicate_rows": pl.Int64}), cars)
        assert cleaned.frame.columns == [*cars.column_names, "duplicate_rows"]
        assert cleaned.frame["wage"].dtype == pl.Float64
        assert cleaned.frame["fuel"].dtype == pl.String
        assert cleaned.frame["asked_at"].dtype == pl.Datetime("us", "UTC")
        assert cleaned.frame["wage"].null_count() == rows
        assert cleaned.frame["duplicate_rows"].to_list() == [7] * rows
        assert cleaned.issues.shape == (rows, 0)


def test_an_all_null_column_is_typed(cars):
    cleaned = clean(pl.DataFrame({"wage": [None, None], "fuel": [None, None]}), cars)
    assert cleaned.frame.schema["wage"] == pl.Float64
    assert cleaned.frame.schema["fuel"] == pl.String


def test_issues_are_of_the_declared_type_and_height(loans):
    cleaned = clean(pl.DataFrame({"credit_score": [1, 500, 7510]}), loans)
    assert cleaned.issues.schema == {"credit_score": pl.Enum(ISSUES)}
    assert cleaned.issues.height == 3


def test_cleaning_twice_changes_nothing(loans):
    raw = pl.DataFrame({"credit_score": ["7510", "700", "x"], "home_ownership": ["HaveMortgage", "Rent", ""]})
    once = clean(raw, loans)
    twice = clean(once.frame, loans)
    assert_frame_equal(once.frame, twice.frame)
    assert twice.issues.width == 0


def test_a_ten_megabyte_text_is_read_as_one_category(loans):
    raw = pl.DataFrame({"purpose": ["X" * 10_000_000], "annual_income": ["9" * 10_000_000]})
    cleaned = clean(raw, loans)
    assert cleaned.frame["purpose"].item() == "x" * 10_000_000
    assert cleaned.issues.row(0, named=True) == {"annual_income": "unreadable"}


ODD_VALUES = [
    timedelta(1), time(1), date(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC), [1], {"a": 1}, b"x", object(),
    Decimal("1.5"), True, 2**63, float("nan"), "", None,
]  # fmt: skip


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("column", ["credit_score", "purpose", "loan_id", "application_time", "loan_status"])
def test_any_type_in_any_column_gives_typed_columns_alone_as_in_a_batch(loans, column, value):
    raw = pl.DataFrame({column: [value] * 3})
    batch, alone, none = (clean(frame, loans) for frame in (raw, raw[:1], raw[:0]))
    types = {"credit_score": pl.Float64, "application_time": pl.Datetime("us", "UTC")}
    assert batch.frame.schema[column] == types.get(column, pl.String)
    assert none.frame.schema == alone.frame.schema == batch.frame.schema
    assert_frame_equal(alone.frame, batch.frame[:1])
    assert alone.issues.to_dict(as_series=False) == batch.issues[:1].to_dict(as_series=False)
    assert (batch.issues.height, none.issues.height) == (3, 0)


numbers_in_text = st.one_of(
    st.from_regex(r"[-+$(]{0,2}[0-9]{1,3}([, ][0-9]{3}){0,2}(\.[0-9]{0,6})?([eE][-+]?[0-9]{1,3})?\)?", fullmatch=True),
    st.floats(allow_nan=True).map(repr),
    st.text(alphabet=" \t\n\u00a0\u001c0123456789.,-+$()eE#_", max_size=12),
    st.text(max_size=6),
)
cells = {
    "credit_score": st.one_of(st.none(), st.floats(), st.floats(0, 10_000), st.integers(0, 9_000).map(float)),
    "monthly_debt": st.one_of(st.none(), numbers_in_text),
    "home_ownership": st.one_of(
        st.none(), st.text(max_size=8), st.sampled_from(["HaveMortgage", " RENT\u00a0", "İstanbul ΣΑΣ", "n/a", ""])
    ),
    "years_in_current_job": st.one_of(st.none(), st.sampled_from(["n/a", "N/A ", "< 1 Year"])),
    "loan_id": st.one_of(st.none(), st.text(max_size=4)),
}


@settings(deadline=None, max_examples=200)
@given(rows=st.lists(st.fixed_dictionaries(cells), min_size=2, max_size=6))
def test_a_row_alone_is_cleaned_as_it_is_in_a_batch_to_the_last_bit(rows):
    schema = {name: pl.Float64 if name == "credit_score" else pl.String for name in cells}
    frame = pl.DataFrame(rows, schema=schema)
    batch = clean(frame, LOANS)
    names = batch.issues.columns
    for position in range(frame.height):
        alone = clean(frame[position], LOANS)
        assert_frame_equal(alone.frame, batch.frame[position], check_exact=True)
        expected = batch.issues.row(position, named=True)
        got = alone.issues.row(0, named=True) if alone.issues.width else {}
        assert {name: got.get(name) for name in names} == expected
        assert set(got) <= set(names)
