-- prove: alter
-- Forced, so that reading is held back; but an owner can change that.
ALTER TABLE invoices OWNER TO {app};
