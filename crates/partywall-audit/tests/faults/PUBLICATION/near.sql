CREATE PUBLICATION reference FOR TABLE countries;
DO $$
BEGIN
  IF current_setting('server_version_num')::int >= 150000 THEN
    EXECUTE 'CREATE PUBLICATION of_acme FOR TABLE invoices WHERE (tenant_id = ''aaaaaaaa-0000-0000-0000-000000000000'')';
  END IF;
END
$$;
