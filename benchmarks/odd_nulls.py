"""How often the whole comparison of two tables speaks when nothing moved, on data that no simulator made easy.

    OPENBLAS_NUM_THREADS=1 python benchmarks/odd_nulls.py --pairs 200

Each pair is two fresh samples of one law, with label and score, judged by `loanwatch.compare` with every check on:
data quality, columns, label, score, correlations, domain classifier, model drift by segment, concept drift. Printed are
the share of pairs with a verdict of medium or worse, the share with anything flagged, and what spoke. The days of
`weekly`, `days` and `waves` are dated; the current window follows the reference.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.comparison import compare
from loanwatch.monitoring import Severity
from loanwatch.statistics import clopper_pearson

SIZES = ((15_000, 6_700), (15_000, 200), (2_000, 2_000), (300, 300))
Numbers = NDArray[np.float64]
REFERENCE_DAYS = 60


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One window to be drawn: rows, where in time it begins, and its random numbers."""

    rng: np.random.Generator
    rows: int
    day: int = 0
    """Of the first row, counted from a Monday."""
    rows_a_day: int = 1

    @property
    def days(self) -> NDArray[np.intp]:
        return self.day + np.arange(self.rows) // self.rows_a_day


def scored(
    draw: Draw, columns: dict[str, object], line: Numbers, *, level: float = 0.0, believed: float = 1.0
) -> pl.DataFrame:
    """Add a label that follows the line, and a score whose log-odds are `believed` times too far from 0."""
    odds = level + line
    label = draw.rng.random(draw.rows) < 1.0 / (1.0 + np.exp(-odds))
    return pl.DataFrame({**columns, "score": 1.0 / (1.0 + np.exp(-believed * odds)), "label": label.astype(int)})


def normal(draw: Draw, columns: int = 8) -> Numbers:
    return draw.rng.normal(size=(draw.rows, columns))


def named(matrix: Numbers, letter: str = "x") -> dict[str, object]:
    return {f"{letter}{i}": matrix[:, i] for i in range(matrix.shape[1])}


def plain(draw: Draw) -> pl.DataFrame:
    x = normal(draw)
    return scored(draw, named(x), x[:, 0] - 0.7 * x[:, 1])


def heavy_tailed(draw: Draw) -> pl.DataFrame:
    x = normal(draw, 2)
    columns = {
        "cauchy": draw.rng.standard_cauchy(draw.rows),
        "pareto": draw.rng.pareto(0.7, draw.rows),
        "t2": draw.rng.standard_t(2, draw.rows),
        "log_normal": np.exp(3.0 * x[:, 1]),
        "huge": 10.0 ** draw.rng.uniform(-200, 200, draw.rows),
        "a_few_wild": np.where(draw.rng.random(draw.rows) < 0.001, 1e12, x[:, 0]),
    }
    return scored(draw, columns | {"x": x[:, 0]}, x[:, 0] + x[:, 1])


def tied(draw: Draw) -> pl.DataFrame:
    counts = {f"count_{rate}": draw.rng.poisson(rate, draw.rows) for rate in (0.02, 0.1, 0.5, 2.0, 9.0)}
    x = normal(draw, 2)
    columns = counts | {
        "rounded": np.round(x[:, 0]),
        "zero_or_more": np.where(draw.rng.random(draw.rows) < 0.9, 0.0, np.exp(x[:, 1])),
        "flag": (draw.rng.random(draw.rows) < 0.3).astype(int),
    }
    return scored(draw, columns, np.minimum(counts["count_2.0"], 4) - 2.0 * columns["flag"], level=-1.0)


def nearly_constant(draw: Draw) -> pl.DataFrame:
    x = normal(draw, 2)
    columns = {
        f"once_in_{n}": np.where(draw.rng.random(draw.rows) < 1.0 / n, draw.rng.normal(50, 9, draw.rows), 0.0)
        for n in (30, 100, 300, 1_000, 3_000)
    }
    rare = np.where(draw.rng.random(draw.rows) < 0.002, "other", "usual")
    return scored(draw, columns | {"rare_word": rare, "x": x[:, 0]}, x[:, 0])


