"""What must always hold of conversations; for ``samlad doctor``."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database


async def _numbers(database: Database) -> Finding:
    rows = await database.rows(
        """SELECT c.id FROM conversation c LEFT JOIN LATERAL (
               SELECT count(*)::int AS messages, max(number) AS last,
                      coalesce(max(number) FILTER (WHERE way <> 'note'), 0) AS words,
                      coalesce(max(number) FILTER (WHERE way = 'out'), 0) AS answers
               FROM conversation_message m WHERE m.conversation = c.id) AS m ON true
           WHERE c.merged_into IS NULL
             AND (c.messages <> coalesce(m.last, 0) OR c.words <> m.words OR c.answers <> m.answers)
              OR c.merged_into IS NOT NULL AND m.messages > 0
              OR c.state = 'open' AND c.merged_into IS NOT NULL
           ORDER BY 1 LIMIT 20"""
    )
    if not rows:
        return Finding("ok", "all of them")
    told = ", ".join(str(row["id"]) for row in rows[:5])
    return Finding("failed", f"{len(rows)}: {told}", "Say which program wrote to these tables")


async def _files(database: Database) -> Finding:
    """Which files messages and mails name that are not kept, or are kept and named by nothing."""
    rows = await database.rows(
        """WITH named AS (
               SELECT (a ->> 'id')::uuid AS id, m.id AS message, NULL::uuid AS mail
               FROM conversation_message m, jsonb_array_elements(m.attachments) AS a
               WHERE m.attachments <> '[]' AND a ->> 'id' IS NOT NULL
               UNION ALL SELECT (a ->> 'id')::uuid, NULL, i.id FROM inbound_mail i, jsonb_array_elements(i.attachments) AS a
               WHERE i.attachments <> '[]' AND a ->> 'id' IS NOT NULL)
           SELECT coalesce(n.id, f.id) AS id FROM named n FULL JOIN conversation_file f
               ON f.id = n.id AND f.message IS NOT DISTINCT FROM n.message AND f.mail IS NOT DISTINCT FROM n.mail
           WHERE n.id IS NULL OR f.id IS NULL OR f.size <> octet_length(f.content) ORDER BY 1 LIMIT 20"""
    )
    if not rows:
        return Finding("ok", "all of them")
    told = ", ".join(str(row["id"]) for row in rows[:5])
    return Finding("failed", f"{len(rows)}: {told}", "Say which program wrote to these tables")


CHECKS = [
    Check("conversations", "Each conversation knows its last message and its last answer", _numbers),
    Check("conversation-files", "Messages and mails name the files that are kept of them", _files),
]
"""The checks of conversations."""
