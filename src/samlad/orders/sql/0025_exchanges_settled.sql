-- An exchange whose old goods were worth less than agreed (fewer came, a fee): what is then still open of the new ones is charged, too.
DROP INDEX return_request_unclaimed;
CREATE INDEX return_request_unclaimed ON return_request (due_on, id)
    WHERE state IN ('requested', 'settled') AND exchange IS NOT NULL AND claimed_at IS NULL;
