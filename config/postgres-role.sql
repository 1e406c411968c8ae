-- A role that serves and owns nothing: it cannot remove a guard. Another role owns the database and runs `yiqi migrate`; that
-- role runs this once, connected to the database. `psql -f config/postgres-role.sql`
CREATE ROLE yiqi_serves LOGIN;
-- Readiness tries to write into a temporary table.
DO $$ BEGIN EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO yiqi_serves', current_database()); END $$;
GRANT USAGE ON SCHEMA public TO yiqi_serves;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO yiqi_serves;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO yiqi_serves;
-- What later migrations make.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO yiqi_serves;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO yiqi_serves;
