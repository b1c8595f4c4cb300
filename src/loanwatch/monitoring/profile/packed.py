"""A profile as few bytes: the counts of a day over bins that are stored once, with the reference.

Only bins that hold rows are kept. The same profile gives the same bytes.
"""

import json
import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from loanwatch.monitoring.profile.categorical import CategoricalProfile
from loanwatch.monitoring.profile.edges import CategoricalEdges, NumericEdges, ProfileEdges
from loanwatch.monitoring.profile.moments import ScoreMoments
from loanwatch.monitoring.profile.numeric import NumericProfile
from loanwatch.monitoring.profile.profile import ColumnProfile, Profile

__all__ = ["pack", "summary_of", "unpack"]

_FORMAT = 1
_HEAD_BYTES = 8
_SCORE, _LABEL = "score", "label"


def pack(profile: Profile) -> bytes:
    """Return a profile as bytes, without its bins."""
    blocks: list[bytes] = []
    head = {
        "format": _FORMAT,
        "edges": profile.edges.digest,
        "rows": profile.rows,
        "columns": {name: _packed_column(column, blocks) for name, column in profile.columns.items()},
        _LABEL: _packed_label(profile.label, blocks),
        _SCORE: _packed_column(profile.score, blocks) if profile.score else None,
        "moments": _packed_moments(profile.moments, blocks),
        "unprofiled": list(profile.unprofiled),
    }
    text = json.dumps(head, separators=(",", ":"), allow_nan=False).encode()
    return zlib.compress(len(text).to_bytes(_HEAD_BYTES, "little") + text + b"".join(blocks), 6)


def unpack(packed: bytes, edges: ProfileEdges) -> Profile:
    """Return the profile that was packed.

    Parameters
    ----------
    packed : bytes
    edges : ProfileEdges
        The bins that it was counted over.

    Raises
    ------
    ValueError
        If it was counted over other bins, or packed by a later release.
    """
    raw = memoryview(zlib.decompress(packed))
    start = _HEAD_BYTES + int.from_bytes(raw[:_HEAD_BYTES], "little")
    head = json.loads(bytes(raw[_HEAD_BYTES:start]))
    if head["format"] != _FORMAT:
        raise ValueError(f"a profile of format {head['format']} cannot be read by this release")
    if head["edges"] != edges.digest:
        raise ValueError("the profile was counted over other bins than these")
    blocks = _Blocks(raw[start:])
    columns = {name: _column(values, edges.columns[name], blocks) for name, values in head["columns"].items()}
    label = head[_LABEL]
    names = CategoricalEdges(categories=tuple(label["categories"])) if label else None
    found_label = _column(label, names, blocks) if names else None
    score = _column(head[_SCORE], edges.score, blocks) if head[_SCORE] and edges.score else None
    return Profile(
        rows=head["rows"],
        columns=columns,
        label=found_label if isinstance(found_label, CategoricalProfile) else None,
        score=score if isinstance(score, NumericProfile) else None,
        moments=_moments(head["moments"], blocks),
        unprofiled=tuple(head["unprofiled"]),
    )


def summary_of(profile: Profile) -> dict[str, Any]:
    """Return what a person wants to see of a profile, of built-in types: no bins."""
    return {
        "rows": profile.rows,
        "columns": {name: _summary(column) for name, column in profile.columns.items()},
        "label": _summary(profile.label) if profile.label else None,
        "score": _summary(profile.score) if profile.score else None,
    }


class _Blocks:
    """Arrays one after the other, as they were written."""

    def __init__(self, raw: memoryview) -> None:
        self._raw, self._at = raw, 0

    def take(self, count: int, kind: str) -> "np.ndarray[Any, np.dtype[Any]]":
        array = np.frombuffer(self._raw, dtype=kind, count=count, offset=self._at)
        self._at += array.nbytes
        return array


def _packed_column(column: ColumnProfile, blocks: list[bytes]) -> dict[str, Any]:
    held = np.flatnonzero(column.counts)
    blocks.append(held.astype("<i4").tobytes())
    blocks.append(column.counts[held].astype("<i8").tobytes())
    values: dict[str, Any] = {
        "held": held.size,
        "absent": column.absent.tolist(),
        "repaired": column.repaired,
        "days": {date: counts.tolist() for date, counts in column.days.items()},
    }
    if isinstance(column, CategoricalProfile):
        return values | {"others": dict(sorted(column.others.items()))}
    blocks.append(column.sums_centred[held].astype("<f8").tobytes())
    known = column.present > 0
    return values | {
        "squares_centred": column.squares_centred,
        "minimum": column.minimum if known else None,
        "maximum": column.maximum if known else None,
    }


def _packed_label(label: CategoricalProfile | None, blocks: list[bytes]) -> dict[str, Any] | None:
    return None if label is None else {"categories": label.edges.categories, **_packed_column(label, blocks)}


def _packed_moments(moments: ScoreMoments | None, blocks: list[bytes]) -> list[str] | None:
    if moments is None:
        return None
    blocks.append(moments.sums.astype("<f8").tobytes())
    return list(moments.names)


def _column(values: Mapping[str, Any], edges: NumericEdges | CategoricalEdges, blocks: _Blocks) -> ColumnProfile:
    is_numeric = isinstance(edges, NumericEdges)
    size = edges.counts.size if isinstance(edges, NumericEdges) else len(edges.categories) + 1
    held = blocks.take(values["held"], "<i4")
    counts = np.zeros(size, dtype=np.int64)
    counts[held] = blocks.take(held.size, "<i8")
    common: dict[str, Any] = {
        "edges": edges,
        "counts": counts,
        "absent": np.asarray(values["absent"], dtype=np.int64),
        "repaired": values["repaired"],
        "days": {date: np.asarray(rows, dtype=np.int64) for date, rows in values["days"].items()},
    }
    if not is_numeric:
        return CategoricalProfile(**common, others=values["others"])
    sums = np.zeros(size)
    sums[held] = blocks.take(held.size, "<f8")
    return NumericProfile(
        **common,
        sums_centred=sums,
        squares_centred=values["squares_centred"],
        minimum=math.inf if values["minimum"] is None else values["minimum"],
        maximum=-math.inf if values["maximum"] is None else values["maximum"],
    )


def _moments(names: list[str] | None, blocks: _Blocks) -> ScoreMoments | None:
    if names is None:
        return None
    pairs = len(names) ** 2
    sums = ScoreMoments.of(tuple(names), np.empty((0, len(names)))).sums
    return ScoreMoments(names=tuple(names), sums=blocks.take(pairs * sums.shape[0], "<f8").reshape(sums.shape).copy())


def _summary(column: ColumnProfile) -> dict[str, Any]:
    values: dict[str, Any] = {"missing": column.missing}
    if isinstance(column, CategoricalProfile):
        order = np.argsort(-column.counts[:-1], kind="stable")[:5].tolist()
        names = column.edges.categories
        return values | {"most_frequent": {names[at]: int(column.counts[at]) for at in order if column.counts[at]}}
    if not column.present:
        return values
    return values | {
        "mean": column.mean,
        "median": column.quantile(0.5) if column.brackets(0.5) else None,
        "minimum": column.minimum,
        "maximum": column.maximum,
    }
