"""The search for label leaks: those that are there, and none that are not."""

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from loanwatch.features import clean
from loanwatch.monitoring import CheckReport, Severity
from loanwatch.monitoring.data_quality import check, leaking_rows
from loanwatch.monitoring.data_quality.leakage_search import FALSE_ALARM_RATE, HONEST_VALUE_ODDS_RATIO
from loanwatch.monitoring.data_quality.regions import MINIMUM_ROWS
from loanwatch.monitoring.data_quality.segments import purest_segments

DATA = Path(os.environ.get("LOANWATCH_TEST_DATA", Path(__file__).parents[5] / "shared" / "data")) / "loans_2015"
real_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real loans are not at {DATA}")


def leaks_of(report: CheckReport):
    return [f for f in report.findings if f.check == "data_quality.leakage"]


def figures(report: CheckReport):
    return {
        (f.details["columns"][0], f.details["region"]["kind"]): (f.details["rows"], f.details["pure_rows"])
        for f in leaks_of(report)
    }


def loans_2015() -> pl.DataFrame:
    loans, customers, credit = (
        pl.read_csv(DATA / f"{name}.csv", infer_schema_length=None)
        for name in ("loan_details", "customer_details", "credit_details")
    )
    joined = loans.join(customers.with_columns(customer_records=1), on="customer_id", how="left")
    joined = joined.join(credit.with_columns(credit_records=1), on="customer_id", how="left")
    time = pl.col("application_time").str.to_datetime("%d-%m-%Y %H:%M:%S")
    return joined.with_columns(pl.col("customer_records", "credit_records").fill_null(0)).sort(time)


@real_data
def test_exactly_the_three_known_leaks_of_the_real_loans_are_named(contract):
    report = check(clean(loans_2015(), contract), contract)
    assert figures(report) == {
        ("home_ownership", "missing"): (1187, 1187),
        ("current_loan_amount", "sentinel"): (407, 407),
        ("credit_score", "rescaled"): (161, 161),
    }
    words = {f.subject: f.details["label"] for f in leaks_of(report)}
    assert words == {
        "customer_records": "loan given",
        "current_loan_amount": "loan given",
        "credit_score": "loan refused",
    }
    assert report.severity is Severity.CRITICAL


@real_data
@pytest.mark.parametrize("half", [0, 1])
def test_each_half_of_the_real_loans_shows_the_same_three(contract, half):
    frame = loans_2015()
    cut = frame.height // 2
    part = frame[:cut] if half == 0 else frame[cut:]
    expected = {
        ("home_ownership", "missing"): part["customer_records"].eq(0).sum(),
        ("current_loan_amount", "sentinel"): part["current_loan_amount"].eq(99_999_999).sum(),
        ("credit_score", "rescaled"): part["credit_score"].gt(1_000).sum(),
    }
    assert figures(check(clean(part, contract), contract)) == {k: (v, v) for k, v in expected.items()}


@pytest.mark.parametrize("rows", [300, 1000, 5000])
@pytest.mark.parametrize("given", [0.5, 0.77, 0.97])
def test_honest_windows_show_no_leak(contract, window, cleaned, rows, given):
    for seed in range(2):
        found = leaks_of(check(cleaned(window(rows, seed=seed, given=given)), contract))
        assert found == [], [f.sentence for f in found]


@pytest.mark.deep
@pytest.mark.parametrize("strength", [0.0, 1.0, 2.5])
def test_at_most_one_honest_window_in_two_hundred_shows_a_leak(contract, window, cleaned, strength):
    shapes = [(rows, given) for rows in (300, 1000, 3000) for given in (0.5, 0.77, 0.9, 0.97)]
    alarms = sum(
        bool(leaks_of(check(cleaned(window(rows, seed=seed, given=given, strength=strength)), contract)))
        for rows, given in shapes
        for seed in range(17)
    )
    assert alarms <= 1


@pytest.fixture
def planted(window, cleaned):
    return lambda where, word: cleaned(plant(window(4000), where, word))


def plant(frame: pl.DataFrame, where: pl.Expr, word: str, *, purity: float = 1.0, seed: int = 5) -> pl.DataFrame:
    draw = pl.Series(np.random.default_rng(seed).random(frame.height) < purity)
    return frame.with_columns(loan_status=pl.when(where & pl.lit(draw)).then(pl.lit(word)).otherwise("loan_status"))


@pytest.mark.parametrize(
    ("where", "word", "named"),
    [
        (pl.col("purpose").is_in(["purpose 3"]), "loan refused", ("purpose", "category")),
        (pl.col("annual_income") > 80_000, "loan given", ("annual_income", "range")),
        (pl.col("monthly_debt").is_between(400, 520), "loan refused", ("monthly_debt", "range")),
        (pl.col("no_of_children") == 2, "loan refused", ("no_of_children", "value")),
        (pl.col("months_since_last_delinquent").is_null(), "loan given", ("months_since_last_delinquent", "missing")),
    ],
)
def test_a_planted_leak_is_named_with_its_column_and_kind(contract, planted, where, word, named):
    found = leaks_of(check(planted(where, word), contract))
    assert [(f.details["columns"][0], f.details["region"]["kind"]) for f in found] == [named]
    assert found[0].details["label"] == word


