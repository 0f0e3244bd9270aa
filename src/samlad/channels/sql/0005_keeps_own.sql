-- Where both have a price or a text for the same goods: false, that of the pool holds; true, the channel keeps its own.
ALTER TABLE pool_move ADD COLUMN keeps_own boolean NOT NULL DEFAULT false;
-- Who came along with a join is asked by its counterpart when the channel leaves.
CREATE INDEX pool_move_row_twin ON pool_move_row (move, subject, twin) WHERE twin IS NOT NULL;
