"""Performance by segment: what is planted in one is found and named, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from loanwatch.monitoring import ScoredWindow, Severity, performance
from loanwatch.monitoring.performance.segments import search_segments
from loanwatch.monitoring.standing import Change, follow, observations_of

TOWNS = ["oslo", "rome", "lima", "kyiv"]


@pytest.fixture(scope="module")
def contract(one_table_contract):
    return one_table_contract(["points", "debt"], ["town"])


def window(seed, rows, *, failing=None, fall=1.0, harder=None):
    """Scores that mean what they say; in `failing` the label follows `1 - fall` of the score's order."""
    generator = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "points": generator.normal(size=rows),
            "debt": np.where(generator.random(rows) < 0.2, np.nan, generator.lognormal(size=rows)),
            "town": generator.choice(TOWNS, rows, p=[0.5, 0.3, 0.15, 0.05]),
        }
    )
    spread = np.full(rows, 1.2)
    if harder is not None:
        spread[(frame["town"] == harder).to_numpy()] = 0.3
    line = 0.4 + spread * generator.normal(size=rows)
    truth = line.copy()
    if failing is not None:
        inside = frame.select(failing).to_series().to_numpy()
        truth[inside] = 0.4 + (1 - fall) * (line[inside] - 0.4)
    return ScoredWindow(
        frame=frame.with_columns(debt=pl.col("debt").fill_nan(None)),
        label=(generator.random(rows) < 1 / (1 + np.exp(-truth))).astype(float),
        probability=1 / (1 + np.exp(-line)),
        time=np.datetime64("2026-03-01", "us") + np.arange(rows) * np.timedelta64(60, "s"),
    )


@pytest.mark.parametrize(
    ("failing", "subject", "words"),
    [
        (pl.col("town") == "lima", "town", 'applicants whose town is "lima"'),
        (pl.col("points") > 0.84, "points", "applicants with points of 0.8"),
        (pl.col("debt").is_nan(), "debt", "applicants whose debt is not known"),
    ],
    ids=["category", "fifth of a number", "missing"],
)
def test_a_failing_segment_is_named_with_figures_and_rows(contract, failing, subject, words):
    report = performance.check(window(0, 8_000), window(1, 5_000, failing=failing), contract)
    (found,) = [f for f in report.findings if f.check == "model_drift.segment"]
    assert found.subject == subject
    assert found.severity >= Severity.MEDIUM
    assert words in found.sentence
    rows = found.details["segment"]["rows"]
    assert f"{rows:,} applications" in found.sentence
    assert found.measurements[0].lower <= found.measurements[0].value <= found.measurements[0].upper
    assert report.details["segments"][0]["subject"] == subject


def test_a_failing_segment_that_another_column_shows_as_well_is_one_verdict_of_many_windows(one_table_contract):
    def twins(seed, failing=None):
        drawn = window(seed, 4_000, failing=failing)
        other = np.random.default_rng(seed + 1_000).random(4_000) < 0.02
        county = np.where(other, "north", "county of " + drawn.frame["town"].to_numpy())
        return replace(drawn, frame=drawn.frame.with_columns(county=pl.Series(county)))

    contract = one_table_contract(["points", "debt"], ["town", "county"])
    reference, verdicts, news, subjects = twins(0), {}, [], set()
    for number in range(8):
        report = performance.check(reference, twins(number + 1, failing=pl.col("town") == "lima"), contract)
        subjects |= {f.subject for f in report.findings if f.check == "model_drift.segment"}
        days = tuple(datetime(2026, 3, number + each, tzinfo=UTC) for each in (1, 2))
        verdicts = follow(verdicts, observations_of(report), days)
        news += [v.subject for v in verdicts.values() if v.rule == "model_drift.segment" and v.change is Change.OPENED]
    assert subjects == {"town", "county"}
    assert len(news) == 1


