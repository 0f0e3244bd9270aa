-- An export in pieces, each sealed with its request's own key, so that nobody has the whole in memory. `sealed` of the request has
-- how long they are. Older exports are one piece there, and are collected again.
CREATE TABLE privacy_piece (
    request  uuid   NOT NULL REFERENCES privacy_request,
    number   int    NOT NULL,                          -- from 0
    sealed   bytea  NOT NULL,
    PRIMARY KEY (request, number)
);
ALTER TABLE privacy_piece ALTER COLUMN sealed SET STORAGE EXTERNAL;  -- noise does not get shorter
