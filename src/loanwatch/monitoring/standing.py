"""One verdict per change: what stands after many windows, each of which was judged on its own.

A verdict rises at once. It falls only after `WELL_WINDOWS` windows in a row that spoke for less, and a window whose
figure is still close to the threshold does not count among them. So a figure that wavers about a threshold keeps one
verdict, and what is the same as yesterday is said to be the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from loanwatch.monitoring.result import CheckReport, Finding, Severity
from loanwatch.records import record

__all__ = [
    "WELL_WINDOWS",
    "Change",
    "Key",
    "Observation",
    "Verdict",
    "Window",
    "follow",
    "observations_of",
    "with_standing",
]

WELL_WINDOWS = 2
"""A window in which a lasting change is missed by chance is soon followed by one in which it is seen: a change that is
seen in nine windows of ten is left by mistake once in a hundred windows, at the price of one window's delay."""

Window = tuple[datetime, datetime]
"""[start, end), aware."""
Key = tuple[str, str]
"""Rule and subject."""


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


@record
class Observation:
    """What one window said of one subject."""

    severity: Severity = Severity.NONE
    lingering: Severity = Severity.NONE
    """By the lower thresholds below which a verdict is left; at least `severity`."""
    also: tuple[str, ...] = ()
    """Other subjects by which the same change may be known: which of them shows it best is up to chance."""
    seen_as: str | None = None
    """What the window calls it, where it is known by one of the other subjects."""


