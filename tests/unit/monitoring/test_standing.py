"""What stands after many windows: one verdict per change."""

import itertools
import json
from dataclasses import replace
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


INCOME = ("data_drift.univariate", "income")


def seen(severity, lingering=NONE, **more):
    return Observation(severity=severity, lingering=max(severity, lingering), **more)


def follow_all(windows):
    """Return the verdicts after each window, given what each of them said."""
    verdicts, after = {}, []
    for number, observed in enumerate(windows):
        verdicts = follow(verdicts, observed, day(number))
        after.append(verdicts)
    return after


def follow_one(observations):
    unseen = Verdict(rule=INCOME[0], subject=INCOME[1])
    return [verdicts.get(INCOME, unseen) for verdicts in follow_all({INCOME: each} for each in observations)]


def followed(*severities):
    return follow_one(seen(severity) for severity in severities)


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
    assert {s.severity for s in follow_one([seen(MEDIUM), *[seen(NONE, MEDIUM)] * 7])} == {MEDIUM}


def known_as(*subjects):
    """Return what a window says of the first subject, which the others might have shown as well."""
    return {("segment", subjects[0]): seen(HIGH, also=subjects[1:])}


def told(windows):
    return [
        [(v.subject, v.change.value, v.seen_as) for v in verdicts.values() if v.stands]
        for verdicts in follow_all(windows)
    ]


def test_a_change_that_another_subject_shows_best_today_is_the_one_that_stands():
    assert told([known_as("home", "income"), known_as("income", "home"), known_as("home", "income")]) == [
        [("home", "opened", None)],
        [("home", "unchanged", "income")],
        [("home", "unchanged", None)],
    ]


def test_a_change_of_other_subjects_is_another_one():
    assert told([known_as("home", "income"), known_as("age", "debt")])[1] == [
        ("age", "opened", None),
        ("home", "well", None),
    ]


def test_what_is_found_beside_the_change_that_stands_is_news_though_either_might_show_the_other():
    both = known_as("home", "income") | known_as("income", "home")
    assert told([known_as("home", "income"), both])[1] == [("home", "unchanged", None), ("income", "opened", None)]


def test_two_changes_by_other_names_are_not_taken_for_the_same_one():
    verdicts = told([known_as("home", "income", "age"), known_as("income", "home") | known_as("age", "home")])[1]
    assert verdicts == [("home", "unchanged", "age"), ("income", "opened", None)]


def test_a_change_by_another_name_is_as_severe_as_it_is_and_lingers_as_it_did():
    lingering = {("segment", "home"): seen(NONE, MEDIUM), ("segment", "income"): seen(LOW, also=("home",))}
    verdicts = follow_all([known_as("home", "income"), lingering, lingering])
    assert [v["segment", "home"].severity for v in verdicts] == [HIGH, HIGH, MEDIUM]


@given(st.lists(SEVERITIES, max_size=40))
def test_what_stands_is_never_below_what_the_window_says_and_moves_as_the_change_says(severities):
    before = Verdict(rule="r", subject="s")
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
    sizes = generator.normal(0.10, 0.01, 365).clip(0)  # PSI about its band, one year of days
    judged = []
    for psi in sizes:
        size = DriftSize(psi=float(psi))
        judged.append(seen(drift_severity(0.0, size), drift_severity(0.0, size, leaving=True)))
    crossings = sum(a.severity != b.severity for a, b in itertools.pairwise(judged))
    assert crossings > 100
    news = [s for s in follow_one(judged) if s.change.is_news]
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


def verdict(change, *, severity=HIGH, since=FIRST, subject="income", seen_as=None):
    return Verdict(
        rule="data_drift.univariate",
        subject=subject,
        severity=severity,
        since=since,
        last_seen=FIRST,
        windows=3,
        well_windows=0,
        change=change,
        recent=(severity,),
        seen_as=seen_as,
    )


def test_a_report_says_for_each_rule_and_subject_how_severe_it_is():
    found = observations_of(
        report(
            finding(severity=LOW),
            finding(severity=HIGH),
            finding(severity=NONE, subject="age"),
            lingering={"data_drift.univariate": {"debt": "medium", "income": "low", "age": "none"}},
        )
    )
    assert found == {INCOME: seen(HIGH), ("data_drift.univariate", "debt"): seen(NONE, MEDIUM)}


def test_a_finding_about_many_columns_is_one_of_each_and_one_known_by_others_names_them():
    joined = replace(finding(), details={"subjects": {"income": "high", "debt": "low"}, "also": ["age"]})
    assert observations_of(report(joined)) == {
        INCOME: seen(HIGH, also=("age",)),
        ("data_drift.univariate", "debt"): seen(LOW, also=("age",)),
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


def test_a_finding_that_was_told_of_another_column_says_so():
    standing = verdict(Change.UNCHANGED, subject="home_ownership", seen_as="income")
    dated = with_standing(report(finding()), [standing], is_newest=True)
    assert dated.findings[0].sentence == "Income rose. Since 1 March 2015, then told of home ownership, unchanged."


def test_what_went_together_is_told_together():
    gone = [verdict(Change.WELL, subject=f"column_{number}") for number in range(6)]
    dated = with_standing(report(), gone, is_newest=True)
    (told_of_all,) = dated.limitations
    assert told_of_all.startswith("column 0, column 1, column 2, column 3 and 2 more: no finding in this window, but")


@given(st.lists(st.sampled_from([NONE, LOW, HIGH]), max_size=12))
def test_verdicts_survive_the_way_through_json(severities):
    for standing in followed(*severities):
        assert Verdict.from_dict(json.loads(json.dumps(standing.to_dict()))) == standing
