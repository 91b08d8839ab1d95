DROP INDEX audit_by_store;
DROP INDEX audit_newest;
ALTER TABLE audit DROP COLUMN hash, DROP COLUMN seq, DROP COLUMN store_id;
ALTER TABLE audit RENAME COLUMN subject_id TO resource_id;
CREATE INDEX audit_resource ON audit (resource_id, recorded_at);
