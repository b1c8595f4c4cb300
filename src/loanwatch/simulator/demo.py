"""A lender's year in which every way a run can end comes to pass."""

from datetime import date
from typing import Final

from loanwatch.simulator.events import (
    DuplicateFeed,
    Event,
    FeatureShift,
    MixShift,
    NullFeed,
    RelationChange,
    UnitChange,
    as_utc,
)

__all__ = ["DEMO_ENDINGS", "demo_schedule"]

DEMO_ENDINGS: Final = (
    "deployed",
    "no_change",
    "no_change",
    "notice",
    "notice",
    "retrained",
    "no_change",
    "no_change",
    "halted",
    "no_change",
    "no_change",
    "no_change",
)
"""How the run of each month should end, in the words of the pipeline, if every check sees what was planted."""

_FEATURES_MOVE: Final = 3
_RELATION_CHANGES: Final = 5
_FEED_BREAKS: Final = 8


def demo_schedule(start: date) -> tuple[Event, ...]:
    """Return the events of the twelve months that begin at `start`.

    From the fourth month on incomes are a quarter higher and ten points more apply for home improvements: the model is
    still right, because the relation has not changed. From the sixth month on years in the job and home ownership count
    the other way round, while as many are given as before: a model trained before is hardly better than guessing
    (AUC about 0.53), one trained on 3,000 rows of the new relation reaches about 0.75. In the ninth month the
    feed is broken: debts in cents, empty scores, repeated rows.

    Parameters
    ----------
    start : date or datetime
        First day of the year; the first of a month.

    Examples
    --------
    >>> [event.describe()["start"][:10] for event in demo_schedule(date(2015, 1, 1))][:3]
    ['2015-04-01', '2015-04-01', '2015-06-01']
    """
    moved, changed = _month(start, _FEATURES_MOVE), _month(start, _RELATION_CHANGES)
    broken = {"start": _month(start, _FEED_BREAKS), "end": _month(start, _FEED_BREAKS + 1)}
    return (
        FeatureShift(column="annual_income", factor=1.25, start=moved),
        MixShift(column="purpose", category="home improvements", points=10, start=moved),
        RelationChange(column="years_in_current_job", strength=-1, keep_rate=True, start=changed),
        RelationChange(column="home_ownership", strength=-1, keep_rate=True, start=changed),
        UnitChange(column="monthly_debt", factor=100, **broken),
        NullFeed(column="credit_score", share=0.6, **broken),
        DuplicateFeed(share=0.15, **broken),
    )


def _month(start: date, months: int) -> date:
    years, month = divmod(start.month - 1 + months, 12)
    return as_utc(start).replace(year=start.year + years, month=month + 1)
