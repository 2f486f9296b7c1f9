-- prove: read
-- One careless policy beside the right one.
CREATE POLICY everything ON invoices FOR SELECT USING (true);
