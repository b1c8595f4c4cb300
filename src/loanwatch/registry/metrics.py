"""Figures of a model over time: rows of `model_metric`."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from loanwatch.database import sql
from loanwatch.monitoring import Measurement
from loanwatch.records import record

__all__ = ["MetricPoint", "metric_history", "record_metrics"]


@record
class MetricPoint:
    """A figure in one window."""

    window_start: datetime
    window_end: datetime
    version: int
    value: float
    metadata: Mapping[str, Any]
    """`lower` and `upper` of the 95 % interval, sample sizes."""


def record_metrics(
    connection: Connection[Any], *, model_id: int, run_id: int | None, measurements: Iterable[Measurement]
) -> None:
    """Insert figures in the caller's transaction; those that are not numbers are left out."""
    rows = [
        {
            "model_id": model_id,
            "run_id": run_id,
            "name": m.name,
            "value": m.value,
            "metadata": Jsonb({k: v for k, v in m.to_dict().items() if k not in ("name", "value") and v is not None}),
        }
        for m in measurements
        if math.isfinite(m.value)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(sql("metric_insert"), rows)


def metric_history(connection: Connection[Any], *, name: str, metric: str, until: datetime) -> list[MetricPoint]:
    """Return a figure of a model by window, oldest first, up to the windows that end at `until`."""
    with connection.cursor(row_factory=class_row(MetricPoint)) as cursor:
        return cursor.execute(sql("metric_history"), {"name": name, "metric": metric, "until": until}).fetchall()
