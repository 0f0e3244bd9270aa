"""What verbs refuse of places and devices: channels, pools, tills, printers and screens. See `samlad.faces.refusals`."""

from samlad.kernel.i18n import marked

CHANNELS = (
    marked("“%(values)s” is %(message)s"),
    marked("%(date)s is there twice"),
    marked("no channel “%(c)s”"),
    marked("Some channels do not exist."),
    marked("A channel without a parent has nothing to inherit."),
    marked("“%(code)s” inherits from this channel"),
    marked("needed without a parent"),
    marked("Some settings are not right."),
    marked("unknown; there are %(names)s"),
)
LABELS = (
    marked("say which goods: codes, a category, a brand, a tag, or since when"),
    marked("label printers have rolls: choose roll-58x40"),
    marked("less than the %(a_page)s labels of a sheet"),
    marked("at most %(most_picks)s lines"),
    marked("1 to 999 labels of %(wrong)s"),
    marked("line %(number)s: “%(rest)s” is no number of labels"),
)
POOLS = (
    marked("“%(code)s” shares its goods with others already: there is nothing to pair."),
    marked("The channel does not use the pool any more that it was to leave."),
    marked("a channel cannot join itself"),
    marked("“%(code)s” shares its %(resource)s with others: let it leave them first."),
    marked("there is no other channel to join"),
    marked("Something stands in the way; see the plan."),
    marked("Another channel is on its way into or out of that pool."),
    marked("The channel is on its way already."),
)
PRINTERS = (
    marked("after the colon stands the id of a location"),
    marked("it stands in another place"),
    marked("a drawer is opened anew, with a reason"),
    marked("It is printed, or is about to be."),
    marked("it prints something else"),
    marked("Settings: printer_networks has %(part)s, which is no address or network."),
    marked("Settings: printer_ports has %(part)s, which is no port or range of them."),
    marked("This place has a printer %(name)s already."),
    marked("one of the ports in the setting printer_ports: %(printer_ports)s"),
    marked("an address in the setting printer_networks: %(printer_networks)s"),
    marked("an address like 192.168.1.60, or a name"),
)
SCREENS = (
    marked("after the colon stands a screen's id, a dot and its key"),
    marked("Too many screens wait for a code. Try again in a moment."),
)
TILLS = (
    marked("A kiosk has the name with which it was set up."),
    marked("A kiosk leases what its store sells most, and nothing that it names."),
    marked("not a position that came from here"),
    marked("not a cursor that came from here"),
    marked(
        "What was sold cannot be read (%(sale)s): ring it up by hand if it was a sale, then write this off."
    ),
    marked("The store sells in %(currency)s: ring it up by hand, then write this off."),
    marked("It does not go yet: %(said)s"),
)
TRACKING = (
    marked("at most %(largest_schema)s bytes"),
    marked("an object with a JSON Schema for each event"),
    marked("a JSON Schema is an object"),
    marked("This channel has its own source for such devices already."),
    marked("What this program reports itself needs no key."),
    marked("It has %(count)s valid keys; take some away first."),
    marked("The process is being stopped."),
)

STOREWORK = (
    marked("This needs the permission to count or to pick at this location."),
    marked("There is no such entry."),
    marked("This entry is %(state)s."),
    marked("Another entry has this number."),
)
COVERED = {
    "storework": STOREWORK,
    "channels": CHANNELS,
    "labels": LABELS,
    "pools": POOLS,
    "printers": PRINTERS,
    "screens": SCREENS,
    "tills": TILLS,
    "tracking": TRACKING,
}
"""By package."""
