"""The admin pages: what staff see and do. Each module is one subject and exports its handlers."""
