-- What is unique among all tenants, and what is looked up before anybody knows whose it is.
CREATE UNIQUE INDEX IF NOT EXISTS tenant_slug_key ON identity.tenant (slug);
CREATE UNIQUE INDEX IF NOT EXISTS session_token_key ON identity.session (token_hash);
CREATE UNIQUE INDEX IF NOT EXISTS invitation_token_key ON identity.invitation (token_hash);
CREATE UNIQUE INDEX IF NOT EXISTS api_key_hash_key ON identity.api_key (key_hash);
CREATE UNIQUE INDEX IF NOT EXISTS sign_up_token_key ON identity.sign_up (token_hash);
CREATE UNIQUE INDEX IF NOT EXISTS credential_reset_key ON identity.credential (reset_hash);
CREATE UNIQUE INDEX IF NOT EXISTS credential_user_key ON identity.credential (user_id);
CREATE INDEX IF NOT EXISTS account_user_idx ON identity.account (user_id, tenant_id);
CREATE INDEX IF NOT EXISTS staff_entry_session_idx ON identity.staff_entry (session_id);
CREATE INDEX IF NOT EXISTS outbox_unsent_idx ON identity.outbox (due_at) WHERE sent_at IS NULL;
CREATE INDEX IF NOT EXISTS audit_at_idx ON identity.audit (tenant_id, id DESC);
CREATE INDEX IF NOT EXISTS invitation_email_idx ON identity.invitation (tenant_id, email_key, sent_at);
-- One open invitation for an address and a tenant.
CREATE UNIQUE INDEX IF NOT EXISTS invitation_open_key ON identity.invitation (tenant_id, email_key)
  WHERE accepted_at IS NULL AND revoked_at IS NULL;

-- A host is one tenant's once it is verified; until then anybody may claim it, each once.
CREATE UNIQUE INDEX IF NOT EXISTS domain_host_key ON identity.domain (host) WHERE verified_at IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS domain_claim_key ON identity.domain (tenant_id, host);
CREATE UNIQUE INDEX IF NOT EXISTS domain_token_key ON identity.domain (token);
CREATE INDEX IF NOT EXISTS domain_due_idx ON identity.domain (checked_at) WHERE verified_at IS NOT NULL;

-- The functions below answer to a secret: each takes the hash of one and tells what it opens. They run
-- as the owner, who may read these tables and not write them, and only the identity login may call
-- them. Everything else that this login does has a scope.

