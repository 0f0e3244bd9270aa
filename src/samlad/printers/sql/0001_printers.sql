-- Printers of a location, reached over the network (ESC/POS, raw TCP), and what is to be printed on them.
CREATE TABLE printer (
    id           uuid        PRIMARY KEY,
    location     uuid        NOT NULL REFERENCES location,
    name         text        NOT NULL,
    host         text        NOT NULL,
    port         int         NOT NULL CHECK (port BETWEEN 1 AND 65535),
    columns      int         NOT NULL CHECK (columns IN (32, 42, 48)),
    code_page    text        NOT NULL,
    drawer_pin   int         NOT NULL CHECK (drawer_pin IN (0, 2, 5)),  -- 0: no drawer hangs on it
    has_cutter   boolean     NOT NULL,
    tells_status boolean     NOT NULL,      -- it answers what it lacks, and when it is done
    is_active    boolean     NOT NULL DEFAULT true,
    version      int         NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX printer_name ON printer (location, lower(name)) WHERE is_active;

-- One thing to print. What it says is made when it is sent: nothing personal is kept here.
CREATE TABLE print_job (
    id           uuid        PRIMARY KEY,   -- of whoever presses: pressed twice it is one
    printer      uuid        NOT NULL REFERENCES printer,
    kind         text        NOT NULL CHECK (kind IN ('receipt', 'drawer', 'test')),
    order_id     uuid        REFERENCES orders,
    is_copy      boolean     NOT NULL DEFAULT false,
    opens_drawer boolean     NOT NULL DEFAULT false,
    why          text        NOT NULL DEFAULT '',  -- the drawer is opened without a sale
    state        text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'printed', 'failed', 'unsure')),
    reason       text        NOT NULL DEFAULT '',  -- why it waits, failed, or nobody knows
    attempts     int         NOT NULL DEFAULT 0,
    good_until   timestamptz NOT NULL,      -- later it is not begun any more
    asked_by     text        NOT NULL,
    asked_name   text        NOT NULL DEFAULT '',
    asked_at     timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    CHECK (kind <> 'receipt' OR order_id IS NOT NULL)
);
-- The original of a receipt is one, whoever presses on whatever till.
CREATE UNIQUE INDEX print_job_original ON print_job (order_id) WHERE kind = 'receipt' AND NOT is_copy;
CREATE INDEX print_job_order ON print_job (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX print_job_printer ON print_job (printer, asked_at DESC, id);
CREATE INDEX print_job_ended ON print_job (ended_at) WHERE ended_at IS NOT NULL;