def many_categories(draw: Draw) -> pl.DataFrame:
    x = normal(draw, 1)
    zipf = np.minimum(draw.rng.zipf(1.3, draw.rows), 2_000)
    columns = {
        "zipf": [f"z{v}" for v in zipf.tolist()],
        "even_2000": [f"e{v}" for v in draw.rng.integers(0, 2_000, draw.rows).tolist()],
        "even_300": [f"m{v}" for v in draw.rng.integers(0, 300, draw.rows).tolist()],
        "geometric": [f"g{v}" for v in draw.rng.geometric(0.02, draw.rows).tolist()],
        "x": x[:, 0],
    }
    return scored(draw, columns, x[:, 0] + 0.5 * (zipf == 1))


def correlated(draw: Draw) -> pl.DataFrame:
    common = draw.rng.normal(size=(draw.rows, 1))
    x = 0.98 * common + 0.2 * normal(draw, 10)
    t = x[:, 0] / np.sqrt(draw.rng.chisquare(3, draw.rows) / 3)
    columns = named(x) | {"copy": x[:, 0], "monotone": np.exp(x[:, 0]), "sum": x.sum(axis=1), "same_tails": t}
    return scored(draw, columns, x[:, 0])


def rare_label(draw: Draw) -> pl.DataFrame:
    x = normal(draw)
    return scored(draw, named(x), x[:, 0] - 0.7 * x[:, 1], level=-5.2)


def common_label(draw: Draw) -> pl.DataFrame:
    x = normal(draw)
    return scored(draw, named(x), x[:, 0] - 0.7 * x[:, 1], level=5.2)


def overconfident(draw: Draw) -> pl.DataFrame:
    x = normal(draw)
    return scored(draw, named(x), x[:, 0] - 0.7 * x[:, 1] + x[:, 2] * x[:, 3], believed=3.0)


def hard_score(draw: Draw) -> pl.DataFrame:
    x = normal(draw)
    frame = scored(draw, named(x), 2.0 * x[:, 0] - x[:, 1])
    return frame.with_columns(pl.col("score").round(0))


def coarse_score(draw: Draw) -> pl.DataFrame:
    x = normal(draw)
    frame = scored(draw, named(x), 2.0 * x[:, 0] - x[:, 1], believed=0.4)
    return frame.with_columns(pl.col("score").round(1))


def sure_score(draw: Draw) -> pl.DataFrame:
    x = normal(draw)
    return scored(draw, named(x), 6.0 * x[:, :4].sum(axis=1))


def missing(draw: Draw) -> pl.DataFrame:
    x = normal(draw)
    frame = scored(draw, named(x), x[:, 0] - x[:, 1])
    gone = draw.rng.random(draw.rows) < 0.3
    return frame.with_columns(
        *(pl.when(pl.lit(pl.Series(~gone))).then(pl.col(f"x{i}")).alias(f"x{i}") for i in (2, 3, 4)),
        pl.when(pl.col("x0") < 1.5).then(pl.col("x0")).alias("x0"),
        pl.when(pl.col("x5") < -2.3).then(pl.col("x5")).alias("x5"),
    )


