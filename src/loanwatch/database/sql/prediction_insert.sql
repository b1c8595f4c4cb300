-- Decisions, as a JSON list of spooled records; those that are there already are left as they are.
INSERT INTO loanwatch.prediction (
    decision_id, decided_at, contract, application_id, model_id, model_name, model_version, probability, prediction,
    source, inputs, reasons, request_id, metadata
)
SELECT
    decision_id, decided_at, contract, application_id, model_id, model_name, model_version, probability, prediction,
    source, inputs, coalesce(reasons, '[]'), request_id, coalesce(metadata, '{}')
FROM json_to_recordset(%(records)s::text::json) AS record (
    decision_id uuid, decided_at timestamptz, contract text, application_id text, model_id bigint, model_name text,
    model_version integer, probability double precision, prediction text, source text, inputs jsonb, reasons jsonb,
    request_id text, metadata jsonb
)
ON CONFLICT (decision_id, decided_at) DO NOTHING
