"""Figures for Prometheus, counted by every worker in shared memory and summed by whichever is asked.

Each worker owns one file of doubles, mapped into its memory; its layout follows from the contract. Counting is one
addition, and a worker that was killed keeps its counts for the one that takes its place.
"""

import mmap
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from loanwatch.contract import Contract

__all__ = ["Metrics"]

_PREFIX = "loanwatch_predictor"
_PATHS = ("/predict", "/ping", "/health", "/metrics", "other")
_STATUSES = ("200", "400", "401", "404", "405", "408", "413", "415", "422", "429", "500", "503", "other")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SCORES = tuple(round(0.05 * step, 2) for step in range(1, 21))

Series = tuple[str, str]  # family, label value(s)


class Metrics:
    """The counters of one worker, and the sum over all.

    Parameters
    ----------
    folder : Path
        Where the workers of one service keep their counts.
    worker : int
        Number of this worker, from 0; no two that live at once have the same.
    contract : Contract
        Names the predictors.
    """

    def __init__(self, folder: Path, *, worker: int, contract: Contract) -> None:
        self._layout = {series: place for place, series in enumerate(_layout(contract))}
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{worker}.counts"
        size = 8 * len(self._layout)
        with path.open("ab") as file:
            file.truncate(size)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)
        self._counts = memoryview(self._map).cast("d")
        self._scores = self._layout["score", "0"]
        self._seconds = self._layout["seconds", "0"]

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count one request and how long it took."""
        label = path if path in _PATHS else "other"
        code = str(status)
        self.add("requests", f"{label} {code if code in _STATUSES else 'other'}")
        if label == "/predict":
            self._counts[self._seconds + bisect_left(_SECONDS, seconds)] += 1
            self.add("seconds_sum", "", seconds)

    def scored(self, probabilities: list[float], unknown: Mapping[int, list[str]], missing: Mapping[str, int]) -> None:
        """Count scored applications."""
        counts, first = self._counts, self._scores
        for probability in probabilities:
            counts[first + bisect_left(_SCORES, probability)] += 1
        self.add("score_sum", "", sum(probabilities))
        self.add("rows", "", len(probabilities))
        for column, rows in missing.items():
            self.add("missing", column, rows)
        for columns in unknown.values():
            for column in columns:
                self.add("unknown", column)

    def add(self, family: str, label: str = "", by: float = 1.0) -> None:
        """Add to a counter."""
        self._counts[self._layout[family, label]] += by

    def set(self, family: str, value: float) -> None:
        """Set a gauge of this worker."""
        self._counts[self._layout[family, ""]] = value

    def exposition(self) -> bytes:
        """Return the figures of all workers in Prometheus's text format."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Sum(self._layout, self._read_all()))
        return generate_latest(registry)

    def _read_all(self) -> "list[memoryview[float]]":
        size = 8 * len(self._layout)
        contents = (path.read_bytes() for path in sorted(self._folder.glob("*.counts")))
        return [memoryview(content).cast("d") for content in contents if len(content) == size]


def _layout(contract: Contract) -> Iterator[Series]:
    for path in _PATHS:
        yield from (("requests", f"{path} {status}") for status in _STATUSES)
    yield from (("seconds", str(place)) for place in range(len(_SECONDS) + 1))
    yield from (("score", str(place)) for place in range(len(_SCORES) + 1))
    for name in ("seconds_sum", "score_sum", "rows", "written", "refused", "swaps", "failed_swaps"):
        yield name, ""
    for name in ("spool_bytes", "model_version"):
        yield name, ""
    for column in contract.predictors:
        yield "missing", column.name
        yield "unknown", column.name


class _Sum:
    """Gives the sum over all workers to prometheus_client."""

    def __init__(self, layout: Mapping[Series, int], workers: "list[memoryview[float]]") -> None:
        self._layout = layout
        self._workers = workers

    def _value(self, family: str, label: str = "") -> float:
        place = self._layout[family, label]
        return sum(worker[place] for worker in self._workers)

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(f"{_PREFIX}_requests", "Requests answered", labels=("path", "status"))
        for family, label in self._layout:
            if family == "requests" and (count := self._value(family, label)):
                requests.add_metric(label.split(" "), count)
        yield requests
        yield self._histogram("request_seconds", "Time to answer POST /predict", "seconds", _SECONDS)
        yield self._histogram("score", "Calibrated probability of the positive label", "score", _SCORES)
        yield self._counter("rows", "Applications scored", "rows")
        yield self._counter("decisions_written", "Decisions that the database took", "written")
        yield self._counter("decisions_refused", "Decisions that no table could hold", "refused")
        yield self._counter("model_swaps", "Models that a worker took into use", "swaps")
        yield self._counter("model_swap_failures", "Models that a worker could not use", "failed_swaps")
        yield self._by_column("missing_values", "Applications without a usable value", "missing")
        yield self._by_column("unknown_categories", "Categories that training had not seen", "unknown")
        yield GaugeMetricFamily(
            f"{_PREFIX}_spool_bytes", "Decisions that the database does not have yet", self._value("spool_bytes")
        )
        versions = GaugeMetricFamily(f"{_PREFIX}_model_version", "Version in use; 0 for none", labels=("worker",))
        for number, worker in enumerate(self._workers):
            versions.add_metric([str(number)], worker[self._layout["model_version", ""]])
        yield versions

    def _counter(self, name: str, text: str, family: str) -> Metric:
        return CounterMetricFamily(f"{_PREFIX}_{name}", text, self._value(family))

    def _by_column(self, name: str, text: str, family: str) -> Metric:
        metric = CounterMetricFamily(f"{_PREFIX}_{name}", text, labels=("column",))
        for found, column in self._layout:
            if found == family:
                metric.add_metric([column], self._value(family, column))
        return metric

    def _histogram(self, name: str, text: str, family: str, bounds: tuple[float, ...]) -> Metric:
        total, buckets = 0.0, []
        for place, bound in enumerate((*map(str, bounds), "+Inf")):
            total += self._value(family, str(place))
            buckets.append((bound, total))
        return HistogramMetricFamily(f"{_PREFIX}_{name}", text, buckets, self._value(f"{family}_sum"))
