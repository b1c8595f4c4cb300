"""What stands after many windows: one verdict per change."""

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanwatch.monitoring import CheckReport, Finding, Severity, Status
from loanwatch.monitoring.standing import (
    WELL_WINDOWS,
    Change,
    Observation,
    Standing,
    Verdict,
    follow,
    observations_of,
    with_standing,
)
from loanwatch.monitoring.verdict import DriftSize, drift_severity

FIRST = datetime(2015, 3, 1, tzinfo=UTC)
NONE, LOW, MEDIUM, HIGH = Severity.NONE, Severity.LOW, Severity.MEDIUM, Severity.HIGH
SEVERITIES = st.sampled_from([NONE, LOW, MEDIUM, HIGH])


def day(number):
    return FIRST + timedelta(days=number), FIRST + timedelta(days=number + 1)


def seen(number, severity, lingering=NONE):
    start, end = day(number)
    return Observation(window_start=start, window_end=end, severity=severity, lingering=max(severity, lingering))


def followed(*severities):
    windows = [day(number) for number in range(len(severities))]
    return follow([seen(number, severity) for number, severity in enumerate(severities)], windows)


def changes(*severities):
    return [standing.change.value for standing in followed(*severities)]


def test_a_change_that_lasts_is_news_once():
    standings = followed(NONE, HIGH, HIGH, HIGH)
    assert [s.change for s in standings] == [Change.NONE, Change.OPENED, Change.UNCHANGED, Change.UNCHANGED]
    assert standings[-1].since == day(1)[0]
    assert standings[-1].windows == 3


def test_more_severe_is_news_and_less_severe_only_after_several_windows():
    assert changes(LOW, MEDIUM, LOW, MEDIUM) == ["opened", "raised", "unchanged", "unchanged"]
    standings = followed(HIGH, LOW, LOW, LOW)
    assert [s.severity for s in standings] == [HIGH, HIGH, LOW, LOW]
    assert standings[2].change is Change.LOWERED
    assert standings[2].since == day(0)[0]


def test_what_falls_in_steps_falls_to_the_worst_of_the_windows_that_let_it_fall():
    assert [s.severity for s in followed(HIGH, MEDIUM, LOW)] == [HIGH, HIGH, MEDIUM]


def test_what_was_well_before_it_was_lowered_counts_towards_closing():
    assert changes(HIGH, LOW, NONE, NONE) == ["opened", "unchanged", "lowered", "closed"]


def test_a_verdict_is_closed_by_well_windows_in_a_row_and_can_be_opened_again():
    assert changes(HIGH, NONE, NONE, NONE, HIGH) == ["opened", "well", "closed", "none", "opened"]
    assert followed(HIGH, NONE, NONE, NONE, HIGH)[-1].since == day(4)[0]


def test_one_well_window_is_forgiven_and_not_news_again():
    assert changes(HIGH, NONE, HIGH, NONE, HIGH) == ["opened", "well", "unchanged", "well", "unchanged"]


def test_a_window_close_to_the_threshold_does_not_count_as_well():
    windows = [day(number) for number in range(8)]
    wavering = [seen(0, MEDIUM), *(seen(number, NONE, MEDIUM) for number in range(1, 8))]
    assert {s.severity for s in follow(wavering, windows)} == {MEDIUM}


def test_the_order_in_which_windows_were_judged_changes_nothing():
    windows = [day(number) for number in range(5)]
    judged = [seen(0, LOW), seen(1, HIGH), seen(3, LOW)]
    assert follow(judged, windows) == follow(reversed(judged), windows)


@given(st.lists(SEVERITIES, max_size=40))
def test_what_stands_is_never_below_what_the_window_says_and_moves_as_the_change_says(severities):
    before = Standing()
    for severity, standing in zip(severities, followed(*severities), strict=True):
        assert standing.severity >= severity
        assert (standing.since is None) == (standing.severity is NONE)
        assert (standing.severity > before.severity) == standing.change.is_news
        assert (standing.severity < before.severity) == (standing.change in (Change.LOWERED, Change.CLOSED))
        before = standing


