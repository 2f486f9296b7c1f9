-- The key alone, and whether something changed.
SET ROLE {owner};
CREATE FUNCTION invoice_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  -- Not row_to_json(NEW): whoever listens would see it.
  IF NEW IS DISTINCT FROM OLD AND NEW.status <> 'draft' THEN
    PERFORM pg_notify('invoices', json_build_object('op', TG_OP, 'id', NEW.id, 'tenant', NEW.tenant_id)::text);
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER invoice_changed AFTER INSERT OR UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION invoice_changed();
RESET ROLE;