def test_a_segment_close_to_failing_lingers(contract):
    failing = pl.col("town") == "lima"
    for fall in np.linspace(1.0, 0.0, 21):
        report = performance.check(window(0, 8_000), window(1, 5_000, failing=failing, fall=fall), contract)
        if not any(f.check == "model_drift.segment" for f in report.findings):
            break
        assert "town" in report.details["lingering"]["model_drift.segment"]
    assert report.details["lingering"]["model_drift.segment"] == {"town": "low"}
    quiet = performance.check(window(0, 8_000), window(1, 5_000), contract)
    assert quiet.details["lingering"]["model_drift.segment"] == {}


def test_a_model_that_fails_everywhere_has_no_failing_segment(contract):
    report = performance.check(window(0, 8_000), window(1, 5_000, failing=pl.col("points").is_finite()), contract)
    assert report.severity is Severity.HIGH
    assert [f.check for f in report.findings] == ["model_drift.realised"]


def test_applicants_who_are_harder_to_tell_apart_are_no_failing_segment(contract):
    found = search_segments(window(0, 8_000), window(1, 5_000, harder="rome"), contract)
    assert not found.failed


def test_two_failing_segments_are_named_one_after_the_other(contract):
    both = pl.col("town").is_in(["rome", "lima"])
    found = search_segments(window(0, 8_000), window(1, 6_000, failing=both), contract)
    assert {s.name for s in found.failed} == {'"rome"', '"lima"'}


def test_the_figures_of_a_second_segment_leave_out_the_applicants_of_the_first(contract):
    failing = (pl.col("town") == "lima") | (pl.col("points") > 0.84)
    now = window(1, 12_000, failing=failing)
    report = performance.check(window(0, 12_000), now, contract)
    first, second = [f for f in report.findings if f.check == "model_drift.segment"]
    of_lima, top_fifth = (now.frame["town"] == "lima").to_numpy(), (now.frame["points"] > 0.84).to_numpy()
    assert {first.subject, second.subject} == {"town", "points"}
    assert first.details["segment"]["without"] == []
    assert second.details["segment"]["without"] == [first.subject]
    assert f"without the failing segments of {first.subject}" in second.sentence
    one, other = (of_lima, top_fifth) if first.subject == "town" else (top_fifth, of_lima)
    alone, rest = first.details["segment"]["rows"], second.details["segment"]["rows"]
    assert abs(alone - one.sum()) < 0.05 * one.sum()
    assert abs(rest - (other & ~one).sum()) < 0.05 * other.sum()
    assert f"{rest:,} applications" in second.sentence


def test_a_segment_needs_ten_of_each_class_in_both_windows(contract):
    small = search_segments(window(0, 8_000), window(1, 200), contract)
    assert "kyiv" not in {s.name.strip('"') for s in small.worst}
    assert 0 < small.searched < 14
    assert search_segments(window(0, 8_000), window(1, 30), contract).searched == 0


def test_an_empty_search_is_told(contract):
    report = performance.check(window(0, 500), window(1, 30), contract)
    assert any("No segment has enough" in line for line in report.limitations)
    assert report.details["segments"] == []


def test_without_drift_segments_hardly_ever_speak(contract):
    spoken = [bool(search_segments(window(2 * s, 4_000), window(2 * s + 1, 2_000), contract).failed) for s in range(60)]
    assert sum(spoken) <= 2


def test_a_segment_of_a_tenth_that_lost_its_order_is_found_in_nearly_every_window(contract):
    failing = pl.col("town") == "lima"
    named = [
        any(s.name == '"lima"' for s in search_segments(window(2 * s, 8_000), w, contract).failed)
        for s in range(20)
        for w in [window(2 * s + 1, 5_000, failing=failing)]
    ]
    assert sum(named) >= 19


@pytest.mark.parametrize("rows", [60, 150, 500])
@pytest.mark.deep
def test_small_windows_without_drift_never_name_a_segment(contract, rows):
    spoken = [bool(search_segments(window(2 * s, 6_000), window(2 * s + 1, rows), contract).failed) for s in range(400)]
    assert np.mean(spoken) <= 0.01
