DROP TABLE expert_assignment_unit;
DROP TABLE expert_assignment;
