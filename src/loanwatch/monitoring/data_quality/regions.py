"""Regions of one raw feature: the rows where it is missing, repaired, equal to a value, or inside an interval.

A region is described by built-in types only, so that a stored finding can be turned into its rows again, also in
another window.
"""

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Column, Kind
from loanwatch.monitoring.data_quality.inspection import Cells, Inspection
from loanwatch.records import record

__all__ = ["MINIMUM_ROWS", "Region", "fixed_regions", "region_mask"]

MINIMUM_ROWS = 20
"""A smaller region cannot be told from luck after a search over hundreds, and hardly moves a model."""

MAXIMUM_CATEGORIES = 1_000
"""Categories of one column that are searched, most frequent first: rarer ones are too small to be regions."""

ISSUE_KINDS = ("sentinel", "rescaled", "out_of_range", "unreadable", "respelled")


@record
class Region:
    """Rows that one cause picks out."""

    kind: str
    """`missing`, one of the issues, `category`, `value` or `range`."""
    columns: tuple[str, ...]
    """The columns that show the region; the first one defines it."""
    details: Mapping[str, Any] = field(default_factory=dict)
    mask: NDArray[np.bool_]

    def describe(self) -> dict[str, Any]:
        """Return the region in built-in types, as findings store it."""
        return {"kind": self.kind, **self.details}


def fixed_regions(inspection: Inspection) -> list[Region]:
    """Return every region that needs no search for its bounds: missing, repaired, single categories."""
    regions = list(_missing_regions(inspection))
    for column in inspection.predictors:
        regions += _issue_regions(inspection, column)
        if column.kind is Kind.CATEGORICAL:
            regions += _category_regions(inspection, column)
    return [r for r in regions if np.count_nonzero(r.mask) >= MINIMUM_ROWS]


def region_mask(cells: Cells, columns: tuple[str, ...], region: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return the rows of a described region in this window, shape (rows,); no rows where its columns are absent."""
    kind, column = region["kind"], columns[0]
    if kind == "missing" and region.get("records"):
        masks = [_without_record(cells, name) for name in region["records"]]
        without: NDArray[np.bool_] = np.any(masks, axis=0)
        return without
    if column not in cells.frame.columns:
        return np.zeros(cells.rows, dtype=bool)
    if kind == "missing":
        return cells.missing(column)
    if kind in ISSUE_KINDS:
        return cells.issue(column, kind)
    series = cells.frame[column]
    if kind == "category":
        return _as_mask(series.cast(pl.String) == region["value"])
    lower, upper = (region["value"],) * 2 if kind == "value" else (region["lower"], region["upper"])
    inside = series.is_not_null()
    if lower is not None:
        inside &= series >= lower
    if upper is not None:
        inside &= series <= upper
    return _as_mask(inside)


def _as_mask(series: pl.Series) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = series.fill_null(value=False).to_numpy()
    return mask


def _missing_regions(inspection: Inspection) -> Iterator[Region]:
    """Yield absent records of a source table, and missing columns; those with the same rows as one region."""
    groups: dict[bytes, Region] = {}
    for audit in inspection.contract.audit:
        if audit.meaning == "records" and audit.column in inspection.frame.columns:
            mask = _without_record(inspection, audit.column)
            _merge(groups, Region(kind="missing", columns=(), details=_record(audit.column, audit.table), mask=mask))
    for column in inspection.predictors:
        mask = inspection.missing(column.name)
        _merge(groups, Region(kind="missing", columns=(column.name,), mask=mask))
    for region in groups.values():
        yield _with_table_columns(region, inspection) if not region.columns else region


def _record(audit_column: str, table: str) -> dict[str, Any]:
    return {"records": [audit_column], "tables": [table]}


def _merge(groups: dict[bytes, Region], region: Region) -> None:
    key = np.packbits(region.mask).tobytes()
    if (known := groups.get(key)) is None:
        groups[key] = region
        return
    details = {name: [*known.details.get(name, []), *more] for name, more in region.details.items()}
    groups[key] = Region(
        kind="missing",
        columns=(*known.columns, *region.columns),
        details={**known.details, **details},
        mask=known.mask,
    )


def _with_table_columns(region: Region, inspection: Inspection) -> Region:
    """Name the columns of an absent record's table where none has exactly its missing rows."""
    tables = region.details["tables"]
    columns = tuple(c.name for c in inspection.predictors if c.table in tables)
    return Region(kind=region.kind, columns=columns or tuple(tables), details=region.details, mask=region.mask)


def _without_record(cells: Cells, audit_column: str) -> NDArray[np.bool_]:
    """Return rows whose applicant has no usable record: none was found, or several that contradict each other."""
    if audit_column not in cells.frame.columns:
        return np.zeros(cells.rows, dtype=bool)
    return ~_as_mask(cells.frame[audit_column] == 1)


def _issue_regions(inspection: Inspection, column: Column) -> list[Region]:
    counts = inspection.issue_counts(column.name)
    return [
        Region(
            kind=kind,
            columns=(column.name,),
            details=_issue_details(kind, column),
            mask=inspection.issue(column.name, kind),
        )
        for kind in ISSUE_KINDS
        if counts.get(kind, 0) >= MINIMUM_ROWS
    ]


def _issue_details(kind: str, column: Column) -> dict[str, Any]:
    if kind == "sentinel":
        emptied = [found for found, meant in column.spellings.items() if not meant]
        return {"values": emptied or list(column.sentinels)}
    if kind == "rescaled":
        return {"above": column.maximum}
    if kind == "out_of_range":
        return {"minimum": column.minimum, "maximum": column.maximum}
    return {}


def _category_regions(inspection: Inspection, column: Column) -> list[Region]:
    """Return the regions of single categories that are frequent enough to matter."""
    series = inspection.frame[column.name].cast(pl.String)
    counts = series.drop_nulls().value_counts(sort=True, name="\0rows").filter(pl.col("\0rows") >= MINIMUM_ROWS)
    return [
        Region(
            kind="category",
            columns=(column.name,),
            details={"value": value},
            mask=_as_mask(series == value),
        )
        for value in counts[column.name].head(MAXIMUM_CATEGORIES).to_list()
    ]
