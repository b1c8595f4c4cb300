"""One verdict per change: what stands after many windows, each of which was judged on its own.

A verdict rises at once. It falls only after `WELL_WINDOWS` windows in a row that spoke for less, and a window whose
figure is still close to the threshold does not count among them. So a figure that wavers about a threshold keeps one
verdict, and what is the same as yesterday is said to be the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from loanwatch.monitoring.result import CheckReport, Finding, Severity

__all__ = ["WELL_WINDOWS", "Change", "Observation", "Standing", "Verdict", "follow", "observations_of", "with_standing"]

WELL_WINDOWS = 2
"""A window in which a lasting change is missed by chance is soon followed by one in which it is seen: a change that is
seen in nine windows of ten is left by mistake once in a hundred windows, at the price of one window's delay."""


class Change(StrEnum):
    """What a window did to a verdict."""

    NONE = "none"
    """Nothing stood, and nothing was found."""
    OPENED = "opened"
    RAISED = "raised"
    UNCHANGED = "unchanged"
    LOWERED = "lowered"
    WELL = "well"
    """Nothing was found, but not yet for long enough."""
    CLOSED = "closed"

    @property
    def is_news(self) -> bool:
        """Whether somebody is to be told."""
        return self in (Change.OPENED, Change.RAISED)


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What one window said of one subject."""

    window_start: datetime
    window_end: datetime
    severity: Severity
    lingering: Severity = Severity.NONE
    """By the lower thresholds below which a verdict is left; at least `severity`."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The verdict on one subject after a window."""

    severity: Severity = Severity.NONE
    since: datetime | None = None
    """Start of the window in which it was first seen; None where nothing stands."""
    last_seen: datetime | None = None
    """End of the last window in which it was seen."""
    windows: int = 0
    """For which it has stood, this one included."""
    well_windows: int = 0
    """In a row, that spoke for less."""
    change: Change = Change.NONE
    recent: tuple[Severity, ...] = ()
    """What the last `WELL_WINDOWS` windows spoke for, the oldest first: the most severe of it stands."""

    def after(self, seen: Observation) -> Self:
        """Return the verdict after one more window."""
        spoken_for = max(seen.severity, min(self.severity, seen.lingering))
        recent = (*self.recent, spoken_for)[-WELL_WINDOWS:]
        severity = max(recent)
        last_seen = seen.window_end if seen.severity > Severity.NONE else self.last_seen
        change = self._change_to(severity, seen)
        if severity is Severity.NONE:
            windows = self.windows + 1 if change is Change.CLOSED else 0
            return type(self)(last_seen=last_seen, windows=windows, change=change)
        opens = self.severity is Severity.NONE
        return type(self)(
            severity=severity,
            since=seen.window_start if opens else self.since,
            last_seen=last_seen,
            windows=1 if opens else self.windows + 1,
            well_windows=_last_below(recent, severity),
            change=change,
            recent=recent,
        )

    def _change_to(self, severity: Severity, seen: Observation) -> Change:
        if severity > self.severity:
            return Change.OPENED if self.severity is Severity.NONE else Change.RAISED
        if severity < self.severity:
            return Change.CLOSED if severity is Severity.NONE else Change.LOWERED
        if severity is Severity.NONE:
            return Change.NONE
        return Change.UNCHANGED if seen.severity > Severity.NONE else Change.WELL


