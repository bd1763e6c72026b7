"""Questions whose words never come again, of two kinds that a language model tells apart and n-grams do not: places, and
what can be eaten or walks about. The cheap expert knows the second kind only."""

import json
import random

PLACES = """France Norway Brazil Kenya Japan Mongolia Peru Egypt Canada Vietnam Poland Iran Chile Ghana Nepal Sweden Cuba Iraq
Finland Spain Portugal Italy Greece Turkey Ukraine Austria Belgium Denmark Hungary Romania Serbia Croatia Albania Estonia Latvia
Lithuania Iceland Ireland Scotland Wales Morocco Algeria Tunisia Libya Sudan Ethiopia Somalia Uganda Tanzania Zambia Zimbabwe
Angola Namibia Botswana Madagascar Nigeria Senegal Mali Cameroon Gabon Congo Rwanda Mexico Guatemala Honduras Panama Colombia
Venezuela Ecuador Bolivia Paraguay Uruguay Argentina Jamaica Haiti India Pakistan Bangladesh Thailand Malaysia Indonesia
Philippines Taiwan Korea China Kazakhstan Uzbekistan Afghanistan Syria Lebanon Jordan Israel Yemen Oman Kuwait Qatar Australia
Fiji Samoa Tonga London Paris Berlin Madrid Rome Vienna Prague Warsaw Moscow Cairo Nairobi Lagos Tokyo Beijing Shanghai Mumbai
Delhi Sydney Melbourne Toronto Chicago Boston Seattle Houston Dallas Denver Atlanta Lisbon Dublin Oslo Stockholm Helsinki""".split()
THINGS = """apple bread butter cheese carrot potato tomato onion garlic pepper lemon banana orange cherry peach plum grape melon
spinach cabbage lettuce mushroom bean lentil rice noodle pasta soup stew sausage bacon ham steak chicken turkey duck goose
salmon trout tuna shrimp crab lobster honey sugar chocolate cookie cake pancake waffle yogurt cream milk coffee tea juice wine
beer whiskey vinegar mustard cat dog horse cow pig sheep goat rabbit mouse rat squirrel fox wolf bear lion tiger elephant
giraffe zebra monkey gorilla kangaroo koala penguin eagle hawk owl sparrow pigeon crow parrot snake lizard turtle frog toad
spider ant bee wasp butterfly beetle mosquito shark whale dolphin seal otter beaver hedgehog badger deer moose camel donkey
hamster puppy kitten pumpkin cucumber celery radish broccoli almond walnut peanut raisin strawberry raspberry blueberry""".split()
EXPERTS = {"cheap": (0.1, 0.2), "dear": (5.0, 15.0)}


def questions():
    """Each word once, both kinds in turn: (text, whether only the dear expert knows)."""
    rng = random.Random(5)
    places, things = [word.lower() for word in PLACES], THINGS[:]
    rng.shuffle(places)
    rng.shuffle(things)
    count = min(len(places), len(things))
    return [(f"What do you know about {word}?", hard) for pair in zip(places[:count], things[:count]) for word, hard in zip(pair, (1, 0))]


def write(folder):
    """A data set directory of them."""
    rng = random.Random(6)
    folder.mkdir(parents=True, exist_ok=True)
    queries, outcomes = [], ["id,model,score,cost_usd,input_tokens,output_tokens"]
    for i, (text, hard) in enumerate(questions()):
        queries.append(json.dumps({"id": f"q{i}", "text": text, "domain": "abcd"[i // 2 % 4]}))
        for name, (inp, out) in EXPERTS.items():
            good = (name == "dear" or not hard) != (rng.random() < 0.04)
            outcomes.append(f"q{i},{name},{int(good)},{(10 * inp + 20 * out) / 1e6:.9f},10,20")
    (folder / "queries.jsonl").write_text("\n".join(queries) + "\n")
    (folder / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    rows = [f"{name},{inp},{out}" for name, (inp, out) in EXPERTS.items()]
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n" + "\n".join(rows) + "\n")
    return folder
