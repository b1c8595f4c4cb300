"""What the page says, before it is HTML."""

from dataclasses import replace

import pytest

from loanwatch.monitoring import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.reports import Headline, HistoryPoint
from loanwatch.reports.charts import histogram_chart, history_chart, row_chart
from loanwatch.reports.distribution import MAXIMUM_BINS, Bin, Shares, distribution_of
from loanwatch.reports.headline import headline_of
from loanwatch.reports.page import page_of
from loanwatch.reports.sections import MAXIMUM_FEATURES, MAXIMUM_FINDINGS


def drift(severity=Severity.MEDIUM, subject="annual_income", **details):
    return Finding(check="data_drift.univariate", subject=subject, severity=severity, sentence="It.", details=details)


def histogram(bins):
    return {
        "boundaries": [float(i) for i in range(bins + 1)],
        "reference": [1 / bins] * bins,
        "current": [1 / bins] * bins,
    }


@pytest.mark.parametrize(
    ("bins", "names"), [(1, ["all values"]), (3, ["up to 1", "1 to 2", "above 2"])], ids=["one", "three"]
)
def test_the_outer_bars_are_named_as_holding_what_lies_beyond(full, bins, names):
    report = replace(full.data_drift, findings=(drift(histogram=histogram(bins)),))
    (feature,) = page_of(replace(full, data_drift=report)).features
    assert [row[0] for row in feature.table] == names
    assert [bar.tells.partition(":")[0] for bar in feature.histogram.current] == names


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        ("notice", "Not now. The model is still as good as it was."),
        ("retrained", "Yes. Annual income moved."),
        ("challenger_rejected", "Annual income moved."),
    ],
)
def test_the_first_screen_answers_from_the_reasons(full, outcome, answer):
    assert headline_of(replace(full, outcome=outcome)).matters == answer


def test_a_halt_answers_with_the_worst_check(full):
    broken = CheckReport(
        check="data_quality",
        status=Status.FAIL,
        summary="3 label leaks.",
        findings=(drift(Severity.CRITICAL),),
    )
    told = headline_of(replace(full, outcome="halted", data_quality=broken))
    assert (told.matters, told.happened) == ("Yes. 3 label leaks.", "The run was halted before training")


def test_a_quiet_run_says_no_and_an_unjudged_one_does_not(minimal, full):
    assert headline_of(replace(minimal, data_quality=full.data_quality)).matters.startswith("No.")
    assert headline_of(minimal).matters.startswith("It cannot be said")


def test_a_given_headline_is_kept(minimal):
    own = Headline(happened="A", matters="B", advice="C")
    assert headline_of(replace(minimal, headline=own)) is own


def test_an_outcome_that_the_page_does_not_know_is_shown_as_it_is(minimal):
    assert headline_of(replace(minimal, outcome="put_on_ice")).happened == "Put on ice"


def test_the_run_wears_the_badge_of_its_worst_check(full, minimal):
    assert page_of(full).badge.word == "Attention"
    assert page_of(replace(minimal, outcome="failed")).badge.word == "Failed"


def test_a_check_that_was_not_made_is_not_shown_as_passed(minimal):
    assert {section.badge.word for section in page_of(minimal).checks} == {"Not made"}


def test_findings_are_shown_most_severe_first_and_the_rest_is_counted(full):
    many = (*(drift(Severity.LOW, f"c{i}") for i in range(40)), drift(Severity.HIGH, "worst"))
    section = page_of(replace(full, data_drift=replace(full.data_drift, findings=many))).checks[1]
    assert section.findings[0].subject == "Worst"
    assert (len(section.findings), section.more_findings) == (MAXIMUM_FINDINGS, 41 - MAXIMUM_FINDINGS)


def test_each_column_that_moved_is_drawn_once_up_to_a_limit(full):
    many = tuple(drift(subject=f"c{i % 20}", histogram=histogram(5)) for i in range(60))
    page = page_of(replace(full, data_drift=replace(full.data_drift, findings=many)))
    assert (len(page.features), page.more_features) == (MAXIMUM_FEATURES, 20 - MAXIMUM_FEATURES)


