-- prove: read
CREATE ROLE {reporting};
CREATE POLICY reports ON invoices FOR SELECT TO {reporting} USING (true);
GRANT SELECT ON invoices TO {reporting};
GRANT USAGE ON SCHEMA public TO {reporting};
GRANT {reporting} TO {app};
