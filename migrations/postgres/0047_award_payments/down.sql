DROP TABLE award_hold;
DROP TABLE award_adjustment;
DROP TABLE award_payment;
