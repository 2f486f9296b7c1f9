-- Numbers without gaps, counted for each tenant by itself.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON tenants TO {app};
CREATE TABLE counters (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  name text NOT NULL,
  value bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, name)
);
CREATE TABLE invoices (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  number bigint NOT NULL,
  note text NOT NULL,
  PRIMARY KEY (tenant_id, number)
);
ALTER TABLE counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE counters FORCE ROW LEVEL SECURITY;
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON counters USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY own ON invoices USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE FUNCTION next_number(counter text) RETURNS bigint LANGUAGE sql VOLATILE SET search_path = '' AS $$
  UPDATE public.counters SET value = value + 1 WHERE name = counter RETURNING value
$$;
GRANT SELECT, INSERT, UPDATE ON counters TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices TO {app};
