DROP TABLE adjustments;
DROP TABLE holds;
DROP TABLE movements;
DROP TABLE levels;
