-- Behind what makes tenants and people: their notes, written in turn, and a comment below a topic in each tenant.
SET session_replication_role = replica;
INSERT INTO note (id, tenant_id, title, body, created_at)
  SELECT (lpad(to_hex({beginning} + n), 12, '0') || '7' || substr(md5(n::text), 1, 3) || 'a' || substr(md5(n::text), 4, 15))::uuid,
         tenants.id, 'Note ' || n / {tenants} || ' of tenant ' || n % {tenants},
         'Some hundred characters of text, as people write them down when they have something to remember, ' || n,
         to_timestamp(({beginning} + n) / 1000.0)
  FROM generate_series(0, {notes} - 1) n
  JOIN (SELECT t, pg_temp.id('tenant', t) AS id FROM generate_series(0, {tenants} - 1) t) tenants ON tenants.t = n % {tenants}
  ORDER BY n;
INSERT INTO topic (id, tenant_id, title)
  SELECT pg_temp.id('topic', t), pg_temp.id('tenant', t), 'Topic of tenant ' || t FROM generate_series(0, {tenants} - 1) t;
INSERT INTO comment_copy (id, topic_id, body, tenant_id)
  SELECT pg_temp.id('comment', t), pg_temp.id('topic', t), 'A remark', pg_temp.id('tenant', t) FROM generate_series(0, {tenants} - 1) t;
RESET session_replication_role;
