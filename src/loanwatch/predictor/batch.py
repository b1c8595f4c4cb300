"""Score a file or a window of applications of any size, with flat memory."""

import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from loanwatch.contract import Contract
from loanwatch.database import Database
from loanwatch.errors import ModelNotFoundError, SourceError
from loanwatch.etl import extract_window
from loanwatch.predictor.batch_sinks import Sink, file_sink, table_sink
from loanwatch.predictor.batch_sources import read_chunks
from loanwatch.predictor.explanation import REASON_LIMIT
from loanwatch.predictor.scorer import DECISION_THRESHOLD, Scorer
from loanwatch.predictor.watch import load_scorer
from loanwatch.records import record
from loanwatch.registry import find_version, online_version
from loanwatch.storage import Storage

__all__ = ["BatchResult", "chosen_scorer", "predict_file", "predict_window"]


@record
class BatchResult:
    """What a batch came to."""

    rows: int
    positive: int
    """How many were given the positive label."""
    model_version: int
    batch_id: str
    """The `request_id` of its decisions in the table."""
    unknown_categories: dict[str, int]
    missing: dict[str, int]
    """Predictor → rows without a usable value."""


def chosen_scorer(database: Database, storage: Storage, contract: Contract, *, version: int | None = None) -> Scorer:
    """Return the scorer of the deployed model, or of another version.

    Raises
    ------
    ModelNotFoundError
        If none is deployed, or there is no such version.
    ArtifactError
        If its files cannot be used.
    """
    with database.connect() as connection:
        found = (
            online_version(connection, contract.name)
            if version is None
            else find_version(connection, contract.name, version)
        )
    if found is None:
        raise ModelNotFoundError("no model is deployed: run `loanwatch run` or `loanwatch models promote`")
    return load_scorer(storage, found, contract)


def predict_file(
    scorer: Scorer,
    source: Path,
    *,
    output: Path | None,
    database: Database,
    explain: bool = False,
    progress: Callable[[int], None] | None = None,
) -> BatchResult:
    """Score a Parquet or CSV file to a file, or to the table `prediction` where `output` is None.

    Values are read as in training: what cannot be is counted as missing. The decisions keep the file's order.

    Raises
    ------
    SourceError
        If the file cannot be read, or a row has no id.
    StorageError, DatabaseError
        If the decisions cannot be written; none are then.
    """
    batch_id = uuid.uuid4().hex
    place: AbstractContextManager[Sink] = (
        file_sink(output)
        if output is not None
        else table_sink(database, scorer.version, contract=scorer.contract.name, batch_id=batch_id)
    )
    tally = _Tally()
    with place as sink:
        for chunk in read_chunks(source, scorer.contract):
            sink.write(_decide(scorer, chunk, tally, source, explain=explain), chunk)
            if progress is not None:
                progress(tally.rows)
        if not tally.rows:
            raise SourceError(f"{source} holds no applications")
    return tally.result(scorer, batch_id)


def predict_window(
    scorer: Scorer,
    *,
    start: datetime,
    end: datetime,
    output: Path | None,
    database: Database,
    folder: Path,
    explain: bool = False,
    progress: Callable[[int], None] | None = None,
) -> BatchResult:
    """Score the applications of [start, end) in the source tables; else as `predict_file`.

    Parameters
    ----------
    folder : Path
        Where the extract lies meanwhile.

    Raises
    ------
    WindowError
        If the window is empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".predict-") as place:
        extract = Path(place) / "window.parquet"
        extract_window(database, scorer.contract, start=start, end=end, destination=extract)
        return predict_file(scorer, extract, output=output, database=database, explain=explain, progress=progress)


class _Tally:
    def __init__(self) -> None:
        self.rows = 0
        self.positive = 0
        self.unknown: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()

    def result(self, scorer: Scorer, batch_id: str) -> BatchResult:
        return BatchResult(
            rows=self.rows,
            positive=self.positive,
            model_version=scorer.version.version,
            batch_id=batch_id,
            unknown_categories={name: count for name, count in self.unknown.items() if count},
            missing={name: count for name, count in self.missing.items() if count},
        )


def _decide(scorer: Scorer, raw: pl.DataFrame, tally: _Tally, source: Path, *, explain: bool) -> pl.DataFrame:
    """Return the decisions on a chunk, and count it."""
    key, label, preprocessor = scorer.contract.keys.application, scorer.contract.label, scorer.model.preprocessor
    frame = scorer.ready_frame(raw)
    if (nobody := frame[key].is_null().arg_true()).len():
        raise SourceError(f"{source}: row {tally.rows + int(nobody[0]) + 1:,} has no {key}; nothing was written")
    matrix = preprocessor.transform(frame)
    probability = scorer.model.score_matrix(matrix)
    positive = probability >= DECISION_THRESHOLD
    tally.rows += frame.height
    tally.positive += int(positive.sum())
    tally.unknown.update(preprocessor.unknown_counts(frame))
    tally.missing.update({name: frame[name].null_count() for name in preprocessor.columns})
    columns = [
        frame[key],
        pl.Series("prediction", np.where(positive, label.positive, label.negative), dtype=pl.String),
        pl.Series("probability", probability),
        pl.repeat(scorer.version.version, frame.height, dtype=pl.Int32, eager=True).alias("model_version"),
    ]
    if explain:
        columns.extend(_reason_columns(scorer.reasons(matrix, frame.to_dicts())))
    return pl.DataFrame(columns)


def _reason_columns(reasons: list[list[dict[str, str]]]) -> Iterator[pl.Series]:
    for place in range(REASON_LIMIT):
        told = [each[place] if place < len(each) else {} for each in reasons]
        yield pl.Series(f"reason_{place + 1}_code", [each.get("code") for each in told], dtype=pl.String)
        yield pl.Series(f"reason_{place + 1}", [each.get("sentence") for each in told], dtype=pl.String)
