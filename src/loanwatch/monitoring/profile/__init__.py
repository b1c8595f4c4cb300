"""Mergeable profiles: read each window once, keep counts, compare any two."""

from loanwatch.monitoring.profile.absent import REASONS
from loanwatch.monitoring.profile.build import CORRELATED_ROWS, profile_by_day, profile_window
from loanwatch.monitoring.profile.categorical import CategoricalProfile
from loanwatch.monitoring.profile.days import dispersions
from loanwatch.monitoring.profile.edges import CategoricalEdges, NumericEdges, ProfileEdges
from loanwatch.monitoring.profile.merged import merge_profiles
from loanwatch.monitoring.profile.moments import ScoreMoments
from loanwatch.monitoring.profile.numeric import NumericProfile
from loanwatch.monitoring.profile.packed import pack, summary_of, unpack
from loanwatch.monitoring.profile.profile import ColumnProfile, Profile

__all__ = [
    "CORRELATED_ROWS",
    "REASONS",
    "CategoricalEdges",
    "CategoricalProfile",
    "ColumnProfile",
    "NumericEdges",
    "NumericProfile",
    "Profile",
    "ProfileEdges",
    "ScoreMoments",
    "dispersions",
    "merge_profiles",
    "pack",
    "profile_by_day",
    "profile_window",
    "summary_of",
    "unpack",
]
