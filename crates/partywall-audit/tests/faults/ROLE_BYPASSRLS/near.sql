-- The attribute of a role that the application does not reach.
CREATE ROLE {support} LOGIN BYPASSRLS;
GRANT SELECT ON invoices TO {support};
GRANT USAGE ON SCHEMA public TO {support};
