"""Reading a till's shorthand: titles, colours, materials, set sizes and categories from 35 capital letters.

"S/4 PINK FLOWER CANDLES IN BOWL" is all that the file says of a product. The tables below are meant to be read and
argued with; where two rows of `CATEGORY_WORDS` fit, the upper one wins.
"""

import re

from samlad.demo.records import CategoryRecord

_CATEGORIES = """
home                Home
  lighting          Candles & lighting
  decoration        Decoration
  textiles          Cushions & textiles
  storage           Storage & organising
kitchen             Kitchen
  baking            Cooking & baking
  table             Table & tea
celebrations        Celebrations
  christmas         Christmas
  easter            Easter
  party             Party
  cards-wrap        Cards & gift wrap
bags                Bags & travel
jewellery           Jewellery & accessories
stationery          Stationery & craft
toys                Toys & games
garden              Garden & outdoors
bath                Bath & beauty
other               Other gifts
"""

CATEGORY_NAMES = {
    "home": ("Hem", "Wonen"),
    "lighting": ("Ljus och belysning", "Kaarsen en verlichting"),
    "decoration": ("Dekoration", "Decoratie"),
    "textiles": ("Kuddar och textil", "Kussens en textiel"),
    "storage": ("Förvaring", "Opbergen"),
    "kitchen": ("Kök", "Keuken"),
    "baking": ("Matlagning och bak", "Koken en bakken"),
    "table": ("Dukning och te", "Tafel en thee"),
    "celebrations": ("Högtider", "Feestdagen"),
    "christmas": ("Jul", "Kerst"),
    "easter": ("Påsk", "Pasen"),
    "party": ("Fest", "Feest"),
    "cards-wrap": ("Kort och presentpapper", "Kaarten en cadeaupapier"),
    "bags": ("Väskor och resa", "Tassen en reizen"),
    "jewellery": ("Smycken och accessoarer", "Sieraden en accessoires"),
    "stationery": ("Papper och pyssel", "Papier en knutselen"),
    "toys": ("Leksaker och spel", "Speelgoed en spellen"),
    "garden": ("Trädgård och uteliv", "Tuin en buiten"),
    "bath": ("Bad och skönhet", "Bad en verzorging"),
    "other": ("Andra presenter", "Andere cadeaus"),
}
"""The same categories in Swedish and Dutch."""

