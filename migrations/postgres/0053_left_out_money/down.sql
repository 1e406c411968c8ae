DROP TABLE evaluation_money;
DROP TABLE award_money;
