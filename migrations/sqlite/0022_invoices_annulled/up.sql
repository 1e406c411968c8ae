-- An invoice stands for any number of charges and can be annulled: its charges are free again and its number stays used. A
-- line counts from the event of its invoice to that of the annulment.
ALTER TABLE invoice ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE invoice ADD COLUMN updated_at TIMESTAMP NOT NULL DEFAULT '1970-01-01 00:00:00' CONSTRAINT invoice_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??');
ALTER TABLE invoice ADD COLUMN annulled_at TIMESTAMP CONSTRAINT invoice_annulled_at_utc CHECK (annulled_at GLOB '????-??-?? ??:??:??');
ALTER TABLE invoice ADD COLUMN annul_reason TEXT;
ALTER TABLE invoice ADD COLUMN red_letter_no TEXT;
UPDATE invoice SET updated_at = created_at;
CREATE UNIQUE INDEX invoice_red_letter_no_unique ON invoice (red_letter_no) WHERE red_letter_no IS NOT NULL;
CREATE INDEX invoice_host ON invoice (host_organization_id, id);
CREATE INDEX invoice_payer ON invoice (payer_organization_id, id);

CREATE TABLE invoice_line_next (
    charge_id BIGINT NOT NULL REFERENCES charge (id),
    invoice_id BIGINT NOT NULL REFERENCES invoice (id),
    amount_fen BIGINT NOT NULL,
    annulled_event_id BIGINT REFERENCES event (id),
    CONSTRAINT invoice_line_unique PRIMARY KEY (invoice_id, charge_id)
);
INSERT INTO invoice_line_next (charge_id, invoice_id, amount_fen) SELECT charge_id, invoice_id, amount_fen FROM invoice_line;
DROP TABLE invoice_line;
ALTER TABLE invoice_line_next RENAME TO invoice_line;
-- A charge stands on one invoice that is not annulled.
CREATE UNIQUE INDEX invoice_line_charge_unique ON invoice_line (charge_id) WHERE annulled_event_id IS NULL;
-- A freeze looks at lines that were annulled since, too.
CREATE INDEX invoice_line_charge ON invoice_line (charge_id);
