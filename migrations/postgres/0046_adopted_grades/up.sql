-- Grades that others gave the units of a year, which packs may adopt; a list has a version for each year.

CREATE TABLE adopted_grade (
    year BIGINT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    grade TEXT NOT NULL CONSTRAINT adopted_grade_grade_known CHECK (grade IN ('excellent', 'good', 'pass', 'fail')),
    issuer TEXT NOT NULL,
    document_no TEXT NOT NULL,
    CONSTRAINT adopted_grade_key PRIMARY KEY (year, organization_id)
);
CREATE TABLE adopted_grade_year (
    year BIGINT PRIMARY KEY NOT NULL,
    version BIGINT NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
