-- prove: read
-- Another schema than public, where scans often do not look.
CREATE SCHEMA billing AUTHORIZATION {owner};
GRANT USAGE ON SCHEMA billing TO {app};
SET ROLE {owner};
CREATE TABLE billing.payments (
  tenant_id uuid NOT NULL REFERENCES public.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  cents bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
GRANT SELECT, INSERT ON billing.payments TO {app};
RESET ROLE;
INSERT INTO billing.payments (tenant_id, cents) VALUES
  ('aaaaaaaa-0000-0000-0000-000000000000', 100), ('bbbbbbbb-0000-0000-0000-000000000000', 200);
