"""Evidently's data-drift preset with its HTML."""

import sys

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

reference, current, page = sys.argv[1:]
snapshot = Report([DataDriftPreset()]).run(pd.read_parquet(current), pd.read_parquet(reference))
snapshot.save_html(page)
