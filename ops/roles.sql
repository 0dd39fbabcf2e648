-- Roles for partkeeper with the least rights that it can work with. PostgreSQL 15 to 18.
--
--   psql -v ON_ERROR_STOP=1 -d app -f ops/roles.sql
--   psql -v ON_ERROR_STOP=1 -d app -c "set partkeeper.owner = 'app_owner'" -c "set partkeeper.schemas = 'app, billing'" -f ops/roles.sql
--
-- Run it in the database that is to be maintained, as a superuser or, where there is none (Supabase, RDS), as a role that may
-- create roles and schemas and has the admin option of the owner. It may be run again at any time: run it once more after the
-- service was started for the first time, which makes the tables that the last two roles may use. Plain SQL, in one transaction;
-- each of these settings may be left out:
--
--   partkeeper.owner    owns the tables and views to be maintained; nobody logs in as it     app_owner
--   partkeeper.service  as whom the service connects                                         partkeeper
--   partkeeper.trigger  whose members may ask for runs: select partkeeper.trigger(…)         partkeeper_trigger
--   partkeeper.reader   whose members may read the record, for dashboards                    partkeeper_reader
--   partkeeper.schemas  where those tables and views are                                     app
--   partkeeper.queue    queue.schema of the configuration                                    partkeeper_queue
--
-- Afterwards: a password for the service (\password partkeeper), and tables that belong to somebody else for the owner
-- (alter table app.events owner to app_owner, partitions included); what it finds of those it tells as a notice.

begin;

select
  pg_catalog.set_config('partkeeper.' || d.name, coalesce(nullif(pg_catalog.current_setting('partkeeper.' || d.name, true), ''), d.value), true)
from (values
  ('owner', 'app_owner'), ('service', 'partkeeper'), ('trigger', 'partkeeper_trigger'), ('reader', 'partkeeper_reader'),
  ('schemas', 'app'), ('queue', 'partkeeper_queue')
) as d (name, value);

-- The roles. Of one that is there already the attributes are left alone: only a superuser may name some of them.
do $roles$
declare
  wanted record;
begin
  for wanted in
    select pg_catalog.current_setting('partkeeper.' || r.name) as name, r.attributes
    from (values
      ('owner', 'nologin'),
      -- Inherits nothing: it has the owner's rights only where it says SET ROLE, around each change.
      ('service', 'login noinherit'),
      ('trigger', 'nologin'),
      ('reader', 'nologin')
    ) as r (name, attributes)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      execute pg_catalog.format('create role %I %s', wanted.name, wanted.attributes);
    end if;
  end loop;
  if exists (
    select from pg_catalog.pg_roles
    where rolname = pg_catalog.current_setting('partkeeper.service')
      and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
        or (rolinherit and pg_catalog.current_setting('server_version_num')::int < 160000))
  ) then
    raise warning '% was there before and has more than it needs', pg_catalog.current_setting('partkeeper.service')
      using hint = pg_catalog.format(
        'alter role %I nosuperuser nocreaterole nocreatedb noreplication nobypassrls noinherit',
        pg_catalog.current_setting('partkeeper.service'));
  end if;
end
$roles$;

-- What the service is to the owner, and how each of its sessions is to behave, also where something else connects as it.
do $service$
declare
  owner text := pg_catalog.current_setting('partkeeper.owner');
  service text := pg_catalog.current_setting('partkeeper.service');
  -- From there on, inheriting belongs to the membership rather than to the role.
  is_16 boolean := pg_catalog.current_setting('server_version_num')::int >= 160000;
  setting text;
begin
  if not exists (select from pg_catalog.pg_auth_members m where m.roleid::regrole = pg_catalog.quote_ident(owner)::regrole and m.member::regrole = pg_catalog.quote_ident(service)::regrole)
    or (is_16 and pg_catalog.pg_has_role(service, owner, 'usage'))
  then
    execute pg_catalog.format('grant %I to %I%s', owner, service, case when is_16 then ' with inherit false, set true' else '' end);
  end if;
  execute pg_catalog.format('grant connect on database %I to %I', pg_catalog.current_database(), service);
  foreach setting in array array[
    'search_path = pg_catalog, pg_temp',
    'timezone = ''UTC''',
    -- It sets its own, shorter ones. These hold for whatever does not.
    'lock_timeout = ''5s''',
    'idle_in_transaction_session_timeout = ''60s''',
    -- A client that is gone must not leave a statement behind that goes on for hours.
    'client_connection_check_interval = ''5s''',
    'tcp_keepalives_idle = 30',
    'tcp_keepalives_interval = 10',
    'tcp_keepalives_count = 3'
  ] loop
    execute pg_catalog.format('alter role %I in database %I set %s', service, pg_catalog.current_database(), setting);
  end loop;
