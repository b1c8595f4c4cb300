"""Features and score cut into bins that both windows fill."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Contract, Kind
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.records import record
from loanwatch.statistics.calibration import score_band_edges

__all__ = ["MOST_FEATURES", "SCORE", "Cells", "cut_features", "most_telling"]

SCORE = "score"
"""Subject of the cells made of the model's probability."""

MOST_FEATURES = 64
"""Features tested together: the cost of one regression on all bins grows with their cube."""

_MOST_BINS = 10
_ROWS_PER_BIN = 60
_FEWEST_ROWS = 15


@record
class Cells:
    """One feature cut into bins.

    Bins `0 … testable − 1` hold enough rows of both windows to compare them; the others do not, and are only
    accounted for.
    """

    subject: str
    names: tuple[str, ...]
    """What each bin is called in a sentence: `above 742`, `"rent"`, `not known`."""
    testable: int
    reference: NDArray[np.intp]
    """Shape (n_reference,): the bin of each row."""
    current: NDArray[np.intp]
    ordered: bool
    """Cut from numbers."""

    @property
    def bins(self) -> int:
        """Number of bins, testable or not."""
        return len(self.names)


def cut_features(
    reference: ScoredWindow,
    current: ScoredWindow,
    contract: Contract,
    *,
    most_bins: int = _MOST_BINS,
    fewest_rows: int = _FEWEST_ROWS,
) -> tuple[Cells, ...]:
    """Cut the score and each predictor into bins: quantiles of the reference, categories, and missing.

    Neighbouring quantiles are merged until both windows have enough rows; small windows get fewer bins.

    Parameters
    ----------
    reference, current : ScoredWindow
    contract : Contract
        Names the predictors.
    most_bins : int
        Of a number.
    fewest_rows : int
        Bins with fewer rows in one of the windows are not testable.

    Returns
    -------
    tuple of Cells
        The score first, then the predictors that both windows have and that vary.
    """
    bins = int(np.clip(min(reference.rows, current.rows) // _ROWS_PER_BIN, 2, most_bins))
    score = _cut_numbers(SCORE, reference.probability, current.probability, bins, fewest_rows)
    cells = [score]
    for column in contract.predictors:
        name = column.name
        if name not in reference.frame.columns or name not in current.frame.columns:
            continue
        first, second = reference.frame[name], current.frame[name]
        if contract.kind_of(name) is Kind.NUMERIC and first.dtype.is_numeric() and second.dtype.is_numeric():
            cells.append(_cut_numbers(name, _numbers(first), _numbers(second), bins, fewest_rows))
        else:
            cells.append(_cut_categories(name, first, second, fewest_rows))
    return tuple(c for c in cells if c.testable > 1)


def most_telling(cells: Sequence[Cells], probability: NDArray[np.float64]) -> tuple[Cells, ...]:
    """Return the score and the `MOST_FEATURES` features that it goes with most, in the order given.

    The reference alone decides, so that the choice does not favour what changed.

    Parameters
    ----------
    cells : sequence of Cells
    probability : ndarray of shape (n_reference,)
    """
    features = [c for c in cells if c.subject != SCORE]
    if len(features) <= MOST_FEATURES:
        return tuple(cells)
    centred = probability - probability.mean()
    kept = sorted(features, key=lambda c: -_explained(c, centred))[:MOST_FEATURES]
    subjects = {SCORE, *(c.subject for c in kept)}
    return tuple(c for c in cells if c.subject in subjects)


def _explained(cells: Cells, centred: NDArray[np.float64]) -> float:
    """Return the sum of squares between the bins."""
    rows = np.bincount(cells.reference, minlength=cells.bins)
    sums = np.bincount(cells.reference, weights=centred, minlength=cells.bins)
    return float((sums**2 / np.maximum(rows, 1)).sum())


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    return series.cast(pl.Float64).to_numpy()


def _cut_numbers(
    subject: str, reference: NDArray[np.float64], current: NDArray[np.float64], bins: int, fewest_rows: int
) -> Cells:
    known = [np.isfinite(reference), np.isfinite(current)]
    inner = score_band_edges(reference[known[0]], bands=bins)
    raw = [
        np.where(k, np.searchsorted(inner, v, side="right"), inner.size + 1)
        for k, v in zip(known, (reference, current), strict=True)
    ]
    counts = [np.bincount(r, minlength=inner.size + 2) for r in raw]
    groups = _merged(counts[0][:-1], counts[1][:-1], fewest_rows)
    edges = [inner[g[0] - 1] for g in groups[1:]]
    names = _range_names(edges) if groups else []
    order = [*groups, [inner.size + 1]]
    return _cells(subject, [*names, "not known"], order, raw, counts, fewest_rows=fewest_rows, ordered=True)


def _cut_categories(subject: str, reference: pl.Series, current: pl.Series, fewest_rows: int) -> Cells:
    texts = [s.cast(pl.String) for s in (reference, current)]
    known = sorted({v for t in texts for v in t.unique().to_list() if v is not None})
    place = pl.Enum(known)
    raw = [t.cast(place).to_physical().cast(pl.Float64).to_numpy() for t in texts]  # NaN where not known
    raw = [np.where(np.isnan(r), len(known), r).astype(np.intp) for r in raw]
    counts = [np.bincount(r, minlength=len(known) + 1) for r in raw]
    names = [*(f'"{name}"' for name in known), "not known"]
    return _cells(subject, names, [[i] for i in range(len(names))], raw, counts, fewest_rows=fewest_rows, ordered=False)


def _cells(
    subject: str,
    names: Sequence[str],
    groups: Sequence[Sequence[int]],
    raw: Sequence[NDArray[np.intp]],
    counts: Sequence[NDArray[np.intp]],
    *,
    fewest_rows: int,
    ordered: bool,
) -> Cells:
    """Put the groups that both windows fill first, and the rest together behind them where there is any."""
    filled = [i for i, g in enumerate(groups) if all(c[list(g)].sum() >= fewest_rows for c in counts)]
    sparse = [i for i in range(len(groups)) if i not in filled]
    place = np.full(counts[0].size, len(filled), dtype=np.intp)
    for new, old in enumerate(filled):
        place[list(groups[old])] = new
    has_rest = any(c[list(groups[i])].sum() for i in sparse for c in counts)
    return Cells(
        subject=subject,
        names=(*(names[i] for i in filled), *(("all others",) if has_rest else ())),
        testable=len(filled),
        reference=place[raw[0]],
        current=place[raw[1]],
        ordered=ordered,
    )


def _merged(reference: NDArray[np.intp], current: NDArray[np.intp], fewest_rows: int) -> list[list[int]]:
    """Return runs of neighbouring bins that both windows fill; a short last run joins its neighbour."""
    groups: list[list[int]] = []
    run: list[int] = []
    for i in range(reference.size):
        run.append(i)
        if min(reference[run].sum(), current[run].sum()) >= fewest_rows:
            groups.append(run)
            run = []
    if run and groups:
        groups[-1].extend(run)
    elif run:
        groups.append(run)
    return groups


def _range_names(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["of any size"]
    texts = [_plain(e) for e in edges]
    middle = [f"from {low} to {high}" for low, high in pairwise(texts)]
    return [f"below {texts[0]}", *middle, f"of {texts[-1]} or more"]


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:,.3g}"
