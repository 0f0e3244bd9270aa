-- Each sale of a till looks for the counts of its store that go on or were booked since it happened.
CREATE INDEX stock_count_end ON stock_count (location, closed_at);
