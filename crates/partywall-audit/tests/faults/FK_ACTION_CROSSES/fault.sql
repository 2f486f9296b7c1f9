-- prove: cascade
SET ROLE {owner};
CREATE TABLE tax_rates (
  code text PRIMARY KEY,
  percent integer NOT NULL
);
ALTER TABLE invoices ADD COLUMN tax_rate text REFERENCES tax_rates (code) ON DELETE SET NULL;
GRANT SELECT, DELETE ON tax_rates TO {app};
RESET ROLE;
INSERT INTO tax_rates VALUES ('full', 19);
UPDATE invoices SET tax_rate = 'full';
