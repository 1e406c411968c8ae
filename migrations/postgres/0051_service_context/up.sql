-- What a service was for beyond its purpose, as finer rules ask it: its class, the using unit's project and who set that. Words are
-- kept by the program, which takes more of them as rules name more.
ALTER TABLE usage_record ADD COLUMN service_class TEXT;
ALTER TABLE usage_record ADD COLUMN project TEXT;
ALTER TABLE usage_record ADD COLUMN project_level TEXT;
ALTER TABLE staged_usage_record ADD COLUMN service_class TEXT;
ALTER TABLE staged_usage_record ADD COLUMN project TEXT;
ALTER TABLE staged_usage_record ADD COLUMN project_level TEXT;

-- The part of a charge that a voucher is to pay, as an import tells it; where income counts by its invoice it is told apart before
-- anybody has paid.
ALTER TABLE charge ADD COLUMN voucher_fen BIGINT NOT NULL DEFAULT 0 CONSTRAINT charge_voucher_not_negative CHECK (voucher_fen >= 0);

-- By which date a final run counted income: days are locked for money of that date, not for money of others. Every run until now
-- counted it by payment.
ALTER TABLE counted_span ADD COLUMN income_by TEXT NOT NULL DEFAULT 'paid_on'
    CONSTRAINT counted_span_income_by_known CHECK (income_by IN ('paid_on', 'invoiced_on', 'ended_at'));
