"""Pages for people: a plain summary of a run, and the HTML made of it."""

from loanwatch.reports.render import render_run_report
from loanwatch.reports.summary import CandidateFigures, Headline, HistoryPoint, ModelFigures, RunSummary

__all__ = ["CandidateFigures", "Headline", "HistoryPoint", "ModelFigures", "RunSummary", "render_run_report"]
