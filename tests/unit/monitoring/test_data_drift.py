import json
import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from loanwatch.contract import default_contract
from loanwatch.monitoring import CheckReport, Severity, Status, data_drift, profile_window
from loanwatch.monitoring.label_maturity import due_labels
from loanwatch.simulator import CorrelationFlip, FeatureShift, MissingShift, MixShift, NewCategory, simulate_features

CONTRACT = default_contract()
REFERENCE_ROWS, CURRENT_ROWS = 15_000, 6_700


def profile(frame, edges=None):
    outputs = {}
    if "label" in frame.columns:
        outputs = {"probability": frame["probability"].to_numpy(), "label": frame["label"].cast(pl.Float64).to_numpy()}
    return profile_window(frame, CONTRACT, edges=edges, **outputs)


def compare(reference, current, **options):
    return data_drift.check(reference, profile(current, reference.edges), CONTRACT, **options)


@pytest.fixture(scope="module")
def reference():
    return profile(simulate_features(REFERENCE_ROWS, seed=100))


@pytest.fixture(scope="module")
def moved(reference):
    events = [FeatureShift(column="credit_score", offset=-20.0)]
    return compare(reference, simulate_features(CURRENT_ROWS, seed=101, events=events))


def finite(value):
    if isinstance(value, dict):
        return all(finite(v) for v in value.values())
    if isinstance(value, list):
        return all(finite(v) for v in value)
    return not isinstance(value, float) or math.isfinite(value)


def test_a_window_compared_with_itself_has_not_moved(reference):
    report = data_drift.check(reference, reference, CONTRACT)
    assert (report.status, report.severity, report.findings) == (Status.PASS, Severity.NONE, ())
    assert report.summary == "None of 20 features moved."
    assert all(m.value == pytest.approx(0.0, abs=1e-12) for found in report.measurements.values() for m in found)


