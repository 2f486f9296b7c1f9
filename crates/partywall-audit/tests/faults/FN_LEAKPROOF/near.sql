CREATE FUNCTION matches(value text, pattern text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN value LIKE pattern;
END
$$;
-- Nobody of the application's may call it.
CREATE FUNCTION same(value text, other text) RETURNS boolean
LANGUAGE sql IMMUTABLE LEAKPROOF AS 'SELECT value = other';
REVOKE EXECUTE ON FUNCTION same(text, text) FROM PUBLIC;
