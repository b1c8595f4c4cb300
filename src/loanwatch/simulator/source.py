"""The three source tables as a lender's database would hold them, with all their flaws."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Contract
from loanwatch.etl import columns_of
from loanwatch.simulator.batch import CREDIT, CUSTOMER, Batch
from loanwatch.simulator.draw import Draw, Plan
from loanwatch.simulator.events import DuplicateFeed
from loanwatch.simulator.spelling import MISSING_JOB, UNREADABLE, money_text, spelt, status_text, time_text

__all__ = ["SENTINEL_AMOUNT", "Identifiers", "source_tables"]

SENTINEL_AMOUNT: Final = 99_999_999.0

_DOLLAR_SHARE: Final = 0.5
"""Amounts in text that carry `$` and thousands separators."""
_THIRD_RECORD_SHARE: Final = 0.1
"""Of the applicants with contradicting records: those with three."""
_MONEY_IN_TEXT: Final = {"monthly_debt": 2, "max_open_credit": 0}
"""Column → decimals."""

Identifiers = tuple[pl.Series, pl.Series]
"""loan_id and customer_id, row by row."""


def source_tables(plan: Plan, draw: Draw, ids: Identifiers, contract: Contract) -> dict[str, pl.DataFrame]:
    """Return one chunk of loan_details, customer_details and credit_details.

    Parameters
    ----------
    plan : Plan
        Says how often rows are repeated.
    draw : Draw
        The chunk.
    ids : pair of Series
        loan_id and customer_id.
    contract : Contract
        Names the label's values and the columns' order.
    """
    people, who = _records(plan, draw)
    customer_id = ids[1].gather(who)
    parts = {
        "loan_details": _loans(plan, draw, ids, contract),
        "customer_details": _columns_of(people, CUSTOMER, draw, customer_id),
        "credit_details": _columns_of(people, CREDIT, draw, customer_id),
    }
    return {table.name: parts[table.name].select(columns_of(contract, table)) for table in contract.tables}


def _loans(plan: Plan, draw: Draw, ids: Identifiers, contract: Contract) -> pl.DataFrame:
    rng, recorded = draw.streams.of("quirks", 1), draw.recorded
    amount = np.where(recorded.sentinel, SENTINEL_AMOUNT, recorded.numbers["current_loan_amount"])
    frame = pl.DataFrame(
        [
            ids[0].alias("loan_id"),
            ids[1].alias("customer_id"),
            status_text("loan_status", draw.label, (contract.label.negative, contract.label.positive), rng),
            time_text("application_time", draw.seconds),
            pl.Series("current_loan_amount", amount, nan_to_null=True),
            *(spelt(name, recorded.codes[name], recorded.categories[name], rng) for name in ("term", "purpose")),
            *(recorded.series(name) for name in ("tax_liens", "no_of_properties")),
        ]
    )
    twice = _delivered_twice(plan, draw)
    return pl.concat([frame, frame.filter(pl.Series(twice))]) if twice.any() else frame


def _delivered_twice(plan: Plan, draw: Draw) -> NDArray[np.bool_]:
    twice = draw.streams.of("quirks", 2).random(len(draw.seconds)) < plan.population.duplicate_share
    for number, event in enumerate(plan.events):
        if isinstance(event, DuplicateFeed):
            chosen = draw.streams.of("feed", number).random(len(draw.seconds)) < event.share
            twice |= chosen & event.active(draw.seconds)
    return twice


def _records(plan: Plan, draw: Draw) -> tuple[Batch, NDArray[np.uint32]]:
    """Return every record of every applicant, and whose it is: one each, two or three where they contradict."""
    rng, ambiguous = draw.streams.of("quirks", 3), draw.clean.ambiguous
    everybody = np.arange(len(ambiguous))
    second = everybody[ambiguous]
    third = second[rng.random(len(second)) < _THIRD_RECORD_SHARE]
    base = draw.recorded.copy()
    base.put(second, draw.latent, second)
    base.ambiguous[second] = True
    records = base.take(np.concatenate([everybody, second, third]))
    extra = np.arange(len(everybody), records.rows)
    version = np.repeat([1, 2], [len(second), len(third)])
    _contradict(records, extra, version, rng)
    _gaps_among_contradictions(plan, records, rng)
    return records, np.concatenate([everybody, second, third]).astype(np.uint32)


def _contradict(records: Batch, rows: NDArray[np.intp], version: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Make later records differ from the first: surely in cars and in debt, mostly in more."""
    numbers, jitter = records.numbers, rng.uniform(0.8, 1.25, (3, len(rows)))
    numbers["no_of_cars"][rows] = (numbers["no_of_cars"][rows] + version) % 6
    numbers["monthly_debt"][rows] = np.round(numbers["monthly_debt"][rows] * jitter[0], 2) + version
    numbers["annual_income"][rows] = np.round(numbers["annual_income"][rows] * jitter[1])
    numbers["current_credit_balance"][rows] = np.round(numbers["current_credit_balance"][rows] * jitter[2])
    levels = len(records.categories["years_in_current_job"])
    records.codes["years_in_current_job"][rows] = rng.integers(0, levels, len(rows))


def _gaps_among_contradictions(plan: Plan, records: Batch, rng: np.random.Generator) -> None:
    income, delinquent, job, tenfold = rng.random((4, records.rows))
    rates = plan.population
    for name in ("annual_income", "credit_score"):
        records.hide(name, records.ambiguous & (income < rates.income_score_missing))
    records.hide("months_since_last_delinquent", records.ambiguous & (delinquent < rates.never_delinquent))
    records.hide("years_in_current_job", records.ambiguous & (job < rates.job_missing))
    records.tenfold |= records.ambiguous & (tenfold < rates.tenfold_share)


def _columns_of(people: Batch, names: tuple[str, ...], draw: Draw, customer_id: pl.Series) -> pl.DataFrame:
    rng = draw.streams.of("quirks", 4, len(names))
    return pl.DataFrame([customer_id.alias("customer_id"), *(_raw_column(people, name, rng) for name in names)])


def _raw_column(people: Batch, name: str, rng: np.random.Generator) -> pl.Series:
    if name in people.codes:
        series = spelt(name, people.codes[name], people.categories[name], rng)
        if name != "years_in_current_job":
            return series
        written_out = pl.Series(rng.random(people.rows) < 0.5) & series.is_null()
        return series.zip_with(~written_out, pl.Series([MISSING_JOB]).new_from_index(0, people.rows))
    if name in _MONEY_IN_TEXT:
        return _money(people, name, rng)
    values = people.numbers[name]
    if name == "credit_score":
        values = np.where(people.tenfold, 10 * values, values)
    return pl.Series(name, values, nan_to_null=True)


def _money(people: Batch, name: str, rng: np.random.Generator) -> pl.Series:
    dollars = rng.random(people.rows) < _DOLLAR_SHARE
    text = money_text(name, people.numbers[name], decimals=_MONEY_IN_TEXT[name], dollars=dollars)
    unreadable = people.unreadable.get(name)
    if unreadable is None:
        return text
    return text.zip_with(pl.Series(~unreadable), pl.Series([UNREADABLE]).new_from_index(0, people.rows))
