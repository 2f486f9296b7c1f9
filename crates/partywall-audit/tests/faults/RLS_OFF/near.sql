-- Without row-level security, and out of the application's reach: no rights on one, none on the schema of the other.
CREATE SCHEMA internal AUTHORIZATION {owner};
SET ROLE {owner};
CREATE TABLE payments (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  cents bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE TABLE internal.payments (LIKE public.payments INCLUDING ALL);
GRANT SELECT ON internal.payments TO {app};
RESET ROLE;
