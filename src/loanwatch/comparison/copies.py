"""Rows that stand in a table twice, and identifiers that do."""

from collections.abc import Iterator

import polars as pl

from loanwatch.errors import shorten
from loanwatch.monitoring.data_quality.inspection import Outcome
from loanwatch.monitoring.data_quality.rates import Rise, rise_of_share
from loanwatch.monitoring.data_quality.wording import percent
from loanwatch.monitoring.result import Finding, Severity

__all__ = ["check_copies"]

_MANY_COPIES = 0.10
"""Copies in both tables: fewer make the verdicts surer than the data by less than a tenth."""
_LOOKED_AT, _MANY_OLD = 1_000, 0.5
"""Fewer may be applications that both tables hold on purpose, at their seam."""
_FINE = 20
"""A column with a value for so many rows, or finer, makes whole rows coincide by chance rarely."""


def check_copies(
    samples: tuple[pl.DataFrame, pl.DataFrame],
    *,
    rows: tuple[int, int],
    identifiers: tuple[str, ...],
    compared: tuple[str, ...],
) -> Outcome:
    """Return findings where copies of rows, or repeated identifiers, are more than the reference lets one expect.

    Where both tables are full of copies that is how these data are, and a limitation: rows count as independent.

    Rows coincide by chance where columns hold few values, the more often the more rows there are: the reference's
    share, times the ratio of the rows, is what is expected.

    Parameters
    ----------
    samples : tuple of two DataFrame
        Reference and current table, with all their columns.
    rows : tuple of two int
        Rows of the whole tables. Copies cannot be counted in a sample, so a larger table gets a limitation.
    identifiers : tuple of str
        Columns that hold another value in every row.
    compared : tuple of str
        Columns that are compared: by these a row is known again, for an old feed may come with new numbers and dates.
    """
    if any(sample.height < whole for sample, whole in zip(samples, rows, strict=True)):
        told = f"Copies of rows were not looked for: there are too many rows, {max(rows):,} in the longer table."
        return Outcome(limitations=(told,))
    names = [n for n in samples[0].columns if n in samples[1].columns and _can_be_hashed(samples, n)]
    if not all(rows) or not names:
        return Outcome()
    hashable = (samples[0].select(names), samples[1].select(names))
    hashes = (hashable[0].hash_rows(), hashable[1].hash_rows())
    copies = (_copies(hashes[0]), _copies(hashes[1]))
    return Outcome(
        findings=tuple(_findings(hashable, copies, identifiers)),
        limitations=(*_dependence(hashable, copies), *_old_rows(hashable, [n for n in compared if n in names])),
    )


def _old_rows(samples: tuple[pl.DataFrame, pl.DataFrame], compared: list[str]) -> Iterator[str]:
    """Say where rows of the current table stand in the reference too: no finding, for whoever compares may mean to."""
    first, second = (sample.select(compared) for sample in samples)
    if not compared or first.schema != second.schema:
        return
    looked_at = second.gather_every(max(1, second.height // _LOOKED_AT)).hash_rows()
    share = float(looked_at.is_in(first.hash_rows().implode()).sum()) / looked_at.len()
    if share >= _MANY_OLD and all(map(_is_fine, (first, second))):
        yield (
            f"{percent(share)} of the current table's rows stand in the reference as well, alike in every compared "
            "column: look whether the feed was renewed."
        )


def _dependence(samples: tuple[pl.DataFrame, pl.DataFrame], copies: tuple[int, int]) -> Iterator[str]:
    shares = [copied / sample.height for copied, sample in zip(copies, samples, strict=True)]
    if min(shares) < _MANY_COPIES or not all(map(_is_fine, samples)):
        return
    before, now = map(percent, shares)
    yield (
        f"{before} of the reference's rows and {now} of the current table's are exact copies of another row, but rows "
        "count as independent: if they are the same applications again, remove them, or verdicts are surer than the "
        "data."
    )


def _is_fine(sample: pl.DataFrame) -> bool:
    return any(sample[name].n_unique() * _FINE >= sample.height for name in sample.columns)


def _findings(
    samples: tuple[pl.DataFrame, pl.DataFrame], copies: tuple[int, int], identifiers: tuple[str, ...]
) -> Iterator[Finding]:
    before, now = copies
    rise = _rise("duplicate_row_rate", before, samples[0].height, now, samples[1].height, comparisons=1)
    if rise.severity > Severity.NONE:
        share = percent(now / samples[1].height)
        yield _finding(
            "duplicate_rows", "dataset", rise, now, f"{now:,} rows ({share}) are exact copies of another row"
        )
    for name in identifiers:
        if name not in samples[0].columns:
            continue
        known = [s[name].drop_nulls() for s in samples]
        repeated = [k.len() - k.n_unique() for k in known]
        if not all(k.len() for k in known):
            continue
        rise = _rise(
            "duplicate_id_rate", repeated[0], known[0].len(), repeated[1], known[1].len(), comparisons=len(identifiers)
        )
        if rise.severity > Severity.NONE:
            what = f"{shorten(name, 60)} holds {repeated[1]:,} values ({percent(repeated[1] / known[1].len())}) "
            yield _finding("duplicate_ids", name, rise, repeated[1], f"{what}that stand in an earlier row")


def _can_be_hashed(samples: tuple[pl.DataFrame, pl.DataFrame], name: str) -> bool:
    return not any(s[name].dtype.is_nested() or s[name].dtype in (pl.Object, pl.Binary) for s in samples)


def _copies(hashes: pl.Series) -> int:
    return hashes.len() - hashes.n_unique()


def _rise(name: str, before: int, n_before: int, now: int, n_now: int, *, comparisons: int) -> Rise:
    expected = min(1.0, before / n_before * max(1.0, n_now / n_before))
    return rise_of_share(name, before=expected, n_before=n_before, rows=now, n=n_now, comparisons=comparisons)


def _finding(name: str, subject: str, rise: Rise, rows: int, what: str) -> Finding:
    told = f"{what}, {100 * rise.measurement.value:.1f} points more than expected by the reference."
    return rise.finding(name, subject, told, rows=rows)
