-- prove: cannot: it takes the application's pooler
CREATE FUNCTION use_tenant(tenant uuid) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  PERFORM set_config('app.tenant_id', tenant::text, false);
END $$;