DROP FUNCTION IF EXISTS partywall.identity_rights(uuid, uuid);
-- What an account holds: the built-in roles by name, the tenant's own roles by name, and the
-- permissions of these.
CREATE FUNCTION partywall.identity_rights(
  tenant uuid, account uuid, OUT builtins text[], OUT roles text[], OUT permissions text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  WITH RECURSIVE held (role_id) AS (
    (SELECT ar.role_id FROM identity.account_role ar
     WHERE ar.tenant_id = tenant AND ar.account_id = account
     UNION
     SELECT gr.role_id FROM identity.group_member gm
     JOIN identity.group_role gr ON gr.tenant_id = gm.tenant_id AND gr.group_id = gm.group_id
     WHERE gm.tenant_id = tenant AND gm.account_id = account)
    UNION
    SELECT ri.includes_id FROM held
    JOIN identity.role_inclusion ri ON ri.tenant_id = tenant AND ri.role_id = held.role_id
  ), known AS (
    SELECT r.builtin, r.name, r.permissions FROM held
    JOIN identity.role r ON r.tenant_id = tenant AND r.id = held.role_id
  )
  SELECT ARRAY(SELECT DISTINCT k.builtin FROM known k WHERE k.builtin IS NOT NULL ORDER BY 1),
         ARRAY(SELECT DISTINCT k.name FROM known k WHERE k.builtin IS NULL ORDER BY 1),
         ARRAY(SELECT DISTINCT p.name FROM known k, LATERAL unnest(k.permissions) AS p (name)
               UNION
               SELECT ag.permission FROM identity.account_grant ag
               WHERE ag.tenant_id = tenant AND ag.account_id = account
               ORDER BY 1)
  INTO builtins, roles, permissions;
END
$partywall$;

DROP FUNCTION IF EXISTS partywall.identity_session(text, integer, uuid, text);
DROP FUNCTION IF EXISTS partywall.identity_session(text, integer, uuid, text, text);
-- Times are microseconds since 1970, whatever types the application reads times into.
--
-- Who holds the session, and what they are in one tenant: the one with the id, the slug or the
-- verified host, or else that of the current account. No row without a live session of a person who is not deactivated.
CREATE FUNCTION partywall.identity_session(
  token_hash text, idle_seconds integer, wanted_tenant uuid, wanted_slug text, wanted_host text)
RETURNS TABLE (
  session_id uuid, created_at bigint, seen_at bigint, expires_at bigint,
  current_account uuid, current_tenant uuid, confined_to uuid, impersonator uuid,
  user_id uuid, email text, user_name text, is_staff boolean,
  tenant_id uuid, slug text, tenant_name text, seats integer,
  is_suspended boolean, delete_after bigint,
  account_id uuid, account_name text, staff_entry uuid,
  builtins text[], roles text[], permissions text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
DECLARE
  is_current CONSTANT boolean :=
    wanted_tenant IS NULL AND wanted_slug IS NULL AND wanted_host IS NULL;
BEGIN
  -- Found beforehand, so that the plan below is one for all calls and goes by the key.
  IF wanted_tenant IS NULL AND wanted_slug IS NOT NULL THEN
    SELECT t.id INTO wanted_tenant FROM identity.tenant t WHERE t.slug = wanted_slug;
  ELSIF wanted_tenant IS NULL AND wanted_host IS NOT NULL THEN
    SELECT d.tenant_id INTO wanted_tenant FROM identity.domain d
    JOIN identity.tenant t ON t.id = d.tenant_id AND t.delete_after IS NULL
    WHERE d.host = wanted_host AND d.verified_at IS NOT NULL;
  END IF;
  RETURN QUERY
  SELECT s.id, (extract(epoch FROM s.created_at) * 1000000)::bigint, (extract(epoch FROM s.seen_at) * 1000000)::bigint,
         (extract(epoch FROM s.expires_at) * 1000000)::bigint,
         s.current_account, s.current_tenant, s.confined_to, s.impersonator,
         u.id, u.email, u.name, st.user_id IS NOT NULL,
         t.id, t.slug, t.name, t.seats,
         t.suspended_at IS NOT NULL, (extract(epoch FROM t.delete_after) * 1000000)::bigint,
         a.id, a.name, e.id,
         coalesce(rights.builtins, '{}'), coalesce(rights.roles, '{}'), coalesce(rights.permissions, '{}')
  FROM identity.session s
  JOIN identity."user" u ON u.id = s.user_id AND u.deactivated_at IS NULL
  LEFT JOIN identity.staff st ON st.user_id = u.id AND s.impersonator IS NULL
  LEFT JOIN identity.tenant t
    ON t.id = CASE WHEN is_current THEN s.current_tenant ELSE wanted_tenant END
    AND (s.confined_to IS NULL OR t.id = s.confined_to)
  LEFT JOIN identity.account a
    ON a.tenant_id = t.id AND a.user_id = u.id AND a.deactivated_at IS NULL
  LEFT JOIN LATERAL (
    SELECT se.id FROM identity.staff_entry se
    WHERE se.session_id = s.id AND se.tenant_id = t.id AND st.user_id IS NOT NULL
      AND se.ended_at IS NULL AND se.expires_at > now()
    LIMIT 1) e ON a.id IS NULL
  LEFT JOIN LATERAL partywall.identity_rights(t.id, a.id) rights ON a.id IS NOT NULL
  WHERE s.token_hash = identity_session.token_hash
    AND s.expires_at > now() AND s.seen_at > now() - make_interval(secs => idle_seconds)
    -- Acting as somebody ends with the stay in the tenant, with one's own session, and with being staff.
    AND (s.impersonator IS NULL OR EXISTS (
      SELECT 1 FROM identity.session p
      JOIN identity.staff ps ON ps.user_id = p.user_id
      JOIN identity."user" pu ON pu.id = p.user_id AND pu.deactivated_at IS NULL
      JOIN identity.staff_entry pe ON pe.tenant_id = s.confined_to AND pe.session_id = p.id
        AND pe.ended_at IS NULL AND pe.expires_at > now()
      WHERE p.id = s.parked AND p.user_id = s.impersonator AND p.expires_at > now()));
END
$partywall$;

DROP FUNCTION IF EXISTS partywall.identity_key(text, uuid, text);
DROP FUNCTION IF EXISTS partywall.identity_key(text, uuid, text, text);
-- What an API key opens in one tenant: the one with the id, the slug or the verified host, or else its own.
CREATE FUNCTION partywall.identity_key(
  key_hash text, wanted_tenant uuid, wanted_slug text, wanted_host text)
RETURNS TABLE (
  key_id uuid, key_name text, last_used_at bigint, key_permissions text[],
  tenant_id uuid, slug text, tenant_name text, seats integer,
  is_suspended boolean, delete_after bigint,
  account_id uuid, account_name text, user_id uuid,
  builtins text[], permissions text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  RETURN QUERY
  SELECT k.id, k.name, (extract(epoch FROM k.last_used_at) * 1000000)::bigint, k.permissions::text[],
         t.id, t.slug, t.name, t.seats,
         t.suspended_at IS NOT NULL, (extract(epoch FROM t.delete_after) * 1000000)::bigint,
         a.id, a.name, a.user_id,
         coalesce(rights.builtins, '{}'), coalesce(rights.permissions, '{}')
  FROM identity.api_key k
  LEFT JOIN identity.tenant t ON t.id = k.tenant_id
    AND CASE WHEN wanted_tenant IS NOT NULL THEN t.id = wanted_tenant
             WHEN wanted_slug IS NOT NULL THEN t.slug = wanted_slug
             WHEN wanted_host IS NOT NULL THEN t.delete_after IS NULL AND EXISTS (
               SELECT FROM identity.domain d WHERE d.host = wanted_host
               AND d.verified_at IS NOT NULL AND d.tenant_id = t.id)
             ELSE true END
  LEFT JOIN identity.account a ON a.tenant_id = k.tenant_id AND a.id = k.account_id
    AND a.deactivated_at IS NULL
  LEFT JOIN identity."user" u ON u.id = a.user_id AND u.deactivated_at IS NULL
  LEFT JOIN LATERAL partywall.identity_rights(k.tenant_id, a.id) rights ON a.id IS NOT NULL
  WHERE k.key_hash = identity_key.key_hash AND k.revoked_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > now())
    AND (k.account_id IS NULL OR u.id IS NOT NULL);
END
$partywall$;

DROP FUNCTION IF EXISTS partywall.identity_accounts(text, integer, uuid);
-- The accounts of whoever holds the session: all, or the one that is asked for.
CREATE FUNCTION partywall.identity_accounts(token_hash text, idle_seconds integer, wanted uuid)
RETURNS TABLE (
  account_id uuid, account_name text, tenant_id uuid, slug text, tenant_name text,
  is_active boolean, is_suspended boolean, is_deleted boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  RETURN QUERY
  SELECT a.id, a.name, t.id, t.slug, t.name,
         a.deactivated_at IS NULL, t.suspended_at IS NOT NULL, t.delete_after IS NOT NULL
  FROM identity.session s
  JOIN identity."user" u ON u.id = s.user_id AND u.deactivated_at IS NULL
  JOIN identity.account a ON a.user_id = u.id
  JOIN identity.tenant t ON t.id = a.tenant_id
  WHERE s.token_hash = identity_accounts.token_hash
    AND s.expires_at > now() AND s.seen_at > now() - make_interval(secs => idle_seconds)
    AND (s.confined_to IS NULL OR t.id = s.confined_to)
    AND (wanted IS NULL OR a.id = wanted)
  ORDER BY t.name, t.id;
END
$partywall$;

DROP FUNCTION IF EXISTS partywall.identity_first_account(uuid);
-- Where a new session of the person with this address begins: the account that was current last, or
-- the only one. Asked after the password was checked.
CREATE FUNCTION partywall.identity_first_account(wanted_user uuid)
RETURNS TABLE (account_id uuid, tenant_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  IF wanted_user IS DISTINCT FROM partywall."user"() THEN
    RETURN;
  END IF;
  RETURN QUERY
  WITH mine AS (
    SELECT a.id, a.tenant_id, a.id = u.last_account AS was_last
    FROM identity.account a JOIN identity."user" u ON u.id = a.user_id
    JOIN identity.tenant t ON t.id = a.tenant_id
    WHERE a.user_id = wanted_user AND a.deactivated_at IS NULL AND t.suspended_at IS NULL
      AND t.delete_after IS NULL
    ORDER BY a.id = u.last_account DESC NULLS LAST
    LIMIT 2
  )
  SELECT m.id, m.tenant_id FROM mine m
  WHERE m.was_last OR (SELECT count(*) FROM mine) = 1
  LIMIT 1;
END
$partywall$;

DROP FUNCTION IF EXISTS partywall.identity_staff_entries(text, integer, uuid);
-- Where the member of the staff who holds the session is or was, and why: the last hundred, or the
-- one that is asked for.
CREATE FUNCTION partywall.identity_staff_entries(token_hash text, idle_seconds integer, wanted uuid)
RETURNS TABLE (
  entry_id uuid, tenant_id uuid, slug text, tenant_name text, reason text,
  began_at bigint, expires_at bigint, ended_at bigint, is_open boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  RETURN QUERY
  SELECT e.id, t.id, t.slug, t.name, e.reason,
         (extract(epoch FROM e.created_at) * 1000000)::bigint,
         (extract(epoch FROM e.expires_at) * 1000000)::bigint,
         (extract(epoch FROM e.ended_at) * 1000000)::bigint,
         e.session_id = s.id AND e.ended_at IS NULL AND e.expires_at > now()
  FROM identity.session s
  JOIN identity."user" u ON u.id = s.user_id AND u.deactivated_at IS NULL
  JOIN identity.staff st ON st.user_id = u.id AND s.impersonator IS NULL
  JOIN identity.staff_entry e ON e.user_id = u.id
  JOIN identity.tenant t ON t.id = e.tenant_id
  WHERE s.token_hash = identity_staff_entries.token_hash
    AND s.expires_at > now() AND s.seen_at > now() - make_interval(secs => idle_seconds)
    AND (wanted IS NULL OR e.id = wanted)
  ORDER BY e.id DESC
  LIMIT 100;
END
$partywall$;

-- Which tenant and invitation a mailed link is for, be it good or not.
CREATE OR REPLACE FUNCTION partywall.identity_invitation(
  wanted text, OUT tenant_id uuid, OUT id uuid, OUT email_key text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  SELECT i.tenant_id, i.id, i.email_key INTO tenant_id, id, email_key
  FROM identity.invitation i WHERE i.token_hash = wanted;
END
$partywall$;

-- Whose password a mailed link sets anew, be it good or not.
CREATE OR REPLACE FUNCTION partywall.identity_reset(wanted text, OUT email_key text, OUT user_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  SELECT c.email_key, c.user_id INTO email_key, user_id
  FROM identity.credential c WHERE c.reset_hash = wanted;
END
$partywall$;

-- Which address a mailed link shows to be somebody's, be it good or not.
CREATE OR REPLACE FUNCTION partywall.identity_sign_up(wanted text, OUT email_key text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  SELECT s.email_key INTO email_key FROM identity.sign_up s WHERE s.token_hash = wanted;
END
$partywall$;

-- Which tenant has a host verified and no longer its record, for whoever has a claim to the host whose
-- own record is published: they ask by its token. `published` is what the DNS said when it was `asked`;
-- whoever was verified after that is not meant.
CREATE OR REPLACE FUNCTION partywall.identity_domain_lapsed(
  claim text, published text[], asked bigint, OUT tenant_id uuid, OUT id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  SELECT held.tenant_id, held.id INTO tenant_id, id
  FROM identity.domain c
  JOIN identity.domain held ON held.host = c.host AND held.verified_at IS NOT NULL
  WHERE c.token = claim AND c.verified_at IS NULL AND claim = ANY (published)
    AND held.token <> ALL (published)
    AND held.verified_at < 'epoch'::timestamptz + asked * interval '1 microsecond';
END
$partywall$;

-- Holds an account of the scope's tenant until the transaction ends: whoever removes it waits for
-- the transaction, and a transaction that comes after the removal fails here. It is sent together with
-- statements that write, so an answer of `false` would come too late: true, or an error.
CREATE OR REPLACE FUNCTION partywall.identity_hold(wanted uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  PERFORM 1 FROM identity.account a
  WHERE a.tenant_id = partywall.tenant() AND a.id = wanted AND a.deactivated_at IS NULL
  FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'PW003', MESSAGE = 'the account is gone';
  END IF;
  RETURN true;
END
$partywall$;
-- Locking a row asks for the right to change it. No change passes the check.
DROP POLICY IF EXISTS partywall_hold ON identity.account;
CREATE POLICY partywall_hold ON identity.account FOR UPDATE TO CURRENT_USER
  USING (true) WITH CHECK (false);

REVOKE ALL ON FUNCTION partywall.identity_rights(uuid, uuid),
  partywall.identity_session(text, integer, uuid, text, text),
  partywall.identity_key(text, uuid, text, text),
  partywall.identity_domain_lapsed(text, text[], bigint),
  partywall.identity_accounts(text, integer, uuid), partywall.identity_first_account(uuid),
  partywall.identity_staff_entries(text, integer, uuid),
  partywall.identity_invitation(text), partywall.identity_reset(text),
  partywall.identity_sign_up(text), partywall.identity_hold(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION partywall.identity_rights(uuid, uuid),
  partywall.identity_session(text, integer, uuid, text, text),
  partywall.identity_key(text, uuid, text, text),
  partywall.identity_domain_lapsed(text, text[], bigint),
  partywall.identity_accounts(text, integer, uuid), partywall.identity_first_account(uuid),
  partywall.identity_staff_entries(text, integer, uuid),
  partywall.identity_invitation(text), partywall.identity_reset(text),
  partywall.identity_sign_up(text) TO {identity};
GRANT EXECUTE ON FUNCTION partywall.identity_hold(uuid) TO {app}, {identity};

-- Whether a person can sign in. A tenant's scope does not reach people; whether an owner could still
-- act, and who may do something today, hangs on it.
CREATE OR REPLACE FUNCTION partywall.identity_is_live(wanted uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  RETURN EXISTS (SELECT FROM identity."user" u WHERE u.id = wanted AND u.deactivated_at IS NULL);
END
$partywall$;
REVOKE ALL ON FUNCTION partywall.identity_is_live(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION partywall.identity_is_live(uuid) TO {identity};
