-- The keys that seal contexts. Only the functions that run as the owner read them.
CREATE TABLE partywall.seal_key (
  id text PRIMARY KEY,
  inner_pad bytea NOT NULL,
  outer_pad bytea NOT NULL
);
-- What the catalogues said of each protected object when the schema was last applied.
CREATE TABLE partywall.expected (
  object text NOT NULL,
  aspect text NOT NULL,
  name text NOT NULL,
  definition text NOT NULL,
  PRIMARY KEY (object, aspect, name)
);
-- The declarations that were last applied, as a hash.
CREATE TABLE partywall.applied (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  declarations text NOT NULL,
  sealed boolean NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
-- The statements that made keys and indexes, as hashes: one that changed is made anew.
CREATE TABLE partywall.made (
  object text NOT NULL,
  name text NOT NULL,
  statement text NOT NULL,
  PRIMARY KEY (object, name)
);
