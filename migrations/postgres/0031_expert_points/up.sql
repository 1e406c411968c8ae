-- The points that the province enters belong to a year, a unit and an indicator, and stand in every evaluation of the year; what
-- an evaluation was graded by stays with it. Of those entered so far the newest are kept.

CREATE TABLE expert_point (
    year BIGINT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    indicator TEXT NOT NULL,
    points TEXT NOT NULL,
    entered_by BIGINT REFERENCES user_account (id),
    entered_at TIMESTAMP NOT NULL,
    CONSTRAINT expert_point_unique PRIMARY KEY (year, organization_id, indicator)
);
INSERT INTO expert_point (year, organization_id, indicator, points, entered_by, entered_at)
SELECT e.year, s.organization_id, s.indicator, s.points, s.entered_by, s.entered_at
FROM expert_score s JOIN evaluation e ON e.id = s.evaluation_id
WHERE s.entered_by IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM expert_score t JOIN evaluation f ON f.id = t.evaluation_id
    WHERE f.year = e.year AND t.organization_id = s.organization_id AND t.indicator = s.indicator
        AND t.entered_by IS NOT NULL AND f.id > e.id
);