def test_the_bounds_of_a_range_are_those_of_the_leak(contract, window, cleaned):
    frame = plant(window(4000), pl.col("monthly_debt").is_between(400, 520), "loan refused")
    (leak,) = leaks_of(check(cleaned(frame), contract))
    assert leak.details["region"]["lower"] == pytest.approx(400, rel=0.03)
    assert leak.details["region"]["upper"] == pytest.approx(520, rel=0.03)


def test_a_leak_that_is_only_nearly_pure_counts(contract, window, cleaned):
    frame = plant(window(5000), pl.col("current_loan_amount") > 90_000_000, "loan given", purity=0.96)
    (leak,) = leaks_of(check(cleaned(frame), contract))
    assert leak.subject == "current_loan_amount"
    assert 0.98 <= leak.details["purity"] < 1
    assert f"{leak.details['pure_rows']:,} of the {leak.details['rows']:,}" in leak.sentence


def test_an_absent_record_is_one_finding_not_one_for_each_of_its_columns(contract, window, cleaned):
    report = check(cleaned(plant(window(3000), pl.col("customer_records") != 1, "loan given")), contract)
    (leak,) = leaks_of(report)
    assert leak.details["region"]["tables"] == ["customer_details", "credit_details"]
    assert {"home_ownership", "no_of_cars", "monthly_debt"} <= set(leak.details["columns"])


def test_a_column_that_is_missing_beyond_the_record_is_named_itself(contract, window, cleaned):
    report = check(cleaned(plant(window(3000), pl.col("annual_income").is_null(), "loan given")), contract)
    assert [f.details["columns"][0] for f in leaks_of(report)] == ["annual_income"]


def test_a_strong_but_gradual_feature_is_no_leak(contract, window, cleaned):
    rng = np.random.default_rng(3)
    frame = window(20_000)
    debt = np.exp(6.8 + 0.6 * rng.normal(size=frame.height))
    given = rng.random(frame.height) < 1 / (1 + np.exp(-(1.2 - 4 * (np.log(debt) - 6.8))))
    frame = frame.with_columns(
        monthly_debt=pl.Series(debt), loan_status=pl.Series(np.where(given, "loan given", "loan refused"))
    )
    assert leaks_of(check(cleaned(frame), contract)) == []


@pytest.mark.parametrize("logit", [lambda x: 2 * x**2 - 1, lambda x: x**3 / 1.5, lambda x: 4 * np.sin(3 * x)])
def test_a_strong_relation_of_any_shape_is_taken_for_a_leak_in_at_most_one_window_of_twenty(logit):
    def shows_one(seed):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=12_000)
        label = rng.random(x.size) < 1 / (1 + np.exp(-logit(x)))
        return any(purest(x, label == outcome) for outcome in (True, False))

    assert sum(shows_one(seed) for seed in range(20)) <= 1


def purest(values, other):
    odds = other.mean() / (1 - other.mean()) / HONEST_VALUE_ODDS_RATIO
    found = purest_segments(values, other, null_rate=odds / (1 + odds), minimum_rows=MINIMUM_ROWS)
    return [segment for segment in found if segment.log_p < np.log(FALSE_ALARM_RATE / 4)]


def test_the_rows_of_a_leak_are_found_again_after_json_and_in_another_window(contract, window, cleaned):
    frame = plant(window(4000), pl.col("customer_records") != 1, "loan given")
    frame = plant(frame, pl.col("annual_income") > 120_000, "loan refused")
    stored = CheckReport.from_dict(json.loads(json.dumps(check(cleaned(frame), contract).to_dict())))
    later = window(700, seed=9)
    bounds = next(f.details["region"] for f in leaks_of(stored) if f.details["region"]["kind"] == "range")
    expected = (later["customer_records"] != 1) | (later["annual_income"] >= bounds["lower"]).fill_null(value=False)
    assert leaking_rows(cleaned(later), stored).tolist() == expected.to_list()


def test_the_policy_sets_the_severity(contract, excluding, window, cleaned):
    frame = cleaned(plant(window(2000), pl.col("customer_records") != 1, "loan given"))
    assert leaks_of(check(frame, contract))[0].severity is Severity.CRITICAL
    assert leaks_of(check(frame, excluding))[0].severity is Severity.MEDIUM


def test_an_excluding_contract_sets_known_leaks_aside_where_a_window_is_too_small_to_show_them(
    excluding, window, cleaned
):
    earlier = check(cleaned(plant(window(3000), pl.col("customer_records") != 1, "loan given")), excluding)
    small = cleaned(plant(window(40, seed=4), pl.col("customer_records") != 1, "loan given"))
    assert leaks_of(check(small, excluding)) == []
    report = check(small, excluding, earlier_leaks=earlier.findings)
    (notice,) = leaks_of(report)
    assert notice.severity is Severity.LOW
    assert leaking_rows(small, report).sum() == notice.details["rows"] > 0


@pytest.mark.parametrize("word", [None, "loan given"])
def test_without_both_labels_the_search_says_that_it_was_not_made(contract, window, cleaned, word):
    report = check(cleaned(window(200).with_columns(loan_status=pl.lit(word, dtype=pl.String))), contract)
    assert leaks_of(report) == []
    assert any("leakage was not looked for" in line for line in report.limitations)
