-- Prisma: names in camel case, texts as keys, a table of migrations.
CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, migration_name varchar(255) NOT NULL);
CREATE TABLE "Tenant" (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE "User" (
  id text NOT NULL,
  "tenantId" text NOT NULL REFERENCES "Tenant" (id),
  email text NOT NULL,
  PRIMARY KEY ("tenantId", id),
  UNIQUE ("tenantId", email)
);
CREATE TABLE "Post" (
  id text NOT NULL,
  "tenantId" text NOT NULL REFERENCES "Tenant" (id),
  "authorId" text NOT NULL,
  title text NOT NULL,
  PRIMARY KEY ("tenantId", id),
  FOREIGN KEY ("tenantId", "authorId") REFERENCES "User" ("tenantId", id)
);
ALTER TABLE "Tenant" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "Tenant" FORCE ROW LEVEL SECURITY;
ALTER TABLE "User" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "User" FORCE ROW LEVEL SECURITY;
ALTER TABLE "Post" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "Post" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation_policy ON "Tenant" USING (id = NULLIF(current_setting('app.current_tenant_id', true), '')::text);
CREATE POLICY tenant_isolation_policy ON "User" USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), '')::text);
CREATE POLICY tenant_isolation_policy ON "Post" USING ("tenantId" = NULLIF(current_setting('app.current_tenant_id', true), '')::text);
GRANT SELECT ON "Tenant" TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON "User", "Post" TO {app};
