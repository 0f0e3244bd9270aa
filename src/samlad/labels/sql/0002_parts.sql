-- Labels are made part by part, so that a run that is killed goes on and shows how far it is. What they say is written down first.
ALTER TABLE label_run ADD COLUMN total int NOT NULL DEFAULT 0;  -- how many there will be; 0 until that is known

CREATE TABLE label_part (
    run     uuid  NOT NULL REFERENCES label_run ON DELETE CASCADE,
    part    int   NOT NULL,
    labels  int   NOT NULL,
    skip    int   NOT NULL,
    tags    jsonb NOT NULL,
    content bytea,                       -- null: not drawn yet
    PRIMARY KEY (run, part)
);
ALTER TABLE label_part ALTER COLUMN content SET STORAGE EXTERNAL;  -- they are compressed
