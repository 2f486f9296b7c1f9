SET ROLE {owner};
CREATE TABLE audit_log (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL,
  what text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON audit_log USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON audit_log TO {app};
RESET ROLE;
-- It writes more than the application may, for the row's own tenant.
CREATE FUNCTION log_invoice() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  INSERT INTO audit_log (tenant_id, invoice_id, what) VALUES (NEW.tenant_id, NEW.id, TG_OP);
  UPDATE customers SET email = lower(email) WHERE tenant_id = NEW.tenant_id AND id = NEW.customer_id;
  RETURN NEW;
END
$$;
CREATE TRIGGER log AFTER INSERT OR UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION log_invoice();
-- With the rights of whoever writes.
CREATE FUNCTION tidy_note() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
  NEW.note := trim(NEW.note);
  PERFORM 1 FROM invoices WHERE id = NEW.id;
  RETURN NEW;
END
$$;
CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION tidy_note();
