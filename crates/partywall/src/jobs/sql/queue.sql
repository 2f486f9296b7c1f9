-- What no two unfinished jobs of a kind have in common.
CREATE UNIQUE INDEX IF NOT EXISTS job_unique_key ON jobs.job (tenant_id, kind, unique_key)
  WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'waiting', 'running');
CREATE UNIQUE INDEX IF NOT EXISTS global_job_unique_key ON jobs.global_job (job_queue, kind, unique_key)
  WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'waiting', 'running');
-- The walk from tenant to tenant, and within one the job that is to run next.
CREATE INDEX IF NOT EXISTS job_waiting_idx ON jobs.job (kind, tenant_id, priority DESC, due_at, id)
  WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS global_job_waiting_idx ON jobs.global_job (job_queue, kind, priority DESC, due_at, id)
  WHERE state = 'waiting';
-- What comes to be due: a time that has come, a worker that was lost.
CREATE INDEX IF NOT EXISTS job_due_idx ON jobs.job (due_at) WHERE state IN ('scheduled', 'running');
CREATE INDEX IF NOT EXISTS global_job_due_idx ON jobs.global_job (due_at)
  WHERE state IN ('scheduled', 'running');
CREATE INDEX IF NOT EXISTS job_lease_idx ON jobs.job (lease) WHERE state = 'running';
CREATE INDEX IF NOT EXISTS job_running_idx ON jobs.job (tenant_id) WHERE state = 'running';
CREATE INDEX IF NOT EXISTS job_ended_idx ON jobs.job (ended_at) WHERE state IN ('done', 'cancelled');
CREATE INDEX IF NOT EXISTS job_listed_idx ON jobs.job (tenant_id, state, id DESC);

-- Only the functions below run as the owner. A worker asks them which jobs are due, whoever's they
-- are: they tell ids, and the jobs themselves are then read in their tenants' scopes.
--
-- Each statement in them goes along one index and stops early. A planner that has counted a hundred
-- thousand jobs of one tenant would rather read all of them, so it is left no choice.
DROP POLICY IF EXISTS partywall_claim ON jobs.job;
CREATE POLICY partywall_claim ON jobs.job FOR UPDATE TO CURRENT_USER USING (true) WITH CHECK (true);
DROP POLICY IF EXISTS partywall_tidy ON jobs.job;
CREATE POLICY partywall_tidy ON jobs.job FOR DELETE TO CURRENT_USER
  USING (state IN ('done', 'cancelled'));

DROP FUNCTION IF EXISTS partywall.jobs_claim(text[], integer[], boolean[], integer, integer, integer, uuid);
-- Gives a worker up to `total` jobs, and of each kind no more than it has room for. Tenants take
-- turns, one job each, beginning behind `after`: however many jobs one has, the others wait for one
-- of it at most. The last row has no id: it tells the tenant to begin behind the next time, and in
-- `attempt` whether the walk was cut short.
CREATE FUNCTION partywall.jobs_claim(
  kinds text[], room integer[], anyway boolean[], total integer, each_tenant integer,
  lease_ms integer, after uuid)
