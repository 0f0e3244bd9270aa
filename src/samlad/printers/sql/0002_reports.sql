-- X and Z reports are printed, too: what the drawer had done at the moment somebody asked is kept with the job.
ALTER TABLE print_job ADD COLUMN report jsonb;
ALTER TABLE print_job DROP CONSTRAINT print_job_kind_check;
ALTER TABLE print_job ADD CONSTRAINT print_job_kind_check CHECK (kind IN ('receipt', 'drawer', 'test', 'report')),
                      ADD CONSTRAINT print_job_report_check CHECK ((kind = 'report') = (report IS NOT NULL));
