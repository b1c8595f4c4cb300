"""What is compared with what: every column's reading, and the columns with a role."""

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from loanwatch.comparison.columns import ColumnReading, read_column
from loanwatch.comparison.roles import LabelReading, ScoreReading, TimeReading, read_label, read_score, read_time
from loanwatch.comparison.table import Table
from loanwatch.contract import Column, Contract, Keys, Label, Policy, TimeColumn
from loanwatch.errors import SourceError, shorten
from loanwatch.records import record

__all__ = ["Plan", "plan_comparison"]

_SAMPLED_ROWS = 100_000
_SAMPLED_CELLS = 8_000_000


@record
class Plan:
    """How two tables are read and compared."""

    columns: Mapping[str, ColumnReading]
    """All columns without a role, by name: the reference's in their order, then the current table's own."""
    contract: Contract
    """The same as a contract: what the checks ask."""
    time: TimeReading | None = None
    label: LabelReading | None = None
    score: ScoreReading | None = None
    samples: tuple[pl.DataFrame, pl.DataFrame]
    """Rows of reference and current as they came, evenly spaced, or without a score the first ones of current."""

    @property
    def limitations(self) -> Iterator[str]:
        """What is not compared, or was decided without being told."""
        for reading in self.columns.values():
            yield from reading.limitations
        for role in (self.label, self.score, self.time):
            if role is not None:
                yield from role.limitations


def plan_comparison(
    reference: Table, current: Table, *, label: str | None, score: str | None, time: str | None
) -> Plan:
    """Read samples of both tables and decide what their columns hold.

    Raises
    ------
    SourceError
        If a column with a role is in neither table or cannot have that role, or two roles name one column.
    """
    _check_roles((reference, current), {"label": label, "score": score, "time": time})
    # What the reference holds fixes the bins; current only has to be looked at, unless its scores are judged.
    samples = (_sample(reference), _sample(current) if score else _head(current))
    roles = {name for name in (label, score, time) if name}
    names = [n for n in dict.fromkeys([*reference.schema, *current.schema]) if n not in roles]
    columns = {
        name: read_column([s[name] for s in samples if name in s.columns], rows=max(reference.rows, current.rows))
        for name in names
    }
    scored = read_score(samples, score) if score else None
    labelled = read_label(samples, label, score=scored) if label else None
    if labelled is not None and not labelled.binary:
        columns[labelled.column] = read_column(
            [s[labelled.column] for s in samples if labelled.column in s.columns], rows=reference.rows
        )
    return Plan(
        columns=columns,
        contract=contract_of(columns.values(), label=labelled, time=time),
        time=read_time(samples, time) if time else None,
        label=labelled,
        score=scored,
        samples=samples,
    )


def contract_of(columns: Iterable[ColumnReading], *, label: LabelReading | None, time: str | None) -> Contract:
    """Return the readings as a contract; its names are not checked, for any table may have any."""
    described = tuple(
        Column(name=c.name, table="", kind=c.kind, title=_title(c.name), predictor=True) for c in columns if c.compared
    )
    return Contract(
        name="comparison",
        title="Comparison",
        extract_sql="",
        keys=Keys(application=""),
        time=TimeColumn(column=time or ""),
        label=Label(
            column=label.column if label and label.binary else "",
            positive=label.positive if label else "1",
            negative=label.negative if label else "0",
        ),
        tables=(),
        columns=described,
        policy=Policy(minimum_auc=0.0),  # nobody has said how good the score has to be: only what changed counts
    )


def _title(name: str) -> str | None:
    """Return a title where the name itself is too long for one, or nothing."""
    return shorten(name, 60) if len(name) > 60 else None if name.strip() else "a column without a name"


def _check_roles(tables: tuple[Table, Table], roles: Mapping[str, str | None]) -> None:
    taken: dict[str, str] = {}
    for role, column in roles.items():
        if column is None:
            continue
        if column in taken:
            raise SourceError(f"--{role} and --{taken[column]} both name column {shorten(column)!r}")
        taken[column] = role
        if not any(column in table.schema for table in tables):
            offered = ", ".join(list(tables[0].schema)[:8]) or "no column"
            raise SourceError(
                f"--{role}: neither table has a column {shorten(column)!r}; there is {shorten(offered, 200)}"
            )


def _sample(table: Table) -> pl.DataFrame:
    columns = list(table.schema)
    return table.sample(columns, rows=_most_rows(columns))


def _head(table: Table) -> pl.DataFrame:
    columns = list(table.schema)
    return table.head(columns, rows=_most_rows(columns))


def _most_rows(columns: list[str]) -> int:
    return min(_SAMPLED_ROWS, _SAMPLED_CELLS // max(len(columns), 1))
