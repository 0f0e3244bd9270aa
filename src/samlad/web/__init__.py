"""The web processes of ``samlad serve``: one loads the application, and as many as are wanted are copies of it.

Apart from the program that owns the data folder, so that it can be loading while that starts PostgreSQL, and so that
no copy inherits the folder's lock.
"""

from samlad.app import web

application = web()
"""Made once, before the processes that serve it are forked."""
