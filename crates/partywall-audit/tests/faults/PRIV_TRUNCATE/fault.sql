GRANT TRUNCATE ON customers, invoices TO {app};
