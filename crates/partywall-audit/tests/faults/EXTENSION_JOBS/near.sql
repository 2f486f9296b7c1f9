-- pg_cron is not at hand: its table is, as far as it is read.
CREATE SCHEMA cron;
CREATE TABLE cron.job (
  jobid bigint PRIMARY KEY,
  schedule text NOT NULL,
  command text NOT NULL,
  database text NOT NULL DEFAULT current_database(),
  username text NOT NULL DEFAULT current_user,
  active boolean NOT NULL DEFAULT true
);
-- Housekeeping, another table, a job of a role that the policies hold, and one that does not run.
INSERT INTO cron.job (jobid, schedule, command) VALUES
  (1, '0 3 * * *', 'VACUUM ANALYZE public.invoices'),
  (2, '0 4 * * *', 'DELETE FROM public.countries WHERE name = ''invoices''');
INSERT INTO cron.job (jobid, schedule, command, username, active) VALUES
  (3, '0 5 * * *', 'UPDATE public.invoices SET status = ''overdue''', '{app}', true),
  (4, '0 6 * * *', 'DELETE FROM public.invoices', current_user, false);
