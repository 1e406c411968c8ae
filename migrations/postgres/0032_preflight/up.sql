-- The services of a host's year, so that what it still lacks is asked without reading the years before.

CREATE INDEX usage_record_host_ended ON usage_record (host_organization_id, ended_at);
