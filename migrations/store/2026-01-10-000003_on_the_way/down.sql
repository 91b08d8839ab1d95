DROP INDEX CONCURRENTLY transfers_on_the_way;