RETURNS TABLE (tenant_id uuid, id uuid, kind text, attempt integer, lease uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $partywall$
#variable_conflict use_column
DECLARE
  nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  here uuid := coalesce(after, nobody);
  is_whole boolean := here = nobody;
  is_idle boolean := true;
  is_suspended boolean;
  steps integer := 0;
  found_tenant uuid;
  found_id uuid;
  found_kind text;
BEGIN
  -- A time that has come, and a lease that ran out because its worker is gone.
  UPDATE jobs.job j SET state = 'waiting', lease = NULL
  FROM (SELECT d.tenant_id, d.id FROM jobs.job d
        WHERE d.state IN ('scheduled', 'running') AND d.due_at <= clock_timestamp()
        ORDER BY d.due_at LIMIT 1000 FOR UPDATE SKIP LOCKED) AS due
  WHERE j.tenant_id = due.tenant_id AND j.id = due.id;
  LOOP
    EXIT WHEN total <= 0 OR steps >= 1000;
    steps := steps + 1;
    SELECT min(next.tenant_id::text)::uuid INTO found_tenant
    FROM unnest(kinds, room) AS k (kind, room)
    CROSS JOIN LATERAL (
      SELECT j.kind, j.tenant_id FROM jobs.job j
      WHERE j.state = 'waiting' AND (j.kind, j.tenant_id) > (k.kind, here)
      ORDER BY j.kind, j.tenant_id LIMIT 1) AS next
    WHERE k.room > 0 AND next.kind = k.kind;
    IF found_tenant IS NULL THEN
      -- The end of the row. A whole round that gave nothing is the last.
      EXIT WHEN is_whole AND is_idle;
      here := nobody;
      is_whole := true;
      is_idle := true;
      CONTINUE;
    END IF;
    here := found_tenant;
    SELECT t.suspended_at IS NOT NULL INTO is_suspended FROM identity.tenant t
    WHERE t.id = here AND t.delete_after IS NULL;
    CONTINUE WHEN NOT FOUND;
    IF each_tenant IS NOT NULL THEN
      -- Two workers that count at once would both find room.
      CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtextextended('partywall.jobs ' || here::text, 0));
      CONTINUE WHEN each_tenant <=
        (SELECT count(*) FROM jobs.job j WHERE j.tenant_id = here AND j.state = 'running');
    END IF;
    SELECT one.id, k.kind INTO found_id, found_kind
    FROM unnest(kinds, room, anyway) AS k (kind, room, anyway)
    CROSS JOIN LATERAL (
      SELECT j.id, j.priority, j.due_at FROM jobs.job j
      WHERE j.state = 'waiting' AND j.kind = k.kind AND j.tenant_id = here
      ORDER BY j.priority DESC, j.due_at, j.id LIMIT 1 FOR UPDATE SKIP LOCKED) AS one
    WHERE k.room > 0 AND (k.anyway OR NOT is_suspended)
    ORDER BY one.priority DESC, one.due_at, one.id LIMIT 1;
    CONTINUE WHEN NOT FOUND;
    UPDATE jobs.job j
    SET state = 'running', lease = gen_random_uuid(), attempts = j.attempts + 1,
        due_at = clock_timestamp() + interval '1 millisecond' * lease_ms
    WHERE j.tenant_id = here AND j.id = found_id
    RETURNING j.attempts, j.lease INTO attempt, lease;
    tenant_id := here;
    id := found_id;
    kind := found_kind;
    RETURN NEXT;
    is_idle := false;
    total := total - 1;
    room[array_position(kinds, found_kind)] := room[array_position(kinds, found_kind)] - 1;
  END LOOP;
  tenant_id := here;
  id := NULL;
  kind := NULL;
  lease := NULL;
  attempt := CASE WHEN steps >= 1000 THEN 1 ELSE 0 END;
  RETURN NEXT;
END
$partywall$;

DROP FUNCTION IF EXISTS partywall.jobs_beat(uuid[], integer);
-- A worker is still there: its leases last for another while. Tells which; that of a job that was
-- cancelled, given away or is a deleted tenant's is not among them.
CREATE FUNCTION partywall.jobs_beat(leases uuid[], lease_ms integer) RETURNS TABLE (lease uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $partywall$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  UPDATE jobs.job j SET due_at = clock_timestamp() + interval '1 millisecond' * lease_ms
  FROM identity.tenant t
  WHERE j.lease = ANY (leases) AND j.state = 'running' AND t.id = j.tenant_id AND t.delete_after IS NULL
  RETURNING j.lease;
END
$partywall$;

DROP FUNCTION IF EXISTS partywall.jobs_tidy(integer);
-- Removes up to a thousand jobs that ended well or were cancelled, and tells how many. What was given
-- up stays.
CREATE FUNCTION partywall.jobs_tidy(keep_seconds integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $partywall$
DECLARE
  removed bigint;
BEGIN
  DELETE FROM jobs.job j
  USING (SELECT d.tenant_id, d.id FROM jobs.job d
         WHERE d.state IN ('done', 'cancelled')
           AND d.ended_at < clock_timestamp() - interval '1 second' * keep_seconds
         ORDER BY d.ended_at LIMIT 1000) AS old
  WHERE j.tenant_id = old.tenant_id AND j.id = old.id;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
$partywall$;

-- Ends a job in the transaction of its own work, in the scope of its tenant. Tells whether the lease
-- still holds.
CREATE OR REPLACE FUNCTION partywall.jobs_done(job uuid, held uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  UPDATE jobs.job j SET state = 'done', lease = NULL, error = NULL, ended_at = clock_timestamp()
  WHERE j.tenant_id = partywall.tenant() AND j.id = job AND j.lease = held
    AND j.state = 'running';
  RETURN FOUND;
END
$partywall$;

REVOKE ALL ON FUNCTION
  partywall.jobs_claim(text[], integer[], boolean[], integer, integer, integer, uuid),
  partywall.jobs_beat(uuid[], integer), partywall.jobs_tidy(integer),
  partywall.jobs_done(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  partywall.jobs_claim(text[], integer[], boolean[], integer, integer, integer, uuid),
  partywall.jobs_beat(uuid[], integer), partywall.jobs_tidy(integer) TO {identity};
GRANT EXECUTE ON FUNCTION partywall.jobs_done(uuid, uuid) TO {app};
