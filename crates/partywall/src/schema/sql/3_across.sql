-- Who took the way across, when, where and why. Nobody but the owner can change or delete a row.
CREATE TABLE partywall.crossing (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  login text NOT NULL DEFAULT session_user,
  application text NOT NULL DEFAULT current_setting('application_name'),
  reason text NOT NULL CHECK (reason <> ''),
  file text NOT NULL,
  line integer NOT NULL
);
CREATE FUNCTION partywall.cross(reason text, file text, line integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
DECLARE
  crossing bigint;
BEGIN
  INSERT INTO partywall.crossing (reason, file, line) VALUES ($1, $2, $3)
  RETURNING id INTO crossing;
  RETURN crossing;
END
$partywall$;
