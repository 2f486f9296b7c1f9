GRANT TRIGGER ON countries TO {app};
GRANT REFERENCES ON invoices TO {app};
