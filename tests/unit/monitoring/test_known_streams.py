"""Concept drift and estimated performance on streams whose truth is known."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from loanwatch.monitoring import ScoredWindow, Severity, Status, concept_drift, performance
from loanwatch.statistics.auc import auc

START = np.datetime64("2026-03-01", "us")
CHANGED_AT = 10_000


@pytest.fixture(scope="module")
def agrawal(shared_data):
    folder = shared_data("river_agrawal_drift")
    return {kind: pl.read_csv(folder / f"agrawal_{kind}.csv.gz").drop("i") for kind in ("abrupt", "gradual", "none")}


def first_alarm(stream, seed):
    """Train on 4,000 of the first 5,000 rows, hold out the others, and watch the rest of the stream."""
    features, label = stream.drop("y"), stream["y"].to_numpy().astype(float)
    mixed = np.random.default_rng(seed).permutation(5_000)
    train, hold_out = np.sort(mixed[:4_000]), np.sort(mixed[4_000:])
    matrix = features.to_numpy()
    model = HistGradientBoostingClassifier(max_iter=60, random_state=seed).fit(matrix[train], label[train])
    scored = ScoredWindow(
        frame=features,
        label=label,
        probability=model.predict_proba(matrix)[:, 1],
        time=START + np.arange(label.size) * np.timedelta64(60, "s"),
    )
    rows = np.arange(label.size)
    alarm = concept_drift.watch_stream(scored.where(np.isin(rows, hold_out)), scored.where(rows >= 5_000))
    return None if alarm is None else 5_000 + alarm.applications


@pytest.mark.parametrize("seed", [0, 1])
def test_the_change_of_the_stream_rings_within_500_rows_and_the_control_never(agrawal, seed):
    assert CHANGED_AT < first_alarm(agrawal["abrupt"], seed) <= CHANGED_AT + 500
    assert first_alarm(agrawal["none"], seed) is None


@pytest.mark.deep
def test_it_does_so_for_twenty_models(agrawal):
    abrupt = [first_alarm(agrawal["abrupt"], seed) for seed in range(20)]
    assert all(alarm is not None and CHANGED_AT < alarm <= CHANGED_AT + 500 for alarm in abrupt)
    assert [first_alarm(agrawal["none"], seed) for seed in range(20)] == [None] * 20
    assert None not in [first_alarm(agrawal["gradual"], seed) for seed in range(20)]


@pytest.fixture(scope="module")
def car_loan(shared_data, one_table_contract):
    folder = shared_data("nannyml_car_loan")
    before, after, labels = (
        pl.read_csv(folder / f"synthetic_car_loan_{part}.csv.gz", try_parse_dates=True)
        for part in ("reference", "analysis", "analysis_target")
    )
    after = after.join(labels, on="id", maintain_order="left")
    known = ("id", "timestamp", "y_pred_proba", "y_pred", "repaid")
    predictors = [c for c in before.columns if c not in known]
    texts = [c for c in predictors if before[c].dtype == pl.String]

    def scored(frame):
        return ScoredWindow(
            frame=frame.select(predictors),
            label=frame["repaid"].cast(pl.Float64).to_numpy(),
            probability=frame["y_pred_proba"].to_numpy(),
            time=frame["timestamp"].to_numpy(),
        )

    contract = one_table_contract([c for c in predictors if c not in texts], texts)
    return scored(before), [scored(after[k * 5_000 : (k + 1) * 5_000]) for k in range(10)], contract


def blind(window):
    return ScoredWindow(
        frame=window.frame,
        label=np.full(window.rows, np.nan),
        probability=window.probability,
        time=window.time,
    )


def test_performance_of_the_car_loans_is_known_before_their_labels(car_loan):
    reference, chunks, contract = car_loan
    reports = [performance.check(reference, blind(w), contract) for w in chunks]
    estimated = np.array([r.measurements["estimated"][0].value for r in reports])
    realised = np.array([auc(w.positive, w.probability) for w in chunks])
    assert np.abs(estimated - realised).mean() < 0.002
    assert [r.severity >= Severity.MEDIUM for r in reports] == [False] * 5 + [True] * 5


def test_realised_performance_alerts_on_the_same_chunks(car_loan):
    reference, chunks, contract = car_loan
    reports = [performance.check(reference, w, contract) for w in chunks]
    assert [r.severity >= Severity.MEDIUM for r in reports] == [False] * 5 + [True] * 5


@pytest.fixture(scope="module")
def lendingclub(shared_data):
    path = shared_data("lendingclub_2018") / "lendingclub_2018.csv.gz"
    frame = pl.read_csv(path, infer_schema_length=None).sort("issue_d", "id")
    predictors = ["annual_inc", "dti", "bc_util", "installment", "acc_open_past_24mths", "mort_acc", "tot_cur_bal"]
    features = frame.select(pl.col(c).cast(pl.Float64) for c in predictors)
    label = 1.0 - frame["loan_status"].to_numpy()
    day = frame["issue_d"].str.to_date().to_numpy()
    early = day < np.datetime64("2018-04-01")
    model = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.05, random_state=0)
    model.fit(features.to_numpy()[early], label[early])
    scored = ScoredWindow(
        frame=features, label=label, probability=model.predict_proba(features.to_numpy())[:, 1], time=day
    )
    return scored, predictors


def month_of(scored, month):
    return scored.where(scored.time.astype("datetime64[M]") == np.datetime64(f"2018-{month:02d}"))


@pytest.mark.parametrize("month", range(8, 13))
def test_months_whose_labels_are_not_mature_raise_no_alarm(lendingclub, one_table_contract, month):
    scored, predictors = lendingclub
    late = one_table_contract(predictors, delay_days=365)
    as_of = datetime(2019, 4, 1, tzinfo=UTC)
    report = concept_drift.check(month_of(scored, 4), month_of(scored, month), late, as_of=as_of)
    assert report.status is Status.SKIPPED
    assert report.findings == ()
    assert any("not yet due" in text for text in report.limitations)


def test_judged_too_early_the_same_months_would_alarm(lendingclub, one_table_contract):
    scored, predictors = lendingclub
    report = concept_drift.check(month_of(scored, 4), month_of(scored, 12), one_table_contract(predictors))
    assert report.status is Status.FAIL
