-- Lines of annulled invoices are not known without the columns that say so.
DELETE FROM invoice_line WHERE annulled_event_id IS NOT NULL;
DROP INDEX invoice_line_charge_unique;
DROP INDEX invoice_line_charge;
CREATE TABLE invoice_line_before (
    charge_id BIGINT NOT NULL REFERENCES charge (id),
    invoice_id BIGINT NOT NULL REFERENCES invoice (id),
    amount_fen BIGINT NOT NULL,
    CONSTRAINT invoice_line_charge_unique PRIMARY KEY (charge_id)
);
INSERT INTO invoice_line_before (charge_id, invoice_id, amount_fen) SELECT charge_id, invoice_id, amount_fen FROM invoice_line;
DROP TABLE invoice_line;
ALTER TABLE invoice_line_before RENAME TO invoice_line;
CREATE INDEX invoice_line_invoice ON invoice_line (invoice_id);
DROP INDEX invoice_payer;
DROP INDEX invoice_host;
DROP INDEX invoice_red_letter_no_unique;
ALTER TABLE invoice DROP COLUMN red_letter_no;
ALTER TABLE invoice DROP COLUMN annul_reason;
ALTER TABLE invoice DROP COLUMN annulled_at;
ALTER TABLE invoice DROP COLUMN updated_at;
ALTER TABLE invoice DROP COLUMN version;
