-- adds: POLICY_TRUE
-- What the anonymous role may read, everybody may.
CREATE POLICY anonymous ON api.todos FOR SELECT TO {web_anon} USING (true);
