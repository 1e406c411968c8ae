DROP TABLE calendar_token;
