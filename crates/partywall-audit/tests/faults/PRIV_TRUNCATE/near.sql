-- On a table of nobody's, and on one that another role empties.
CREATE ROLE {janitor};
GRANT TRUNCATE ON countries TO {app};
GRANT TRUNCATE ON invoices TO {janitor};
