DROP TABLE adopted_grade_year;
DROP TABLE adopted_grade;
