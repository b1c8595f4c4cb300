import pytest

from loanwatch.monitoring import CheckReport, Status
from loanwatch.reports.cause import MAXIMUM_ROWS, cause_of, effect_of, segments_of

TITLES = {"annual_income": "annual income"}


def part(name, value, lower=None, upper=None):
    return {"name": name, "value": value, "lower": lower, "upper": upper}


CAUSE = {
    "sentence": "Features moved (annual income).",
    "measurements": [
        part("loss_from_features", -0.0031, -0.005, -0.0012),
        part("loss_from_relation", 0.01, 0.002, 0.018),
        part("loss_change", 0.0069),
    ],
    "features": {"annual_income": part("loss", -0.0031, -0.005, -0.0012)},
    "relation": {"credit_score": part("loss", 0.01)},
}


def test_the_split_is_worded_with_its_intervals_and_a_true_minus():
    assert cause_of(CAUSE, TITLES).rows == (
        ("From moved features", "−0.0031", "−0.0050 to −0.0012"),
        ("From a changed relation", "+0.0100", "+0.0020 to +0.0180"),
        ("Together", "+0.0069", ""),
        ("Annual income, moved", "−0.0031", "−0.0050 to −0.0012"),
        ("Credit score, relation changed", "+0.0100", ""),
    )


@pytest.mark.parametrize("cause", [None, {}, {"sentence": ""}, {"measurements": [part("loss_change", 0.1)]}])
def test_without_a_sentence_there_is_no_cause(cause):
    assert cause_of(cause, {}) is None


@pytest.mark.parametrize("odd", [None, "x", 3, {"value": None}, {}])
def test_a_part_that_was_recorded_otherwise_is_left_out(odd):
    found = cause_of({"sentence": "It.", "measurements": [odd], "features": {"a": odd}, "relation": None}, {})
    assert (found.sentence, found.rows) == ("It.", ())


def test_of_many_features_only_the_first_are_shown():
    many = {f"c{i}": part("loss", 0.001) for i in range(40)}
    assert len(cause_of({"sentence": "It.", "features": many}, {}).rows) == MAXIMUM_ROWS


def test_a_column_tells_what_it_does_to_the_score_by_itself():
    assert effect_of(CAUSE, "annual_income") == (
        "With what moves along, it changes the Brier score by −0.0031 (−0.0050 to −0.0012)."
    )
    without_ends = effect_of({"features": {"x": part("loss", 0.5)}}, "x")
    assert without_ends == "With what moves along, it changes the Brier score by +0.5000."
    assert effect_of(CAUSE, "credit_score") == effect_of(None, "x") == effect_of({"features": None}, "x") == ""


def drift(segments, **details):
    return CheckReport(
        check="model_drift", status=Status.FAIL, summary="It.", details={"segments": segments, **details}
    )


SEGMENT = {
    "subject": "annual_income",
    "name": "above 90,000",
    "rows": 1_234,
    "auc": 0.61,
    "auc_reference": 0.78,
    "auc_interval": [0.58, 0.64],
    "p_value": 0.00001,
}


def test_segments_stand_with_their_interval_and_the_number_that_was_searched():
    found = segments_of(drift([SEGMENT], segments_searched=57), TITLES)
    assert found.rows == (("Annual income above 90,000", "1,234", "0.780", "0.610 (0.580 to 0.640)", "p < 0.001"),)
    assert "57 segments" in found.note


def test_a_segment_without_interval_or_p_value_shows_a_dash():
    found = segments_of(drift([SEGMENT | {"auc_interval": None, "p_value": None, "auc": None}]), {})
    assert found.rows[0][3:] == ("–", "–")


@pytest.mark.parametrize("report", [None, drift([]), drift(None), drift(["x", {"subject": "a"}]), drift("abc")])
def test_without_readable_segments_there_is_no_table(report):
    assert segments_of(report, {}) is None
