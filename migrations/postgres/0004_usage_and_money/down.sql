DROP TABLE review;
DROP TABLE payment_line;
DROP TABLE payment;
DROP TABLE invoice_line;
DROP TABLE invoice;
DROP TABLE charge;
DROP TABLE usage_record_version;
DROP TABLE usage_record;
