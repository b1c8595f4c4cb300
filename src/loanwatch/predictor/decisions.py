"""What is remembered of a decision: one line of JSON, which becomes one row of `prediction`."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

from loanwatch.predictor.scorer import Scored, Scorer

__all__ = ["answers_of", "decision_lines"]

_NO_REASONS: list[dict[str, str]] = []


def answers_of(scorer: Scorer, rows: Sequence[Mapping[str, Any]], scored: Scored) -> list[dict[str, Any]]:
    """Return what the client is told of each application, in the order asked."""
    key, version = scorer.contract.keys.application, scorer.version.version
    answers = [
        {key: row[key], "prediction": scorer.label(p), "probability": p, "model_version": version}
        for row, p in zip(rows, scored.probability, strict=True)
    ]
    if scored.reasons is not None:
        for answer, reasons in zip(answers, scored.reasons, strict=True):
            answer["reasons"] = reasons
    return answers


def decision_lines(scorer: Scorer, rows: Sequence[Mapping[str, Any]], scored: Scored, *, request_id: str) -> bytes:
    """Return the decisions as lines of JSON, each with an id of its own."""
    decided_at = datetime.now(UTC).isoformat()
    version, key = scorer.version, scorer.contract.keys.application
    lines = []
    for number, (row, probability) in enumerate(zip(rows, scored.probability, strict=True)):
        unknown = scored.unknown.get(number)
        record = {
            "decision_id": str(uuid.uuid4()),
            "decided_at": decided_at,
            "contract": scorer.contract.name,
            "application_id": str(row[key]).strip(),
            "model_id": version.id,
            "model_name": version.name,
            "model_version": version.version,
            "probability": probability,
            "prediction": scorer.label(probability),
            "source": "online",
            "inputs": row,
            "reasons": _NO_REASONS if scored.reasons is None else scored.reasons[number],
            "request_id": request_id,
            "metadata": {"unknown_categories": unknown} if unknown else {},
        }
        lines.append(to_json(record))
    lines.append(b"")
    return b"\n".join(lines)
