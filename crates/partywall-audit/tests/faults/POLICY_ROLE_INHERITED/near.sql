-- The same policy for a role that the application is no member of, and membership in one without such a policy.
CREATE ROLE {reporting};
CREATE ROLE {readers};
CREATE POLICY reports ON invoices FOR SELECT TO {reporting} USING (true);
CREATE POLICY own_again ON invoices FOR SELECT TO {readers}
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON invoices TO {reporting}, {readers};
GRANT USAGE ON SCHEMA public TO {reporting};
GRANT {readers} TO {app};
