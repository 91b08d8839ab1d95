DROP INDEX audit_by_store;
DROP INDEX audit_newest;
ALTER TABLE audit DROP COLUMN hash, DROP COLUMN seq, ALTER COLUMN store_id SET NOT NULL;
ALTER TABLE audit RENAME COLUMN recorded_at TO at;
CREATE INDEX audit_by_subject ON audit (subject_id, at);