def test_a_feature_tells_its_reliance_its_missing_rows_and_its_typical_values(full):
    income, purpose = page_of(full).features
    assert income.title == "Annual income"
    assert income.reliance == "14.2 % of the deployed model’s reliance on features"
    assert income.absent == (("Missing", "30.0 %", "34.0 %"), ("Sentinel", "5.0 %", "8.0 %"))
    assert income.quantiles == (("Median", "15", "22"),)
    assert purpose.histogram is None
    assert [row.name for row in purpose.rows.rows] == ["debt consolidation", "<b>home</b>"]


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"histogram": None},
        {"histogram": {"boundaries": [], "reference": [], "current": []}},
        {"histogram": {"boundaries": [0, 1], "reference": [float("nan")], "current": [1.0]}},
        {"histogram": {"boundaries": [0, 1], "reference": [1.0], "current": [0.5, 0.5]}},
        {"categories": "abc"},
        {"categories": ["a", {"name": "b"}, {"name": "c", "reference": None, "current": 1.0}]},
        {"categories": {"a": 3}, "missing_rate": {"reference": 0.0, "current": 0.0}},
    ],
)
def test_a_finding_without_a_readable_distribution_draws_nothing(details):
    assert distribution_of(drift(**details)) is None


def test_many_bins_are_added_up_and_no_row_is_lost():
    found = distribution_of(drift(histogram=histogram(1000)))
    assert len(found.bins) <= MAXIMUM_BINS
    assert sum(b.reference for b in found.bins) == pytest.approx(1)
    assert (found.bins[0].lower, found.bins[-1].upper) == (0.0, 1000.0)


def test_bars_are_as_high_as_their_shares_and_stay_inside():
    chart = histogram_chart([Bin(lower=0, upper=1, reference=0.2, current=0.4)])
    reference, current = chart.reference[0], chart.current[0]
    assert current.height == pytest.approx(2 * reference.height, abs=0.2)
    assert reference.x + reference.width <= current.x
    assert current.x + current.width <= chart.width
    assert current.y + current.height == pytest.approx(chart.base)


def test_rows_are_as_long_as_their_shares():
    chart = row_chart([Shares(name="a", reference=0.1, current=0.3), Shares(name="b", reference=0.0, current=0.0)])
    assert chart.rows[0].current.width == pytest.approx(3 * chart.rows[0].reference.width, abs=0.3)
    assert chart.rows[1].current.width == 0


def test_the_line_of_the_history_breaks_where_a_window_is_unknown():
    points = [HistoryPoint(window=str(i), auc=None if i == 1 else 0.7, estimate=0.7) for i in range(4)]
    chart = history_chart(points)
    assert chart.realised.count("M") == 2
    assert chart.estimated.count("M") == 1
    assert len(chart.marks) == 3


def test_the_axis_of_the_history_names_days_only():
    (tick,) = history_chart([HistoryPoint(window="2024-05-01 (current)", auc=0.7)]).ticks
    assert tick.label == "2024-05-01"


@pytest.mark.parametrize("points", [[], [HistoryPoint(window="a")], [HistoryPoint(window="a", auc=float("nan"))]])
def test_a_history_without_figures_is_not_drawn(points):
    assert history_chart(points) is None


def test_model_figures_stand_with_their_intervals(full):
    deployed, comparison, candidates = page_of(full).models
    assert deployed.rows[0] == ("AUC", (("0.771", "0.751 to 0.791"), ("0.771", "0.751 to 0.791")))
    assert any("41 held-out applications" in note for note in comparison.notes)
    assert candidates.columns[0] == "Random forest (chosen): test"
    assert candidates.rows[0][1][2] == ("–", "")


def test_an_estimate_stands_beside_the_truth(full):
    (auc,) = full.model_drift.measurements["dataset"]
    measurements = {"current": (auc,), "estimated": (Measurement(name="estimated_auc", value=0.74),)}
    page = page_of(replace(full, model_drift=replace(full.model_drift, measurements=measurements)))
    assert page.models[0].columns == ("This window", "Estimated without labels")
    assert page.models[0].rows == (("AUC", (("0.771", "0.751 to 0.791"), ("0.740", ""))),)


def test_figures_that_are_no_numbers_show_a_dash(full):
    odd = Measurement(name="auc", value=float("nan"), lower=float("-inf"), upper=None)
    page = page_of(replace(full, model_drift=replace(full.model_drift, measurements={"dataset": (odd,)})))
    assert page.models[0].rows[0] == ("AUC", (("–", ""),))
