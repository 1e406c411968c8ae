DROP TABLE award_step;
DROP TABLE award;
DROP TABLE subsidy_run;
DROP TABLE evaluation_unit;
DROP TABLE expert_score;
DROP TABLE evaluation_input;
DROP TABLE evaluation;
DROP TABLE reported_metric;
