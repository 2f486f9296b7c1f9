-- prove: side-effect
SET ROLE {owner};
CREATE TABLE comments (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE comments ENABLE ROW LEVEL SECURITY;
ALTER TABLE comments FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON comments USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON comments TO {app};
RESET ROLE;
CREATE FUNCTION touch_invoice() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  UPDATE invoices SET note = 'commented' WHERE id = NEW.invoice_id;
  RETURN NEW;
END
$$;
CREATE TRIGGER touch AFTER INSERT ON comments FOR EACH ROW EXECUTE FUNCTION touch_invoice();
