DROP TABLE expert_point;
