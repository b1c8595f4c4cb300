"""The population against the published summary of 21,952 real loans.

Tolerances: a sample quantile of 10,000 to 22,000 rows scatters by about 1 %, so 4 % is four deviations; deviations of
columns with a long tail scatter by 5 to 10 %; a share of 22,000 rows scatters by 0.3 points, so 1.3 points is four.
"""

import polars as pl
import pytest

from loanwatch.simulator.marginals import CATEGORICAL

ROWS = 21_952
SHARE_TOLERANCE = 0.013

NOT_NULL = {
    "home_ownership": 14_183,
    "no_of_cars": 14_183,
    "no_of_children": 14_183,
    "years_in_current_job": 13_560,
    "annual_income": 10_743,
    "credit_score": 10_741,
    "months_since_last_delinquent": 6_168,
    "monthly_debt": 14_181,
    "years_of_credit_history": 14_181,
    "no_of_open_accounts": 14_181,
    "no_of_credit_problems": 14_181,
    "current_credit_balance": 14_181,
    "max_open_credit": 14_181,
    "bankruptcies": 14_141,
    "tax_liens": 21_949,
    "term": 21_952,
    "purpose": 21_952,
    "no_of_properties": 21_952,
}

QUARTILES = {
    "annual_income": (44_574, 61_417, 86_328),
    "monthly_debt": (524, 827, 1_224),
    "current_credit_balance": (5_992, 11_077, 19_134),
}

MEANS = {
    "annual_income": (72_033, 0.04),
    "monthly_debt": (946.5, 0.04),
    "years_of_credit_history": (18.6, 0.03),
    "months_since_last_delinquent": (34.9, 0.04),
    "no_of_open_accounts": (11.07, 0.03),
    "no_of_credit_problems": (0.145, 0.15),
    "current_credit_balance": (15_402, 0.05),
    "bankruptcies": (0.105, 0.15),
    "tax_liens": (0.026, 0.30),
    "no_of_properties": (2.0, 0.03),
    "no_of_cars": (2.5, 0.03),
    "no_of_children": (1.5, 0.03),
}

DEVIATIONS = {
    "annual_income": (51_964, 0.20),
    "monthly_debt": (623.8, 0.10),
    "years_of_credit_history": (7.1, 0.05),
    "months_since_last_delinquent": (22.2, 0.08),
    "no_of_open_accounts": (4.94, 0.05),
    "current_credit_balance": (18_671, 0.20),
}

SHARES = {
    ("term", "short term"): 16_073 / ROWS,
    ("purpose", "debt consolidation"): 17_229 / ROWS,
    ("home_ownership", "home mortgage"): 6_955 / 14_183,
    ("years_in_current_job", "10+ years"): 4_366 / 13_560,
}


@pytest.mark.parametrize(("column", "count"), NOT_NULL.items())
def test_as_many_values_are_known_as_in_the_extract(applications, column, count):
    known = applications[column].is_not_null().mean()
    assert known == pytest.approx(count / ROWS, abs=SHARE_TOLERANCE)


@pytest.mark.parametrize(("column", "quartiles"), QUARTILES.items())
def test_quartiles_agree(applications, column, quartiles):
    found = [applications[column].quantile(q, "linear") for q in (0.25, 0.5, 0.75)]
    assert found == pytest.approx(quartiles, rel=0.04)


def test_quartiles_of_the_amount_agree_with_the_sentinel_counted_as_the_largest(applications):
    amounts = applications["current_loan_amount"].fill_null(99_999_999)
    found = [amounts.quantile(q, "linear") for q in (0.25, 0.5, 0.75)]
    # the upper quartile lies where one amount in eight is the sentinel, so its share moves it
    assert found == pytest.approx((8_176, 14_164, 23_757), rel=0.05)


def test_quartiles_of_the_score_agree_with_tenfold_scores_counted_as_the_largest(month):
    scores = month.tables["credit_details"]["credit_score"]
    found = [scores.quantile(q, "linear") for q in (0.25, 0.5, 0.75)]
    assert found == pytest.approx((729, 739, 746), abs=2)
    assert 7_000 < scores.max() <= 7_510


@pytest.mark.parametrize(("column", "expected"), MEANS.items())
def test_means_agree(applications, column, expected):
    mean, tolerance = expected
    assert applications[column].mean() == pytest.approx(mean, rel=tolerance)


@pytest.mark.parametrize(("column", "expected"), DEVIATIONS.items())
def test_standard_deviations_agree(applications, column, expected):
    deviation, tolerance = expected
    assert applications[column].std() == pytest.approx(deviation, rel=tolerance)


@pytest.mark.parametrize(("key", "share"), SHARES.items())
def test_shares_of_the_frequent_categories_agree(applications, key, share):
    column, category = key
    known = applications[column].drop_nulls()
    assert (known == category).mean() == pytest.approx(share, abs=SHARE_TOLERANCE)


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("years_of_credit_history", 4, 60),
        ("no_of_properties", 0, 4),
        ("no_of_cars", 0, 5),
        ("no_of_children", 0, 3),
        ("credit_score", 585, 751),
        ("current_loan_amount", 0, 35_875),
    ],
)
def test_values_stay_in_the_published_ranges(many, column, low, high):
    assert many[column].min() >= low
    assert many[column].max() <= high


@pytest.mark.parametrize("column", CATEGORICAL)
def test_every_published_category_occurs(many, column):
    published = {"purpose": 15, "years_in_current_job": 11, "home_ownership": 3, "term": 2}
    assert many[column].drop_nulls().n_unique() == published[column]


def test_income_and_score_are_always_missing_together(applications):
    assert (applications["annual_income"].is_null() == applications["credit_score"].is_null()).all()


def test_customer_and_credit_columns_are_missing_together(applications):
    lacking = applications.filter(pl.col("home_ownership").is_null())
    for column in ("no_of_cars", "monthly_debt", "years_of_credit_history", "bankruptcies", "years_in_current_job"):
        assert lacking[column].null_count() == lacking.height


@pytest.mark.parametrize(
    ("first", "second", "rank_correlation"),
    [
        ("current_loan_amount", "annual_income", 0.45),
        ("annual_income", "monthly_debt", 0.58),
        ("current_credit_balance", "max_open_credit", 0.72),
        ("monthly_debt", "no_of_open_accounts", 0.44),
        ("annual_income", "years_of_credit_history", 0.26),
        ("monthly_debt", "no_of_cars", 0.0),
    ],
)
def test_columns_depend_on_each_other_as_real_ones_do(applications, first, second, rank_correlation):
    both = applications.select(first, second).drop_nulls()
    found = both.select(pl.corr(first, second, method="spearman")).item()
    assert found == pytest.approx(rank_correlation, abs=0.04)


def test_about_4400_apply_a_month_in_opening_hours_over_as_many_distinct_minutes(applications):
    times = applications["application_time"]
    assert times.n_unique() == pytest.approx(17_462, rel=0.02)
    assert set(times.dt.hour().unique()) == {10, 11, 12, 13, 14}
    days = (times.max() - times.min()).days + 1
    assert 30.4375 * applications.height / days == pytest.approx(4_400, rel=0.02)


def test_the_week_has_a_rhythm(many):
    by_weekday = many.group_by(pl.col("application_time").dt.weekday()).len().sort("application_time")["len"]
    assert by_weekday[0] / by_weekday[6] == pytest.approx(1.10 / 0.90, rel=0.03)
