"""Whether the relation between features and label changed."""

import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit
from sklearn.ensemble import HistGradientBoostingClassifier

from loanwatch.contract import default_contract, parse_contract
from loanwatch.monitoring import CheckReport, ScoredWindow, Severity, Status, concept_drift
from loanwatch.monitoring.concept_drift.sequential import watch_stream

DATA = Path(os.environ.get("LOANWATCH_TEST_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
START = np.datetime64("2026-03-01", "us")
HOUR = np.timedelta64(3_600, "s")


def contract_of(numeric, categorical=()):
    columns = [{"name": n, "table": "s", "kind": "numeric", "predictor": True} for n in numeric]
    columns += [
        {"name": n, "table": "s", "kind": "categorical", "encoding": "frequency_share", "predictor": True}
        for n in categorical
    ]
    roles = [
        {"name": "loan_id", "table": "s", "kind": "id"},
        {"name": "moment", "table": "s", "kind": "time"},
        {"name": "outcome", "table": "s", "kind": "categorical"},
    ]
    return parse_contract(
        {
            "name": "plain",
            "title": "Plain",
            "extract_sql": "plain.sql",
            "keys": {"application": "loan_id"},
            "time": {"column": "moment"},
            "label": {"column": "outcome", "positive": "given", "negative": "refused"},
            "tables": [{"name": "s", "key": ["loan_id"]}],
            "columns": roles + columns,
        }
    )


PLAIN = contract_of(("points", "income", "age"), ("purpose",))


def window(seed, rows, *, strength=1.0, changed_at=0, level=0.0, income=1.0, bias=0.15):
    """Applications whose model knows the relation but errs along income, as a trained model does."""
    generator = np.random.default_rng(seed)
    points, age = generator.normal(size=(2, rows))
    wealth = income * generator.lognormal(0, 0.5, rows)
    purpose = generator.choice(["car", "house", "wedding"], rows)
    base = 0.8 + 0.4 * np.log(wealth) + 0.3 * (purpose == "car") + 0.2 * age
    after = np.arange(rows) >= changed_at
    truth = base + points * np.where(after, strength, 1.0) + np.where(after, level, 0.0)
    label = (generator.random(rows) < expit(truth)).astype(float)
    points = np.where(generator.random(rows) < 0.2, np.nan, points)
    frame = pl.DataFrame({"points": points, "income": wealth, "age": age, "purpose": purpose})
    frame = frame.with_columns(pl.col("points").fill_nan(None))
    known = np.nan_to_num(points)
    return ScoredWindow(
        frame=frame,
        label=label,
        probability=expit(base + 0.95 * known + bias * np.sin(3 * wealth)),
        time=START + np.arange(rows) * HOUR,
    )


def test_identical_windows_show_nothing():
    same = window(0, 3_000)
    report = concept_drift.check(same, same, PLAIN)
    assert report.status is Status.PASS
    assert report.findings == ()
    assert report.details["since"] is None


def test_a_weaker_effect_is_found_named_first_and_said_in_words():
    report = concept_drift.check(window(1, 6_000), window(2, 4_000, strength=0.4), PLAIN)
    assert report.status is Status.FAIL
    assert report.findings[0].subject == "points"
    assert report.severity >= Severity.MEDIUM
    assert "expected (" in report.summary
    assert "points" in report.summary
    assert report.details["since"] == "2026-03-01"


def test_only_the_feature_behind_the_change_is_named():
    named = [
        f.subject
        for seed in range(4)
        for f in concept_drift.check(window(seed, 6_000), window(100 + seed, 4_000, strength=0.4), PLAIN).findings
    ]
    assert named.count("points") == 4
    others = [name for name in named if name not in ("points", "label")]  # the level does move with the effect
    assert len(others) <= 1


def test_a_change_of_level_names_the_label_and_no_feature():
    report = concept_drift.check(window(3, 6_000), window(4, 4_000, level=-0.5), PLAIN)
    assert [f.subject for f in report.findings] == ["label"]
    assert 'end as "refused" more often than the model expects' in report.summary


def test_where_few_default_half_as_many_again_is_an_alarm():
    """In points it is little: the size counts in proportion to the label's spread."""

    def rare(seed, level):
        drawn = window(seed, 10_000, level=level, bias=0.0)
        return replace(drawn, probability=expit(logit(drawn.probability) - 4.8))

    for seed in range(4):
        hold_out = rare(seed, -4.8)
        assert 0.02 < hold_out.label.mean() < 0.04
        assert concept_drift.check(hold_out, rare(50 + seed, -4.8), PLAIN).severity <= Severity.LOW
        assert concept_drift.check(hold_out, rare(50 + seed, -4.35), PLAIN).severity >= Severity.MEDIUM


def test_a_change_inside_the_window_is_dated():
    changed = window(6, 4_000, strength=-0.5, changed_at=2_400)
    report = concept_drift.check(window(5, 6_000), changed, PLAIN)
    assert abs(report.details["applications_before"] - 2_400) < 250
    truth = START + 2_400 * HOUR
    assert abs(np.datetime64(report.details["since"]) - truth) < np.timedelta64(11, "D")
    assert datetime.fromisoformat(report.details["since"]).strftime("%B") in report.summary


def test_the_order_of_the_rows_does_not_matter():
    changed = window(6, 4_000, strength=-0.5, changed_at=2_400)
    mixed = np.random.default_rng(0).permutation(4_000)
    shuffled = ScoredWindow(
        frame=changed.frame[mixed],
        label=changed.label[mixed],
        probability=changed.probability[mixed],
        time=changed.time[mixed],
    )
    reference = window(5, 6_000)
    first, second = (concept_drift.check(reference, w, PLAIN) for w in (changed, shuffled))
    assert first.details["since"] == second.details["since"]
    assert first.findings[0].subject == second.findings[0].subject


def test_of_many_features_those_that_the_score_follows_are_tested_and_the_others_counted():
    generator = np.random.default_rng(0)
    names = tuple(f"x{i}" for i in range(70))
    plain = contract_of(names)

    def wide(seed, strength):
        values = np.random.default_rng(seed).normal(size=(800, 70))
        label = (generator.random(800) < expit(strength * values[:, 69])).astype(float)
        return ScoredWindow(
            frame=pl.DataFrame(dict(zip(names, values.T, strict=True))),
            label=label,
            probability=expit(1.5 * values[:, 69]),
            time=START + np.arange(800) * HOUR,
        )

    report = concept_drift.check(wide(1, 1.5), wide(2, -1.5), plain)
    assert "x69" in {f.subject for f in report.findings}
    assert any("64 features" in line and "not along 6 others" in line for line in report.limitations)


def test_scores_that_the_hold_out_never_had_do_not_deafen_the_stream():
    """Half of the hold-out has its highest score, so that the band right below that holds none of its rows."""
    generator = np.random.default_rng(3)

    def stream(probability, rate):
        rows = probability.size
        return ScoredWindow(
            frame=pl.DataFrame({"points": generator.normal(size=rows)}),
            label=(generator.random(rows) < rate).astype(float),
            probability=probability,
            time=START + np.arange(rows) * HOUR,
        )

    hold_out = np.where(np.arange(4_000) % 2 == 0, 0.8, generator.uniform(0.3, 0.8, 4_000))
    window = np.concatenate([np.full(20, np.nextafter(0.8, 0.0)), np.full(1_500, 0.8)])
    alarm = watch_stream(stream(hold_out, hold_out), stream(window, 0.4))
    assert alarm is not None
    assert 20 < alarm.applications < 400


@pytest.mark.deep
@pytest.mark.parametrize(
    ("hold_out", "rows"), [(6_000, 3_000), (1_300, 4_400), (6_000, 500), (6_000, 150), (6_000, 50)]
)
def test_without_drift_hardly_anything_is_found(hold_out, rows):
    found = [concept_drift.check(window(2 * s, hold_out), window(2 * s + 1, rows), PLAIN).severity for s in range(400)]
    assert np.mean(np.array(found) >= Severity.LOW) <= 0.05
    assert np.mean(np.array(found) >= Severity.MEDIUM) <= 0.01


@pytest.mark.parametrize(("hold_out", "rows"), [(1_300, 1_000), (1_300, 60)])
def test_without_drift_no_window_of_a_few_asks_for_action(hold_out, rows):
    found = [concept_drift.check(window(2 * s, hold_out), window(2 * s + 1, rows), PLAIN).severity for s in range(12)]
    assert max(found) < Severity.MEDIUM


@pytest.mark.parametrize("income", [0.7, 1.3])
def test_moved_features_alone_are_not_concept_drift_even_where_the_model_errs(income):
    found = [
        concept_drift.check(window(2 * s, 6_000), window(2 * s + 1, 3_000, income=income), PLAIN).severity
        for s in range(12)
    ]
    assert max(found) < Severity.MEDIUM


def test_more_of_the_applicants_whom_the_model_misjudges_are_not_concept_drift():
    """The model ignores that points count twice for the old: no correction along one feature takes that up."""

    def misjudged(seed, rows, older):
        generator = np.random.default_rng(seed)
        points, age = generator.normal(size=rows), generator.normal(older, 1.0, rows)
        truth = expit(0.5 + points * np.where(age > 0.5, 2.0, 0.5))
        return ScoredWindow(
            frame=pl.DataFrame({"points": points, "age": age}),
            label=(generator.random(rows) < truth).astype(float),
            probability=expit(0.5 + points),
            time=START + np.arange(rows) * HOUR,
        )

    pairs = [(misjudged(2 * s, 6_000, 0.0), misjudged(2 * s + 1, 3_000, 0.6)) for s in range(8)]
    assert max(concept_drift.check(*pair, PLAIN).severity for pair in pairs) < Severity.MEDIUM


def test_the_labels_read_one_by_one_say_when_it_would_have_been_known():
    report = concept_drift.check(window(5, 6_000), window(6, 4_000, strength=-1.5, changed_at=2_400), PLAIN)
    assert 2_400 < report.details["stream"]["applications"] < 2_700
    assert concept_drift.check(window(5, 6_000), window(6, 4_000), PLAIN).details["stream"] is None


def test_huge_windows_are_thinned_out_and_say_so(monkeypatch):
    monkeypatch.setattr(sys.modules[concept_drift.check.__module__], "_MOST_ROWS", 3_000)
    report = concept_drift.check(window(1, 6_000), window(2, 4_000, strength=0.4), PLAIN)
    assert report.findings[0].subject == "points"
    assert report.details["judged_rows"] == 3_000
    assert report.limitations == ("3,000 of 4,000 applications, evenly taken, are judged.",)


def test_without_labels_it_says_that_it_cannot_see():
    current = window(7, 500)
    blind = ScoredWindow(
        frame=current.frame, label=np.full(500, np.nan), probability=current.probability, time=current.time
    )
    report = concept_drift.check(window(8, 2_000), blind, PLAIN)
    assert report.status is Status.SKIPPED
    assert "cannot be seen without labels" in report.limitations[0]
    assert report.details["since"] is None


def test_labels_that_are_not_due_are_not_judged():
    late = replace(PLAIN, label=replace(PLAIN.label, delay_days=60))
    current = window(9, 500, level=-3.0)
    report = concept_drift.check(window(8, 2_000), current, late, as_of=datetime(2026, 4, 1, tzinfo=UTC))
    assert report.status is Status.SKIPPED
    assert any("not yet due" in text for text in report.limitations)
    due = concept_drift.check(window(8, 2_000), current, late, as_of=datetime(2026, 8, 1, tzinfo=UTC))
    assert due.status is Status.FAIL


@pytest.mark.parametrize("rows", [0, 1, 20])
def test_too_few_rows_are_skipped(rows):
    assert concept_drift.check(window(8, 2_000), window(9, rows), PLAIN).status is Status.SKIPPED
    assert concept_drift.check(window(9, rows), window(8, 2_000), PLAIN).status is Status.SKIPPED


def test_constant_null_and_missing_columns_are_left_out():
    def stripped(w):
        frame = w.frame.drop("income").with_columns(
            pl.lit(None, dtype=pl.Float64).alias("age"), pl.lit("car").alias("purpose")
        )
        return ScoredWindow(frame=frame, label=w.label, probability=w.probability, time=w.time)

    report = concept_drift.check(stripped(window(1, 3_000)), stripped(window(2, 3_000, strength=-1.0)), PLAIN)
    assert report.findings[0].subject == "points"
    assert set(report.measurements) <= {"label", "score", "score_calibration", "points"}


def test_the_report_survives_json():
    report = concept_drift.check(window(1, 3_000), window(2, 3_000, strength=0.0), PLAIN)
    assert CheckReport.from_dict(json.loads(json.dumps(report.to_dict(), allow_nan=False))) == report


def test_the_loan_contract_needs_no_column_to_be_there():
    report = concept_drift.check(window(1, 1_000), window(2, 1_000), default_contract())
    assert report.status is Status.PASS


@pytest.fixture(scope="module")
def agrawal():
    folder = DATA / "river_agrawal_drift"
    if not folder.exists():
        pytest.skip(f"{folder} is absent: set LOANWATCH_TEST_DATA")
    categorical = ("elevel", "car", "zipcode")
    streams = {}
    for kind in ("abrupt", "none"):
        frame = pl.read_csv(folder / f"agrawal_{kind}.csv.gz").drop("i")
        label = frame["y"].to_numpy().astype(float)
        features = frame.drop("y")
        model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
        model.fit(features[:4_000].to_numpy(), label[:4_000])
        streams[kind] = ScoredWindow(
            frame=features,
            label=label,
            probability=model.predict_proba(features.to_numpy())[:, 1],
            time=START + np.arange(label.size) * HOUR,
        )
    numeric = [n for n in streams["none"].frame.columns if n not in categorical]
    return streams, contract_of(numeric, categorical)


def rows_of(stream, start, end):
    position = np.arange(stream.rows)
    return stream.where((position >= start) & (position < end))


@pytest.mark.parametrize(("start", "end"), [(5_000, 20_000), (8_000, 12_000), (10_000, 10_500)])
def test_abrupt_change_of_the_agrawal_stream_is_found_and_dated(agrawal, start, end):
    streams, contract = agrawal
    stream = streams["abrupt"]
    report = concept_drift.check(rows_of(stream, 4_000, 5_000), rows_of(stream, start, end), contract)
    assert report.status is Status.FAIL
    assert abs(start + report.details["applications_before"] - 10_000) <= 500


@pytest.mark.parametrize(("start", "end"), [(5_000, 20_000), (8_000, 12_000), (10_000, 10_500)])
def test_the_agrawal_control_shows_nothing(agrawal, start, end):
    streams, contract = agrawal
    stream = streams["none"]
    report = concept_drift.check(rows_of(stream, 4_000, 5_000), rows_of(stream, start, end), contract)
    assert report.findings == ()
