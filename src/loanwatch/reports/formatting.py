"""Figures as the page shows them."""

import math
from collections.abc import Mapping
from datetime import datetime

from loanwatch.errors import shorten
from loanwatch.monitoring import Measurement

__all__ = [
    "NOTHING",
    "brief",
    "day",
    "figure",
    "interval",
    "measured",
    "measurement_of",
    "metric_title",
    "moment",
    "p_value",
    "share",
    "text",
    "title",
]

NOTHING = "–"

_TITLES = {
    "auc": "AUC",
    "auc_change": "AUC change",
    "auc_difference": "AUC difference",
    "average_precision": "PR-AUC",
    "brier": "Brier score",
    "brier_change": "Brier score change",
    "brier_difference": "Brier score difference",
    "challenger_auc": "AUC, new model",
    "champion_auc": "AUC, deployed model",
    "estimated_auc": "AUC, estimated",
    "f1": "F1",
    "gini": "Gini",
    "jensen_shannon": "Jensen–Shannon distance",
    "kolmogorov_smirnov": "Kolmogorov–Smirnov",
    "ks": "KS",
    "pr_auc": "PR-AUC",
    "psi": "PSI",
    "train_test_degradation": "AUC lost from training to test",
}


def figure(value: float | None) -> str:
    """Return a number with about four significant digits.

    >>> figure(0.76543), figure(1187.0), figure(-0.0001234), figure(None), figure(float("nan"))
    ('0.765', '1,187', '−0.000123', '–', '–')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == int(value) and abs(value) < 1e15:
        return _signed(f"{int(value):,}")
    size = abs(value)
    if size >= 1000:
        return _signed(f"{value:,.0f}" if size < 1e15 else f"{value:.3g}")
    return _signed(f"{value:.3f}" if 0.01 <= size < 10 else f"{value:.3g}")


def measured(name: str, value: float | None) -> str:
    """Return the value of a named statistic: shares as percentages, their changes in points, else a number.

    >>> measured("missing_rate", 0.3512), measured("auc", 0.771), measured("missing_rate_change", -0.07)
    ('35.1 %', '0.771', '−7.0 points')
    >>> measured("missing_rate_change", -0.00001)
    '+0.0 points'
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if name.endswith(("_rate_change", "_share_change")):
        return f"{_signed(f'{round(100 * value, 1) + 0.0:+.1f}')} points"
    if name.endswith(("_rate", "_share")):
        return share(value)
    return figure(value)


def _signed(figures: str) -> str:
    return figures.replace("-", "−", 1) if figures.startswith("-") else figures


def interval(measurement: Measurement) -> str:
    """Return the ends of a 95 % interval, or nothing.

    >>> interval(Measurement(name="auc", value=0.77, lower=0.75, upper=0.79))
    '0.750 to 0.790'
    """
    if measurement.lower is None or measurement.upper is None:
        return ""
    if not (math.isfinite(measurement.lower) and math.isfinite(measurement.upper)):
        return ""
    return f"{measured(measurement.name, measurement.lower)} to {measured(measurement.name, measurement.upper)}"


def measurement_of(values: object) -> Measurement | None:
    """Return a measurement that a run recorded; None where it recorded none that can be read.

    >>> measurement_of({"name": "auc", "value": 0.7}).value, measurement_of({"name": "auc", "value": None})
    (0.7, None)
    """
    if isinstance(values, Measurement):
        return values
    if not isinstance(values, Mapping) or values.get("value") is None:
        return None
    return Measurement(
        name=str(values.get("name", "")), value=values["value"], lower=values.get("lower"), upper=values.get("upper")
    )


def p_value(value: float | None) -> str:
    """Return a p-value, never as zero.

    >>> p_value(0.0321), p_value(1e-20), p_value(None)
    ('p = 0.032', 'p < 0.001', '')
    """
    if value is None or not math.isfinite(value):
        return ""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def share(value: float | None) -> str:
    """Return a share of rows as a percentage.

    >>> share(0.3512), share(0.0042), share(0.0), share(None)
    ('35.1 %', '0.4 %', '0 %', '–')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0 %"
    return "< 0.1 %" if 0 < value < 0.0005 else f"{100 * value:.1f} %"


def text(value: object, limit: int = 420) -> str:
    r"""Return text that cannot blow up the page: shortened, without characters that browsers reject.

    A figure keeps its per cent sign on its line.

    >>> text("a\x00b"), len(text("x" * 10_000_000, limit=40)), text("35 %")
    ('ab', 40, '35\xa0%')
    """
    whole = str(value)
    # The middle of a huge text is dropped first, so that cleaning it costs nothing.
    cut = shorten(whole if len(whole) <= 8 * limit else whole[: 4 * limit] + whole[-4 * limit :], limit)
    clean = "".join(c for c in cut if c.isprintable() or c in "\n\u00a0")
    return clean.replace(" %", "\u00a0%")


def brief(value: object, limit: int = 190) -> str:
    """Return the beginning of a text that says more further down: whole sentences if they fit, else whole words.

    >>> brief("It rose. It fell far below.", limit=12), brief("It rose far above it.", limit=12)
    ('It rose.', 'It rose…')
    """
    whole = text(value)
    if len(whole) <= limit:
        return whole
    start = whole[: limit - 1]
    sentences = start.rpartition(". ")[0]
    return f"{sentences}." if sentences else f"{start.rpartition(' ')[0] or start}…"


def title(name: str) -> str:
    """Return a column's or rule's name with spaces and a capital.

    >>> title("credit_score")
    'Credit score'
    """
    words = text(name, 60).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def metric_title(name: str) -> str:
    """Return what the field calls a statistic.

    >>> metric_title("auc"), metric_title("missing_rate_change")
    ('AUC', 'Missing rate change')
    """
    return _TITLES.get(name, title(name))


def day(value: datetime) -> str:
    """Return a date in words.

    >>> day(datetime(2015, 4, 16))
    '16 April 2015'
    """
    return f"{value.day} {value:%B %Y}"


def moment(value: datetime | None) -> str:
    """Return date and minute."""
    return NOTHING if value is None else f"{day(value)}, {value:%H:%M} {value:%Z}".strip()
