-- prove: truncate
GRANT TRUNCATE ON customers, invoices TO {app};
