"""NannyML's univariate drift over ten chunks, with its plot."""

import sys

import nannyml
import pandas as pd

reference, current, page = sys.argv[1:]
before, after = pd.read_parquet(reference), pd.read_parquet(current)
calculator = nannyml.UnivariateDriftCalculator(column_names=list(before.columns), chunk_number=10)
found = calculator.fit(before).calculate(after)
found.plot().write_html(page)
