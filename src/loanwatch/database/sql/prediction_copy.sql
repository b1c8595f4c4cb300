-- Decisions of a batch, as CSV.
COPY loanwatch.prediction (
    decided_at, contract, model_id, model_name, model_version, source, request_id,
    application_id, prediction, probability, inputs, reasons
) FROM STDIN (FORMAT csv)
