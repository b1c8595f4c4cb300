-- What stood after each window, so that a new one is taken up without going through all before it; and other subjects by
-- which a change may be known.

ALTER TABLE loanwatch.verdict
    ADD COLUMN also text[] NOT NULL DEFAULT '{}',
    ADD COLUMN standing jsonb;

COMMENT ON COLUMN loanwatch.verdict.also IS 'Other subjects by which the same change may be known';
COMMENT ON COLUMN loanwatch.verdict.standing IS 'In the row without rule and subject: all verdicts after the window; empty until it is worked out';