# Longer or more telling words stand above more general ones: a "Christmas lunch bag" is Christmas, a "lunch bag" a
# bag, a "bag of marbles" is caught as a toy before it. A word also matches with a plural s.
CATEGORY_WORDS = {
    "christmas": (
        "christmas|xmas|advent|santa|snowman|reindeer|noel|stocking|snowflake|bauble|yuletide|nativity"
        "|robin|snow|sleigh|icicle|angel|mistletoe|pudding"
    ),
    "easter": ("easter|egg cup|egg|bunny|chick|rabbit|hen"),
    "cards-wrap": (
        "(?<!playing )cards?(?! holder| wallet)|gift wrap|wrap|gift tag|gift tape|ribbon|gift bag"
        "|gift tube|envelope|ribbon reel|tissue paper|gift box|(?<!luggage )tag"
    ),
    "jewellery": (
        "necklace|bracelet|earring|bangle|brooch|pendant|ring|charm|hair|diamante|bead|choker|anklet"
        "|lariat|tiara|scarf|bling|phone charm|keyring|key ring|murano|amethyst|crystal stud|orbit"
        "|sunglasses|watch|slipper|sock|glove|headband|key chain|pashmina|jewel|hairclip|sombrero"
        "|sandal|purse clip|cufflink"
    ),
    "toys": (
        "toy|doll|dolly|jigsaw|puzzle|game|marbles|spinning top|skittle|teddy|building block|domino"
        "|ludo|snakes|playing|soldier|yo yo|pop gun|skipping|kite|colouring|inflatable|dinosaur"
        "|helicopter|robot|jack in|puppet|monopoly|chess|solitaire|noughts|baby|rattle|felt farm|farm"
        "|tattoo|piggy|money bank|money box|bingo|harmonica|whistle|boomerang|slinky|space cadet"
        "|playhouse|creepy crawlie|creepy crawlies|gliders|flying disc|modelling clay|naughts|wind up"
        "|fortune teller|quoits|croquet"
    ),
    "lighting": (
        "candle|t light|tlight|lantern|lamp|light(?! (?:green|blue|pink))|lampshade|candleholder"
        "|candlestick|incense|nightlight|votive|chandelier|tea light|torch|candelabra|wick|oil burner"
        "|burner|votives|lightbulb|fragrance|scented"
    ),
    "bags": (
        "bag|handbag|shopper|purse|wallet|luggage|travel|suitcase|umbrella|passport|rucksack|backpack"
        "|satchel|tote|holdall|parasol|card holder|trolley"
    ),
    "party": (
        "party|bunting|balloon|birthday|confetti|napkin|paper cup|paper plate|straw|streamer|garland"
        "|paper chain|celebration|wedding|doilies|honeycomb|bubbles|lollipop|sparkler|popcorn|champagne"
    ),
    "stationery": (
        "notebook|pencil|pen|sticker|notepad|paper|craft|sewing|knitting|stamp|eraser|ruler|diary"
        "|calendar|album|journal|address book|chalk|blackboard|sketchbook|scrap|scrapbook|writing|memo"
        "|calculator|crayon|tape|book|stationery|decoupage|magnet|embroidery|crochet|button|patches"
        "|patch|kit|stencil|felt tip|clipboard|post it|scissors|scissor|chalkboard|hole punch|organiser"
        "|planner|bookmark|feltcraft"
    ),
    "bath": (
        "bath|bathroom|soap|shower|(?<!tea )towel|washbag|tissue|tissues|cosmetic|beauty|perfume"
        "|manicure|talcum|toothbrush|toilet|lip|balm|mirror compact|compact|hot water bottle"
        "|hand warmer|warmer|hottie|washing up|laundry|toothpaste|plaster|plasters|first aid|eye mask"
        "|loo|scent bottle"
    ),
    "garden": (
        "(?<!cottage )garden|gardeners|plant|planter|watering|hammock|trowel|seed|herb|flowerpot"
        "|flower pot|deckchair|deck chair|picnic|beach|windmill|greenhouse|hose|wheelbarrow|grow"
        "|outdoor|feeder|insect|fork|spade|gazebo|cultivat|secateurs|thermometer|fly swat|wind chime"
        "|chime|windchime|parasols|sunflower|pond|barbecue|bbq|wellington|kneeling"
    ),
    "baking": (
        "baking|bake|cake case|cake cases|cases|cake tin|cookie|biscuit|jelly mould|mould|measuring"
        "|scales|recipe|apron|oven|whisk|kitchen|cutter|rolling pin|spatula|tea towel|bread|jam|jar"
        "|chopping|grater|frying|pan|sieve|colander|timer|bottle opener|pantry|cook|pastry|mixing"
        "|utensil|spice|cocotte|ramekin|casserole|toast|toastrack|squeezer|popsicle|lolly|ice|funnel"
        "|peeler|corkscrew|cheese|pie|muffin|fridge"
    ),
    "table": (
        "mug|cup|saucer|teacup|tea|coffee|plate|bowl|glass|tumbler|beaker|jug|cutlery|placemat|coaster"
        "|tray|cakestand|cake stand|cake|dish|teapot|milk|sugar|salt|pepper|table|wine|bottle|flask"
        "|tankard|spoon|knife|lunch|snack|decanter|goblet|chopsticks|tablecloth|tureen|server|dinner"
        "|breakfast|platter|crockery|carafe|ladle|butter|pitcher|straws|doughnut|cruet|drink|can"
        "|ashtray"
    ),
    "storage": (
        "box|boxes|basket|storage|drawer|cabinet|tin|cardholder|suction|tins|tidy|rack|hanger|shelf|bin"
        "|container|trunk|chest|tube|hook|hooks|holder|case|knob|drawer knob|trinket|stand|crate|bucket"
        "|pail|pot holder|magazine|hatstand|coat|cupboard|caddy|peg|pegs|jewellery box|cannister"
        "|canister|key fob|clip"
    ),
    "textiles": (
        "cushion|throw|rug|doormat|mat|curtain|quilt|blanket|pillow|fabric|cover|door mat|bead curtain"
        "|string curtain|stool|chair|seat|footstool|beanbag|filler|bean bag|oilcloth|draught|bedspread"
        "|pouffe|doorstop|door stop|sofa"
    ),
    "decoration": (
        "sign|frame|photo|clock|mirror|wreath|heart|decoration|wall|vase|picture|art|ornament|flower"
        "|flowers|star|garland|letter|number|tile|door|hanging|screen|poster|plaque|figurine|feather"
        "|butterfly|cherub|statue|cross|home|house|love|bird|cat|dog|skull|union jack|wire|wooden|metal"
        "|bell|buddha|elephant|horse|chain|cabinet|cockerel|antique|peacock|leaf|rose|gold|shell|canvas"
        "|print|globe|reel|mosaic|retro|vintage|crown|hand|swallow|tree|cage|birdcage|ceramic|cherry"
        "|branch|stem|crystal|pearl|acrylic|zinc|sculpture|gem|wicker|bust|photoframe|monster|gnome"
        "|toadstool|doorsign|paperweight|flag"
    ),
}

