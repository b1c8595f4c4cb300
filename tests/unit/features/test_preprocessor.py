import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loanwatch.contract import Contract, default_contract, parse_contract
from loanwatch.errors import ArtifactError, ContractError, NotEnoughDataError
from loanwatch.features import Preprocessor, clean, engineer
from loanwatch.simulator import simulate_features

LOANS = default_contract()


def small_contract(*columns: dict, **preprocessing: str) -> Contract:
    owned = [{"table": "t", **column} for column in columns]
    return parse_contract(
        {
            "name": "small",
            "title": "Small",
            "extract_sql": "x.sql",
            "keys": {"application": "id"},
            "time": {"column": "at"},
            "label": {"column": "y", "positive": "a", "negative": "b"},
            "tables": [{"name": "t", "key": ["id"]}],
            "columns": [
                {"name": "id", "table": "t", "kind": "id"},
                {"name": "at", "table": "t", "kind": "time"},
                {"name": "y", "table": "t", "kind": "categorical"},
                *owned,
            ],
            "preprocessing": preprocessing,
        }
    )


def numeric(name: str = "x") -> dict:
    return {"name": name, "kind": "numeric", "predictor": True}


def categorical(encoding: str | None = None, **options: object) -> dict:
    extra = {"encoding": encoding} if encoding else {}
    return {"name": "c", "kind": "categorical", "predictor": True, **extra, **options}


def fit_transform(values: list, column: dict, **preprocessing: str) -> np.ndarray:
    frame = pl.DataFrame({column["name"]: values})
    contract = small_contract(column, **preprocessing)
    return Preprocessor.fit(frame, contract).transform(frame)


def test_a_missing_number_becomes_the_mean_or_the_median():
    values = [1.0, 2.0, 9.0, None]
    assert fit_transform(values, numeric(), rescaling="none").ravel().tolist() == [1, 2, 9, 4]
    median = fit_transform(values, numeric(), imputation="mode_median", rescaling="none")
    assert median.ravel().tolist() == [1, 2, 9, 2]


def test_standardising_gives_mean_zero_and_deviation_one():
    got = fit_transform([1.0, 3.0, 5.0, 7.0], numeric())
    assert got.ravel().tolist() == pytest.approx(
        [-3 / math.sqrt(5), -1 / math.sqrt(5), 1 / math.sqrt(5), 3 / math.sqrt(5)]
    )


def test_min_max_gives_zero_to_one():
    assert fit_transform([2.0, 4.0, 10.0], numeric(), rescaling="min_max").ravel().tolist() == [0, 0.25, 1]


@pytest.mark.parametrize("rescaling", ["standardise", "min_max"])
def test_a_constant_column_becomes_zero_whatever_comes_later(rescaling):
    contract = small_contract(numeric(), rescaling=rescaling)
    fitted = Preprocessor.fit(pl.DataFrame({"x": [0.1] * 7}), contract)
    assert fitted.transform(pl.DataFrame({"x": [0.1, 5.0, None]})).ravel().tolist() == [0, 0, 0]
    assert fitted.transform(pl.DataFrame({"x": [5.0]})).ravel().tolist() == [0]


@pytest.mark.parametrize(
    ("encoding", "codes"),
    [
        ("frequency_share", [0.5, 0.25, 0.5, 0.25]),
        ("relative", [1, 0.5, 1, 0.5]),
        ("rank", [3, 1, 3, 2]),
    ],
)
def test_a_category_is_encoded_by_how_frequent_it_is(encoding, codes):
    got = fit_transform(["b", "a", "b", "c"], categorical(encoding), rescaling="none")
    assert got.ravel().tolist() == codes


def test_an_ordinal_category_is_its_position_in_the_order():
    column = categorical("ordinal", order=["low", "mid", "high"])
    assert fit_transform(["high", "low", "high"], column, rescaling="none").ravel().tolist() == [2, 0, 2]


def test_a_category_without_an_encoding_takes_its_order_or_else_its_share():
    assert fit_transform(["q", "p"], categorical(order=["p", "q"]), rescaling="none").ravel().tolist() == [1, 0]
    assert fit_transform(["q", "q", "p"], categorical(), rescaling="none").ravel().tolist() == pytest.approx(
        [2 / 3] * 2 + [1 / 3]
    )


def test_one_hot_gives_an_input_for_each_category():
    frame = pl.DataFrame({"c": ["b", "a", "b", None]})
    fitted = Preprocessor.fit(frame, small_contract(categorical("one_hot"), rescaling="none"))
    assert fitted.feature_names == ("c=a", "c=b")
    assert [fitted.source_of(name) for name in fitted.feature_names] == ["c", "c"]
    assert fitted.columns == ("c",)
    assert fitted.transform(frame).tolist() == [[0, 1], [1, 0], [0, 1], [0, 1]]


@pytest.mark.parametrize("encoding", ["frequency_share", "rank", "relative", "one_hot"])
def test_an_unknown_category_counts_as_missing_and_is_counted(encoding):
    contract = small_contract(categorical(encoding))
    fitted = Preprocessor.fit(pl.DataFrame({"c": ["b", "a", "b"]}), contract)
    later = pl.DataFrame({"c": ["new", None, "b", "newer"]})
    got = fitted.transform(later)
    assert (got == got[2]).all()
    assert fitted.unknown_counts(later) == {"c": 2}
    assert (fitted.transform(later[0]) == got[0]).all()


def test_the_most_frequent_category_does_not_hang_on_the_order_of_rows():
    contract = small_contract(categorical("rank"))
    words = ["b", "a", "a", "b", "c"]
    one, other = (Preprocessor.fit(pl.DataFrame({"c": w}), contract).inputs[0] for w in (words, words[::-1]))
    assert (one.codes, one.fill) == (other.codes, other.fill) == ({"c": 1.0, "a": 2.0, "b": 3.0}, 3.0)


