DROP TABLE duty_basis;
DROP TABLE duty;
DROP TABLE asset_ledger;