def repeated(draw: Draw) -> pl.DataFrame:
    """Every row three times over, the copies side by side, as a join that multiplies rows leaves them."""
    whole = plain(Draw(rng=draw.rng, rows=-(-draw.rows // 3)))
    return whole[np.arange(draw.rows) // 3]


def applicants(draw: Draw) -> pl.DataFrame:
    """Applicants that come back: the same features, now and then, with another label each time."""
    people = plain(Draw(rng=draw.rng, rows=max(draw.rows // 2, 1)))
    chosen = people[draw.rng.integers(0, people.height, draw.rows)]
    return chosen.with_columns(pl.Series("label", draw.rng.random(draw.rows) < chosen["score"].to_numpy()).cast(int))


def dated(frame: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    start = np.datetime64("2024-01-01", "D")
    return frame.with_columns(pl.Series("time", start + draw.days).cast(pl.Datetime("us")))


def weekly(draw: Draw) -> pl.DataFrame:
    """Weekends have other applicants."""
    weekend = (draw.days % 7 >= 5).astype(float)
    x = normal(draw)
    x[:, :3] += 0.8 * weekend[:, None]
    purpose = np.where(draw.rng.random(draw.rows) < 0.3 + 0.3 * weekend, "car", "house")
    return dated(scored(draw, named(x) | {"purpose": purpose}, x[:, 0] - x[:, 4]), draw)


def days(draw: Draw) -> pl.DataFrame:
    """Each day has applicants of its own, as campaigns bring them: no two days are alike."""
    place = draw.days - draw.days.min()
    x = normal(draw) + 0.25 * draw.rng.normal(size=(place.max() + 1, 8))[place]
    return dated(scored(draw, named(x), x[:, 0] - x[:, 4]), draw)


def waves(draw: Draw) -> pl.DataFrame:
    """On some days two features go together."""
    place = draw.days - draw.days.min()
    strength = np.where(draw.rng.random(place.max() + 1) < 0.3, 0.8, 0.0)[place]
    x = normal(draw)
    x[:, 1] = strength * x[:, 0] + np.sqrt(1.0 - strength**2) * x[:, 1]
    x[:, 3] = np.where(strength > 0, np.abs(x[:, 3]) * np.sign(x[:, 2] * x[:, 4]), x[:, 3])
    return dated(scored(draw, named(x), x[:, 0] - x[:, 4]), draw)


def wide(draw: Draw) -> pl.DataFrame:
    x = normal(draw, 120)
    return scored(draw, named(x), x[:, 0] - x[:, 1])


LAWS: dict[str, Callable[[Draw], pl.DataFrame]] = {
    law.__name__: law
    for law in (
        plain,
        heavy_tailed,
        tied,
        nearly_constant,
        many_categories,
        correlated,
        rare_label,
        common_label,
        overconfident,
        hard_score,
        coarse_score,
        sure_score,
        missing,
        repeated,
        applicants,
        weekly,
        days,
        waves,
        wide,
    )
}


def judge(law: Callable[[Draw], pl.DataFrame], reference: int, current: int, seed: int) -> dict[str, Severity]:
    """Return what spoke: check and subject, with the severity."""
    rng, rows_a_day = np.random.default_rng(seed), reference // REFERENCE_DAYS
    before = law(Draw(rng=rng, rows=reference, rows_a_day=rows_a_day))
    now = law(Draw(rng=rng, rows=current, rows_a_day=rows_a_day, day=REFERENCE_DAYS + seed % 7))
    found = compare(before, now, label="label", score="score", time="time" if "time" in before.columns else None)
    return {f"{f.check}:{f.subject}": f.severity for f in found.findings}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=5_000)
    parser.add_argument("--laws", nargs="+", choices=list(LAWS), default=list(LAWS))
    parser.add_argument("--sizes", type=int, nargs="+", choices=range(len(SIZES)), default=range(len(SIZES)))
    options = parser.parse_args(arguments)
    print(f"{'law':16} {'rows':>15} {'medium':>7} {'any':>7} {'s':>6}  what spoke")
    every: list[tuple[bool, bool]] = []
    for law in options.laws:
        for reference, current in (SIZES[at] for at in options.sizes):
            began = time.perf_counter()
            seeds = range(options.seed, options.seed + options.pairs)
            found = [judge(LAWS[law], reference, current, seed) for seed in seeds]
            spoke = Counter(key for each in found for key in each)
            outcomes = [(max(each.values(), default=Severity.NONE) >= Severity.MEDIUM, bool(each)) for each in found]
            every += outcomes
            medium, flagged = np.mean(outcomes, axis=0)
            seconds = (time.perf_counter() - began) / options.pairs
            told = ", ".join(f"{key} {n}" for key, n in spoke.most_common(4))
            print(
                f"{law:16} {f'{reference:,}/{current:,}':>15} {medium:7.1%} {flagged:7.1%} {seconds:6.2f}  {told}",
                flush=True,
            )
    for at, title in enumerate(("medium or worse", "any feature flagged")):
        share = clopper_pearson(sum(outcome[at] for outcome in every), len(every))
        print(f"{title}: {share.value:.2%} of {len(every):,} pairs [{share.lower:.2%}, {share.upper:.2%}]")


if __name__ == "__main__":
    main(sys.argv[1:])
