"""Compare two tables from beginning to end."""

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from loanwatch.comparison.counting import count_block, count_tables
from loanwatch.comparison.prepare import Prepared
from loanwatch.comparison.quality import check_quality
from loanwatch.comparison.reading import Block, Reader
from loanwatch.comparison.result import TableComparison
from loanwatch.comparison.schema import check_schema, with_lost_scores
from loanwatch.comparison.scored import SCORED_ROWS, check_scores, lost_scores, of_columns
from loanwatch.comparison.source import Source, open_table
from loanwatch.comparison.table import Table
from loanwatch.contract import Contract
from loanwatch.errors import SourceError, shorten
from loanwatch.monitoring import CheckReport, data_drift
from loanwatch.monitoring.profile import Profile

if TYPE_CHECKING:
    from loanwatch.database import Database
    from loanwatch.monitoring.cause import Cause

__all__ = ["compare"]


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
    label_delay_days: int | None = None,
) -> TableComparison:
    """Compare two tables, and say what moved, whether it is real and whether it matters.

    Parameters
    ----------
    reference, current : path, `sql:TABLE`, `sql:SELECT …`, or a frame of polars (also lazy), pandas or Arrow
        CSV files (also packed with gzip or zstd), Parquet files or folders of them. Files are read in blocks: memory
        does not grow with their rows.
    label : str, optional
        The column that the model predicts. By default the contract's, if there is one.
    score : str, optional
        The column with the model's probability of the positive label.
    time : str, optional
        The column that dates the rows; with it the reference's own day-to-day variation is known. By default the
        contract's.
    contract : Contract or path, optional
        What the columns mean; a file is checked, a `Contract` is taken as it is. Without one kinds and sentinels are
        inferred, and identifiers, free text, times and nested values set aside, which the limitations say.
    importance : mapping of str to float, optional
        Each feature's share of the model's reliance.
    database : Database, optional
        Where `sql:` sources are read.
    as_of : datetime, optional
        The moment of judging, aware; by default now. Labels younger than the delay are not judged.
    label_delay_days : int, optional
        Days from a row's time until its label is known, 0 or more. By default the contract's, without one 0.

    Raises
    ------
    SourceError
        If a table cannot be read, a column with a role is missing or cannot have it, an importance is no number from
        0 on, or a delay is given without a time column; names the column.
    ContractError
        If the contract cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> before = pl.DataFrame({"income": rng.lognormal(11, 0.5, 5_000)})
    >>> after = pl.DataFrame({"income": rng.lognormal(11.5, 0.5, 3_000)})
    >>> compare(before, after).drifted, compare(before, before).drifted
    (True, False)
    """
    _check_importance(importance or {})
    # Blocks are counted side by side already: threads of the linear algebra would only take the cores from them.
    with ExitStack() as stack, threadpool_limits(1, user_api="blas"):
        tables = (
            open_table(reference, name="reference", stack=stack, database=database),
            open_table(current, name="current", stack=stack, database=database),
        )
        if contract is None:
            prepared = Prepared.by_inference(tables, label=label, score=score, time=time)
        else:
            prepared = Prepared.by_contract(tables, contract, label=label, score=score, time=time)
        if label_delay_days is not None:
            prepared = prepared.with_label_delay(label_delay_days)
        reports, cause = _checks(tables, prepared, importance=importance, as_of=as_of)
    first, second = tables
    return TableComparison(
        reference=first.name,
        current=second.name,
        reference_rows=first.rows,
        current_rows=second.rows,
        reports=reports,
        limitations=(
            *first.notes,
            *second.notes,
            *prepared.limitations,
            *_unused(importance or {}, prepared.reader.contract),
        ),
        column_titles={c.name: c.label for c in prepared.reader.contract.described},
        importance=dict(importance or {}),
        cause=cause,
    )


def _check_importance(importance: Mapping[str, float]) -> None:
    for name, value in importance.items():
        try:
            usable = 0.0 <= float(value) < math.inf
        except (TypeError, ValueError):
            usable = False
        if not usable:
            raise SourceError(f"importance of {shorten(name)}: {shorten(value)} is no number from 0 on")


def _unused(importance: Mapping[str, float], contract: Contract) -> Iterator[str]:
    for name in sorted(importance.keys() - {c.name for c in contract.monitored}, key=str):
        yield f"The importance of {shorten(name)} is not used: no column of that name is compared."


def _checks(
    tables: tuple[Table, Table],
    prepared: Prepared,
    *,
    importance: Mapping[str, float] | None,
    as_of: datetime | None,
) -> "tuple[dict[str, CheckReport], Cause | None]":
    """Make all checks that the tables allow."""
    contract = prepared.reader.contract
    blocks = (prepared.reader.read(prepared.samples[0]), prepared.reader.read(prepared.samples[1]))
    profiles = _profiles(tables, blocks, prepared.reader, as_of)
    # Two checks that need nothing of each other. Ctrl-C waits for the first, a few seconds in a wide table.
    with ThreadPoolExecutor(1) as beside:
        quality = beside.submit(
            check_quality,
            prepared.samples,
            blocks,
            contract,
            reference=profiles[0],
            rows=(tables[0].rows, tables[1].rows),
            identifiers=prepared.identifiers,
        )
        drift = data_drift.check(*profiles, contract, importance=importance)
        drift = data_drift.with_domain_classifier(drift, blocks[0].frame, blocks[1].frame, contract)
        reports = {
            "columns": check_schema(prepared.samples, contract),
            "data_quality": quality.result(),
            "data_drift": drift,
        }
    if not prepared.judged:
        lost = lost_scores(*blocks)
        if lost is not None:
            reports["columns"] = with_lost_scores(reports["columns"], lost.sentence)
        return reports, lost
    scored, cause = check_scores(
        blocks[0].thinned(SCORED_ROWS),
        blocks[1].thinned(SCORED_ROWS),
        contract,
        data_drift=reports["data_drift"],
        data_quality=reports["data_quality"],
        as_of=as_of,
    )
    return reports | scored, of_columns(cause, reports["columns"])


def _profiles(
    tables: tuple[Table, Table], blocks: tuple[Block, Block], reader: Reader, as_of: datetime | None
) -> tuple[Profile, Profile]:
    """Count both tables over bins that a sample of the reference fixes; a table that was sampled whole is in memory."""
    first = count_block(blocks[0], reader.contract, as_of=as_of)
    whole = [block.frame.height == table.rows for block, table in zip(blocks, tables, strict=True)]
    longer = [table for table, is_whole in zip(tables, whole, strict=True) if not is_whole]
    counted = iter(count_tables(longer, reader, edges=first.edges, as_of=as_of) if longer else ())
    return (
        first if whole[0] else next(counted),
        count_block(blocks[1], reader.contract, edges=first.edges, as_of=as_of) if whole[1] else next(counted),
    )