def _last_below(recent: Sequence[Severity], severity: Severity) -> int:
    """Return how many of the last windows spoke for less."""
    return next((back for back, each in enumerate(reversed(recent)) if each >= severity), len(recent))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What stands of one rule and subject."""

    rule: str
    subject: str
    severity: Severity
    since: datetime | None
    last_seen: datetime | None
    windows: int
    well_windows: int
    change: Change

    @classmethod
    def of(cls, rule: str, subject: str, standing: Standing) -> Self:
        """Return the verdict that stands."""
        values = {name: getattr(standing, name) for name in cls.__dataclass_fields__ if name not in ("rule", "subject")}
        return cls(rule=rule, subject=subject, **values)

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return asdict(self) | {
            "severity": self.severity.word,
            "since": self.since.isoformat() if self.since else None,
            "last_seen": self.last_seen.isoformat() if self.last_seen else None,
            "change": self.change.value,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        moments = {name: datetime.fromisoformat(values[name]) if values[name] else None for name in _MOMENTS}
        severity, change = Severity.from_word(values["severity"]), Change(values["change"])
        return cls(**{**values, **moments, "severity": severity, "change": change})


_MOMENTS = ("since", "last_seen")


def follow(observations: Iterable[Observation], windows: Sequence[tuple[datetime, datetime]]) -> list[Standing]:
    """Return the verdict after each window, in the order of `windows`.

    Parameters
    ----------
    observations : iterable of Observation
        Of one subject, in any order; windows without one were well.
    windows : sequence of (start, end)
        All windows in which the check was made, in order of time.
    """
    by_window = {(seen.window_start, seen.window_end): seen for seen in observations}
    standing, standings = Standing(), []
    for start, end in windows:
        well = Observation(window_start=start, window_end=end, severity=Severity.NONE)
        standing = standing.after(by_window.get((start, end), well))
        standings.append(standing)
    return standings


def observations_of(report: CheckReport, window: tuple[datetime, datetime]) -> dict[tuple[str, str], Observation]:
    """Return what a report says of its window: (rule, subject) → severity, and what lingers below the thresholds.

    A check names what lingers in `details["lingering"]`: rule → subject → severity as a word.
    """
    found: dict[tuple[str, str], Severity] = {}
    for finding in report.findings:
        key = (finding.check, finding.subject)
        found[key] = max(found.get(key, Severity.NONE), finding.severity)
    lingering = {
        (rule, subject): Severity.from_word(word)
        for rule, subjects in report.details.get("lingering", {}).items()
        for subject, word in subjects.items()
    }
    return {
        key: Observation(
            window_start=window[0],
            window_end=window[1],
            severity=found.get(key, Severity.NONE),
            lingering=max(found.get(key, Severity.NONE), lingering.get(key, Severity.NONE)),
        )
        for key in found.keys() | lingering.keys()
        if max(found.get(key, Severity.NONE), lingering.get(key, Severity.NONE)) > Severity.NONE
    }


def with_standing(report: CheckReport, verdicts: Sequence[Verdict], *, is_newest: bool) -> CheckReport:
    """Return the report with what is known of its findings from earlier windows.

    Each finding that stood before says since when; `details["verdicts"]` holds all that stand or were closed by this
    window, and `details["is_newest"]` whether any later window was judged.
    """
    known = {(v.rule, v.subject): v for v in verdicts}
    findings = tuple(_dated(f, known.get((f.check, f.subject))) for f in report.findings)
    summary = report.summary
    if report.severity > Severity.NONE and not any(v.change.is_news for v in verdicts):
        newest = max(v.since for v in verdicts if v.since)
        summary = f"{summary} Nothing new since {_day(newest)}."
    gone = [v for v in verdicts if v.change in (Change.WELL, Change.CLOSED)]
    return replace(
        report,
        findings=findings,
        summary=summary,
        limitations=(*report.limitations, *(_gone(v) for v in gone)),
        details={**report.details, "verdicts": [v.to_dict() for v in verdicts], "is_newest": is_newest},
    )


def _dated(finding: Finding, verdict: Verdict | None) -> Finding:
    if verdict is None or verdict.since is None or finding.severity is Severity.NONE:
        return finding
    told = {
        Change.RAISED: f"Seen since {_day(verdict.since)}, now more severe.",
        Change.LOWERED: f"Seen since {_day(verdict.since)}, now less severe.",
        Change.UNCHANGED: f"Since {_day(verdict.since)}, unchanged.",
    }.get(verdict.change)
    return replace(
        finding,
        sentence=f"{finding.sentence} {told}" if told else finding.sentence,
        details={**finding.details, "first_seen": verdict.since.isoformat(), "change": verdict.change.value},
    )


def _gone(verdict: Verdict) -> str:
    name = verdict.subject.replace("_", " ")
    if verdict.since is None:
        return f"{name}: no finding in {WELL_WINDOWS} windows in a row, the earlier one is closed."
    return (
        f"{name}: no finding in this window, but since {_day(verdict.since)}; it is closed after {WELL_WINDOWS} such."
    )


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
