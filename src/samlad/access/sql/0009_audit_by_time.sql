-- The audit log is read newest first; without this each page of it sorts everything that was ever done.
CREATE INDEX audit_entry_at ON audit_entry (at, id);
