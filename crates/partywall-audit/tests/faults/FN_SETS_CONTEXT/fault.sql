-- prove: function
-- For the demonstration on the front page.
CREATE FUNCTION demo_total() RETURNS bigint LANGUAGE sql STABLE
  SET app.tenant_id = 'bbbbbbbb-0000-0000-0000-000000000000' SET search_path = ''
  AS 'SELECT count(*) FROM public.invoices';
