DROP INDEX usage_record_host_ended;
