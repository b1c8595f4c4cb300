-- Profiles of days as exact bytes, and what each window said of each column, so that a change is told once.

-- ---------------------------------------------------------------- profiles

DROP INDEX loanwatch.profile_day_key;

ALTER TABLE loanwatch.profile
    ADD COLUMN starts_at timestamptz,
    ADD COLUMN ends_at timestamptz,
    ADD COLUMN run_id bigint REFERENCES loanwatch.run ON DELETE SET NULL,
    ADD COLUMN content bytea;

UPDATE loanwatch.profile
SET starts_at = day::timestamp AT TIME ZONE 'UTC', ends_at = (day + 1)::timestamp AT TIME ZONE 'UTC';

ALTER TABLE loanwatch.profile
    ALTER COLUMN starts_at SET NOT NULL,
    ALTER COLUMN ends_at SET NOT NULL,
    ALTER COLUMN content SET STORAGE EXTERNAL,  -- it is compressed already
    ADD CONSTRAINT profile_part_check CHECK (
        day::timestamp AT TIME ZONE 'UTC' <= starts_at AND starts_at < ends_at
        AND ends_at <= (day + 1)::timestamp AT TIME ZONE 'UTC'
    );

CREATE UNIQUE INDEX profile_part_key ON loanwatch.profile (contract, coalesce(model_id, 0), starts_at);
CREATE INDEX profile_model_idx ON loanwatch.profile (model_id);
CREATE INDEX profile_run_idx ON loanwatch.profile (run_id);

COMMENT ON TABLE loanwatch.profile IS 'Mergeable counts of one day of applications, or of the part of it that a window held';
COMMENT ON COLUMN loanwatch.profile.payload IS 'Rows, missing values, mean and extremes of each column, to look at';
COMMENT ON COLUMN loanwatch.profile.starts_at IS 'First moment of the part of the day';
COMMENT ON COLUMN loanwatch.profile.ends_at IS 'First moment after it';
COMMENT ON COLUMN loanwatch.profile.run_id IS 'The run that profiled it last';
COMMENT ON COLUMN loanwatch.profile.content IS 'All counts and sums over the bins of the model''s reference, compressed';

-- ---------------------------------------------------------------- verdicts

CREATE TABLE loanwatch.verdict (
    model_id bigint NOT NULL REFERENCES loanwatch.ml_model ON DELETE CASCADE,
    check_name text NOT NULL,
    rule text NOT NULL,
    subject text NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    run_id bigint REFERENCES loanwatch.run ON DELETE SET NULL,
    severity text NOT NULL,
    lingering text NOT NULL DEFAULT 'none',
    PRIMARY KEY (model_id, check_name, window_end, window_start, rule, subject),
    CONSTRAINT verdict_window_check CHECK (window_start < window_end),
    CONSTRAINT verdict_severity_check CHECK (severity IN ('none', 'low', 'medium', 'high', 'critical')),
    CONSTRAINT verdict_lingering_check CHECK (lingering IN ('none', 'low', 'medium', 'high', 'critical'))
);

CREATE INDEX verdict_run_idx ON loanwatch.verdict (run_id);

COMMENT ON TABLE loanwatch.verdict IS 'What a check said of a window on its own; a row without rule and subject says that it was made';
COMMENT ON COLUMN loanwatch.verdict.model_id IS 'The model that was deployed: another one starts anew';
COMMENT ON COLUMN loanwatch.verdict.check_name IS 'data_quality, data_drift, model_drift or concept_drift';
COMMENT ON COLUMN loanwatch.verdict.rule IS 'The rule of the check: data_drift.univariate …';
COMMENT ON COLUMN loanwatch.verdict.subject IS 'The column, or dataset, label, score';
COMMENT ON COLUMN loanwatch.verdict.window_start IS 'First moment of the window';
COMMENT ON COLUMN loanwatch.verdict.window_end IS 'First moment after it';
COMMENT ON COLUMN loanwatch.verdict.run_id IS 'The run that judged it last';
COMMENT ON COLUMN loanwatch.verdict.severity IS 'Severity by the thresholds';
COMMENT ON COLUMN loanwatch.verdict.lingering IS 'Severity by the lower thresholds below which a standing verdict is left';

CREATE TABLE loanwatch.verdict_state (
    model_id bigint NOT NULL REFERENCES loanwatch.ml_model ON DELETE CASCADE,
    check_name text NOT NULL,
    rule text NOT NULL,
    subject text NOT NULL,
    severity text NOT NULL,
    since timestamptz,
    last_seen timestamptz NOT NULL,
    window_count integer NOT NULL,
    well_windows integer NOT NULL,
    PRIMARY KEY (model_id, check_name, rule, subject),
    CONSTRAINT verdict_state_severity_check CHECK (severity IN ('none', 'low', 'medium', 'high', 'critical')),
    CONSTRAINT verdict_state_since_check CHECK ((severity = 'none') = (since IS NULL))
);

COMMENT ON TABLE loanwatch.verdict_state IS 'What stands after the newest window: the verdicts of all windows in order, with hysteresis';
COMMENT ON COLUMN loanwatch.verdict_state.model_id IS 'The model';
COMMENT ON COLUMN loanwatch.verdict_state.check_name IS 'data_quality, data_drift, model_drift or concept_drift';
COMMENT ON COLUMN loanwatch.verdict_state.rule IS 'The rule of the check';
COMMENT ON COLUMN loanwatch.verdict_state.subject IS 'The column, or dataset, label, score';
COMMENT ON COLUMN loanwatch.verdict_state.severity IS 'none once enough windows in a row were well';
COMMENT ON COLUMN loanwatch.verdict_state.since IS 'Start of the window in which it was first seen; empty when it does not stand';
COMMENT ON COLUMN loanwatch.verdict_state.last_seen IS 'End of the last window in which it was seen';
COMMENT ON COLUMN loanwatch.verdict_state.window_count IS 'Windows it has stood for';
COMMENT ON COLUMN loanwatch.verdict_state.well_windows IS 'Windows in a row that spoke for less, or for nothing';
