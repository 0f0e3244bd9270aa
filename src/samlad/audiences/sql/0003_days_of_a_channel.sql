-- Whose days a segment counts in: when that channel has another time zone, so has the segment.
ALTER TABLE segment ADD COLUMN channel uuid REFERENCES channel;
UPDATE segment s SET channel = (SELECT e.channel FROM event e JOIN channel c ON c.id = e.channel
                                WHERE e.type = 'segment.created' AND e.subject = s.id LIMIT 1);
