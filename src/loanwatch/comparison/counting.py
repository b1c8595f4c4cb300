"""Count a table of any length into a profile, block by block."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import reduce

from loanwatch.comparison.reading import Block, Reader
from loanwatch.comparison.table import Table
from loanwatch.contract import Contract
from loanwatch.monitoring.label_maturity import due_labels
from loanwatch.monitoring.profile import CORRELATED_ROWS, Profile, ProfileEdges, profile_window
from loanwatch.statistics import FloatArray

__all__ = ["count_block", "count_tables"]

_GROUP = 64
"""Columns read at once: as many as the correlations take, and few enough that a wide table needs little memory."""

_MOST_CORRELATED = 65_536
"""Rows of a table that the correlations are taken from: a change of 0.02 is five standard errors."""
_FEWEST_CORRELATED = 1_024
"""Of one block."""
_MOST_BLOCKS = 4
"""Blocks in memory at once, however many cores there are."""


def count_tables(
    tables: Sequence[Table], reader: Reader, *, edges: ProfileEdges, as_of: datetime | None = None
) -> list[Profile]:
    """Read tables once and count them over the bins of the reference, a block for each core at a time.

    Memory holds these blocks whatever the tables' length. Labels that are not due at `as_of` are not counted.
    """
    contract = reader.contract
    groups = [contract.columns[at : at + _GROUP] for at in range(0, len(contract.columns), _GROUP)] or [()]
    if contract.engineered:  # they need columns of every group
        groups = [contract.columns]
    counted = [
        _count(tables, reader, replace(contract, columns=tuple(group)), edges, roles=at == 0, as_of=as_of)
        for at, group in enumerate(groups)
    ]
    return [_side_by_side(of_table) for of_table in zip(*counted, strict=True)]


def count_block(
    block: Block,
    contract: Contract,
    *,
    edges: ProfileEdges | None = None,
    as_of: datetime | None = None,
    roles: bool = True,
    correlated_rows: int = CORRELATED_ROWS,
    threads: int | None = None,
) -> Profile:
    """Count rows that are in memory; labels that are not due at `as_of` are not counted."""
    return profile_window(
        block.frame,
        contract,
        issues=block.issues,
        edges=edges,
        probability=block.score if roles else None,
        label=_due(block, contract, as_of) if roles else None,
        correlated_rows=correlated_rows,
        threads=threads,
    )


def _due(block: Block, contract: Contract, as_of: datetime | None) -> FloatArray | None:
    time = contract.time.column
    if block.label is None or not contract.label.delay_days or time not in block.frame.columns:
        return block.label
    moments = block.frame[time].dt.replace_time_zone(None).to_numpy()
    return due_labels(block.label, moments, contract, as_of=as_of)


def _count(
    tables: Sequence[Table],
    reader: Reader,
    contract: Contract,
    edges: ProfileEdges,
    *,
    roles: bool,
    as_of: datetime | None,
) -> list[Profile]:
    """Count a group of columns."""

    def count(table: Table, names: Sequence[str], start: int) -> Profile:
        rows = table.block(names, start)
        # Of a wide table's groups of columns the first one has the correlations.
        share = max(_FEWEST_CORRELATED, _MOST_CORRELATED * rows.height // max(table.rows, 1)) if roles else 0
        return count_block(
            reader.read(rows), contract, edges=edges, as_of=as_of, roles=roles, correlated_rows=share, threads=1
        )

    # Block beside block, not column beside column: what is not polars' or numpy's work is then done once a block.
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_BLOCKS)) as pool:
        blocks = []
        for table in tables:
            names = reader.wanted(list(table.schema), [c.name for c in contract.columns])
            blocks.append([pool.submit(count, table, names, start) for start in table.block_starts(names) or [0]])
        return [reduce(Profile.merge, (block.result() for block in of_table)) for of_table in blocks]


def _side_by_side(groups: Sequence[Profile]) -> Profile:
    """Return the groups of a table's columns as one profile."""
    return replace(
        groups[0],
        columns={name: column for group in groups for name, column in group.columns.items()},
        unprofiled=tuple(name for group in groups for name in group.unprofiled),
    )
