-- What a provider refused to give back, which staff are told of.
CREATE INDEX refund_failed ON refund (created_at) WHERE status = 'failed';
