"""Checks of a window of applications against the deployed model's reference."""

from loanwatch.monitoring.result import CheckReport, Finding, Measurement, Severity, Status

__all__ = ["CheckReport", "Finding", "Measurement", "Severity", "Status"]
