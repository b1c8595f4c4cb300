"""deepchecks' checks of drift with their HTML; it samples 10,000 to 100,000 rows."""

import sys

import pandas as pd
from deepchecks.tabular import Dataset, Suite
from deepchecks.tabular.checks import FeatureDrift, LabelDrift, MultivariateDrift

reference, current, page = sys.argv[1:]
windows = []
for path in (reference, current):
    frame = pd.read_parquet(path)
    texts = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])]
    windows.append(Dataset(frame, label="label", cat_features=[name for name in texts if name != "label"]))
Suite("drift", FeatureDrift(), LabelDrift(), MultivariateDrift()).run(*windows).save_as_html(page)
