-- Not forced, on an owner that is not the application.
ALTER TABLE invoices NO FORCE ROW LEVEL SECURITY;
