-- What the province decided of a finding, in its words, and what follows from it.
ALTER TABLE finding ADD COLUMN decision TEXT;
ALTER TABLE finding ADD COLUMN effect TEXT CONSTRAINT finding_effect_known
    CHECK (effect IN ('none', 'exclude_records', 'evidence_manual', 'cap_grade', 'hold_award'));