end
$service$;

-- Where partitions are made and found.
do $schemas$
declare
  owner text := pg_catalog.current_setting('partkeeper.owner');
  service text := pg_catalog.current_setting('partkeeper.service');
  place text;
  strange text;
begin
  foreach place in array pg_catalog.regexp_split_to_array(pg_catalog.btrim(pg_catalog.current_setting('partkeeper.schemas')), '\s*,\s*') loop
    if not exists (select from pg_catalog.pg_namespace where nspname = place) then
      raise notice 'there is no schema % yet: run this again when there is', place;
      continue;
    end if;
    execute pg_catalog.format('grant usage, create on schema %I to %I', place, owner);
    execute pg_catalog.format('grant usage on schema %I to %I', place, service);
    for strange in
      select pg_catalog.format('alter %s %I.%I owner to %I', case c.relkind when 'm' then 'materialized view' else 'table' end, place, c.relname, owner)
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = place and (c.relkind in ('p', 'm') or c.relispartition) and c.relkind in ('p', 'm', 'r')
        and pg_catalog.pg_get_userbyid(c.relowner) <> owner
      order by c.relname
    loop
      raise notice 'not maintained while it belongs to somebody else; to change that: %', strange;
    end loop;
  end loop;
end
$schemas$;

-- The record and the queue, which are the service's own: it needs no right to create anything in the database.
do $own$
declare
  service text := pg_catalog.current_setting('partkeeper.service');
  place text;
  found text;
  may_act boolean := pg_catalog.pg_has_role(
    current_user, service, case when pg_catalog.current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end);
begin
  foreach place in array array['partkeeper', pg_catalog.current_setting('partkeeper.queue')] loop
    select pg_catalog.pg_get_userbyid(nspowner) into found from pg_catalog.pg_namespace where nspname = place;
    if found is null then
      -- Making it for somebody takes acting as them, which whoever made the role may allow themselves for a moment.
      if not may_act then execute pg_catalog.format('grant %I to current_user', service); end if;
      execute pg_catalog.format('create schema %I authorization %I', place, service);
      if not may_act then execute pg_catalog.format('revoke %I from current_user', service); end if;
    elsif found <> service then
      raise warning 'schema % belongs to %, so % needs rights there', place, found, service
        using hint = pg_catalog.format('as %I: partkeeper migrate up --grant-to %I', found, service);
    end if;
  end loop;
end
$own$;

-- Those who may ask, and those who may look. The former can call one function, which queues a job that is configured, or tells that
-- it is queued already; they reach no table. Neither sees the tables that are maintained.
do $others$
declare
  asker text := pg_catalog.current_setting('partkeeper.trigger');
  reader text := pg_catalog.current_setting('partkeeper.reader');
  queue text := pg_catalog.current_setting('partkeeper.queue');
  service text := pg_catalog.current_setting('partkeeper.service');
  may_act boolean := pg_catalog.pg_has_role(
    current_user, service, case when pg_catalog.current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end);
begin
  if not exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = queue and c.relname = 'job')
    or not exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace where n.nspname = 'partkeeper' and p.proname = 'trigger')
  then
    raise notice 'the service has not made its tables yet: run this again once it was started, for % and %', asker, reader;
    return;
  end if;
  if not may_act then execute pg_catalog.format('grant %I to current_user', service); end if;
  -- A superuser may grant on behalf of whoever made them.
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    execute pg_catalog.format('set local role %I', service);
  end if;
  execute pg_catalog.format('grant usage on schema partkeeper to %I', asker);
  execute pg_catalog.format('grant execute on function partkeeper.trigger(text, text, text, text) to %I', asker);
  execute pg_catalog.format('grant usage on schema partkeeper to %I', reader);
  execute pg_catalog.format('grant select on all tables in schema partkeeper to %I', reader);
  reset role;
  if not may_act then execute pg_catalog.format('revoke %I from current_user', service); end if;
end
$others$;

commit;
