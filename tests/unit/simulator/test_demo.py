"""The demo year."""

from datetime import UTC, date, datetime
from itertools import pairwise

import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from loanwatch.simulator import DEMO_ENDINGS, RelationChange, demo_schedule, simulate_features

START = date(2015, 1, 1)


def test_every_ending_comes_to_pass():
    assert len(DEMO_ENDINGS) == 12
    assert set(DEMO_ENDINGS) == {"deployed", "no_change", "notice", "retrained", "halted"}


def test_events_begin_with_their_months_also_over_the_turn_of_a_year():
    starts = [event.start for event in demo_schedule(datetime(2014, 10, 1, tzinfo=UTC))]
    assert starts[0] == datetime(2015, 1, 1, tzinfo=UTC)
    assert starts[-1] == datetime(2015, 6, 1, tzinfo=UTC)


def test_something_begins_in_exactly_the_months_whose_ending_needs_it():
    begins = {event.start.month for event in demo_schedule(START)}
    new_endings = {
        month
        for month, (before, ending) in enumerate(pairwise(DEMO_ENDINGS), start=2)
        if ending not in (before, "no_change")
    }
    assert begins == new_endings


def test_moved_features_leave_the_relation_alone_and_a_changed_relation_the_features():
    calm = simulate_features(20_000, seed=1)
    year = simulate_features(20_000, seed=1, events=demo_schedule(START))
    spring = calm["application_time"].is_between(
        datetime(2015, 4, 1, tzinfo=UTC), datetime(2015, 5, 31, 23, tzinfo=UTC)
    )
    moved = year.filter(spring)
    assert moved["annual_income"].mean() == pytest.approx(1.25 * calm.filter(spring)["annual_income"].mean(), rel=0.001)
    assert roc_auc_score(moved["label"], moved["probability"]) == pytest.approx(0.78, abs=0.03)


def test_the_old_relation_is_hardly_better_than_guessing_once_it_has_changed():
    changes = [event for event in demo_schedule(START) if isinstance(event, RelationChange)]
    summer = {"seed": 2, "start": date(2015, 6, 1)}
    old, new = simulate_features(20_000, **summer), simulate_features(20_000, **summer, events=changes)
    assert old.drop("label", "probability").equals(new.drop("label", "probability"))
    assert roc_auc_score(new["label"], old["probability"]) < 0.6
    assert roc_auc_score(new["label"], new["probability"]) > 0.75
    assert new.select(pl.col("label").mean()).item() == pytest.approx(old["label"].mean(), abs=0.015)