@record
class Verdict:
    """What stands of one rule and subject after a window."""

    rule: str
    subject: str
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
    seen_as: str | None = None
    """Subject of the window's finding, where that is another one."""

    @property
    def stands(self) -> bool:
        """Whether there is anything to say."""
        return self.severity > Severity.NONE

    def after(self, seen: Observation, window: Window) -> Self:
        """Return the verdict after one more window."""
        spoken_for = max(seen.severity, min(self.severity, seen.lingering))
        recent = (*self.recent, spoken_for)[-WELL_WINDOWS:]
        severity = max(recent)
        change = self._change_to(severity, seen)
        stays = severity > Severity.NONE
        opens = not self.stands
        return replace(
            self,
            severity=severity,
            since=(window[0] if opens else self.since) if stays else None,
            last_seen=window[1] if seen.severity > Severity.NONE else self.last_seen,
            windows=(1 if opens else self.windows + 1) if stays or change is Change.CLOSED else 0,
            well_windows=_last_below(recent, severity) if stays else 0,
            change=change,
            recent=recent if stays else (),
            seen_as=seen.seen_as,
        )

    def _change_to(self, severity: Severity, seen: Observation) -> Change:
        if severity > self.severity:
            return Change.RAISED if self.stands else Change.OPENED
        if severity < self.severity:
            return Change.CLOSED if severity is Severity.NONE else Change.LOWERED
        if severity is Severity.NONE:
            return Change.NONE
        return Change.UNCHANGED if seen.severity > Severity.NONE else Change.WELL

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return asdict(self) | {
            "severity": self.severity.word,
            "since": self.since.isoformat() if self.since else None,
            "last_seen": self.last_seen.isoformat() if self.last_seen else None,
            "change": self.change.value,
            "recent": [severity.word for severity in self.recent],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        moments = {name: datetime.fromisoformat(values[name]) if values[name] else None for name in _MOMENTS}
        severity, change = Severity.from_word(values["severity"]), Change(values["change"])
        recent = tuple(map(Severity.from_word, values.get("recent", ())))
        return cls(**{**values, **moments, "severity": severity, "change": change, "recent": recent})


_MOMENTS = ("since", "last_seen")
_NAMED = 4


def _last_below(recent: Sequence[Severity], severity: Severity) -> int:
    """Return how many of the last windows spoke for less."""
    return next((back for back, each in enumerate(reversed(recent)) if each >= severity), len(recent))


def follow(verdicts: Mapping[Key, Verdict], observed: Mapping[Key, Observation], window: Window) -> dict[Key, Verdict]:
    """Return the verdicts after one more window.

    Parameters
    ----------
    verdicts : mapping of (rule, subject) to Verdict
        After the windows before; empty before the first one.
    observed : mapping of (rule, subject) to Observation
        What the window said; of subjects that it does not name it said nothing.
    window : Window

    Returns
    -------
    dict
        Of every subject that was ever seen, also where nothing stands any more; in order.
    """
    recognised = _recognised(verdicts, observed)
    followed = {
        key: verdicts.get(key, Verdict(rule=key[0], subject=key[1])).after(recognised.get(key, Observation()), window)
        for key in sorted(verdicts.keys() | recognised.keys())
    }
    return {key: verdict for key, verdict in followed.items() if verdict.last_seen is not None}


def _recognised(verdicts: Mapping[Key, Verdict], observed: Mapping[Key, Observation]) -> dict[Key, Observation]:
    """Take what stands by another subject for that one, unless the window says something of it by itself."""
    standing = {key for key, verdict in verdicts.items() if verdict.stands}
    recognised = dict(observed)
    for rule, subject in sorted(observed.keys() - standing, key=lambda key: (-observed[key].severity, key)):
        seen = observed[rule, subject]
        known = [
            (rule, name)
            for name in seen.also
            if (rule, name) in standing and not recognised.get((rule, name), Observation()).severity
        ]
        if seen.severity and known:
            oldest = min(known, key=lambda key: (-verdicts[key].windows, key))
            lingering = max(seen.lingering, recognised.get(oldest, Observation()).lingering)
            recognised[oldest] = Observation(severity=seen.severity, lingering=lingering, seen_as=subject)
            del recognised[rule, subject]
    return recognised


def observations_of(report: CheckReport) -> dict[Key, Observation]:
    """Return what a report says of its window, and what lingers below the thresholds.

    A check names what lingers in `details["lingering"]`: rule → subject → severity as a word. A finding about several
    subjects has the severity of each in `details["subjects"]`; one that might as well have been made of other subjects
    names those in `details["also"]`.
    """
    found: dict[Key, Observation] = {}
    for finding in report.findings:
        for subject, severity in _severities(finding):
            known = found.get((finding.check, subject), Observation())
            worst, also = max(known.severity, severity), (*known.also, *finding.details.get("also", ()))
            found[finding.check, subject] = Observation(severity=worst, lingering=worst, also=tuple(sorted({*also})))
    for rule, subjects in report.details.get("lingering", {}).items():
        for subject, word in subjects.items():
            known = found.get((rule, subject), Observation())
            found[rule, subject] = replace(known, lingering=max(known.lingering, Severity.from_word(word)))
    return {key: seen for key, seen in found.items() if seen.lingering > Severity.NONE}


def _severities(finding: Finding) -> Iterator[tuple[str, Severity]]:
    for subject, word in finding.details.get("subjects", {finding.subject: finding.severity.word}).items():
        yield subject, Severity.from_word(word)


def with_standing(report: CheckReport, verdicts: Sequence[Verdict], *, is_newest: bool) -> CheckReport:
    """Return the report with what is known of its findings from earlier windows.

    Each finding that stood before says since when; `details["verdicts"]` holds all that stand or were closed by this
    window, and `details["is_newest"]` whether any later window was judged.
    """
    known = {(v.rule, v.seen_as or v.subject): v for v in verdicts}
    findings = tuple(_dated(f, known.get((f.check, f.subject))) for f in report.findings)
    summary = report.summary
    if report.severity > Severity.NONE and not any(v.change.is_news for v in verdicts):
        newest = max(v.since for v in verdicts if v.since)
        summary = f"{summary} Nothing new since {_day(newest)}."
    return replace(
        report,
        findings=findings,
        summary=summary,
        limitations=(*report.limitations, *_gone(verdicts)),
        details={**report.details, "verdicts": [v.to_dict() for v in verdicts], "is_newest": is_newest},
    )


def _dated(finding: Finding, verdict: Verdict | None) -> Finding:
    if verdict is None or verdict.since is None or finding.severity is Severity.NONE:
        return finding
    then = f", then told of {verdict.subject.replace('_', ' ')}" if verdict.seen_as else ""
    told = {
        Change.RAISED: f"Seen since {_day(verdict.since)}{then}, now more severe.",
        Change.LOWERED: f"Seen since {_day(verdict.since)}{then}, now less severe.",
        Change.UNCHANGED: f"Since {_day(verdict.since)}{then}, unchanged.",
    }.get(verdict.change)
    return replace(
        finding,
        sentence=f"{finding.sentence} {told}" if told else finding.sentence,
        details={**finding.details, "first_seen": verdict.since.isoformat(), "change": verdict.change.value},
    )


def _gone(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Say what is well again; what came and went together, in one sentence."""
    together: dict[datetime | None, list[str]] = {}
    for verdict in verdicts:
        if verdict.change in (Change.WELL, Change.CLOSED):
            together.setdefault(verdict.since, []).append(verdict.subject.replace("_", " "))
    for since, subjects in together.items():
        more = f" and {len(subjects) - _NAMED} more" if len(subjects) > _NAMED else ""
        told = (
            f"no finding in this window, but since {_day(since)}; it is closed after {WELL_WINDOWS} such"
            if since
            else f"no finding in {WELL_WINDOWS} windows in a row, the earlier one is closed"
        )
        yield f"{', '.join(subjects[:_NAMED])}{more}: {told}."


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
