CREATE FUNCTION use_tenant(tenant uuid) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  PERFORM set_config('app.tenant_id', tenant::text, true);
  -- What is for the session is no context.
  PERFORM set_config('app.request_id', gen_random_uuid()::text, false);
END $$;
