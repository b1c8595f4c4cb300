"""Each rule finds its fault with the right severity, and is quiet on honest data."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from loanwatch.contract import parse_contract
from loanwatch.features import clean
from loanwatch.monitoring import Severity, Status
from loanwatch.monitoring.data_quality import check
from loanwatch.monitoring.profile import profile_window

NOW = datetime(2021, 1, 1, tzinfo=UTC)
MONTH = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 31, tzinfo=UTC))


@pytest.fixture
def reference(contract, window, cleaned):
    before = cleaned(window(3000, seed=100))
    return profile_window(before.frame, contract, issues=before.issues)


@pytest.fixture
def judge(contract, cleaned, reference):
    def judged(frame, **options):
        return check(cleaned(frame), contract, **{"reference": reference, "window": MONTH, "now": NOW, **options})

    return judged


def found(report, rule):
    return [f for f in report.findings if f.check == f"data_quality.{rule}"]


def test_honest_windows_against_a_reference_have_notices_at_most(judge, window):
    for seed, rows in enumerate((2500, 3000, 3500)):
        report = judge(window(rows, seed=seed))
        assert report.severity <= Severity.LOW, [f.sentence for f in report.findings if f.severity > Severity.LOW]
        assert report.status is Status.PASS
        assert "fit for use" in report.summary


@pytest.mark.parametrize("rows", [1, 2, 20, 60])
def test_tiny_honest_windows_have_notices_at_most(judge, window, rows):
    assert judge(window(rows, seed=rows), window=None).severity <= Severity.LOW


def test_a_first_window_without_a_reference_passes_and_says_what_was_not_compared(contract, window, cleaned):
    report = check(cleaned(window(2000)), contract, now=NOW)
    assert report.severity <= Severity.LOW
    assert any("Unit changes" in line for line in report.limitations)


def test_an_empty_window_is_skipped(contract, window, cleaned):
    assert check(cleaned(window(5)[:0]), contract).status is Status.SKIPPED


def test_a_column_that_lost_most_of_its_values_is_serious(judge, window):
    lost = pl.when(pl.int_range(pl.len()) % 15 == 0).then("monthly_debt")
    (finding,) = found(judge(window(3000).with_columns(monthly_debt=lost)), "missing")
    assert (finding.subject, finding.severity) == ("monthly_debt", Severity.HIGH)
    assert "96 %" in finding.sentence or "95 %" in finding.sentence


def test_columns_that_lost_the_same_rows_are_one_finding(judge, window):
    gone = pl.int_range(pl.len()) % 2 == 0
    frame = window(3000).with_columns(pl.when(~gone).then(c).alias(c) for c in ("no_of_cars", "no_of_children"))
    (finding,) = found(judge(frame), "missing")
    assert finding.details["columns"] == ["no_of_cars", "no_of_children"]


def test_a_column_that_vanished_is_serious_and_without_a_reference_asks_for_attention(contract, judge, window, cleaned):
    frame = window(2000).drop("monthly_debt")
    assert found(judge(frame), "missing")[0].severity is Severity.HIGH
    assert found(check(cleaned(frame), contract, now=NOW), "missing")[0].severity is Severity.MEDIUM


def test_a_column_that_appeared_is_noted(judge, window):
    (finding,) = found(judge(window(500).with_columns(favourite_colour=pl.lit("teal"))), "appeared_columns")
    assert finding.severity is Severity.LOW
    assert "favourite_colour" in finding.sentence


@pytest.mark.parametrize("factor", [1000, 100, 12, 10, 1 / 10, 1 / 12, 1 / 100, 1 / 1000])
@pytest.mark.parametrize("column", ["monthly_debt", "annual_income"])
def test_a_new_unit_is_serious_and_its_factor_is_named(judge, window, column, factor):
    (finding,) = found(judge(window(3000).with_columns(pl.col(column) * factor)), "unit_change")
    assert (finding.subject, finding.severity) == (column, Severity.HIGH)
    assert finding.details["factor"] == pytest.approx(factor)


def test_a_new_unit_is_recognised_by_what_the_valid_range_left_of_it(judge, window):
    (finding,) = found(judge(window(3000).with_columns(pl.col("years_of_credit_history") * 12)), "unit_change")
    assert (finding.subject, finding.details["factor"]) == ("years_of_credit_history", 12)


def test_a_new_unit_that_cleaning_undoes_is_still_seen(judge, window):
    score = pl.col("credit_score")
    frame = window(3000).with_columns(credit_score=pl.when(score < 2000).then(10 * score))
    (finding,) = found(judge(frame), "unit_change")
    assert (finding.subject, finding.details["factor"]) == ("credit_score", 10)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2, 4])
def test_drift_is_no_new_unit(judge, window, factor):
    assert found(judge(window(3000).with_columns(pl.col("annual_income") * factor)), "unit_change") == []


@pytest.mark.parametrize(
    ("copies", "severity"), [(0.01, Severity.NONE), (0.05, Severity.LOW), (0.15, Severity.MEDIUM), (0.5, Severity.HIGH)]
)
def test_copies_are_judged_by_their_share_of_the_source(judge, window, copies, severity):
    frame = window(2000)
    dropped = round(copies * 2000 / (1 - copies))
    frame = frame.with_columns(duplicate_rows=pl.when(pl.int_range(pl.len()) == 0).then(dropped).otherwise(0))
    (finding,) = found(judge(frame), "duplicate_rows")
    assert finding.severity is severity
    assert finding.details["share"] == pytest.approx(copies, abs=1e-3)


def test_repeated_ids_are_found(judge, window):
    frame = window(1000)
    (finding,) = found(judge(pl.concat([frame, frame[:300]])), "duplicate_ids")
    assert (finding.details["rows"], finding.severity) == (300, Severity.HIGH)


def test_contradicting_records_that_the_reference_has_too_are_listed_without_a_severity(judge, window):
    findings = found(judge(window(1000)), "contradicting_records")
    assert {f.subject for f in findings} == {"customer_records", "credit_records"}
    assert {f.severity for f in findings} == {Severity.NONE}


@pytest.mark.parametrize(("value", "rule"), [("oops", "unreadable"), ("-5", "out_of_range"), ("#VALUE!", "unreadable")])
def test_values_that_cannot_be_used_are_serious_only_where_they_are_many(judge, window, value, rule):
    def broken(share):
        bad = pl.int_range(pl.len()) < share * pl.len()
        debt = pl.when(bad).then(pl.lit(value)).otherwise(pl.col("monthly_debt").cast(pl.String))
        return window(2000).with_columns(monthly_debt=debt)

    assert found(judge(broken(0.02)), rule)[0].severity is Severity.LOW
    assert found(judge(broken(0.6)), rule)[0].severity is Severity.HIGH


@pytest.mark.parametrize(("share", "severity"), [(0.01, Severity.LOW), (0.1, Severity.MEDIUM), (0.4, Severity.HIGH)])
def test_unseen_categories_are_named(judge, window, share, severity):
    new = pl.when(pl.int_range(pl.len()) < share * pl.len()).then(pl.lit("crypto mine")).otherwise("purpose")
    (finding,) = found(judge(window(2000).with_columns(purpose=new)), "unseen_category")
    assert (finding.subject, finding.severity) == ("purpose", severity)
    assert "crypto mine" in finding.sentence


def test_a_stuck_column_is_serious_and_a_rare_event_is_not(judge, window):
    assert found(judge(window(2000).with_columns(monthly_debt=500.0)), "constant")[0].severity is Severity.HIGH
    assert found(judge(window(2000).with_columns(tax_liens=0)), "constant")[0].severity is Severity.LOW


@pytest.mark.parametrize(
    ("rows", "severity"), [(700, Severity.HIGH), (1500, Severity.MEDIUM), (12_000, Severity.MEDIUM)]
)
def test_volume_is_compared_with_the_reference(judge, window, rows, severity):
    (finding,) = found(judge(window(rows)), "volume")
    assert finding.severity is severity


def test_late_data_are_dated(judge, window):
    frame = window(3000).filter(pl.col("application_time") < datetime(2020, 1, 21, tzinfo=UTC))
    (finding,) = found(judge(frame), "freshness")
    assert (finding.details["first_day"], finding.details["days"]) == ("2020-01-21", 10)


def test_the_part_of_a_window_that_is_still_to_come_is_not_missed(judge, window):
    now = datetime(2020, 1, 16, tzinfo=UTC)
    report = judge(window(3000).filter(pl.col("application_time") < now), now=now)
    assert found(report, "freshness") == found(report, "volume") == []


def test_a_lost_day_is_found_and_a_lender_who_rests_on_sundays_is_not(contract, judge, window, cleaned):
    day = pl.col("application_time").dt.date()
    lost = window(3000).filter(day != datetime(2020, 1, 15, tzinfo=UTC).date())
    assert found(judge(lost), "gap")[0].details["first_day"] == "2020-01-15"
    weekdays = cleaned(window(3000, seed=8).filter(pl.col("application_time").dt.weekday() < 7))
    rhythm = profile_window(weekdays.frame, contract, issues=weekdays.issues)
    quiet = window(3000).filter(pl.col("application_time").dt.weekday() < 7)
    assert found(judge(quiet, reference=rhythm), "gap") == []


def test_times_in_the_future_are_found(judge, window):
    frame = window(1000).with_columns(pl.col("application_time") + timedelta(days=400))
    (finding,) = found(judge(frame, window=None, now=NOW - timedelta(days=1)), "future_time")
    assert finding.severity >= Severity.MEDIUM


def test_words_that_are_no_label_are_named(judge, window):
    odd = pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("charged off")).otherwise("loan_status")
    (finding,) = found(judge(window(900).with_columns(loan_status=odd)), "label_words")
    assert (finding.details["rows"], finding.severity) == (300, Severity.HIGH)
    assert "charged off" in finding.sentence


def test_twins_with_different_labels_are_counted_and_empty_rows_are_not_twins(judge, window):
    frame = window(1000)
    full = frame.filter(pl.col("customer_records") == 1)[:100]
    twins = full.with_columns(
        loan_id=pl.col("loan_id") + "-twin",
        loan_status=pl.col("loan_status").replace({"loan given": "loan refused", "loan refused": "loan given"}),
    )
    (finding,) = found(judge(pl.concat([frame, twins])), "conflicting_labels")
    assert finding.details["rows"] == 200
    bare = frame.with_columns(pl.lit(None).alias(c) for c in frame.columns[5:22])
    assert found(judge(bare), "conflicting_labels") == []


def test_outlying_rows_name_their_column(judge, window):
    wild = pl.when(pl.int_range(pl.len()) < 20).then(pl.lit(9e8)).otherwise("max_open_credit")
    (finding,) = found(judge(window(2000).with_columns(max_open_credit=wild)), "outliers")
    assert finding.details["columns"][0] == "max_open_credit"
    assert 15 <= finding.details["rows"] <= 60


def test_the_power_of_a_feature_alone_is_measured_without_optimism(judge, window):
    report = judge(window(6000, strength=1.5))
    power = {name: m.value for name, ms in report.measurements.items() for m in ms if m.name == "single_feature_auc"}
    assert max(power, key=power.get) == "credit_score"
    assert power["no_of_children"] == pytest.approx(0.5, abs=0.03)
    assert power["purpose"] == pytest.approx(0.5, abs=0.03)


def test_every_number_of_a_report_can_be_written_as_json(judge, window):
    frame = window(800).with_columns(purpose=pl.lit("x" * 100_000), annual_income=pl.lit(float("inf")))
    text = json.dumps(judge(frame).to_dict(), allow_nan=False)
    assert len(text) < 200_000


@pytest.mark.parametrize("column", ["current_loan_amount", "purpose", "loan_status", "application_time", "loan_id"])
@pytest.mark.parametrize("value", [None, "", "nonsense", 0, -1e300, float("nan"), True])
def test_no_value_in_no_column_breaks_the_check(judge, window, column, value):
    report = judge(window(60).with_columns(pl.lit(value).alias(column)))
    assert report.summary


def test_a_second_lender_with_other_columns_is_checked_the_same_way():
    columns = [
        {"name": "ref", "table": "deals", "kind": "id"},
        {"name": "day", "table": "deals", "kind": "time"},
        {"name": "result", "table": "deals", "kind": "categorical"},
        {"name": "salary", "table": "deals", "kind": "numeric", "predictor": True, "sentinels": [-1], "minimum": 0},
        {"name": "region", "table": "deals", "kind": "categorical", "predictor": True},
    ]
    values = {
        "name": "deals",
        "title": "Deals",
        "extract_sql": "deals.sql",
        "keys": {"application": "ref"},
        "time": {"column": "day"},
        "label": {"column": "result", "positive": "yes", "negative": "no"},
        "tables": [{"name": "deals", "key": ["ref"]}],
        "columns": columns,
    }
    contract = parse_contract(values)
    rng = np.random.default_rng(0)
    salary = np.where(rng.random(2000) < 0.1, -1, np.round(rng.lognormal(10, 0.5, 2000)))
    result = np.where((salary == -1) | (rng.random(2000) < 0.6), "yes", "no")
    frame = pl.DataFrame(
        {
            "ref": [str(i) for i in range(2000)],
            "day": [datetime(2020, 1, 1 + i % 28, tzinfo=UTC) for i in range(2000)],
            "result": result,
            "salary": salary,
            "region": rng.choice(["north", "south"], 2000),
        }
    )
    report = check(clean(frame, contract), contract, now=NOW)
    (leak,) = [f for f in report.findings if f.check == "data_quality.leakage"]
    assert (leak.subject, leak.details["region"]["kind"], leak.details["label"]) == ("salary", "sentinel", "yes")
