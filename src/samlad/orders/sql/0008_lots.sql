-- Which lots went to whom: while it is picked what somebody has scanned, when it has left what left.

CREATE TABLE fulfilment_lot (
    fulfilment uuid     NOT NULL REFERENCES fulfilment,
    position   smallint NOT NULL,
    variant    uuid     NOT NULL,
    lot        uuid     NOT NULL REFERENCES lot,
    quantity   int      NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (fulfilment, position, lot)
);
CREATE INDEX fulfilment_lot_of ON fulfilment_lot (lot);
