-- prove: cannot: it takes the extension
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
INSERT INTO cron.job (jobid, schedule, command) VALUES
  (1, '0 3 * * *', 'UPDATE public.invoices SET status = ''overdue'' WHERE status = ''open''');
