-- prove: cannot: what such a function tells, it tells in its own way
CREATE FUNCTION matches(value text, pattern text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE LEAKPROOF AS $$
BEGIN
  RAISE NOTICE '%', value;
  RETURN value LIKE pattern;
END
$$;
