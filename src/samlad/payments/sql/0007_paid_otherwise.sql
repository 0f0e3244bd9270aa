-- What a provider refused to give back and staff gave back in another way: a refund of its own, in place of the one that failed.
ALTER TABLE refund
    ADD COLUMN again_of   uuid REFERENCES refund, -- the refund that failed, of which its provider was asked once more
    ADD COLUMN instead_of uuid REFERENCES refund,
    ADD COLUMN way        text CHECK (way IN ('bank_transfer', 'cash', 'store_credit')),
    ADD COLUMN location   uuid,                 -- where cash was handed over
    ADD CHECK ((instead_of IS NULL) = (way IS NULL)),
    ADD CHECK ((way IS NOT DISTINCT FROM 'cash') = (location IS NOT NULL));
CREATE INDEX refund_again ON refund (again_of) WHERE again_of IS NOT NULL;
CREATE INDEX refund_instead ON refund (instead_of) WHERE instead_of IS NOT NULL;
