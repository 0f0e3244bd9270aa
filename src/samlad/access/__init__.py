"""Access: staff, roles, keys, audit. Who may do what, and who did."""
