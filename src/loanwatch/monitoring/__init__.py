"""Checks of a window of applications against the deployed model's reference."""

from loanwatch.monitoring.comparison import Comparison, Swap, compare_champion
from loanwatch.monitoring.policy import Action, Decision, decide, halt_reasons
from loanwatch.monitoring.profile import Profile, ProfileEdges, profile_by_day, profile_window
from loanwatch.monitoring.result import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.monitoring.scored_window import ScoredWindow

__all__ = [
    "Action",
    "CheckReport",
    "Comparison",
    "Decision",
    "Finding",
    "Measurement",
    "Profile",
    "ProfileEdges",
    "ScoredWindow",
    "Severity",
    "Status",
    "Swap",
    "compare_champion",
    "decide",
    "halt_reasons",
    "profile_by_day",
    "profile_window",
]