_COLOURS = (
    "multicolour|black|white|ivory|cream|red|pink|blue|green|yellow|orange|purple|lilac|turquoise|brown"
    "|grey|gold|silver|copper|natural|fuschia|burgundy|peach|pistachio|clear|amber|amethyst|turq|mint"
    "|aqua|beige|crystal|bronze|gunmetal"
)
COLOURS = frozenset(_COLOURS.split("|"))

# Words that may stand beside a colour and leave it one: "Dusty Pink", "Blue on Ivory".
_SHADES = "light|dark|pale|soft|hot|sky|dusty|baby|bright|coal|and|on|rim"
SHADES = frozenset(_SHADES.split("|"))

_MATERIALS = (
    "ceramic|porcelain|glass|enamel|zinc|metal|wooden|wood|wicker|felt|cotton|paper|acrylic|slate"
    "|crochet|knitted|lace|wire|tin|plastic|fabric|marble|rattan|pearl|shell|leather|silk|velvet|bamboo"
    "|linen|woollen|woolly"
)
MATERIALS = frozenset(_MATERIALS.split("|"))

_MATERIAL_NAMES = {"wooden": "wood", "knitted": "knit", "woolly": "wool", "woollen": "wool"}

PATTERNS = ("retrospot", "polkadot", "paisley", "gingham", "union jack", "union flag", "spaceboy", "english rose",
            "baroque", "regency", "vintage", "woodland", "circus parade", "dolly girl", "charlie & lola")  # fmt: skip

_ABBREVIATIONS = (
    (r"\bS/(\d+)", r"SET OF \1"),
    (r"\bSET ?/ ?(\d+)", r"SET OF \1"),
    (r"\bSET (\d+)\b", r"SET OF \1"),
    (r"\bPACK/(\d+)", r"PACK OF \1"),
    (r"\bW/ ?", "WITH "),
    (r"\bW\b(?=\s+\w)", "WITH"),
    (r"\b(ASSTD?|ASS|ASST)\b", "ASSORTED"),
    (r"\bLT\. ?", "LIGHT "),
    (r"\bASSORTED\.", "ASSORTED"),
    (r"(?<=[A-Z]) ?\+ ?(?=[A-Z])", " & "),
    (r"CHARLIE (AND|LOLA)( LOLA)?", "CHARLIE & LOLA"),
    (r"\b(DES)\b", "DESIGN"),
    (r"\bART(?= FLOWER)", "ARTIFICIAL"),
    (r"ARTIIFCIAL", "ARTIFICIAL"),
    (r"BLACKCHRISTMAS", "BLACK CHRISTMAS"),
    (r"BAROQUECANDLESTICK", "BAROQUE CANDLESTICK"),
    (r"CEATURE", "CREATURE"),
    (r"\bT-? ?LIGHT", "T-LIGHT"),
    (r'(?<=\d)"(?=\w)', '" '),
    (r'(?<=[A-Z])"(?=[A-Z]{2})', ' "'),
    (r"\.(?=[A-Z]{2})", ". "),
    (r"\s*,\s*", ", "),
    (r"[\s*]+", " "),
)

