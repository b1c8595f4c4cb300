-- What `migrate` needs before the first migration can be recorded.
-- A schema that an administrator made for us takes no right to create one, nor to comment on it.
DO $$
BEGIN
    IF to_regnamespace('loanwatch') IS NULL THEN
        CREATE SCHEMA loanwatch;
        COMMENT ON SCHEMA loanwatch IS 'Runs, models, metrics and alerts of loanwatch';
    END IF;
END
$$;

CREATE TABLE IF NOT EXISTS loanwatch.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE loanwatch.migration IS 'The numbered SQL files that made this schema';
COMMENT ON COLUMN loanwatch.migration.number IS 'Number at the start of the file name';
COMMENT ON COLUMN loanwatch.migration.name IS 'File name without .sql';
COMMENT ON COLUMN loanwatch.migration.checksum IS 'SHA-256 of the file: an applied file must not change';
COMMENT ON COLUMN loanwatch.migration.applied_at IS 'When it was applied';
