-- One table for the trail in every module; here only a name differs.
ALTER TABLE audit RENAME COLUMN at TO recorded_at;
CREATE INDEX audit_newest ON audit (recorded_at DESC, id DESC);
