-- The last probability that a model gave to each of some applications, online or in a batch.
SELECT DISTINCT ON (application_id) application_id, probability
FROM loanwatch.prediction
WHERE model_id = %(model_id)s AND application_id = ANY(%(application_ids)s)
ORDER BY application_id, decided_at DESC, id DESC
