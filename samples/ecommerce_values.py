"""The words and numbers of which sample customers, products and orders are made."""

from samples.lines import weighted

_FIRST_NAMES = (
    "Ada", "Amir", "Anna", "Bruno", "Carmen", "Chen", "Daria", "Elif", "Emma", "Femi", "Greta", "Hana",
    "Igor", "Ines", "Jack", "Jürgen", "Kofi", "Lena", "Liam", "Maya", "Noah", "Olga", "Paul", "Priya",
    "René", "Rosa", "Sam", "Tomás", "Yuki", "Zoë",
)  # fmt: skip
_LAST_NAMES = (
    "Ahmed", "Baker", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Hughes", "Ivanova", "Jansen",
    "Kowalski", "Lopez", "Müller", "Nakamura", "Novák", "O'Brien", "Okafor", "Patel", "Rossi", "Schmidt",
    "Silva", "Smith", "Tanaka", "Virtanen", "Wang", "Yılmaz",
)  # fmt: skip

# category: (typical cost of a unit in cents, its products)
_CATEGORIES = {
    "Books": (800, ("Novel", "Atlas", "Cookbook", "Dictionary")),
    "Clothing": (1_900, ("Jacket", "Shirt", "Scarf", "Jeans")),
    "Electronics": (14_500, ("Headphones", "Tablet", "Camera", "Speaker")),
    "Garden": (2_600, ("Spade", "Hose", "Planter", "Parasol")),
    "Home & Kitchen": (3_400, ("Kettle", "Pan", "Lamp", "Shelf")),
    "Office": (1_200, ("Notebook", "Stapler", "Desk Pad", "Folder")),
    "Sports": (4_700, ("Racket", "Yoga Mat", "Helmet", "Dumbbell")),
    "Toys": (1_500, ("Puzzle", "Kite", "Robot", "Board Game")),
}

#: Name → list of which each entry is equally likely.
CHOICES: dict[str, list] = {
    "first_names": list(_FIRST_NAMES),
    "last_names": list(_LAST_NAMES),
    "regions": ["Central", "East", "North", "South", "West"],
    "categories": list(_CATEGORIES),
    "costs": [cost for cost, _ in _CATEGORIES.values()],
    "nouns": [list(nouns) for _, nouns in _CATEGORIES.values()],
    "styles": ["Basic", "Blue", "Classic", "Compact", "Green", "Large", "Light", "Premium", "Travel"],
    "quantities": weighted({1: 50, 2: 24, 3: 11, 4: 6, 5: 5, 6: 2, 12: 1, 40: 1}),
    "discounts": weighted({0: 70, 5: 8, 10: 10, 20: 7, 30: 3, 45: 2}),
    "statuses": weighted({"placed": 5, "shipped": 9, "delivered": 72, "returned": 8, "cancelled": 6}),
}
