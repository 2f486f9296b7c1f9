SET ROLE {owner};
CREATE TABLE tax_rates (
  code text PRIMARY KEY,
  percent integer NOT NULL
);
CREATE TABLE units (
  code text PRIMARY KEY,
  name text NOT NULL
);
-- The application cannot delete the ones, and deleting the others changes nothing.
ALTER TABLE invoices
  ADD COLUMN tax_rate text REFERENCES tax_rates (code) ON DELETE SET NULL ON UPDATE CASCADE,
  ADD COLUMN unit text REFERENCES units (code) ON DELETE RESTRICT;
GRANT SELECT ON tax_rates, units TO {app};
RESET ROLE;
