-- Citus: the tenant leads every key, ids are given by the application, policies are plain comparisons.
CREATE TABLE companies (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE campaigns (
  company_id bigint NOT NULL REFERENCES companies (id),
  id bigint NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (company_id, id)
);
CREATE TABLE ads (
  company_id bigint NOT NULL REFERENCES companies (id),
  id bigint NOT NULL,
  campaign_id bigint NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (company_id, id),
  FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id)
);
CREATE TABLE clicks (
  company_id bigint NOT NULL REFERENCES companies (id),
  id bigint NOT NULL,
  ad_id bigint NOT NULL,
  clicked_at timestamptz NOT NULL,
  PRIMARY KEY (company_id, id),
  FOREIGN KEY (company_id, ad_id) REFERENCES ads (company_id, id)
);
CREATE TABLE geo_ips (range_start bigint PRIMARY KEY, country text NOT NULL);
ALTER TABLE companies ENABLE ROW LEVEL SECURITY;
ALTER TABLE companies FORCE ROW LEVEL SECURITY;
ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaigns FORCE ROW LEVEL SECURITY;
ALTER TABLE ads ENABLE ROW LEVEL SECURITY;
ALTER TABLE ads FORCE ROW LEVEL SECURITY;
ALTER TABLE clicks ENABLE ROW LEVEL SECURITY;
ALTER TABLE clicks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON companies USING (id = NULLIF(current_setting('app.company', true), '')::bigint);
CREATE POLICY tenant ON campaigns USING (company_id = NULLIF(current_setting('app.company', true), '')::bigint);
CREATE POLICY tenant ON ads USING (company_id = NULLIF(current_setting('app.company', true), '')::bigint);
CREATE POLICY tenant ON clicks USING (company_id = NULLIF(current_setting('app.company', true), '')::bigint);
GRANT SELECT ON companies, geo_ips TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON campaigns, ads, clicks TO {app};
