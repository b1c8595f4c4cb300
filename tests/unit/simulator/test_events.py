"""Each planted event does what it says, and nothing else."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from loanwatch.errors import ContractError
from loanwatch.simulator import (
    CorrelationFlip,
    DuplicateFeed,
    FeatureShift,
    LateData,
    MissingShift,
    MixShift,
    NewCategory,
    NullFeed,
    PriorShift,
    RelationChange,
    UnitChange,
    simulate,
    simulate_features,
)
from loanwatch.simulator.batch import PREDICTORS
from loanwatch.simulator.events import EVENT_KINDS
from loanwatch.simulator.relation import RELATED

ROWS, SEED = 40_000, 60
FEATURES = list(PREDICTORS)


@pytest.fixture(scope="module")
def calm() -> pl.DataFrame:
    return simulate_features(ROWS, seed=SEED)


def with_events(*events, rows=ROWS):
    return simulate_features(rows, seed=SEED, events=events)


def share(frame, column, category):
    return float((frame[column].drop_nulls() == category).mean())


def test_a_feature_shift_multiplies_and_the_label_follows_by_the_old_relation(calm):
    moved = with_events(FeatureShift(column="current_loan_amount", factor=1.5))
    ratio = (moved["current_loan_amount"] / calm["current_loan_amount"]).drop_nulls()
    assert ratio.min() == pytest.approx(1.5, abs=1e-3)
    assert ratio.max() == pytest.approx(1.5, abs=1e-3)
    assert moved["probability"].mean() < calm["probability"].mean() - 0.03


def test_a_feature_shift_keeps_the_valid_range():
    assert with_events(FeatureShift(column="credit_score", offset=200))["credit_score"].max() == 850
    assert with_events(FeatureShift(column="monthly_debt", offset=-500))["monthly_debt"].min() == 0


@pytest.mark.parametrize(("category", "points"), [("home improvements", 5), ("debt consolidation", -8)])
def test_a_mix_shift_moves_one_category_by_its_points(calm, category, points):
    moved = with_events(MixShift(column="purpose", category=category, points=points))
    gained = 100 * (share(moved, "purpose", category) - share(calm, "purpose", category))
    # binomial scatter of the rows that changed, 0.1 points
    assert gained == pytest.approx(points, abs=0.5)
    assert_frame_equal(moved.select(FEATURES).drop("purpose"), calm.select(FEATURES).drop("purpose"))


def test_a_mix_shift_takes_from_the_others_in_proportion(calm):
    moved = with_events(MixShift(column="home_ownership", category="own home", points=20))
    before, after = (
        share(f, "home_ownership", "rent") / share(f, "home_ownership", "home mortgage") for f in (calm, moved)
    )
    assert after == pytest.approx(before, rel=0.03)


def test_a_new_category_appears_and_says_nothing_about_the_label():
    frame = with_events(NewCategory(column="purpose", category="solar roof", share=0.2))
    assert share(frame, "purpose", "solar roof") == pytest.approx(0.2, abs=0.01)
    by_novelty = frame.group_by(pl.col("purpose") == "solar roof").agg(pl.col("probability").mean())["probability"]
    assert by_novelty[0] == pytest.approx(by_novelty[1], abs=0.01)


def test_a_missing_shift_reaches_its_rate_and_spares_the_other_columns(calm):
    frame = with_events(MissingShift(column="monthly_debt", rate=0.42))
    assert frame["monthly_debt"].is_null().mean() == pytest.approx(0.42, abs=0.01)
    assert_frame_equal(frame.select(FEATURES).drop("monthly_debt"), calm.select(FEATURES).drop("monthly_debt"))


def test_a_missing_shift_below_what_is_missing_anyway_is_refused():
    with pytest.raises(ContractError, match=r"rate: expected above 0\.354"):
        with_events(MissingShift(column="monthly_debt", rate=0.2))


@pytest.mark.parametrize(
    "pair", [("annual_income", "monthly_debt"), ("credit_score", "term"), ("home_ownership", "annual_income")]
)
def test_a_correlation_flips_while_no_column_changes_on_its_own(calm, pair):
    first, second = pair
    flipped = with_events(CorrelationFlip(column_a=first, column_b=second))
    untouched = [c for c in FEATURES if c not in (second, "current_credit_balance_ratio")]
    assert_frame_equal(flipped.select(untouched), calm.select(untouched))
    if flipped.schema[second] == pl.Float64:
        deciles = [q / 10 for q in range(1, 10)]
        before, after = ([f[second].quantile(q) for q in deciles] for f in (calm, flipped))
        # 20,000 known values: a decile scatters by about 1 %
        assert after == pytest.approx(before, rel=0.04)
    else:
        for category in calm[second].drop_nulls().unique():
            assert share(flipped, second, category) == pytest.approx(share(calm, second, category), abs=0.015)


def rank_correlation(frame, first, second):
    return frame.select(first, second).drop_nulls().select(pl.corr(first, second, method="spearman")).item()


@pytest.mark.parametrize(
    "pair",
    [
        ("annual_income", "monthly_debt"),
        ("monthly_debt", "annual_income"),
        ("years_of_credit_history", "annual_income"),
        ("no_of_open_accounts", "monthly_debt"),
    ],
)
def test_the_flipped_correlation_has_the_other_sign_and_the_same_size(calm, pair):
    flipped = with_events(CorrelationFlip(column_a=pair[0], column_b=pair[1]))
    assert rank_correlation(flipped, *pair) == pytest.approx(-rank_correlation(calm, *pair), abs=0.03)


def test_the_relation_to_the_label_survives_a_flipped_correlation(calm):
    flipped = with_events(CorrelationFlip(column_a="annual_income", column_b="monthly_debt"))
    residual = flipped["label"].cast(pl.Float64) - flipped["probability"]
    assert abs(residual.mean()) < 0.01
    assert abs(pl.select(pl.corr(flipped["monthly_debt"].fill_null(0), residual)).item()) < 0.02


@pytest.mark.parametrize("column", RELATED)
@pytest.mark.parametrize("strength", [0.5, -1.0])
def test_a_changed_relation_leaves_every_feature_as_it_was(column, strength):
    change = RelationChange(column=column, strength=strength)
    before, after = simulate_features(2_000, seed=SEED), with_events(change, rows=2_000)
    assert_frame_equal(before.select(FEATURES), after.select(FEATURES))
    assert not before["probability"].equals(after["probability"])


def test_a_relation_without_effect_makes_the_column_useless():
    frame = with_events(RelationChange(column="credit_score", strength=0), RelationChange(column="term", strength=0))
    full = with_events(RelationChange(column="term", strength=0))
    known = frame.filter(pl.col("credit_score").is_not_null())
    assert abs(known.select(pl.corr("credit_score", "probability")).item()) < 0.1
    assert (
        full.filter(pl.col("credit_score").is_not_null()).select(pl.corr("credit_score", "probability")).item() > 0.25
    )


def test_the_share_given_stays_when_asked(calm):
    columns = ("years_in_current_job", "home_ownership", "current_loan_amount")
    kept = with_events(*(RelationChange(column=c, strength=2.5, keep_rate=True) for c in columns))
    free = with_events(*(RelationChange(column=c, strength=2.5) for c in columns))
    assert kept["probability"].mean() == pytest.approx(calm["probability"].mean(), abs=0.005)
    assert free["probability"].mean() < calm["probability"].mean() - 0.03


def test_an_abrupt_change_happens_at_its_start_and_ends_at_its_end(calm):
    start, end = date(2015, 3, 1), date(2015, 5, 1)
    changed = with_events(RelationChange(column="home_ownership", strength=-1, start=start, end=end))
    time = calm["application_time"]
    inside = (time >= datetime(2015, 3, 1, tzinfo=UTC)) & (time < datetime(2015, 5, 1, tzinfo=UTC))
    differs = calm["probability"] != changed["probability"]
    assert differs.filter(~inside).sum() == 0
    assert differs.filter(inside & calm["home_ownership"].is_not_null()).mean() > 0.99


def test_a_gradual_change_grows_day_by_day(calm):
    start = date(2015, 2, 1)
    slow = with_events(RelationChange(column="home_ownership", strength=-1, start=start, over_days=100))
    fast = with_events(RelationChange(column="home_ownership", strength=-1, start=start))
    difference = (slow["probability"] - calm["probability"]).abs()
    month = calm["application_time"].dt.truncate("1mo")
    by_month = (
        pl.DataFrame({"month": month, "d": difference}).group_by("month").agg(pl.col("d").mean()).sort("month")["d"]
    )
    assert by_month[0] == 0
    assert by_month[1] < by_month[2] < by_month[3] < by_month[4]
    assert by_month[6] == pytest.approx(
        float((fast["probability"] - calm["probability"]).abs().filter(month == month.max().replace(month=7)).mean())
    )


@pytest.mark.parametrize("points", [-10, 8])
def test_a_prior_shift_moves_the_share_given_and_nothing_within_a_class(calm, points):
    moved = with_events(PriorShift(points=points))
    assert 100 * (moved["label"].mean() - calm["label"].mean()) == pytest.approx(points, abs=1.0)
    for given in (True, False):
        before, after = (f.filter(pl.col("label") == given) for f in (calm, moved))
        assert after["credit_score"].mean() == pytest.approx(before["credit_score"].mean(), abs=1.0)
        assert share(after, "home_ownership", "rent") == pytest.approx(
            share(before, "home_ownership", "rent"), abs=0.02
        )


def test_the_probability_is_still_the_true_one_under_a_prior_shift():
    moved = with_events(PriorShift(points=-10))
    bands = moved.group_by(pl.col("probability").rank() * 10 // (pl.len() + 1))
    gaps = bands.agg((pl.col("label").cast(pl.Float64) - pl.col("probability")).mean())["label"]
    # 4,000 rows a band: a share scatters by at most 0.8 points
    assert gaps.abs().max() < 0.03


def test_a_prior_shift_beyond_what_there_is_is_refused():
    with pytest.raises(ContractError, match="points: expected between -76 and 24"):
        with_events(PriorShift(points=40))


def test_broken_feeds_change_what_is_recorded_but_not_the_label(calm):
    broken = with_events(UnitChange(column="monthly_debt", factor=100), NullFeed(column="credit_score", share=0.6))
    assert broken["label"].equals(calm["label"])
    assert broken["probability"].equals(calm["probability"])
    ratio = (broken["monthly_debt"] / calm["monthly_debt"]).drop_nulls().drop_nans()
    assert ratio.min() == pytest.approx(100)
    assert ratio.max() == pytest.approx(100)
    known = broken["credit_score"].is_not_null().sum() / calm["credit_score"].is_not_null().sum()
    assert known == pytest.approx(0.4, abs=0.02)


def test_repeated_rows_are_word_for_word_and_only_while_the_feed_is_broken():
    period = {"start": date(2015, 1, 1), "end": date(2015, 3, 1), "seed": 1}
    loans = simulate(**period, events=[DuplicateFeed(share=0.3, start=date(2015, 2, 1))]).tables["loan_details"]
    repeated = loans.filter(pl.col("loan_id").is_duplicated())
    assert repeated.unique().height == repeated["loan_id"].n_unique()
    by_month = loans.group_by(pl.col("application_time").str.slice(3, 2).alias("month")).agg(
        (pl.len() / pl.col("loan_id").n_unique() - 1).alias("share")
    )
    assert dict(by_month.rows())["01"] == pytest.approx(0.01, abs=0.006)
    assert dict(by_month.rows())["02"] == pytest.approx(0.3, abs=0.03)


def test_late_applications_are_absent_until_they_arrive():
    period = {"start": date(2015, 1, 1), "end": date(2015, 2, 1), "seed": 1}
    late = simulate(**period, events=[LateData(days=5, share=0.5, start=date(2015, 1, 20))])
    here = set(late.tables["loan_details"]["loan_id"])
    arrived = late.truth["arrival_time"] < datetime(2015, 2, 1, tzinfo=UTC)
    assert here == set(late.truth.filter(arrived)["loan_id"])
    absent = late.truth.filter(~arrived)
    assert absent["application_time"].min() >= datetime(2015, 1, 27, tzinfo=UTC)
    assert absent.height > 50


def test_missing_days_have_no_applications_and_never_will():
    gap = LateData(start=date(2015, 1, 10), end=date(2015, 1, 12))
    frame = simulate_features(4_400, seed=1, events=[gap])
    assert set(range(1, 32)) - set(frame["application_time"].dt.day().unique()) == {10, 11}
    truth = simulate(start=date(2015, 1, 1), end=date(2015, 2, 1), seed=1, events=[gap]).truth
    assert set(truth.filter(pl.col("arrival_time").is_null())["application_time"].dt.day().unique()) == {10, 11}


def test_the_truth_names_the_events_that_were_active():
    events = [FeatureShift(column="annual_income", factor=2, start=date(2015, 1, 10)), PriorShift(points=3)]
    truth = simulate(start=date(2015, 1, 1), end=date(2015, 1, 20), seed=1, events=events).truth
    before, after = truth.partition_by("events", maintain_order=True)
    assert before["events"][0] == "prior_shift"
    assert after["events"][0] == "feature_shift+prior_shift"
    assert after["application_time"].min() >= datetime(2015, 1, 10, tzinfo=UTC) > before["application_time"].max()


def test_an_event_describes_its_truth_in_built_in_types():
    change = RelationChange(column="credit_score", strength=0.5, start=date(2015, 3, 12), over_days=30)
    assert change.describe() == {
        "kind": "relation_change",
        "touches": "relation",
        "columns": ["credit_score"],
        "start": "2015-03-12",
        "end": None,
        "column": "credit_score",
        "strength": 0.5,
        "over_days": 30,
        "keep_rate": False,
    }
    assert CorrelationFlip(column_a="annual_income", column_b="monthly_debt").columns == (
        "annual_income",
        "monthly_debt",
    )


def test_every_kind_of_event_says_what_it_touches():
    assert {event.touches for event in EVENT_KINDS.values()} == {"features", "relation", "label", "quality"}


@pytest.mark.parametrize(
    ("event", "arguments", "message"),
    [
        (FeatureShift, {"column": "purpose", "factor": 2}, "column: expected one of current_loan_amount"),
        (FeatureShift, {"column": "annual_income"}, "factor: expected a factor or an offset"),
        (FeatureShift, {"column": "annual_income", "factor": float("nan")}, "factor"),
        (MixShift, {"column": "purpose", "category": "yacht", "points": 1}, "category: expected one of debt"),
        (MixShift, {"column": "purpose", "category": "wedding", "points": -5}, "points"),
        (NewCategory, {"column": "term", "category": "long term", "share": 0.1}, "not there yet"),
        (NewCategory, {"column": "term", "category": "forever", "share": 0}, "share"),
        (RelationChange, {"column": "no_of_children", "strength": 0}, "one that has an effect on the label"),
        (RelationChange, {"column": "term", "strength": 1}, "strength"),
        (RelationChange, {"column": "term", "strength": 0, "over_days": 5}, "over_days"),
        (PriorShift, {"points": 0}, "points"),
        (CorrelationFlip, {"column_a": "annual_income", "column_b": "no_of_cars"}, "no_of_cars is independent"),
        (CorrelationFlip, {"column_a": "term", "column_b": "term"}, "column_b"),
        (UnitChange, {"column": "monthly_debt", "factor": 1}, "factor"),
        (NullFeed, {"column": "label", "share": 0.5}, "column"),
        (DuplicateFeed, {"share": 1.5}, "share"),
        (LateData, {"days": 0}, "days"),
        (PriorShift, {"points": 1, "start": date(2015, 2, 1), "end": date(2015, 2, 1)}, "is not before end"),
        (PriorShift, {"points": 1, "start": "2015"}, "start is a date"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_by_name(event, arguments, message):
    with pytest.raises(ContractError, match=f"{event.kind}|correlation flip") as caught:
        event(**arguments)
    assert message in str(caught.value)
