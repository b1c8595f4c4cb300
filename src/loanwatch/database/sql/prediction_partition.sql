-- Makes sure that the month of a moment has a partition.
SELECT loanwatch.ensure_prediction_partition(%(moment)s)
