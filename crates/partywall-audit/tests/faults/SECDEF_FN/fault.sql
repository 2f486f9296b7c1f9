-- prove: function
CREATE FUNCTION get_invoice(wanted uuid) RETURNS SETOF invoices
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT * FROM invoices WHERE id = wanted
$$;
