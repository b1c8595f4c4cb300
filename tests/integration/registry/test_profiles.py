"""Profiles by day in a real PostgreSQL: any window is a merge, and a day done again is the same bytes."""

import threading
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from loanwatch.contract import parse_contract
from loanwatch.monitoring import profile_by_day, profile_window
from loanwatch.registry import register, store_days, stored_window

FIRST = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CONTRACT = parse_contract(tomllib.loads((Path(__file__).parents[2] / "small_contract.toml").read_text()))


def applications(days, *, seed=0, rows=300):
    rng = np.random.default_rng(seed)
    n = days * rows
    seconds = np.sort(rng.integers(0, days * 86_400, n))
    return pl.DataFrame(
        {
            "income": rng.lognormal(10, 1, n),
            "debt": pl.Series(np.where(rng.random(n) < 0.1, np.nan, rng.poisson(3, n))).fill_nan(None),
            "town": rng.choice(["rome", "oslo", "bern"], n),
            "at": [FIRST + timedelta(seconds=int(s)) for s in seconds],
        }
    )


FRAME = applications(6)
REFERENCE = profile_window(applications(20, seed=1), CONTRACT, probability=np.linspace(0, 1, 6_000))


def between(start, end):
    return FRAME.filter(pl.col("at").is_between(start, end, closed="left"))


def counted(frame):
    scores = np.linspace(0.1, 0.9, frame.height)
    return {"edges": REFERENCE.edges, "probability": scores, "label": (scores > 0.4).astype(float)}


@pytest.fixture
def model(database):
    with database.connect() as connection:
        return register(connection, name=CONTRACT.name, run_id=None, digest="d", metadata={})


def store(connection, model, start, end):
    frame = between(start, end)
    store_days(connection, model, profile_by_day(frame, CONTRACT, **counted(frame)), window=(start, end))


def window(connection, model, start, end):
    return stored_window(connection, model, edges=REFERENCE.edges, start=start, end=end)


def contents(connection):
    return connection.execute(
        "SELECT starts_at, ends_at, row_count, content FROM loanwatch.profile ORDER BY 1"
    ).fetchall()


def test_any_window_is_a_merge_of_stored_days(database, model):
    with database.connect() as connection:
        store(connection, model, FIRST, FIRST + 4 * DAY)
        store(connection, model, FIRST + 4 * DAY, FIRST + 6 * DAY)
        for first, last in ((0, 6), (1, 3), (3, 5)):
            start, end = FIRST + first * DAY, FIRST + last * DAY
            found = window(connection, model, start, end)
            frame = between(start, end)
            whole = profile_window(frame, CONTRACT, edges=REFERENCE.edges)
            assert found.is_complete
            assert found.profile.rows == frame.height
            for name, column in whole.columns.items():
                assert found.profile.columns[name].counts.tolist() == column.counts.tolist()
                assert found.profile.columns[name].absent.tolist() == column.absent.tolist()
            assert found.profile.columns["income"].mean == pytest.approx(whole.columns["income"].mean, rel=1e-12)
            np.testing.assert_allclose(found.profile.moments.correlations, whole.moments.correlations, atol=1e-9)
            assert found.profile.dates == whole.dates


def test_a_day_comes_back_as_it_was_stored(database, model):
    frame = between(FIRST, FIRST + DAY)
    (profile,) = profile_by_day(frame, CONTRACT, **counted(frame)).values()
    with database.connect() as connection:
        store(connection, model, FIRST, FIRST + DAY)
        assert window(connection, model, FIRST, FIRST + DAY).profile.to_dict() == profile.to_dict()


def test_a_day_profiled_again_is_replaced_by_the_same_bytes(database, model):
    with database.connect() as connection:
        store(connection, model, FIRST, FIRST + 3 * DAY)
        before = contents(connection)
        store(connection, model, FIRST, FIRST + 3 * DAY)
        assert contents(connection) == before
        store(connection, model, FIRST + DAY, FIRST + 2 * DAY)
        assert [row[:3] for row in contents(connection)] == [row[:3] for row in before]


def test_what_was_not_profiled_is_a_gap_and_a_day_without_applications_is_none(database, model):
    empty = FIRST + 6 * DAY
    with database.connect() as connection:
        store(connection, model, FIRST, FIRST + DAY)
        store(connection, model, FIRST + 2 * DAY, FIRST + 3 * DAY)
        store(connection, model, empty, empty + DAY)
        found = window(connection, model, FIRST, FIRST + 4 * DAY)
        assert found.gaps == ((FIRST + DAY, FIRST + 2 * DAY), (FIRST + 3 * DAY, FIRST + 4 * DAY))
        assert (
            found.profile.rows == between(FIRST, FIRST + DAY).height + between(FIRST + 2 * DAY, FIRST + 3 * DAY).height
        )
        quiet = window(connection, model, empty, empty + DAY)
        assert quiet.is_complete
        assert quiet.profile is None


def test_parts_of_a_day_add_up_to_it_and_a_whole_day_takes_their_place(database, model):
    noon = FIRST + DAY / 2
    with database.connect() as connection:
        store(connection, model, FIRST, noon)
        store(connection, model, noon, FIRST + DAY)
        parts = window(connection, model, FIRST, FIRST + DAY)
        assert parts.profile.rows == between(FIRST, FIRST + DAY).height
        store(connection, model, FIRST, FIRST + DAY)
        assert len(contents(connection)) == 1
        store(connection, model, FIRST, noon)  # holds nothing that the whole day does not
        (row,) = contents(connection)
        assert row[2] == parts.profile.rows
        assert window(connection, model, FIRST, noon).profile is None


def test_days_over_other_bins_are_refused(database, model):
    other = profile_window(applications(3, seed=9), CONTRACT).edges
    with database.connect() as connection:
        store(connection, model, FIRST, FIRST + DAY)
        with pytest.raises(ValueError, match="other bins"):
            stored_window(connection, model, edges=other, start=FIRST, end=FIRST + DAY)


def test_each_model_has_days_of_its_own(database, model):
    with database.connect() as connection:
        second = register(connection, name=CONTRACT.name, run_id=None, digest="d", metadata={})
        store(connection, model, FIRST, FIRST + DAY)
        assert window(connection, second, FIRST, FIRST + DAY).gaps == ((FIRST, FIRST + DAY),)


@pytest.mark.parametrize("hours", [0, 6])
def test_two_runs_at_once_store_no_application_twice(database, model, hours):
    start, end = FIRST + timedelta(hours=hours), FIRST + DAY + timedelta(hours=hours)
    stored = threading.Event()

    def second():
        with database.connect() as connection:
            store(connection, model, start, end)
        stored.set()

    with database.connect() as connection:
        store(connection, model, FIRST, FIRST + DAY)
        thread = threading.Thread(target=second)
        thread.start()
        assert not stored.wait(0.5)
    thread.join(timeout=10)
    assert stored.is_set()
    with database.connect() as connection:
        found = window(connection, model, FIRST, FIRST + 2 * DAY)
    assert found.profile.rows <= between(FIRST, end).height
    assert window_is(found, start, end)


def window_is(found, start, end):
    """Whether the later window is stored whole: it is the one that was stored last."""
    return all(last <= start or first >= end for first, last in found.gaps)
