-- prove: trigger
CREATE ROLE {writers};
GRANT TRIGGER ON invoices TO {writers};
GRANT {writers} TO {app};
