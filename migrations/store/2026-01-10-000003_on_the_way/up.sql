-- The transfers that goods are on the way in, for the figures. Alone and outside of a transaction,
-- as CONCURRENTLY needs it.
CREATE INDEX CONCURRENTLY transfers_on_the_way ON transfers (id)
    WHERE status IN ('in_transit', 'partially_received');
