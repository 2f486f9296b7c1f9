-- adds: RLS_OFF
-- The table that somebody makes next, in the editor of tables, and forgets.
SET ROLE {postgres};
CREATE TABLE notes (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid REFERENCES auth.users NOT NULL,
  body text NOT NULL
);
CREATE INDEX ON notes (user_id);
