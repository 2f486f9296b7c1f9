-- Names that have to be quoted.
CREATE TABLE "Mandanten" ("Kürzel" text PRIMARY KEY, "Name" text NOT NULL);
CREATE TABLE "Rechnungen ""alt""" (
  "Mandant" text NOT NULL REFERENCES "Mandanten" ("Kürzel"),
  "Nr." bigint NOT NULL,
  "Größe; DROP TABLE x" text,
  PRIMARY KEY ("Mandant", "Nr.")
);
CREATE TABLE "select" (
  "Mandant" text NOT NULL REFERENCES "Mandanten" ("Kürzel"),
  "from" uuid NOT NULL DEFAULT gen_random_uuid(),
  PRIMARY KEY ("Mandant", "from")
);
ALTER TABLE "Mandanten" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "Mandanten" FORCE ROW LEVEL SECURITY;
ALTER TABLE "Rechnungen ""alt""" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "Rechnungen ""alt""" FORCE ROW LEVEL SECURITY;
ALTER TABLE "select" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "select" FORCE ROW LEVEL SECURITY;
CREATE POLICY "Eigene" ON "Mandanten" USING ("Kürzel" = NULLIF(current_setting('firma.mandant', true), ''));
CREATE POLICY "Eigene ""Zeilen""" ON "Rechnungen ""alt""" USING ("Mandant" = NULLIF(current_setting('firma.mandant', true), ''));
CREATE POLICY "where" ON "select" USING ("Mandant" = NULLIF(current_setting('firma.mandant', true), ''));
GRANT SELECT ON "Mandanten" TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON "Rechnungen ""alt""", "select" TO {app};
