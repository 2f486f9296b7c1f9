-- app: app
-- finds:
-- Citus: the tables of its tutorial for multi-tenant applications, distributed by company, with row-level security as its
-- documents advise it and the company in a setting.
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {app} LOGIN PASSWORD 'secret';
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {app};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
SET ROLE {owner};
CREATE TABLE companies (
  id bigint NOT NULL PRIMARY KEY,
  name text NOT NULL,
  image_url text,
  created_at timestamp without time zone NOT NULL,
  updated_at timestamp without time zone NOT NULL
);
CREATE TABLE campaigns (
  id bigint NOT NULL,
  company_id bigint NOT NULL REFERENCES companies (id),
  name text NOT NULL,
  cost_model text NOT NULL,
  state text NOT NULL,
  monthly_budget bigint,
  PRIMARY KEY (company_id, id)
);
CREATE TABLE ads (
  id bigint NOT NULL,
  company_id bigint NOT NULL,
  campaign_id bigint NOT NULL,
  name text NOT NULL,
  image_url text,
  PRIMARY KEY (company_id, id),
  FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id)
);
ALTER TABLE companies ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE ads ENABLE ROW LEVEL SECURITY;
CREATE POLICY company ON companies USING (id = NULLIF(current_setting('app.company_id', true), '')::bigint);
CREATE POLICY company ON campaigns USING (company_id = NULLIF(current_setting('app.company_id', true), '')::bigint);
CREATE POLICY company ON ads USING (company_id = NULLIF(current_setting('app.company_id', true), '')::bigint);
GRANT SELECT ON companies TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON campaigns, ads TO {app};
