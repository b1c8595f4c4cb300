"""whylogs' profiles (sketches), drift scores and summary page."""

import sys
from pathlib import Path

import pandas as pd
import whylogs
from whylogs.viz import NotebookProfileVisualizer
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

reference, current, page = sys.argv[1:]
before, after = (whylogs.log(pd.read_parquet(path)).view() for path in (reference, current))
calculate_drift_scores(target_view=after, reference_view=before, with_thresholds=True)
visual = NotebookProfileVisualizer()
visual.set_profiles(target_profile_view=after, reference_profile_view=before)
Path(page).write_text(visual.summary_drift_report().data, encoding="utf-8")