@pytest.mark.parametrize(
    ("event", "columns", "words"),
    [
        (FeatureShift(column="annual_income", factor=1.10), {"annual_income"}, ("rose", "median", "small")),
        (
            MixShift(column="purpose", category="debt consolidation", points=-5.0),
            {"purpose"},
            ("debt consolidation", "small"),
        ),
        (MissingShift(column="monthly_debt", rate=0.42), {"monthly_debt"}, ("missing more often", "small")),
        (
            CorrelationFlip(column_a="annual_income", column_b="monthly_debt"),
            {"annual_income", "monthly_debt"},
            ("nnual income", "onthly debt", "correlation"),
        ),
        (NewCategory(column="purpose", category="crypto", share=0.02), {"purpose"}, ("'crypto'", "never held")),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_planted_is_found_and_nothing_else(reference, event, columns, words, seed):
    report = compare(reference, simulate_features(CURRENT_ROWS, seed=seed, events=[event]))
    subjects = {finding.subject for finding in report.findings} - {"label", "score"}
    assert subjects
    assert subjects <= columns
    assert all(word in report.findings[0].sentence for word in words)


@pytest.mark.parametrize("event", [FeatureShift(column="annual_income", factor=1.10)])
def test_a_real_and_small_change_is_a_notice_and_no_alarm(reference, event):
    report = compare(reference, simulate_features(CURRENT_ROWS, seed=5, events=[event]))
    assert (report.status, report.severity) == (Status.PASS, Severity.LOW)
    assert report.summary.startswith("1 of 20 features moved, none matters to the model")


def test_a_large_change_alarms_with_its_figures(moved):
    assert (moved.status, moved.severity) == (Status.FAIL, Severity.HIGH)
    first = moved.findings[0]
    assert first.subject == "credit_score"
    assert first.sentence.startswith("Credit score fell: median 73")
    assert "credit score" in moved.summary
    names = {m.name for m in first.measurements}
    assert names == {"psi", "jensen_shannon", "kolmogorov_smirnov", "wasserstein", "missing_rate_change"}


def test_no_quantile_is_told_of_values_beyond_all_bins_of_the_reference(one_table_contract):
    contract = one_table_contract(["bill"], [])
    rng = np.random.default_rng(3)
    before = pl.DataFrame({"bill": rng.lognormal(3.5, 0.4, 9_000)})
    first = profile_window(before, contract)
    hundredfold = pl.DataFrame({"bill": 100 * rng.lognormal(3.5, 0.4, 4_000)})
    second = profile_window(hundredfold, contract, edges=first.edges)
    assert (first.columns["bill"].brackets(0.5), second.columns["bill"].brackets(0.5)) == (True, False)
    (found,) = data_drift.check(first, second, contract).findings
    assert f"mean {before['bill'].mean():.3g} → {hundredfold['bill'].mean():,.0f}" in found.sentence
    assert found.details["quantiles"]["0.5"]["current"] is None
    assert found.details["quantiles"]["0.5"]["reference"] == pytest.approx(before["bill"].median(), rel=0.01)
    bars = found.details["histogram"]
    assert bars["boundaries"][-1] < 1.01 * before["bill"].max()
    assert bars["current"][-1] > 0.99
    mean = before["bill"].mean()
    apart = pl.DataFrame({"bill": np.where(np.arange(4_000) % 2, mean + 9_000, mean - 9_000)})
    (found,) = data_drift.check(first, profile_window(apart, contract, edges=first.edges), contract).findings
    assert f"now between −{9_000 - mean:,.0f} and {9_000 + mean:,.0f}" in found.sentence


def test_a_label_that_moved_alone_did_not_move_too(reference):
    label = pl.Series("label", np.arange(CURRENT_ROWS) % 10 == 0)
    first = profile(simulate_features(REFERENCE_ROWS, seed=100).with_columns(pl.lit(value=False).alias("label")), None)
    report = compare(first, simulate_features(CURRENT_ROWS, seed=101).with_columns(label))
    assert report.summary == "None of 20 features moved; the label moved."


def test_labels_that_are_late_or_young_are_no_drift(one_table_contract):
    contract = one_table_contract(["bill"], [], delay_days=30)
    rng = np.random.default_rng(5)
    frame = pl.DataFrame({"bill": rng.normal(size=4_000)})
    time = np.datetime64("2026-01-01", "us") + np.arange(4_000) * np.timedelta64(20, "m")
    label = (rng.random(4_000) < 0.3).astype(float)
    young = np.where(time > np.datetime64("2026-01-31"), 0.0, label)
    first = profile_window(frame, contract, label=label)

    def judged(labels):
        current = profile_window(frame, contract, edges=first.edges, label=labels)
        return data_drift.check(first, current, contract)

    assert judged(young).findings
    due = due_labels(young, time, contract, as_of=datetime(2026, 3, 2, tzinfo=UTC))
    assert np.isnan(due[time > np.datetime64("2026-01-31")]).all()
    assert np.array_equal(due[time <= np.datetime64("2026-01-31")], label[time <= np.datetime64("2026-01-31")])
    assert not judged(due).findings
    assert any(f"{np.isfinite(due).sum():,} of 4,000 rows of the current window" in n for n in judged(due).limitations)
    assert not judged(np.full(4_000, np.nan)).findings


def test_reliance_decides_what_a_moderate_change_means(reference):
    frame = simulate_features(CURRENT_ROWS, seed=7, events=[FeatureShift(column="annual_income", factor=1.3)])
    severity = {}
    for share in (0.0, 0.05, 0.5):
        importance = {c.name: (1 - share) / 19 for c in CONTRACT.predictors} | {"annual_income": share}
        severity[share] = compare(reference, frame, importance=importance).severity
    assert severity[0.0] == Severity.LOW
    assert severity[0.05] == Severity.MEDIUM
    assert severity[0.5] == Severity.HIGH


def test_the_report_carries_what_is_drawn_and_survives_json(moved):
    values = json.loads(json.dumps(moved.to_dict()))
    assert finite(values)
    assert CheckReport.from_dict(values).to_dict() == values
    drawn = values["details"]["columns"]["credit_score"]
    assert len(drawn["histogram"]["boundaries"]) == len(drawn["histogram"]["current"]) + 1
    assert sum(drawn["histogram"]["current"]) == pytest.approx(1.0)
    assert sum(row["current"] for row in values["details"]["columns"]["purpose"]["categories"]) == pytest.approx(1.0)
    assert set(values["measurements"]) == {c.name for c in CONTRACT.monitored} | {"label", "score"}


@pytest.mark.parametrize("rows", [1, 5, 19, 30])
def test_a_tiny_window_is_judged_with_its_limits_stated(reference, rows):
    report = compare(reference, simulate_features(rows, seed=3))
    assert report.status is (Status.PASS if rows >= 20 else Status.SKIPPED)  # what was not made has not passed
    assert any("only changes of PSI" in limitation for limitation in report.limitations)


@pytest.mark.parametrize("side", ["reference", "current window"])
def test_an_empty_side_is_skipped(reference, side):
    empty = profile(simulate_features(10, seed=1)[:0], reference.edges)
    first, second = (empty, reference) if side == "reference" else (reference, empty)
    report = data_drift.check(first, second, CONTRACT)
    assert report.status is Status.SKIPPED
    assert side in report.summary


BROKEN = {
    "all null": pl.lit(None, dtype=pl.Float64),
    "constant": pl.lit(50_000.0),
    "infinite": pl.lit(math.inf),
    "not a number": pl.lit(math.nan),
}


@pytest.mark.parametrize("values", BROKEN.values(), ids=BROKEN)
def test_a_column_that_broke_is_named_whatever_broke_it(reference, values):
    frame = simulate_features(2_000, seed=4).with_columns(annual_income=values)
    report = compare(reference, frame)
    assert report.findings[0].subject == "annual_income"
    assert report.severity >= Severity.MEDIUM
    assert finite(report.to_dict())


@pytest.mark.parametrize("values", BROKEN.values(), ids=BROKEN)
def test_a_reference_column_with_nothing_in_it_crashes_nothing(values):
    frame = simulate_features(2_000, seed=4).with_columns(annual_income=values)
    report = compare(profile(frame), frame)
    assert report.findings == ()
    assert finite(report.to_dict())


def test_a_constant_column_that_takes_another_value_is_found():
    frame = simulate_features(2_000, seed=4).with_columns(no_of_cars=pl.lit(2.0))
    report = compare(profile(frame), frame.with_columns(no_of_cars=pl.lit(3.0)))
    assert [finding.subject for finding in report.findings] == ["no_of_cars"]
    assert report.severity is Severity.HIGH


def test_a_column_absent_on_one_side_is_a_limitation(reference):
    report = compare(reference, simulate_features(1_000, seed=4).drop("annual_income"))
    assert "Annual income is not in the current window: not compared." in report.limitations
    assert "annual_income" not in report.measurements


def test_profiles_over_different_bins_are_refused(reference):
    with pytest.raises(ValueError, match="counted over different bins"):
        data_drift.check(reference, profile(simulate_features(1_000, seed=4)), CONTRACT)


def weekly(rows, seed, start, *, days):
    """Incomes are a fifth higher on Mondays, and a quarter of them is missing then."""
    rng = np.random.default_rng(seed)
    frame = simulate_features(rows, seed=seed, start=start, per_month=rows * 30.44 / days)
    monday = (pl.col("application_time").dt.weekday() == 1) & pl.Series(rng.random(frame.height) < 0.9)
    return frame.drop("label", "probability").with_columns(
        annual_income=pl.when(monday).then(pl.col("annual_income") * 1.4).otherwise(pl.col("annual_income"))
    )


def test_a_monday_is_no_drift_where_mondays_differ():
    reference = profile(weekly(18_000, 1, date(2024, 1, 1), days=120))
    mondays = [weekly(150, seed, date(2024, 6, 3), days=1) for seed in range(10, 25)]
    reports = [compare(reference, frame) for frame in mondays]
    assert sum(report.severity >= Severity.MEDIUM for report in reports) == 0


def test_a_month_that_moved_is_still_seen_where_mondays_differ():
    reference = profile(weekly(18_000, 1, date(2024, 1, 1), days=120))
    frame = weekly(4_500, 2, date(2024, 6, 3), days=30).with_columns(pl.col("annual_income") * 1.2)
    assert {finding.subject for finding in compare(reference, frame).findings} == {"annual_income"}


@pytest.mark.parametrize("rows", [50, 200, 500, CURRENT_ROWS])
def test_windows_without_drift_raise_no_alarm(reference, rows):
    reports = [compare(reference, simulate_features(rows, seed=seed)) for seed in range(1_000, 1_020)]
    assert sum(report.severity >= Severity.MEDIUM for report in reports) == 0
    assert sum(bool(report.findings) for report in reports) <= 1


@pytest.mark.deep
@pytest.mark.parametrize("rows", [50, 100, 200, 500, CURRENT_ROWS])
def test_false_alarms_stay_under_the_bars(rows):
    pairs = 400
    alarms = flagged = 0
    for seed in range(pairs):
        if seed % 5 == 0:
            reference = profile(simulate_features(REFERENCE_ROWS, seed=50_000 + seed))
        report = compare(reference, simulate_features(rows, seed=90_000 + seed))
        alarms += report.severity >= Severity.MEDIUM
        flagged += bool(report.findings)
    assert alarms <= 0.01 * pairs
    assert flagged <= 0.05 * pairs


def test_columns_that_go_missing_together_are_one_finding(reference):
    frame = simulate_features(CURRENT_ROWS, seed=31)
    lost = pl.Series(np.random.default_rng(0).random(CURRENT_ROWS) < 0.3)
    columns = ["monthly_debt", "years_of_credit_history", "max_open_credit", "bankruptcies", "home_ownership"]
    emptied = frame.with_columns(pl.when(lost).then(None).otherwise(pl.col(c)).alias(c) for c in columns)
    report = compare(reference, emptied)
    joint = [f for f in report.findings if "columns" in f.details]
    assert len(joint) == 1
    assert set(joint[0].details["columns"]) <= set(columns)
    assert len(joint[0].details["columns"]) >= 3
    assert list(joint[0].details["subjects"]) == joint[0].details["columns"]  # each has its verdict, however grouped
    assert "missing more often" in joint[0].sentence
    assert "5 of 20 features moved" in report.summary


def test_days_that_move_both_columns_of_a_pair_are_no_change_of_their_relation():
    rng = np.random.default_rng(5)

    def window(days, seed):
        draw = np.random.default_rng(seed)
        common = np.repeat(rng.normal(0, 0.5, days), 300)
        at = [date(2024, 1, 1) + timedelta(i) for i in range(days) for _ in range(300)]
        values = {c: np.exp(common + draw.normal(size=days * 300)) for c in ("annual_income", "monthly_debt")}
        return pl.DataFrame({**values, "application_time": pl.Series(at, dtype=pl.Date)})

    flagged = 0
    for seed in range(12):
        first = profile(window(40, seed))
        flagged += any("multivariate" in f.check for f in compare(first, window(4, 100 + seed)).findings)
    assert flagged <= 1
