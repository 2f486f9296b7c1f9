-- prove: cannot: by design, whoever sets the victim's context is the victim
-- Every plain setting is so: nothing has to be added to the base.
COMMENT ON TABLE invoices IS 'read by a plain setting';
