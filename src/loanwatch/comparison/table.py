"""A table in any of the forms that people have: read by columns and rows, never as a whole unless it is one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Self, TypeVar

import polars as pl

from loanwatch.errors import SourceError, shorten
from loanwatch.records import record

__all__ = ["Table"]

_Read = TypeVar("_Read")

_CELLS = 6_000_000
"""Cells of one block: about 50 MB of numbers."""
_SMALLEST_BLOCK, _LARGEST_BLOCK = 16_384, 262_144
"""The larger one is polars' row group, so that a block of a Parquet file is read without reading its neighbours."""


_NAMELESS = "column without a name"
_ROW = "\0row"
"""Name of the row numbers while rows are chosen: no table's column has it."""


@record
class Table:
    """Rows and columns under a name that messages use."""

    name: str
    lazy: pl.LazyFrame
    notes: tuple[str, ...] = ()
    """What was decided on opening it without being told."""

    def settled(self) -> Self:
        """Return the table with names and types that all that follows can take.

        polars takes `*` and `^…$` for patterns, wherever a column is named: they are put into quotation marks; a column
        without a name gets one. Types that others have added are read as what they are stored in.

        Raises
        ------
        SourceError
            If the table cannot be read.
        """
        renamed = {n: f"'{n}'" for n in self.schema if n == "*" or (n.startswith("^") and n.endswith("$"))}
        if "" in self.schema:
            renamed[""] = _NAMELESS
        added = [renamed.get(name, name) for name, dtype in self.schema.items() if dtype.is_extension()]
        if not renamed and not added:
            return self
        lazy = self.lazy.rename(renamed).with_columns(pl.col(name).ext.storage() for name in added)
        return replace(self, lazy=lazy)

    @cached_property
    def schema(self) -> pl.Schema:
        """Columns and their types.

        Raises
        ------
        SourceError
            If the table cannot be read.
        """
        return self._guarded(self.lazy.collect_schema)

    @cached_property
    def rows(self) -> int:
        """Number of rows."""
        if not self.schema:
            return 0
        counted: int = self._guarded(lambda: self.lazy.select(pl.len()).collect().item())
        return counted

    def sample(self, columns: Sequence[str], *, rows: int) -> pl.DataFrame:
        """Return about as many rows, evenly spaced; all of them where the table has fewer than twice as many."""
        step = max(1, self.rows // rows)
        wanted = self.lazy.select(columns)
        if step == 1:
            return self._guarded(wanted.collect)
        # The file's own row numbers let go of a row as it is decoded; `gather_every` takes half as long again.
        numbered = wanted.with_row_index(_ROW).filter(pl.col(_ROW) % step == 0).drop(_ROW)
        return self._guarded(lambda: numbered.collect(engine="streaming"))

    def head(self, columns: Sequence[str], *, rows: int) -> pl.DataFrame:
        """Return the first rows; costs little in a file of any length."""
        return self._guarded(self.lazy.select(columns).head(rows).collect)

    def block_starts(self, columns: Sequence[str]) -> range:
        """Return where blocks of some columns begin; nothing for an empty table."""
        return range(0, self.rows, _block_rows(columns))

    def block(self, columns: Sequence[str], start: int) -> pl.DataFrame:
        """Return the rows of the block that begins there."""
        return self._guarded(self.lazy.select(columns).slice(start, _block_rows(columns)).collect)

    def _guarded(self, read: Callable[[], _Read]) -> _Read:
        try:
            return read()
        except (Exception, pl.exceptions.PanicException) as error:  # a lazy frame may hold functions of any kind
            raise SourceError(f"{self.name} cannot be read: {shorten(_first_line(error), 300)}") from error


def _block_rows(columns: Sequence[str]) -> int:
    return min(max(_CELLS // max(len(columns), 1), _SMALLEST_BLOCK), _LARGEST_BLOCK)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
