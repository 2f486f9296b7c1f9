-- It owns a table of nobody's.
ALTER TABLE countries OWNER TO {app};
