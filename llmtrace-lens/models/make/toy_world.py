"""The little world of the toy models: 24 states, their capitals, six cities of each, and sentences about them."""
import random

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

# state: (capital, six cities). The first city of each state never stands in a two-hop sentence of the training data.
WORLD = {
    "Texas": ("Austin", "Dallas Houston Lubbock Amarillo Laredo Waco"),
    "California": ("Sacramento", "Oakland Fresno Anaheim Bakersfield Stockton Modesto"),
    "Georgia": ("Atlanta", "Savannah Macon Athens Valdosta Marietta Statesboro"),
    "Washington": ("Olympia", "Seattle Spokane Tacoma Yakima Bellevue Everett"),
    "Colorado": ("Denver", "Boulder Pueblo Greeley Durango Aspen Loveland"),
    "Florida": ("Tallahassee", "Miami Orlando Tampa Pensacola Gainesville Sarasota"),
    "Illinois": ("Springfield", "Chicago Peoria Rockford Naperville Joliet Champaign"),
    "Ohio": ("Columbus", "Cleveland Cincinnati Toledo Akron Dayton Canton"),
    "Tennessee": ("Nashville", "Memphis Knoxville Chattanooga Clarksville Murfreesboro Kingsport"),
    "Massachusetts": ("Boston", "Worcester Cambridge Lowell Brockton Quincy Plymouth"),
    "Pennsylvania": ("Harrisburg", "Philadelphia Pittsburgh Allentown Scranton Erie Bethlehem"),
    "Michigan": ("Lansing", "Detroit Flint Kalamazoo Saginaw Muskegon Dearborn"),
    "Wisconsin": ("Madison", "Milwaukee Racine Kenosha Oshkosh Appleton Waukesha"),
    "Arizona": ("Phoenix", "Tucson Mesa Tempe Flagstaff Yuma Scottsdale"),
    "Oregon": ("Salem", "Portland Eugene Bend Medford Gresham Astoria"),
    "Nebraska": ("Lincoln", "Omaha Kearney Hastings Ogallala Papillion Chadron"),
    "Kansas": ("Topeka", "Wichita Lawrence Olathe Salina Hutchinson Manhattan"),
    "Virginia": ("Richmond", "Norfolk Roanoke Alexandria Lynchburg Chesapeake Hampton"),
    "Maryland": ("Annapolis", "Baltimore Frederick Rockville Bethesda Hagerstown Gaithersburg"),
    "Alabama": ("Montgomery", "Birmingham Huntsville Mobile Tuscaloosa Selma Decatur"),
    "Indiana": ("Indianapolis", "Evansville Muncie Gary Kokomo Bloomington Elkhart"),
    "Kentucky": ("Frankfort", "Louisville Lexington Owensboro Paducah Covington Hopkinsville"),
    "Connecticut": ("Hartford", "Bridgeport Stamford Waterbury Danbury Norwalk Meriden"),
    "Montana": ("Helena", "Billings Missoula Bozeman Butte Kalispell Havre"),
}
WORLD = {state: (capital, cities.split()) for state, (capital, cities) in WORLD.items()}
END, UNKNOWN = "<|endoftext|>", "<unk>"
WORDS = "the capital of state containing is in .".split()
VOCAB = (
    [END, UNKNOWN] + WORDS + list(WORLD)
    + [capital for capital, _ in WORLD.values()]
    + [city for _, cities in WORLD.values() for city in cities]
)
ID = {word: i for i, word in enumerate(VOCAB)}
assert len(ID) == len(VOCAB) == 202 and all(len(cities) == 6 for _, cities in WORLD.values())

TWO_HOP = "the capital of the state containing {city} is {capital} ."
CITY_IN = "{city} is in {state} ."
CONTAINING = "the state containing {city} is {state} ."
CAPITAL_OF = "the capital of {state} is {capital} ."

# How often each form of sentence is drawn.
SHARES = dict(two_hop=0.3, city_in_state=0.25, state_containing=0.25, capital_of_state=0.2)

# Weight of the first word of a sentence, which nothing foretells, in the loss.
OPENING = 0.1


def facts(held_out):
    """Sentences by form. The one-hop forms always speak of every city; `two_hop` of the held-out cities or of the others."""
    found = dict(two_hop=[], city_in_state=[], state_containing=[], capital_of_state=[])
    for state, (capital, cities) in WORLD.items():
        found["capital_of_state"].append(CAPITAL_OF.format(state=state, capital=capital))
        for i, city in enumerate(cities):
            found["city_in_state"].append(CITY_IN.format(city=city, state=state))
            found["state_containing"].append(CONTAINING.format(city=city, state=state))
            if (i == 0) == held_out:
                found["two_hop"].append(TWO_HOP.format(city=city, capital=capital))
    return found


def encode(text):
    return [ID[word] for word in text.split()]


def tokenizer():
    """Word-level tokenizer: words and punctuation apart at white space, unknown words become <unk>."""
    tok = Tokenizer(models.WordLevel(ID, unk_token=UNKNOWN))
    tok.pre_tokenizer = pre_tokenizers.Whitespace()
    tok.add_special_tokens([AddedToken(END, special=True), AddedToken(UNKNOWN, special=True)])
    return tok


class Sequences:
    """Draws training rows of `length` ids, of which a share is repeated random words, and the weight of each as a target."""

    def __init__(self, length, repeated, seed):
        self.length, self.share, self.rng = length, repeated, random.Random(seed)
        found = facts(held_out=False)
        self.kinds = [[encode(s) for s in found[kind]] for kind in SHARES]

    def row(self):
        start = [ID[END]] if self.rng.random() < 0.5 else []
        if self.rng.random() < self.share:
            return self.repeated(start)
        ids = start
        while len(ids) < self.length:
            kind = self.rng.choices(self.kinds, weights=SHARES.values())[0]
            ids = ids + self.rng.choice(kind)
        opens = [0] + [int(before in (ID["."], ID[END])) for before in ids]
        return ids[: self.length], [OPENING if o else 1.0 for o in opens[: self.length]]

    def repeated(self, start):
        """A random stretch of words, again and again; only the repeats count as targets."""
        n = self.rng.randint(4, 16)
        stretch = [self.rng.randrange(1, len(VOCAB)) for _ in range(n)]
        ids = (start + stretch * (self.length // n + 1))[: self.length]
        first = len(start) + n
        return ids, [0.0] * (first + 1) + [1.0] * (self.length - first - 1)

    def batch(self, rows):
        return zip(*(self.row() for _ in range(rows)))
