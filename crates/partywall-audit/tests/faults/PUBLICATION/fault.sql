-- prove: cannot: it takes a subscriber
CREATE PUBLICATION changes FOR TABLE invoices, countries;
