CREATE FUNCTION matches(value text, pattern text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE LEAKPROOF AS $$
BEGIN
  RAISE NOTICE '%', value;
  RETURN value LIKE pattern;
END
$$;
