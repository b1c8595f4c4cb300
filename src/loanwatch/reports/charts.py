"""Geometry of the charts; the templates only draw it.

Lengths are in the units of each chart's view box. They are rounded to a tenth, which no eye sees and keeps pages small.
"""

import math
from collections.abc import Sequence

from loanwatch.records import record
from loanwatch.reports.distribution import Bin, Shares
from loanwatch.reports.formatting import share, text
from loanwatch.reports.summary import HistoryPoint

__all__ = ["BarChart", "HistoryChart", "RowChart", "compact", "histogram_chart", "history_chart", "row_chart"]

WIDTH = 380.0
HISTOGRAM_HEIGHT = 150.0
AXIS = 18.0
ROW = 43.0
HISTORY_HEIGHT = 190.0
LEFT = 34.0
MAXIMUM_TICKS = 5


@record
class Bar:
    """A rectangle with what it says."""

    x: float
    y: float
    width: float
    height: float
    tells: str


@record
class Tick:
    """A label at a place of an axis."""

    at: float
    label: str


@record
class BarChart:
    """Pairs of upright bars over an axis of values."""

    width: float
    height: float
    base: float
    reference: tuple[Bar, ...]
    current: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


@record
class Row:
    """A category with its two bars, lying."""

    name: str
    y: float
    reference: Bar
    current: Bar


@record
class RowChart:
    """Pairs of lying bars, one pair a category."""

    width: float
    height: float
    rows: tuple[Row, ...]


@record
class Mark:
    """A point of a line with its interval; `top` and `bottom` are None without one."""

    x: float
    y: float
    top: float | None
    bottom: float | None
    tells: str


@record
class HistoryChart:
    """Realised and estimated performance over windows."""

    width: float
    height: float
    base: float
    left: float
    marks: tuple[Mark, ...]
    realised: str
    """Path of the line through the marks; interrupted where a window is unknown."""
    estimated: str
    levels: tuple[Tick, ...]
    ticks: tuple[Tick, ...]


def compact(value: float) -> str:
    """Return a number short enough for an axis.

    >>> compact(61417), compact(0.25), compact(99_999_999), compact(0.0), compact(-1500)
    ('61k', '0.25', '100M', '0', '-1.5k')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 0.9995 * size:
            scaled = value / size
            return f"{scaled:.0f}{letter}" if abs(scaled) >= 10 else f"{scaled:.2g}{letter}"
    return f"{value:.3g}"


def histogram_chart(bins: Sequence[Bin]) -> BarChart:
    """Lay out a histogram of both windows, bars side by side in each bin."""
    base = HISTOGRAM_HEIGHT - AXIS
    highest = max((max(b.reference, b.current) for b in bins), default=0.0) or 1.0
    slot = WIDTH / max(len(bins), 1)
    bar = 0.42 * slot

    def bars(side: str, offset: float) -> tuple[Bar, ...]:
        laid = []
        for at, each in enumerate(bins):
            value = getattr(each, side)
            height = round((base - 6) * value / highest, 1)
            tells = f"{each.named(compact)}: {share(value)} ({side})"
            x = round(at * slot + offset, 1)
            laid.append(Bar(x=x, y=round(base - height, 1), width=round(bar, 1), height=height, tells=tells))
        return tuple(laid)

    return BarChart(
        width=WIDTH,
        height=HISTOGRAM_HEIGHT,
        base=base,
        reference=bars("reference", 0.06 * slot),
        current=bars("current", 0.52 * slot),
        ticks=_value_ticks(bins, slot),
    )


def _value_ticks(bins: Sequence[Bin], slot: float) -> tuple[Tick, ...]:
    if not bins:
        return ()
    limits = [bins[0].lower, *(b.upper for b in bins)]
    places = sorted({round(i * len(bins) / (MAXIMUM_TICKS - 1)) for i in range(MAXIMUM_TICKS)})
    return tuple(Tick(at=round(place * slot, 1), label=compact(limits[place])) for place in places)


def row_chart(categories: Sequence[Shares]) -> RowChart:
    """Lay out categories with both windows' bars below each other."""
    longest = max((max(c.reference, c.current) for c in categories), default=0.0) or 1.0
    span = WIDTH - 52

    def bar(value: float, y: float) -> Bar:
        return Bar(x=0.0, y=y, width=round(span * value / longest, 1), height=9.0, tells=share(value))

    rows = []
    for at, category in enumerate(categories):
        y = at * ROW
        rows.append(
            Row(
                name=text(category.name, 48),
                y=y + 11,
                reference=bar(category.reference, y + 16),
                current=bar(category.current, y + 27),
            )
        )
    return RowChart(width=WIDTH, height=ROW * len(categories) + 2, rows=tuple(rows))


def history_chart(points: Sequence[HistoryPoint]) -> HistoryChart | None:
    """Lay out performance over windows; None where nothing is known of any."""
    values = [v for p in points for v in (p.auc, p.lower, p.upper, p.estimate) if v is not None and math.isfinite(v)]
    if not values:
        return None
    low, high = _limits(min(values), max(values))
    base = HISTORY_HEIGHT - AXIS
    step = (WIDTH - LEFT - 10) / max(len(points) - 1, 1)

    def x(at: int) -> float:
        return round(LEFT + 5 + at * step, 1)

    def y(value: float | None) -> float | None:
        if value is None or not math.isfinite(value):
            return None
        return round(8 + (base - 8) * (high - value) / (high - low), 1)

    realised = [(x(i), y(p.auc)) for i, p in enumerate(points)]
    marks = [
        Mark(x=x(i), y=at, top=y(p.upper), bottom=y(p.lower), tells=_tells(p))
        for i, (p, (_, at)) in enumerate(zip(points, realised, strict=True))
        if at is not None
    ]
    every = max(1, math.ceil(len(points) / MAXIMUM_TICKS))
    return HistoryChart(
        width=WIDTH,
        height=HISTORY_HEIGHT,
        base=base,
        left=LEFT,
        marks=tuple(marks),
        realised=_path(realised),
        estimated=_path([(x(i), y(p.estimate)) for i, p in enumerate(points)]),
        levels=tuple(Tick(at=y(v) or 0.0, label=f"{v:.2f}") for v in _levels(low, high)),
        ticks=tuple(
            Tick(at=x(i), label=text(p.window.partition(" (")[0], 14)) for i, p in enumerate(points) if i % every == 0
        ),
    )


def _tells(point: HistoryPoint) -> str:
    told = f"{text(point.window, 40)}: AUC {point.auc:.3f}"
    if point.lower is not None and point.upper is not None:
        told += f" ({point.lower:.3f} to {point.upper:.3f})"
    return told if point.estimate is None else f"{told}, estimated {point.estimate:.3f}"


def _limits(low: float, high: float) -> tuple[float, float]:
    """Widen the range to whole twentieths, so that small changes do not look like cliffs."""
    return math.floor(low * 20 - 0.2) / 20, math.ceil(high * 20 + 0.2) / 20


def _levels(low: float, high: float) -> list[float]:
    step = 0.05 if high - low <= 0.25 else 0.1
    return [round(i * step, 2) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    """Return an SVG path through the known points, broken where one is unknown."""
    commands, pen_down = [], False
    for x, y in points:
        if y is None:
            pen_down = False
            continue
        commands.append(f"{'L' if pen_down else 'M'}{x:g} {y:g}")
        pen_down = True
    return "".join(commands)
