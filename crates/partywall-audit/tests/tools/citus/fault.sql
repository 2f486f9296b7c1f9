-- adds: FK_CROSS_TENANT
-- A reference that left the company out: the referenced key alone is unique by an index of its own.
SET ROLE {owner};
CREATE TABLE impressions (
  company_id bigint NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  campaign_company bigint NOT NULL,
  campaign_id bigint NOT NULL,
  PRIMARY KEY (company_id, id),
  FOREIGN KEY (campaign_company, campaign_id) REFERENCES campaigns (company_id, id)
);
ALTER TABLE impressions ENABLE ROW LEVEL SECURITY;
CREATE POLICY company ON impressions USING (company_id = NULLIF(current_setting('app.company_id', true), '')::bigint);
GRANT SELECT, INSERT ON impressions TO {app};
