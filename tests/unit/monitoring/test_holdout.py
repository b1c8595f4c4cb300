"""What is known of a hold-out once and for all says what finding it out again would say."""

import json
import sys
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit

from loanwatch.monitoring import ScoredWindow, concept_drift, performance
from loanwatch.monitoring.cause import explain_change
from loanwatch.monitoring.concept_drift.sequential import StreamAlarm
from loanwatch.monitoring.labels import label_numbers
from loanwatch.monitoring.performance import HoldOut

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def contract(one_table_contract):
    return one_table_contract(["income", "debt"], ["town"])


def window(seed, rows, *, labelled=True):
    rng = np.random.default_rng(seed)
    income, debt = rng.lognormal(10, 1, rows), np.where(rng.random(rows) < 0.1, np.nan, rng.poisson(4, rows))
    town = rng.choice(["rome", "oslo", "bern"], rows)
    line = 0.8 * (np.log(income) - 10) - 0.2 * np.nan_to_num(debt) + (town == "rome")
    given = expit(0.9 * line)
    return ScoredWindow(
        frame=pl.DataFrame({"income": income, "debt": debt, "town": town}).with_columns(pl.col("debt").fill_nan(None)),
        label=(rng.random(rows) < expit(line)).astype(float) if labelled else np.full(rows, np.nan),
        probability=given,
        time=np.datetime64("2026-01-01", "us") + np.arange(rows) * np.timedelta64(60_000_000, "us"),
    )


@pytest.mark.parametrize("labelled", [True, False])
def test_a_stored_hold_out_gives_the_same_report_as_its_rows(contract, labelled):
    reference, current = window(0, 4_000), window(1, 2_000, labelled=labelled)
    stored = HoldOut.from_dict(json.loads(json.dumps(HoldOut.of(reference, contract).to_dict())))
    found = performance.check(reference, current, contract, as_of=NOW, hold_out=stored)
    assert found.to_dict() == performance.check(reference, current, contract, as_of=NOW).to_dict()
    cause = explain_change(reference, current, contract, as_of=NOW, relation=stored.relation)
    assert cause.to_dict() == explain_change(reference, current, contract, as_of=NOW).to_dict()


def test_the_relation_corrects_what_the_hold_out_contradicts(contract):
    reference, other = window(2, 20_000), window(3, 20_000)
    relation = HoldOut.of(reference, contract).relation
    right = expit(logit(other.probability) / 0.9)
    assert np.abs(relation.probability(other) - right).mean() < np.abs(other.probability - right).mean()


def test_the_relation_knows_windows_without_a_column_and_with_new_words(contract):
    relation = HoldOut.of(window(4, 2_000), contract).relation
    bare = window(5, 100)
    bare = ScoredWindow(
        frame=bare.frame.drop("income").with_columns(pl.lit("atlantis").alias("town")),
        label=bare.label,
        probability=bare.probability,
        time=bare.time,
    )
    assert np.isfinite(relation.probability(bare)).all()


def test_a_comparison_takes_no_more_of_the_hold_out_than_it_can_use():
    assert window(6, 30_000).beside(window(7, 100)).rows == 10_000
    assert window(6, 30_000).beside(window(7, 8_000)).rows == 16_000
    assert window(6, 5_000).beside(window(7, 8_000)).rows == 5_000


def test_an_alarm_of_the_label_stream_alone_is_a_limitation_and_no_finding(contract, monkeypatch):
    alarm = StreamAlarm(time=np.datetime64("2026-01-02T03:00:00"), applications=900, started=400)
    monkeypatch.setattr(sys.modules["loanwatch.monitoring.concept_drift.check"], "watch_stream", lambda *_: alarm)
    report = concept_drift.check(window(0, 4_000), window(1, 2_000), contract, as_of=NOW)
    assert report.findings == ()
    assert report.details["stream"]["applications"] == 900
    assert any("by 2 January 2026" in line and "no change of the relation" in line for line in report.limitations)


def test_labels_are_numbers_in_one_way(contract):
    frame = pl.DataFrame({"outcome": ["given", "refused", None, "pending"]})
    assert label_numbers(frame, contract).tolist()[:2] == [1.0, 0.0]
    assert np.isnan(label_numbers(frame, contract)[2:]).all()
    assert np.isnan(label_numbers(frame.select(pl.lit(1).alias("x")), contract)).all()


def test_of_many_features_those_that_the_score_follows_are_corrected_for(one_table_contract):
    followed, idle = [f"x{i}" for i in range(60, 80)], [f"x{i}" for i in (*range(60), *range(80, 300))]
    names = sorted(followed + idle, key=lambda name: int(name[1:]))
    rng = np.random.default_rng(7)

    def wide(rows):
        frame = pl.DataFrame({name: rng.normal(0, 1, rows) for name in names})
        line = 0.4 * frame.select(followed).sum_horizontal().to_numpy()
        truth = expit(line + 0.8 * frame["x60"].to_numpy())
        label = (rng.random(rows) < truth).astype(float)
        time = np.full(rows, np.datetime64("2026-01-01", "us"))
        return ScoredWindow(frame=frame, label=label, probability=expit(line), time=time), truth

    (reference, _), (other, truth) = wide(6_000), wide(4_000)
    contract = one_table_contract(names, [])
    relation = HoldOut.of(reference, contract).relation
    corrected = [column["name"] for column in relation.to_dict()["columns"] if column["kind"] == "number"]
    assert len(corrected) == 64
    assert set(followed) <= set(corrected)
    error, before = (np.abs(p - truth).mean() for p in (relation.probability(other), other.probability))
    assert error < 0.7 * before
    told = performance.check(reference, other, contract).limitations
    assert any("along the 64 features" in line and "236 count only" in line for line in told)
    few = ScoredWindow(
        frame=reference.frame.select(names[:64]),
        label=reference.label,
        probability=reference.probability,
        time=reference.time,
    )
    assert not any("features" in line for line in performance.check(few, few, contract).limitations)
