-- prove: collide
CREATE EXTENSION btree_gist;
SET ROLE {owner};
CREATE TABLE bookings (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  room text NOT NULL,
  during tstzrange NOT NULL,
  PRIMARY KEY (tenant_id, id),
  EXCLUDE USING gist (room WITH =, during WITH &&)
);
ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
ALTER TABLE bookings FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON bookings USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON bookings TO {app};
RESET ROLE;
