-- Names that are to be quoted, and names that would do harm if they were not.
CREATE ROLE {app} LOGIN PASSWORD 'secret';
CREATE SCHEMA "Odd ""Schema";
GRANT USAGE ON SCHEMA "Odd ""Schema" TO {app};
CREATE TABLE "Odd ""Schema"."Tenants" ("Id" uuid PRIMARY KEY, "Name" text NOT NULL);
CREATE TABLE "Odd ""Schema"."x'; DROP TABLE y; --" (
  "id$partywall$" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  "Tenant Id" uuid NOT NULL REFERENCES "Odd ""Schema"."Tenants" ("Id"),
  "ON CONFLICT" text NOT NULL UNIQUE
);
CREATE TABLE "Odd ""Schema"."größe ""und"" länge, die weit über das hinausgeht, was bleibt" (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  "the
parent \ id" uuid NOT NULL REFERENCES "Odd ""Schema"."x'; DROP TABLE y; --" ("id$partywall$")
);
CREATE TABLE "Odd ""Schema"."user" (
  "select" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  "from" uuid NOT NULL REFERENCES "Odd ""Schema"."größe ""und"" länge, die weit über das hinausgeht, was bleibt" (id)
);
GRANT SELECT ON "Odd ""Schema"."Tenants" TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON "Odd ""Schema"."x'; DROP TABLE y; --",
  "Odd ""Schema"."größe ""und"" länge, die weit über das hinausgeht, was bleibt", "Odd ""Schema"."user" TO {app};
INSERT INTO "Odd ""Schema"."Tenants" VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'acme');
INSERT INTO "Odd ""Schema"."x'; DROP TABLE y; --" ("Tenant Id", "ON CONFLICT") SELECT "Id", 'x' FROM "Odd ""Schema"."Tenants";
INSERT INTO "Odd ""Schema"."größe ""und"" länge, die weit über das hinausgeht, was bleibt" ("the
parent \ id") SELECT "id$partywall$" FROM "Odd ""Schema"."x'; DROP TABLE y; --";
INSERT INTO "Odd ""Schema"."user" ("from") SELECT id FROM "Odd ""Schema"."größe ""und"" länge, die weit über das hinausgeht, was bleibt";
