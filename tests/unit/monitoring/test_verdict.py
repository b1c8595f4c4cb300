import math

import pytest

from loanwatch.monitoring import Severity
from loanwatch.monitoring.verdict import DriftSize, drift_severity, is_real, is_sure, size_severity


@pytest.mark.parametrize(
    ("psi", "severity"),
    [
        (0.0049, Severity.NONE),
        (0.005, Severity.LOW),
        (0.0999, Severity.LOW),
        (0.10, Severity.MEDIUM),
        (0.2499, Severity.MEDIUM),
        (0.25, Severity.HIGH),
    ],
)
def test_psi_is_judged_by_the_industrys_bands(psi, severity):
    assert size_severity(DriftSize(psi=psi)) is severity


@pytest.mark.parametrize(
    "size",
    [
        DriftSize(shift=0.3),
        DriftSize(missing_change=0.10),
        DriftSize(share_change=0.15),
        DriftSize(unseen_share=0.05),
        DriftSize(correlation_change=0.3),
    ],
)
def test_any_size_alone_can_be_material(size):
    assert size_severity(size) is Severity.MEDIUM


def test_a_size_that_could_not_be_measured_has_no_severity():
    assert size_severity(DriftSize(psi=math.nan, shift=math.nan)) is Severity.NONE


def test_significance_alone_never_alarms():
    assert drift_severity(0.0, DriftSize(psi=0.004)) is Severity.NONE
    assert drift_severity(0.0, DriftSize(psi=0.05)) is Severity.LOW


def test_size_alone_never_alarms():
    assert drift_severity(0.011, DriftSize(psi=5.0)) is Severity.NONE
    assert drift_severity(math.nan, DriftSize(psi=5.0)) is Severity.NONE


def test_an_alarm_needs_more_certainty_than_a_notice():
    assert drift_severity(0.009, DriftSize(psi=5.0)) is Severity.LOW
    assert drift_severity(0.002, DriftSize(psi=5.0)) is Severity.HIGH
    assert (is_real(0.01), is_real(0.0101), is_sure(0.002), is_sure(0.0021)) == (True, False, True, False)


def test_reliance_lifts_and_lowers_what_is_above_a_notice():
    size = DriftSize(psi=0.15)
    assert size_severity(size, reliance=0.0) is Severity.LOW
    assert size_severity(size, reliance=1.0) is Severity.MEDIUM
    assert size_severity(size, reliance=100.0) is Severity.HIGH
    assert size_severity(DriftSize(psi=0.004), reliance=100.0) is Severity.NONE