@given(st.lists(SEVERITIES, min_size=WELL_WINDOWS, max_size=40))
def test_enough_well_windows_always_close(severities):
    assert followed(*severities, *[NONE] * WELL_WINDOWS)[-1].severity is NONE


def test_figures_that_waver_about_a_threshold_are_news_once_not_every_other_day():
    generator = np.random.default_rng(5)
    windows = [day(number) for number in range(365)]
    sizes = generator.normal(0.10, 0.01, 365).clip(0)  # PSI about its band, one year of days
    judged = []
    for number, psi in enumerate(sizes):
        size = DriftSize(psi=float(psi))
        judged.append(seen(number, drift_severity(0.0, size), drift_severity(0.0, size, leaving=True)))
    crossings = sum(a.severity != b.severity for a, b in itertools.pairwise(judged))
    assert crossings > 100
    news = [s for s in follow(judged, windows) if s.change.is_news]
    assert len(news) <= 2


@pytest.mark.parametrize(("p_value", "psi"), [(0.0099, 0.09), (0.0019, 0.24), (0.04, 0.3)])
def test_a_verdict_is_left_later_than_it_is_given(p_value, psi):
    size = DriftSize(psi=psi)
    assert drift_severity(p_value, size, leaving=True) > drift_severity(p_value, size)


def report(*findings, **details):
    worst = max((f.severity for f in findings), default=NONE)
    status = Status.FAIL if worst >= MEDIUM else Status.PASS
    return CheckReport(check="data_drift", status=status, summary="It moved.", findings=findings, details=details)


def finding(subject="income", severity=HIGH, rule="data_drift.univariate"):
    return Finding(check=rule, subject=subject, severity=severity, sentence="Income rose.")


def verdict(change, *, severity=HIGH, since=FIRST, subject="income"):
    return Verdict(
        rule="data_drift.univariate",
        subject=subject,
        severity=severity,
        since=since,
        last_seen=FIRST,
        windows=3,
        well_windows=0,
        change=change,
    )


def test_a_report_says_for_each_rule_and_subject_how_severe_it_is():
    found = observations_of(
        report(
            finding(severity=LOW),
            finding(severity=HIGH),
            finding(severity=NONE, subject="age"),
            lingering={"data_drift.univariate": {"debt": "medium", "income": "low", "age": "none"}},
        ),
        day(0),
    )
    assert found == {
        ("data_drift.univariate", "income"): seen(0, HIGH),
        ("data_drift.univariate", "debt"): seen(0, NONE, MEDIUM),
    }


def test_a_finding_that_stood_before_says_since_when():
    dated = with_standing(report(finding()), [verdict(Change.UNCHANGED)], is_newest=True)
    assert dated.findings[0].sentence == "Income rose. Since 1 March 2015, unchanged."
    assert dated.summary == "It moved. Nothing new since 1 March 2015."
    assert dated.findings[0].details["first_seen"] == FIRST.isoformat()
    assert [Verdict.from_dict(v) for v in dated.details["verdicts"]] == [verdict(Change.UNCHANGED)]


def test_a_new_finding_is_told_as_it_is_and_one_that_went_is_mentioned():
    gone = verdict(Change.CLOSED, severity=NONE, since=None, subject="debt")
    dated = with_standing(report(finding()), [verdict(Change.OPENED), gone], is_newest=True)
    assert dated.findings[0].sentence == "Income rose."
    assert dated.summary == "It moved."
    assert dated.limitations == ("debt: no finding in 2 windows in a row, the earlier one is closed.",)


@pytest.mark.parametrize("change", [Change.RAISED, Change.LOWERED])
def test_a_finding_that_changed_its_severity_says_so(change):
    word = "more" if change is Change.RAISED else "less"
    dated = with_standing(report(finding()), [verdict(change)], is_newest=True)
    assert dated.findings[0].sentence.endswith(f"Seen since 1 March 2015, now {word} severe.")
