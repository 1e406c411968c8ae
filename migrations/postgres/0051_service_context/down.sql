ALTER TABLE counted_span DROP COLUMN income_by;
ALTER TABLE charge DROP COLUMN voucher_fen;
ALTER TABLE staged_usage_record DROP COLUMN project_level;
ALTER TABLE staged_usage_record DROP COLUMN project;
ALTER TABLE staged_usage_record DROP COLUMN service_class;
ALTER TABLE usage_record DROP COLUMN project_level;
ALTER TABLE usage_record DROP COLUMN project;
ALTER TABLE usage_record DROP COLUMN service_class;
