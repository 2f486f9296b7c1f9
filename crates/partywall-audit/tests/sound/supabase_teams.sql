-- app: authenticated
-- without roles
-- Supabase: rows of a team, by a function that reads the memberships past their own policies.
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {authenticator} LOGIN NOINHERIT PASSWORD 'secret';
CREATE ROLE {authenticated} NOLOGIN NOINHERIT;
GRANT {authenticated} TO {authenticator};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {authenticated};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
CREATE SCHEMA auth AUTHORIZATION {owner};
CREATE SCHEMA private AUTHORIZATION {owner};
GRANT USAGE ON SCHEMA auth, private TO {authenticated};
SET ROLE {owner};
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text UNIQUE);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
CREATE TABLE teams (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL);
CREATE TABLE team_members (
  team_id uuid NOT NULL REFERENCES teams (id),
  user_id uuid NOT NULL REFERENCES auth.users (id),
  PRIMARY KEY (user_id, team_id)
);
CREATE INDEX ON team_members (team_id);
CREATE TABLE boards (
  team_id uuid NOT NULL REFERENCES teams (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  title text NOT NULL,
  PRIMARY KEY (team_id, id)
);
ALTER TABLE teams ENABLE ROW LEVEL SECURITY;
ALTER TABLE teams FORCE ROW LEVEL SECURITY;
ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_members FORCE ROW LEVEL SECURITY;
ALTER TABLE boards ENABLE ROW LEVEL SECURITY;
ALTER TABLE boards FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.my_teams() RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
  SELECT coalesce(array_agg(m.team_id), '{}') FROM public.team_members m WHERE m.user_id = (SELECT auth.uid())
$$;
CREATE POLICY "Team members" ON team_members FOR SELECT TO {authenticated} USING (user_id = (SELECT auth.uid()));
CREATE POLICY "The owner reads for the function" ON team_members FOR SELECT TO {owner} USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Teams of a member" ON teams FOR SELECT TO {authenticated} USING (id = ANY ((SELECT private.my_teams())::uuid[]));
CREATE POLICY "Boards of a member" ON boards TO {authenticated}
  USING (team_id = ANY ((SELECT private.my_teams())::uuid[])) WITH CHECK (team_id = ANY ((SELECT private.my_teams())::uuid[]));
GRANT SELECT ON teams, team_members TO {authenticated};
GRANT SELECT, INSERT, UPDATE, DELETE ON boards TO {authenticated};
