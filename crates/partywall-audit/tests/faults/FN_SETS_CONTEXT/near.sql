CREATE FUNCTION demo_total() RETURNS bigint LANGUAGE sql STABLE
  SET app.tenant_id = 'bbbbbbbb-0000-0000-0000-000000000000' SET search_path = ''
  AS 'SELECT count(*) FROM public.invoices';
REVOKE EXECUTE ON FUNCTION demo_total() FROM PUBLIC;
-- Sets what its caller says, which its caller could do as well; and nothing at all.
CREATE FUNCTION enter(tenant uuid) RETURNS void LANGUAGE plpgsql SET search_path = ''
  AS $$ BEGIN PERFORM set_config('app.tenant_id', tenant::text, true); END $$;
CREATE FUNCTION outside() RETURNS bigint LANGUAGE sql STABLE SET app.tenant_id = '' SET search_path = ''
  AS 'SELECT count(*) FROM public.invoices';
