-- app: authenticated
-- without roles
-- Supabase: rows of a person, by auth.uid().
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {authenticator} LOGIN NOINHERIT PASSWORD 'secret';
CREATE ROLE {authenticated} NOLOGIN NOINHERIT;
CREATE ROLE {service_role} NOLOGIN NOINHERIT BYPASSRLS;
GRANT {authenticated}, {service_role} TO {authenticator};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {authenticated}, {service_role};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
CREATE SCHEMA auth AUTHORIZATION {owner};
GRANT USAGE ON SCHEMA auth TO {authenticated}, {service_role};
SET ROLE {owner};
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text UNIQUE);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
  )::uuid
$$;
CREATE TABLE profiles (
  id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
  full_name text
);
CREATE TABLE todos (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  task text NOT NULL
);
CREATE INDEX ON todos (user_id);
ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE profiles FORCE ROW LEVEL SECURITY;
ALTER TABLE todos ENABLE ROW LEVEL SECURITY;
ALTER TABLE todos FORCE ROW LEVEL SECURITY;
CREATE POLICY "Users can view their own profile." ON profiles FOR SELECT TO {authenticated} USING ((SELECT auth.uid()) = id);
CREATE POLICY "Users can update their own profile." ON profiles FOR UPDATE TO {authenticated}
  USING ((SELECT auth.uid()) = id) WITH CHECK ((SELECT auth.uid()) = id);
CREATE POLICY "Own todos" ON todos TO {authenticated} USING ((SELECT auth.uid()) = user_id) WITH CHECK ((SELECT auth.uid()) = user_id);
GRANT SELECT, UPDATE ON profiles TO {authenticated};
GRANT SELECT, INSERT, UPDATE, DELETE ON todos TO {authenticated};
GRANT SELECT, INSERT, UPDATE, DELETE ON profiles, todos TO {service_role};
