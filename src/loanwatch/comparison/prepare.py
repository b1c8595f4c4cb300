"""From two tables to what is known before anything is counted: how to read them, and rows of both."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from loanwatch.comparison.plan import plan_comparison
from loanwatch.comparison.reading import ContractReader, InferredReader, Reader
from loanwatch.comparison.roles import SIDES, LabelReading, ScoreReading, read_score
from loanwatch.comparison.table import Table
from loanwatch.comparison.texts import example_of, has_no_text, texts_of
from loanwatch.contract import Contract, Kind, load_contract
from loanwatch.errors import SourceError, shorten
from loanwatch.records import record

__all__ = ["Prepared"]

_SAMPLED_ROWS, _LOOKED_AT = 200_000, 20_000


@record
class Prepared:
    """How two tables are read, and rows of both."""

    reader: Reader
    samples: tuple[pl.DataFrame, pl.DataFrame]
    """Rows of reference and current table as they came."""
    identifiers: tuple[str, ...]
    """Columns that hold another value in every row."""
    judged: bool
    """Whether label and score allow to judge performance and relation."""
    limitations: tuple[str, ...]

    @classmethod
    def by_inference(
        cls, tables: tuple[Table, Table], *, label: str | None, score: str | None, time: str | None
    ) -> Self:
        """Find out from the data what the columns mean.

        Raises
        ------
        SourceError
            If a table cannot be read, or a column with a role is missing or cannot have it; names the column.
        """
        plan = plan_comparison(*tables, label=label, score=score, time=time)
        return cls(
            reader=InferredReader(plan=plan),
            samples=plan.samples,
            identifiers=tuple(c.name for c in plan.columns.values() if c.kind is Kind.ID),
            judged=plan.label is not None and plan.label.binary and _are_probabilities(plan.score),
            limitations=tuple(plan.limitations),
        )

    def with_label_delay(self, days: int) -> Self:
        """Return the same with so many days until a label is known.

        Raises
        ------
        SourceError
            If they are negative, or no column dates the rows.
        """
        if days < 0:
            raise SourceError(f"--label-delay {days}: a label is known after 0 or more days")
        contract = self.reader.contract
        if not contract.time.column:
            raise SourceError("--label-delay: name the column that dates the rows with --time")
        return replace(
            self,
            reader=self.reader.under(replace(contract, label=replace(contract.label, delay_days=days))),
        )

    @classmethod
    def by_contract(
        cls,
        tables: tuple[Table, Table],
        contract: Contract | str | Path,
        *,
        label: str | None,
        score: str | None,
        time: str | None,
    ) -> Self:
        """Read the tables as a contract says.

        Raises
        ------
        ContractError
            If the contract cannot be used.
        SourceError
            If a table cannot be read, or a column with a role is missing or cannot have it; names the column.
        """
        known = contract if isinstance(contract, Contract) else load_contract(Path(contract))
        samples = (_sample(tables[0]), _sample(tables[1]))
        reader = _contract_reader(known, samples, label=label, score=score, time=time)
        return cls(
            reader=reader,
            samples=samples,
            identifiers=(known.keys.application,),
            judged=reader.label is not None and _are_probabilities(reader.score),
            limitations=(
                *(reader.score.limitations if reader.score else ()),
                *_unused(reader, samples),
                *_other_labels(reader, samples),
            ),
        )


def _are_probabilities(score: ScoreReading | None) -> bool:
    return score is not None and score.probabilities


def _unused(reader: ContractReader, samples: tuple[pl.DataFrame, pl.DataFrame]) -> Iterator[str]:
    """Tell of the contract's label that is not there, and of times that cannot be read by its formats."""
    label, time = reader.contract.label.column, reader.contract.time.column
    if reader.label is None:
        yield f"{shorten(label)}, the contract's label, is in neither table: no performance is judged."
    for side, sample in zip(SIDES, samples, strict=True):
        if time not in sample.columns:
            yield f"{shorten(time)}, the contract's time, is not in the {side}: its rows are not dated."
            continue
        given = sample.filter(pl.col(time).is_not_null()).head(_LOOKED_AT)
        unread = reader.read(given.select(time)).frame[time]
        if unread.null_count():
            example = example_of(given[time].filter(unread.is_null()))
            share = unread.null_count() / unread.len()
            yield (
                f"{shorten(time)}: {100 * share:.0f} % of the times in the {side} cannot be read by the contract's "
                f"formats, as {example}: these rows are not dated."
            )


def _other_labels(reader: ContractReader, samples: tuple[pl.DataFrame, pl.DataFrame]) -> Iterator[str]:
    """Name what stands in the label's column and is neither of the contract's two words."""
    if reader.label is None:
        return
    column, words = reader.label.column, (reader.label.positive, reader.label.negative)
    for side, sample in zip(SIDES, samples, strict=True):
        if column not in sample.columns or has_no_text(sample.schema[column]):
            continue
        known = sample[column].drop_nulls()
        distinct = known.unique()
        meant = reader.read(distinct.to_frame()).label
        other = distinct.filter(pl.Series(np.isnan(meant))) if meant is not None else distinct.clear()
        other = other.filter(texts_of(other).fill_null("").str.strip_chars() != "")
        if other.len():
            rows = int(known.is_in(other.implode()).sum())
            yield (
                f"{shorten(column)}: {rows:,} of {known.len():,} labels looked at in the {side} are neither "
                f"“{words[0]}” nor “{words[1]}” but {example_of(other)}: they count as not known."
            )


def _sample(table: Table) -> pl.DataFrame:
    return table.sample(list(table.schema), rows=_SAMPLED_ROWS)


def _contract_reader(
    contract: Contract,
    samples: tuple[pl.DataFrame, pl.DataFrame],
    *,
    label: str | None,
    score: str | None,
    time: str | None,
) -> ContractReader:
    offered = {name for sample in samples for name in sample.columns}
    if time is not None and time != contract.time.column:
        raise SourceError(f"--time {time}: the contract's time column is {contract.time.column}")
    for role, column in (("label", label), ("score", score)):
        if column is not None and column not in offered:
            raise SourceError(f"--{role}: neither table has a column {column!r}")
    column = label or contract.label.column
    reading = LabelReading(column=column, positive=contract.label.positive, negative=contract.label.negative)
    return ContractReader(
        contract=contract,
        label=reading if column in offered else None,
        score=read_score(samples, score) if score else None,
    )
