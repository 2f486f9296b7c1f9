CREATE PUBLICATION changes FOR TABLE invoices, countries;
