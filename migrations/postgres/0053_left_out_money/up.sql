-- All money of a year as it stood at the freeze, by award and by graded unit, kept when a run is shown: `charges` is the whole, `base`
-- what is counted, every other part is left out for the reason that it is named by.

CREATE TABLE award_money (
    award_id BIGINT NOT NULL REFERENCES award (id),
    part TEXT NOT NULL,
    records BIGINT NOT NULL,
    minutes BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    PRIMARY KEY (award_id, part)
);

CREATE TABLE evaluation_money (
    evaluation_id BIGINT NOT NULL REFERENCES evaluation (id),
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    part TEXT NOT NULL,
    records BIGINT NOT NULL,
    minutes BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    PRIMARY KEY (evaluation_id, organization_id, part)
);