@pytest.mark.parametrize("options", [{}, {"rescaling": "min_max"}, {"imputation": "mode_median"}])
def test_numbers_too_large_to_add_up_are_fitted_all_the_same(options):
    frame = pl.DataFrame({"x": [1.7e308, -1.7e308, 1.7e308, None]})
    fitted = Preprocessor.fit(frame, small_contract(numeric(), **options))
    assert Preprocessor.from_json(fitted.to_json()) == fitted
    assert np.isfinite(fitted.transform(frame)).all()


def test_an_all_null_predictor_is_named():
    with pytest.raises(NotEnoughDataError, match="column x is null in all 3 training rows"):
        Preprocessor.fit(pl.DataFrame({"x": [None, None, None]}, schema={"x": pl.Float64}), small_contract(numeric()))


def test_categories_that_are_all_outside_the_order_are_named():
    contract = small_contract(categorical("ordinal", order=["p", "q"]))
    with pytest.raises(NotEnoughDataError, match="column c has none of the categories"):
        Preprocessor.fit(pl.DataFrame({"c": ["x", "y"]}), contract)


def test_no_rows_are_too_few():
    with pytest.raises(NotEnoughDataError, match="no rows"):
        Preprocessor.fit(pl.DataFrame(schema={"x": pl.Float64}), small_contract(numeric()))


@pytest.mark.parametrize("rows", [1, 2])
def test_a_missing_column_is_named(rows):
    fitted = Preprocessor.fit(pl.DataFrame({"x": [1.0, 2.0]}), small_contract(numeric()))
    with pytest.raises(ContractError, match="column x is missing"):
        fitted.transform(pl.DataFrame({"other": [1.0] * rows}))


def test_inputs_are_always_finite():
    fitted = Preprocessor.fit(pl.DataFrame({"x": [0.0, 1e-3]}), small_contract(numeric()))
    assert np.isfinite(fitted.transform(pl.DataFrame({"x": [1e308, -1e308]}))).all()
    assert np.isfinite(fitted.transform(pl.DataFrame({"x": [1e308]}))).all()


def test_no_rows_give_no_inputs():
    fitted = Preprocessor.fit(pl.DataFrame({"x": [1.0, 2.0]}), small_contract(numeric()))
    assert fitted.transform(pl.DataFrame(schema={"x": pl.Float64})).shape == (0, 1)


def test_a_second_contract_goes_the_whole_way(cars):
    raw = pl.DataFrame(
        {
            "request_no": ["1", "2", "3"],
            "asked_at": ["2024/01/31", "2024/02/01", "2024/12/30"],
            "price": ["$1,000", "-1", "400"],
            "wage": [10, 0, 8],
            "fuel": ["Petrol", "benzine", "Diesel"],
        }
    )
    frame = engineer(clean(raw, cars).frame, cars)
    fitted = Preprocessor.fit(frame, cars)
    assert fitted.feature_names == ("price", "wage", "fuel=diesel", "fuel=petrol", "strain")
    assert fitted.transform(frame).shape == (3, 5)


@pytest.fixture(scope="module")
def fitted() -> Preprocessor:
    return Preprocessor.fit(simulate_features(2_000, seed=3), LOANS)


def test_json_keeps_every_bit(fitted):
    again = Preprocessor.from_json(fitted.to_json())
    assert again == fitted
    assert again.to_json() == fitted.to_json()
    frame = simulate_features(500, seed=4)
    assert again.transform(frame).tobytes() == fitted.transform(frame).tobytes()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2, "inputs": []}', '{"format": 1, "inputs": [{}]}'])
def test_what_is_no_preprocessor_is_refused(text):
    with pytest.raises(ArtifactError, match="preprocessor"):
        Preprocessor.from_json(text)


def test_json_holds_no_number_that_json_does_not_know(fitted):
    json.loads(fitted.to_json(), parse_constant=pytest.fail)


values = {
    "credit_score": st.one_of(st.none(), st.floats(allow_nan=False), st.floats(0, 9_000)),
    "current_loan_amount": st.one_of(st.none(), st.floats(0, 1e8), st.just(0.0), st.just(99_999_999.0)),
    "current_credit_balance": st.one_of(st.none(), st.floats(0, 1e9)),
    "monthly_debt": st.one_of(st.none(), st.decimals(0, 10_000, places=2).map(str), st.just("#VALUE!")),
    "home_ownership": st.one_of(st.none(), st.sampled_from(["Rent", "HaveMortgage", "castle"])),
    "purpose": st.one_of(st.none(), st.sampled_from(["debt consolidation", "major_purchase", "unheard of"])),
    "application_time": st.one_of(st.none(), st.datetimes().map(lambda t: f"{t:%d-%m}-{t.year:04d} {t:%H:%M:%S}")),
}


@settings(deadline=None, max_examples=150)
@given(rows=st.lists(st.fixed_dictionaries(values), min_size=2, max_size=6))
def test_a_row_alone_becomes_the_inputs_it_has_in_a_batch_to_the_last_bit(fitted, rows):
    numbers = {"credit_score", "current_loan_amount", "current_credit_balance"}
    frame = pl.DataFrame(rows, schema={name: pl.Float64 if name in numbers else pl.String for name in values})
    batch = engineer(clean(frame, LOANS).frame, LOANS)
    matrix = fitted.transform(batch)
    for position in range(frame.height):
        alone = engineer(clean(frame[position], LOANS).frame, LOANS)
        assert alone.equals(batch[position], null_equal=True)
        assert fitted.transform(alone).tobytes() == matrix[position].tobytes()
