from datetime import UTC, datetime

import pytest

from loanwatch.errors import ContractError
from loanwatch.etl.query import bind_window
from loanwatch.etl.values import reader_for

START, END = datetime(2015, 1, 1, tzinfo=UTC), datetime(2015, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["1", "-1.5", "+.5", "1e3", " 7 ", "1E-7"])
def test_a_number_is_taken_as_it_is_written(text):
    assert reader_for("numeric(10,2)", formats=())(text) == text.strip()


@pytest.mark.parametrize("text", ["", "abc", "1,5", "1_000", "inf", "-Infinity", "1e999", "$5", "１", "\x00"])
def test_what_is_no_finite_number_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a|holds a NUL"):
        reader_for("double precision", formats=())(text)


def test_not_a_number_is_a_missing_value():
    assert reader_for("double precision", formats=())("NaN") is None


@pytest.mark.parametrize(("text", "value"), [("3", "3"), ("3.0", "3"), ("-2e2", "-200"), ("2147483647", "2147483647")])
def test_a_whole_number_may_be_written_with_a_point(text, value):
    assert reader_for("integer", formats=())(text) == value


@pytest.mark.parametrize("text", ["3.5", "2147483648", "x"])
def test_what_does_not_fit_an_integer_is_refused(text):
    with pytest.raises(ValueError, match="is not a"):
        reader_for("integer", formats=())(text)


@pytest.mark.parametrize("quoted", ["'$3'", '"$3"', "-- $3\n", "/* $3 */", "$tag$ $3 $tag$", "'it''s $3'"])
def test_parameters_inside_of_quotes_and_comments_are_left_alone(quoted):
    assert quoted.strip() in bind_window(f"{quoted} $1 $2 {quoted}", start=START, end=END)


@pytest.mark.parametrize(("query", "words"), [("$1 $2 $3", r"parameter \$3"), ("$1", r"does not use \$2")])
def test_a_query_with_other_parameters_is_refused(query, words):
    with pytest.raises(ContractError, match=words):
        bind_window(query, start=START, end=END)
