-- prove: cannot: by design of the planner
-- The planner samples every column, unless it is told not to.
ANALYZE invoices;
