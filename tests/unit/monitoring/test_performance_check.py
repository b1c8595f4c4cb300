"""Whether the deployed model does worse than on its own hold-out."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from loanwatch.contract import default_contract
from loanwatch.monitoring import ScoredWindow, Severity, Status, performance
from loanwatch.statistics.auc import auc

CONTRACT = default_contract()


def window(seed, rows, *, spread=1.2, noise=0.0):
    generator = np.random.default_rng(seed)
    truth = 1.2 + spread * generator.normal(size=rows)
    return ScoredWindow(
        frame=pl.DataFrame({"credit_score": truth}),
        label=(generator.random(rows) < expit(truth)).astype(float),
        probability=expit(truth + noise * generator.normal(size=rows)),
        time=np.datetime64("2026-03-01", "us") + np.arange(rows) * np.timedelta64(600, "s"),
    )


def without_labels(w, rows=None):
    label = w.label.copy()
    label[: w.rows if rows is None else rows] = np.nan
    return ScoredWindow(frame=w.frame, label=label, probability=w.probability, time=w.time)


def test_a_much_worse_model_fails_with_the_figures_in_the_sentence():
    report = performance.check(window(0, 5_000), window(1, 4_000, noise=2.5), CONTRACT)
    assert report.status is Status.FAIL
    assert report.severity is Severity.HIGH
    value = next(m.value for m in report.measurements["current"] if m.name == "auc")
    assert f"AUC is {value:.3f}" in report.summary
    assert [m.name for m in report.measurements["estimated"]] == ["estimated_auc", "estimated_accuracy"]


def test_a_loss_within_the_allowance_is_no_failure():
    tolerant = replace(CONTRACT, policy=replace(CONTRACT.policy, material_auc_loss=0.3, minimum_auc=0.5))
    reference, current = window(0, 5_000), window(1, 4_000, noise=1.5)
    assert performance.check(reference, current, tolerant).status is Status.PASS
    assert performance.check(reference, current, CONTRACT).status is Status.FAIL


@pytest.mark.parametrize(("hold_out", "rows", "pairs"), [(1_300, 4_400, 40), (15_000, 6_700, 10), (1_300, 60, 60)])
def test_an_unchanged_model_hardly_ever_fails(hold_out, rows, pairs):
    failed = [
        performance.check(window(2 * s, hold_out), window(2 * s + 1, rows), CONTRACT).status is Status.FAIL
        for s in range(pairs)
    ]
    assert sum(failed) <= 1


def test_without_labels_the_performance_is_estimated_and_called_so():
    report = performance.check(window(0, 5_000), without_labels(window(1, 4_000)), CONTRACT)
    assert report.status is Status.PASS
    assert "estimated before labels arrive" in report.summary
    assert any("cannot see a changed relation" in text for text in report.limitations)
    assert "current" not in report.measurements


def test_an_estimate_below_the_bar_fails():
    flat = without_labels(window(1, 4_000, spread=0.2))
    report = performance.check(window(0, 5_000), flat, CONTRACT)
    assert report.status is Status.FAIL
    assert report.findings[0].details["estimated"] is True


def test_the_estimate_covers_what_the_labels_show():
    covered, errors = [], []
    for seed in range(40):
        current = window(seed, 2_000)
        estimate = performance.estimate_auc(current.probability, seed=seed)
        realised = auc(current.positive, current.probability)
        covered.append(estimate.lower <= realised <= estimate.upper)
        errors.append(estimate.value - realised)
    assert np.mean(covered) >= 0.88
    assert abs(np.mean(errors)) < 0.004


def test_missing_labels_are_counted():
    report = performance.check(window(0, 5_000), without_labels(window(1, 2_000), 500), CONTRACT)
    assert report.limitations == ("500 of 2,000 applications have no label; only the others are judged.",)
    assert report.details["judged_rows"] == 1_500


def test_labels_that_are_not_due_are_not_judged():
    late = replace(CONTRACT, label=replace(CONTRACT.label, delay_days=90))
    current = window(1, 2_000, noise=3.0)
    early = performance.check(window(0, 5_000), current, late, as_of=datetime(2026, 4, 1, tzinfo=UTC))
    assert early.details["realised"] is False
    assert "2,000 of 2,000 applications are too young" in early.limitations[0]
    due = performance.check(window(0, 5_000), current, late, as_of=datetime(2026, 9, 1, tzinfo=UTC))
    assert due.details["realised"] is True


@pytest.mark.parametrize("rows", [0, 1, 10])
def test_too_few_rows_are_skipped(rows):
    assert performance.check(window(0, 500), window(1, rows), CONTRACT).status is Status.SKIPPED
    assert performance.check(window(0, rows), window(1, 500), CONTRACT).status is Status.SKIPPED
