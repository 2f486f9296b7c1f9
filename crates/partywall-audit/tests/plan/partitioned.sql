-- Partitions of two levels, one with its own column and one by way of a parent.
CREATE ROLE {app} LOGIN PASSWORD 'secret';
GRANT USAGE ON SCHEMA public TO {app};
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE devices (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES tenants (id)
);
CREATE TABLE events (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  at date NOT NULL,
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY HASH (id);
CREATE TABLE events_2026_0 PARTITION OF events_2026 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE events_2026_1 PARTITION OF events_2026 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE readings (
  device_id uuid NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  at date NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (device_id, at)
) PARTITION BY RANGE (at);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
GRANT SELECT ON tenants TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON devices, events, events_2025, readings TO {app};
INSERT INTO tenants VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'acme'), ('bbbbbbbb-0000-0000-0000-000000000000', 'globex');
INSERT INTO devices (tenant_id) SELECT id FROM tenants;
INSERT INTO events (tenant_id, at) SELECT id, d FROM tenants, generate_series('2025-06-01'::date, '2026-06-01'::date, '1 month') d;
INSERT INTO readings SELECT id, d, 1 FROM devices, generate_series('2025-06-01'::date, '2026-06-01'::date, '1 month') d;
