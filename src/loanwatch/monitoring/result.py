"""The types that carry every check's result: measurement, finding, check report.

A check measures; a rule turns the measurement into a severity; alerts and reports consume the result.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, field
from enum import IntEnum, StrEnum
from typing import Any, Self

from loanwatch.records import record

__all__ = ["CheckReport", "Finding", "Measurement", "Severity", "Status", "worst_of"]


class Severity(IntEnum):
    """How much a finding matters. `LOW` is a notice; `MEDIUM` and above ask somebody to act."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The severity in lower case, as the database stores it."""
        return self.name.lower()

    @classmethod
    def from_word(cls, word: str) -> Self:
        """Return the severity of a lower-case word."""
        return cls[word.upper()]


class Status(StrEnum):
    """What a check says as a whole."""

    PASS = "pass"  # noqa: S105  (a verdict, not a password)
    FAIL = "fail"
    SKIPPED = "skipped"


@record
class Measurement:
    """A number with its uncertainty and what it was computed from."""

    name: str
    """The statistic, in the field's words: `psi`, `auc`, `missing_rate_change`."""
    value: float
    lower: float | None = None
    """Lower end of the 95 % interval."""
    upper: float | None = None
    p_value: float | None = None
    n_reference: int | None = None
    n_current: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON; what is not a finite number becomes None."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        return cls(**{**values, "value": math.nan if values["value"] is None else values["value"]})


@record
class Finding:
    """One thing a check found, in a sentence with the figures in it."""

    check: str
    """Dotted name of the rule: `data_quality.leakage`, `data_drift.univariate`."""
    subject: str
    """The column, or `dataset`, `label`, `score`."""
    severity: Severity
    sentence: str
    measurements: tuple[Measurement, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    """Anything else of built-in types: categories, rows, dates as ISO text."""

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return {
            "check": self.check,
            "subject": self.subject,
            "severity": self.severity.word,
            "sentence": self.sentence,
            "measurements": [m.to_dict() for m in self.measurements],
            "details": _plain(self.details),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        return cls(
            check=values["check"],
            subject=values["subject"],
            severity=Severity.from_word(values["severity"]),
            sentence=values["sentence"],
            measurements=tuple(Measurement.from_dict(m) for m in values["measurements"]),
            details=dict(values["details"]),
        )


@record
class CheckReport:
    """What one check says of one window.

    `findings` holds what was found, most severe first; those without a severity are known quirks, listed for
    completeness. `measurements` holds what was measured whether or not it was a finding, by subject.
    """

    check: str
    status: Status
    summary: str
    """One sentence a risk officer can read."""
    findings: tuple[Finding, ...] = ()
    measurements: Mapping[str, tuple[Measurement, ...]] = field(default_factory=dict)
    limitations: tuple[str, ...] = ()
    """What could not be judged, and why."""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """The highest severity among the findings."""
        return max((f.severity for f in self.findings), default=Severity.NONE)

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return {
            "check": self.check,
            "status": self.status.value,
            "severity": self.severity.word,
            "summary": self.summary,
            "findings": [f.to_dict() for f in self.findings],
            "measurements": {k: [m.to_dict() for m in v] for k, v in self.measurements.items()},
            "limitations": list(self.limitations),
            "details": _plain(self.details),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        return cls(
            check=values["check"],
            status=Status(values["status"]),
            summary=values["summary"],
            findings=tuple(Finding.from_dict(f) for f in values["findings"]),
            measurements={k: tuple(Measurement.from_dict(m) for m in v) for k, v in values["measurements"].items()},
            limitations=tuple(values["limitations"]),
            details=dict(values["details"]),
        )


def worst_of(reports: Mapping[str, CheckReport]) -> CheckReport:
    """Return the most severe report; among equals what moved in the data tells less than what came of it.

    Parameters
    ----------
    reports : mapping of str to CheckReport
        By check; at least one.
    """
    return max(reports.values(), key=lambda report: (report.severity, report.check != "data_drift"))


def _plain(value: Any) -> Any:  # noqa: ANN401  (whatever a check puts into its details)
    """Return the value with built-in types only; NaN and infinities, which JSON lacks, become None."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, str | bytes):  # a numpy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
