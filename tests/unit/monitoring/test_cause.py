"""What caused a change, what it cost, and whether to retrain."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from loanwatch.monitoring import CheckReport, Finding, ScoredWindow, Severity, Status, performance
from loanwatch.monitoring.cause import Cause, Verdict, explain_change, split_loss

START = np.datetime64("2026-03-01", "us")


@pytest.fixture(scope="module")
def contract(one_table_contract):
    return one_table_contract(("points", "age"), ("purpose",))


def window(seed, rows=4_000, *, moved=0.0, strength=1.0, error=0.3):
    """Applications of a model that errs along points; `moved` shifts them, `strength` changes what they do."""
    generator = np.random.default_rng(seed)
    points, age = generator.normal(moved, 1.0, rows), generator.normal(size=rows)
    purpose = generator.choice(["car", "house"], rows)
    base = 0.5 + 0.4 * age + 0.5 * (purpose == "car")
    label = generator.random(rows) < expit(base + strength * points)
    return ScoredWindow(
        frame=pl.DataFrame({"points": points, "age": age, "purpose": purpose}),
        label=label.astype(float),
        probability=expit(base + points - error * np.sin(2 * points)),
        time=START + np.arange(rows) * np.timedelta64(600, "s"),
    )


CASES = {
    Verdict.NONE: {},
    Verdict.FEATURES: {"moved": 0.8},
    Verdict.RELATION: {"strength": 0.2},
    Verdict.BOTH: {"moved": 0.8, "strength": 0.2},
}


@pytest.mark.parametrize("truth", CASES)
def test_the_right_cause_is_named(contract, truth):
    found = [explain_change(window(s, 6_000), window(50 + s, **CASES[truth]), contract) for s in range(5)]
    assert [c.verdict for c in found] == [truth] * 5
    assert all(c.retrain == (truth in (Verdict.RELATION, Verdict.BOTH)) for c in found)


def test_moved_features_need_no_retraining_and_are_named(contract):
    cause = explain_change(window(1, 6_000), window(2, moved=0.8), contract)
    assert cause.sentence.startswith("Features moved (points), model still calibrated: no retraining needed")
    assert set(cause.features) == {"points"}
    assert cause.relation == {}


def test_a_changed_relation_names_feature_date_and_what_to_do(contract):
    cause = explain_change(window(1, 6_000), window(2, strength=-0.5), contract)
    assert "mostly through points, since 1 March 2026: retrain on data after it" in cause.sentence
    assert cause.since == "2026-03-01"
    assert cause.relation["points"].lower > 0


def test_the_parts_of_the_loss_add_up(contract):
    split = split_loss(window(1, 6_000), window(2, moved=0.5, strength=0.5), contract)
    assert split.features.value + split.relation.value == pytest.approx(split.total.value)


def test_the_intervals_hold_the_truth(contract):
    """The truth of each part, from a hundred times as many rows and the true relation."""
    large, after = window(90, 300_000), window(91, 300_000, moved=0.8)
    expected = float(((after.label - after.probability) ** 2).mean() - ((large.label - large.probability) ** 2).mean())
    held = 0
    for seed in range(20):
        split = split_loss(window(seed), window(40 + seed, moved=0.8), contract)
        held += split.features.lower <= expected <= split.features.upper and split.relation.lower <= 0
    assert held >= 17


def test_data_that_cannot_be_trusted_come_first(contract):
    finding = Finding(
        check="data_quality.unit_change", subject="points", severity=Severity.HIGH, sentence="Points are times 100."
    )
    quality = CheckReport(check="data_quality", status=Status.FAIL, summary="Broken.", findings=(finding,))
    cause = explain_change(window(1), window(2, strength=-1.0), contract, data_quality=quality)
    assert cause.verdict is Verdict.QUALITY
    assert "Points are times 100." in cause.sentence
    assert not cause.retrain


def test_without_labels_it_says_what_cannot_be_seen(contract):
    current = window(2, moved=0.8, strength=-1.0)
    blind = ScoredWindow(
        frame=current.frame,
        label=np.full(current.rows, np.nan),
        probability=current.probability,
        time=current.time,
    )
    cause = explain_change(window(1), blind, contract)
    assert cause.verdict is Verdict.FEATURES
    assert "cannot be seen before labels arrive" in cause.sentence
    assert [m.name for m in cause.measurements] == ["loss_from_features"]


def test_an_empty_window_is_no_cause(contract):
    assert explain_change(window(1), window(2, 0), contract).verdict is Verdict.NONE


def test_a_cause_survives_json(contract):
    cause = explain_change(window(1), window(2, moved=0.8, strength=0.0), contract)
    assert Cause.from_dict(json.loads(json.dumps(cause.to_dict(), allow_nan=False))) == cause


def moved_of(*subjects):
    levels = {"score": Severity.MEDIUM, "points": Severity.LOW}
    findings = tuple(
        Finding(check="data_drift.univariate", subject=s, severity=levels[s], sentence="It moved.") for s in subjects
    )
    return CheckReport(check="data_drift", status=Status.FAIL, summary="", findings=findings)


@pytest.mark.parametrize(("subjects", "verdict"), [(("score",), Verdict.SCORE), (("score", "points"), Verdict.NONE)])
def test_the_scores_alone_moved_only_where_no_feature_did_however_slightly(contract, subjects, verdict):
    found = explain_change(window(1, 6_000), window(2), contract, data_drift=moved_of(*subjects))
    assert found.verdict is verdict


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_scores_of_other_rows_are_no_changed_relation(contract, share):
    """Their distribution is that of before; what they no longer follow are the features."""
    for seed in range(5):
        now = window(50 + seed)
        generator = np.random.default_rng(seed)
        mixed = np.flatnonzero(generator.random(now.rows) < share)
        probability = now.probability.copy()
        probability[mixed] = probability[generator.permutation(mixed)]
        windows = window(seed, 6_000), replace(now, probability=probability)
        found = explain_change(*windows, contract, performance=performance.check(*windows, contract))
        assert (found.verdict, found.retrain) == (Verdict.SCORE, False)


def test_labels_that_leave_the_scores_in_one_segment_are_a_changed_relation(contract):
    worse = Finding(check="model_drift.segment", subject="purpose", severity=Severity.MEDIUM, sentence="It is worse.")
    report = CheckReport(check="model_drift", status=Status.FAIL, summary="", findings=(worse,))
    found = explain_change(window(1, 6_000), window(2), contract, performance=report)
    assert (found.verdict, found.retrain) == (Verdict.RELATION, True)
    assert "mostly through purpose" in found.sentence


def test_a_model_that_errs_where_the_features_went_is_not_called_calibrated(contract):
    far = window(3)
    spoilt = far.frame.with_columns(points=pl.when(pl.int_range(pl.len()) % 3 == 0).then(9.0).otherwise("points"))
    probability = np.where(np.arange(far.rows) % 3 == 0, 0.999, far.probability)
    found = explain_change(window(1, 6_000), replace(far, frame=spoilt, probability=probability), contract)
    assert found.verdict is not Verdict.NONE
    assert "still calibrated" not in found.sentence


@pytest.mark.parametrize("usual", [0.0, 0.001])
def test_a_value_that_the_holdout_hardly_has_and_no_loss_depends_on_costs_nothing(contract, usual):
    """Before, the mean loss of no row at all was taken for a loss of 0."""
    costs = []
    for seed in range(5):
        windows = []
        for at, share in ((seed, usual), (60 + seed, 0.15)):
            one = window(at, 6_000)
            new = np.random.default_rng(at).random(one.rows) < share
            purpose = pl.Series(np.where(new, "boat", one.frame["purpose"].to_numpy()))
            windows.append(replace(one, frame=one.frame.with_columns(purpose.alias("purpose"))))
        found = explain_change(*windows, contract).features["purpose"]
        costs.append(found.value)
        assert found.lower <= found.value <= found.upper
    assert abs(np.mean(costs)) < 0.002
