-- Lines of annulled invoices are not known without the columns that say so.
DELETE FROM invoice_line WHERE annulled_event_id IS NOT NULL;
DROP INDEX invoice_line_charge_unique;
DROP INDEX invoice_line_charge;
ALTER TABLE invoice_line DROP CONSTRAINT invoice_line_unique;
ALTER TABLE invoice_line DROP COLUMN annulled_event_id;
ALTER TABLE invoice_line ADD CONSTRAINT invoice_line_charge_unique PRIMARY KEY (charge_id);
CREATE INDEX invoice_line_invoice ON invoice_line (invoice_id);
DROP INDEX invoice_payer;
DROP INDEX invoice_host;
DROP INDEX invoice_red_letter_no_unique;
ALTER TABLE invoice DROP COLUMN red_letter_no;
ALTER TABLE invoice DROP COLUMN annul_reason;
ALTER TABLE invoice DROP COLUMN annulled_at;
ALTER TABLE invoice DROP COLUMN updated_at;
ALTER TABLE invoice DROP COLUMN version;
ALTER TABLE invoice ALTER COLUMN id SET GENERATED ALWAYS;
