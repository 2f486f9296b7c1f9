-- The server of the tests is up to date; which versions are not, the unit tests of `check/privileges/version.rs` say.
-- Here: the view as a database has it that was made after CVE-2024-4317 was closed, with statistics in it.
CREATE STATISTICS public.invoice_statistics (mcv) ON status, note FROM invoices;
