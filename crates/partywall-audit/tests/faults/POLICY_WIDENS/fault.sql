-- prove: read
CREATE POLICY published ON invoices FOR SELECT USING (status = 'published');
