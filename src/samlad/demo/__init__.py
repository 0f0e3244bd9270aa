"""The demo: a real year of trade, turned from shipped files into a running shop."""
