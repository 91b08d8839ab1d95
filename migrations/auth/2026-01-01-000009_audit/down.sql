DROP INDEX audit_newest;
ALTER TABLE audit RENAME COLUMN recorded_at TO at;
