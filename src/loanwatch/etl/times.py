"""What the source's time column holds: how much of it is no time, and the span of the rest.

A text is judged by its characters and never parsed by PostgreSQL, which would end the query at the first bad one.
"""

import re

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from loanwatch.contract import Contract
from loanwatch.database import Database, explained
from loanwatch.records import record

__all__ = ["TimeSpan", "count_unreadable", "time_span"]

_TEXT_TYPES = {"text", "varchar", "bpchar"}
_ISO_FORMAT = "%Y-%m-%d %H:%M:%S"  # unambiguous, so understood whatever the contract's formats are
_FIELDS = {
    "%Y": (4, "[0-9]{4}"),
    "%m": (2, "(0[1-9]|1[0-2])"),
    "%d": (2, "(0[1-9]|[12][0-9]|3[01])"),
    "%H": (2, "([01][0-9]|2[0-3])"),
    "%M": (2, "[0-5][0-9]"),
    "%S": (2, "[0-5][0-9]"),
}


@record
class TimeSpan:
    """First and last readable time of a table, as text `YYYY-MM-DD HH:MM`."""

    first: str
    last: str


@record
class _Layout:
    """A strptime format whose every field has a fixed width."""

    pattern: str
    places: dict[str, int]

    @classmethod
    def of(cls, text: str) -> "_Layout | None":
        """Return the layout, or None for a format with names, zones or fields of varying width."""
        pattern, places, position = "", {}, 1
        for piece in re.findall(r"%.|[^%]+", text):
            if piece.startswith("%"):
                if piece not in _FIELDS:
                    return None
                places[piece] = position
                width, digits = _FIELDS[piece]
                pattern, position = pattern + digits, position + width
            else:
                pattern, position = pattern + re.escape(piece), position + len(piece)
        if not {"%Y", "%m", "%d"} <= places.keys():
            return None
        return cls(pattern=f"^{pattern}$", places=places)

    def part(self, field: str) -> sql.Composable:
        """Return the SQL that cuts a field out of `moment`."""
        if field not in self.places:
            return sql.SQL("'00'")
        return sql.SQL("substr(moment, {}, {})").format(self.places[field], _FIELDS[field][0])

    def key(self) -> sql.Composable:
        """Return the SQL of `YYYY-MM-DD HH:MM`, or of null for a day that no month has."""
        return sql.SQL(
            "CASE WHEN {month} IN ('04', '06', '09', '11') AND {day} = '31' THEN NULL "
            "WHEN {month} = '02' AND {day} > '29' THEN NULL "
            "WHEN {month} = '02' AND {day} = '29' AND NOT ({year}::int % 4 = 0 AND {year}::int % 100 <> 0 "
            "OR {year}::int % 400 = 0) THEN NULL "
            "ELSE {year} || '-' || {month} || '-' || {day} || ' ' || {hour} || ':' || {minute} END"
        ).format(
            year=self.part("%Y"), month=self.part("%m"), day=self.part("%d"), hour=self.part("%H"),
            minute=self.part("%M"),
        )  # fmt: skip


def count_unreadable(database: Database, contract: Contract) -> int:
    """Return how many rows of the table with the time column have none, or a text that is no time.

    Raises
    ------
    SourceError
        If the table or the column is missing.
    """
    rows = _ask(database, contract, sql.SQL("count(*) - count({key})"))
    return int(rows[0])


def time_span(database: Database, contract: Contract) -> TimeSpan | None:
    """Return the first and the last readable time, or None where there is none.

    Raises
    ------
    SourceError
        If the table or the column is missing.
    """
    first, last = _ask(database, contract, sql.SQL('min({key} COLLATE "C"), max({key} COLLATE "C")'))
    return None if first is None else TimeSpan(first=first, last=last)


def _ask(database: Database, contract: Contract, wanted: sql.SQL) -> TupleRow:
    column = contract.column(contract.time.column)
    table, name = sql.Identifier(column.table), sql.Identifier(column.name)
    with explained("times of the source"), database.connect() as connection:
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute("SET LOCAL timezone = 'UTC'")
        described = connection.execute(sql.SQL("SELECT {} FROM {} LIMIT 0").format(name, table)).description
        type_code = described[0].type_code if described else 0
        key = _key(connection, type_code, contract)
        statement = sql.SQL("SELECT {} FROM (SELECT {} AS moment FROM {}) AS source")
        moment = sql.SQL("{}").format(name)
        if _is_text(connection, type_code):
            moment = sql.SQL("btrim({}, E' \\t\\r\\n')").format(name)
        row = connection.execute(statement.format(wanted.format(key=key), moment, table)).fetchone()
    return row or (None, None)


def _is_text(connection: psycopg.Connection[TupleRow], type_code: int) -> bool:
    return getattr(connection.adapters.types.get(type_code), "name", "") in _TEXT_TYPES


def _key(connection: psycopg.Connection[TupleRow], type_code: int, contract: Contract) -> sql.Composable:
    if not _is_text(connection, type_code):
        return sql.SQL("to_char(moment, 'YYYY-MM-DD HH24:MI')")
    layouts = [layout for text in (*contract.time.formats, _ISO_FORMAT) if (layout := _Layout.of(text))]
    cases = [sql.SQL("WHEN moment ~ {} THEN {}").format(layout.pattern, layout.key()) for layout in layouts]
    return sql.SQL("CASE {} END").format(sql.SQL(" ").join(cases))
