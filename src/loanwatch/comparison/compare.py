"""Compare two tables from beginning to end."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from loanwatch.comparison.counting import count_block, count_table
from loanwatch.comparison.plan import plan_comparison
from loanwatch.comparison.quality import check_quality
from loanwatch.comparison.reading import Block, ContractReader, InferredReader, Reader
from loanwatch.comparison.result import TableComparison
from loanwatch.comparison.roles import LabelReading, read_score
from loanwatch.comparison.schema import check_schema
from loanwatch.comparison.scored import SCORED_ROWS, check_scores
from loanwatch.comparison.source import Source, open_table
from loanwatch.comparison.table import Table
from loanwatch.contract import Contract, Kind, load_contract
from loanwatch.errors import SourceError
from loanwatch.monitoring import data_drift
from loanwatch.monitoring.profile import Profile

if TYPE_CHECKING:
    from loanwatch.database import Database

__all__ = ["compare"]

_SAMPLED_ROWS = 200_000


def compare(
    reference: Source,
    current: Source,
    *,
    label: str | None = None,
    score: str | None = None,
    time: str | None = None,
    contract: Contract | str | Path | None = None,
    importance: Mapping[str, float] | None = None,
    database: "Database | None" = None,
    as_of: datetime | None = None,
) -> TableComparison:
    """Compare two tables, and say what moved, whether it is real and whether it matters.

    Parameters
    ----------
    reference, current : path, `sql:TABLE`, `sql:SELECT …`, or a frame of polars (also lazy), pandas or Arrow
        CSV (also gzipped) or Parquet files. Files are read in blocks: memory does not grow with their rows.
    label : str, optional
        The column that the model predicts. By default the contract's, if there is one.
    score : str, optional
        The column with the model's probability of the positive label.
    time : str, optional
        The column that dates the rows; with it the reference's own day-to-day variation is known. By default the
        contract's.
    contract : Contract or path, optional
        What the columns mean. Without one kinds and sentinels are inferred, and identifiers, free text, times and
        nested values set aside, which the limitations say.
    importance : mapping of str to float, optional
        Each feature's share of the model's reliance.
    database : Database, optional
        Where `sql:` sources are read.
    as_of : datetime, optional
        The moment of judging, aware; labels younger than the contract's delay are not judged.

    Raises
    ------
    SourceError
        If a table cannot be read, or a column with a role is missing or cannot have it; names the column.
    ContractError
        If the contract cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> before = pl.DataFrame({"income": rng.lognormal(11, 0.5, 5_000)})
    >>> after = pl.DataFrame({"income": rng.lognormal(11.5, 0.5, 3_000)})
    >>> compare(before, after).drifted, compare(before, before).drifted
    (True, False)
    """
    with ExitStack() as stack:
        first = open_table(reference, name="reference", stack=stack, database=database)
        second = open_table(current, name="current", stack=stack, database=database)
        if contract is None:
            plan = plan_comparison(first, second, label=label, score=score, time=time)
            reader: Reader = InferredReader(plan=plan)
            samples, notes = plan.samples, tuple(plan.limitations)
            identifiers = tuple(c.name for c in plan.columns.values() if c.kind is Kind.ID)
            judged = plan.label is not None and plan.label.binary and plan.score is not None
            judged = judged and plan.score is not None and plan.score.probabilities
        else:
            known = contract if isinstance(contract, Contract) else load_contract(Path(contract))
            samples = (_sample(first), _sample(second))
            given = _contract_reader(known, samples, label=label, score=score, time=time)
            reader, notes = given, given.score.limitations if given.score else ()
            identifiers = (known.keys.application,)
            judged = given.label is not None and given.score is not None and given.score.probabilities
        blocks = (reader.read(samples[0]), reader.read(samples[1]))
        profiles = _profiles((first, second), blocks, reader)
        reports = {
            "columns": check_schema(samples, reader.contract),
            "data_quality": check_quality(
                samples,
                blocks,
                reader.contract,
                reference=profiles[0],
                rows=(first.rows, second.rows),
                identifiers=identifiers,
            ),
            "data_drift": data_drift.with_domain_classifier(
                data_drift.check(*profiles, reader.contract, importance=importance),
                blocks[0].frame,
                blocks[1].frame,
                reader.contract,
            ),
        }
        cause = None
        if judged:
            before, now = (block.thinned(SCORED_ROWS) for block in blocks)
            scored, cause = check_scores(
                before,
                now,
                reader.contract,
                data_drift=reports["data_drift"],
                data_quality=reports["data_quality"],
                as_of=as_of,
            )
            reports |= scored
    return TableComparison(
        reference=first.name,
        current=second.name,
        reference_rows=first.rows,
        current_rows=second.rows,
        reports=reports,
        limitations=(*first.notes, *second.notes, *notes),
        column_titles={c.name: c.label for c in reader.contract.described},
        importance=dict(importance or {}),
        cause=cause,
    )


def _profiles(tables: tuple[Table, Table], blocks: tuple[Block, Block], reader: Reader) -> tuple[Profile, Profile]:
    """Count both tables over bins that a sample of the reference fixes; a table that was sampled whole is in memory."""
    counted = count_block(blocks[0], reader.contract)
    edges = counted.edges
    first = counted if blocks[0].frame.height == tables[0].rows else count_table(tables[0], reader, edges=edges)
    if blocks[1].frame.height == tables[1].rows:
        return first, count_block(blocks[1], reader.contract, edges=edges)
    return first, count_table(tables[1], reader, edges=edges)


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
