"""With label, score and time: the cause of a change, and performance over windows, estimate beside truth."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

import loanwatch

ROWS = 4_000


def table(seed, *, start, slope=1.0, labelled=True):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=ROWS)
    label = rng.random(ROWS) < 1 / (1 + np.exp(-2 * slope * x))
    return pl.DataFrame(
        {
            "x": x,
            "y": pl.Series(label.astype(int)) if labelled else pl.Series([None] * ROWS, dtype=pl.Int64),
            "p": 1 / (1 + np.exp(-2 * x)),
            "t": [start + timedelta(hours=at) for at in range(ROWS)],
        }
    )


BEFORE = table(0, start=datetime(2023, 1, 1))  # noqa: DTZ001  (files often hold naive times)
AFTER = datetime(2023, 8, 1)  # noqa: DTZ001


def windows(current, **roles):
    found = loanwatch.compare(BEFORE, current, label="y", score="p", **roles)
    return found, found.reports["model_drift"].details["windows"]


def test_where_the_relation_changes_the_truth_leaves_the_estimate():
    found, points = windows(table(1, start=AFTER, slope=-0.2), time="t")
    before = [p for p in points if p["table"] == "reference"]
    now = [p for p in points if p["table"] == "current"]
    assert len(before) == len(now) == 8
    assert [p["window"] for p in points] == sorted(p["window"] for p in points)
    assert points == before + now
    assert all(p["lower"] < p["estimate"] < p["upper"] for p in before[1:7:3])
    assert all(p["upper"] < p["estimate"] - 0.2 for p in now)
    page = found.to_html()
    assert "AUC of the scores by window" in page
    assert "(current)</th>" in page
    assert found.cause.to_dict()["sentence"].partition(":")[0] in page
    assert found.to_dict()["cause"]["measurements"]


def test_windows_whose_labels_are_not_known_yet_have_an_estimate_only():
    _, points = windows(table(1, start=AFTER, labelled=False), time="t")
    assert {p["auc"] for p in points if p["table"] == "current"} == {None}
    assert all(0.5 < p["estimate"] < 1.0 for p in points)


def test_without_a_time_there_are_no_windows():
    found, points = windows(table(1, start=AFTER))
    assert points == []
    assert "by window" not in found.to_html()


@pytest.mark.parametrize("roles", [{}, {"label": "y"}, {"score": "p"}])
def test_without_label_and_score_there_is_no_cause(roles):
    found = loanwatch.compare(BEFORE, BEFORE, **roles)
    assert found.cause is None
    assert found.to_dict()["cause"] is None


def test_the_advice_on_a_leak_names_no_contract_where_there_is_none():
    leaky = BEFORE.with_columns(pl.when(pl.int_range(pl.len()) % 9 == 0).then(1).otherwise("y").alias("y"))
    leaky = leaky.with_columns(
        pl.when(pl.int_range(pl.len()) % 9 == 0).then(99_999_999.0).otherwise(pl.col("x").round(1) + 50).alias("x")
    )
    found = loanwatch.compare(leaky, leaky, label="y", score="p")
    leaks = [f.sentence for f in found.findings if "leak" in f.check]
    assert leaks
    assert all("fix the feed" in told and "leakage =" not in told for told in leaks)


def epochs(per_second):
    return pl.col("t").dt.epoch("s") * per_second


@pytest.mark.parametrize(
    "written",
    [
        pl.col("t").dt.strftime("%Y%m%d").cast(pl.Int64),
        *(epochs(10**power) for power in (0, 3, 6, 9)),
        epochs(1).cast(pl.Float64),
        pl.when(pl.int_range(pl.len()) % 5 == 0).then(pl.lit("soon")).otherwise(pl.col("t").dt.strftime("%Y-%m-%d")),
    ],
    ids=["day", "s", "ms", "us", "ns", "float", "half readable"],
)
def test_times_may_be_numbers_and_some_of_them_unreadable(written):
    current = table(1, start=AFTER).with_columns(written.alias("t"))
    found, points = windows(current, time="t")
    starts = [p["window"] for p in points if p["table"] == "current"]
    assert starts
    assert min(starts) >= "2023-07"
    told = [line for line in found.limitations if "cannot be read" in line]
    part = ["20 % of the times in t of the current table cannot be read."]
    assert told == (part if current["t"].dtype == pl.String else [])