_SMALL = {"of", "in", "and", "with", "on", "for", "the", "to", "a", "an", "at", "from", "by", "or", "is"}
_FIXED = {"t-light": "T-Light", "t-lights": "T-Lights", "led": "LED", "cd": "CD", "tv": "TV", "usb": "USB", "dvd": "DVD",
          "uk": "UK", "ipod": "iPod", "3d": "3D", "2d": "2D", "diy": "DIY", "nyc": "NYC", "ubo-light": "UBO-Light", "mdf": "MDF"}  # fmt: skip
_UNIT = re.compile(r"\d+(\.\d+)?(x\d+)*(cm|mm|g|kg|ml|l|m|w)(x\d+cm)?[.,]?")
_WORD = re.compile(r"[^\s/&(\"-]+(?:-lights?)?")


def categories() -> list[CategoryRecord]:
    """The category tree, parents before children."""
    found: list[CategoryRecord] = []
    root = None
    for line in _CATEGORIES.strip().splitlines():
        slug, name = line.split(maxsplit=1)
        parent = root if line.startswith(" ") else None
        root = root if parent else slug
        found.append(CategoryRecord(slug=slug, name=name, parent=parent))
    return found


def title(description: str) -> str:
    """A description as a shop would print it: "S/4 PINK FLOWER CANDLES" becomes "Set of 4 Pink Flower Candles"."""
    text = description.upper()
    for pattern, instead in _ABBREVIATIONS:
        text = re.sub(pattern, instead, text)
    text = re.sub(r"^(\d+) SET\b", r"\1-SET", text.strip(" ,.;"))
    text = _WORD.sub(lambda found: _cased(found[0]), text.lower())
    text = re.sub(r'"\w"', lambda found: found[0].upper(), text)
    return text[:1].upper() + text[1:]


def _cased(word: str) -> str:
    if word in _SMALL or _UNIT.fullmatch(word):
        return word
    if word in _FIXED:
        return _FIXED[word]
    if re.fullmatch(r"[a-z]\d+", word):  # paper sizes
        return word.upper()
    return word[:1].upper() + word[1:]


_CATEGORY_PATTERNS = [(slug, re.compile(rf"\b(?:{words})s?\b")) for slug, words in CATEGORY_WORDS.items()]


def category(name: str) -> str:
    """The slug of the first category with a word in this title; "other" when no word is known."""
    text = name.lower().replace("-", " ")
    return next((slug for slug, pattern in _CATEGORY_PATTERNS if pattern.search(text)), "other")


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+", name.lower())


def colour(name: str) -> str | None:
    """The colours that a title names, in its order: "Pink/White Christmas Tree" is "Pink & White"."""
    found = dict.fromkeys(word for word in _words(name) if word in COLOURS)
    return " & ".join(word.capitalize() for word in found) or None


def is_colour(value: str) -> bool:
    """Whether a text says nothing but a colour, shades included ("Light Blue", "Pink and Black")."""
    words = _words(value)
    return (
        bool(words)
        and any(word in COLOURS for word in words)
        and all(word in COLOURS or word in SHADES for word in words)
    )


def material(name: str) -> str | None:
    """The material that a title names, if any."""
    found = next((word for word in _words(name) if word in MATERIALS), None)
    return _MATERIAL_NAMES.get(found, found) if found else None


def pieces(name: str) -> int | None:
    """How many pieces a set or pack has: 4 for "Set of 4 ..." or "Pack of 4 ..."."""
    found = re.search(r"\b(?:set|pack|box|bag) of (\d+)|\bpack (\d+)|^(\d+) piece", name.lower())
    return int(next(number for number in found.groups() if number)) if found else None


def tags(name: str) -> tuple[str, ...]:
    """The shop's recurring patterns and ranges that a title names."""
    text = name.lower()
    return tuple(pattern for pattern in PATTERNS if pattern in text)


def slug(name: str) -> str:
    """A title as part of a URL."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("'", "")).strip("-")
