ALTER TABLE evaluation DROP COLUMN public_notice_id;
ALTER TABLE subsidy_run DROP COLUMN public_notice_id;
DROP TABLE objection;
DROP TABLE public_notice;
