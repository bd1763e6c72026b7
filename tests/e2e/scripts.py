"""A data set whose experts count the characters of other scripts than Latin each in its own way."""

import json
import random

from conftest import write_dataset

WORDS = {  # script: words, and how many tokens a character is to the experts of the data set
    "han": (["请证明", "这个", "引理", "并且", "解释", "推理", "过程", "生", "一个自由的"], {"cheap": 1.3, "mid": 0.6, "dear": 1}),
    "cyrillic": (["люди", "рождаются", "свободными", "и", "равными", "в", "своём"], {"cheap": 0.3, "mid": 0.6, "dear": 0.5}),
    "latin": (["prove", "lemma", "hello", "sum", "two", "integral", "a"], {"cheap": 0.25, "mid": 0.25, "dear": 0.25}),
}
BASE = 7


def written(script, words, rng):
    return ("" if script == "han" else " ").join(rng.choices(WORDS[script][0], k=words))


def expected(script, text, name):
    """Tokens of a text to an expert, beside BASE."""
    blanks = text.count(" ") * (script != "latin")
    return (len(text) - blanks) * WORDS[script][1][name] + blanks * 0.25


def write_scripts(folder):
    """Half of the queries are English, a quarter each Chinese and Russian; tokens follow WORDS, whoever answers."""
    rng, queries, outcomes = random.Random(5), [], ["id,model,score,cost_usd,input_tokens,output_tokens"]
    write_dataset(folder)
    for i in range(400):
        script = ["latin", "han", "latin", "cyrillic"][i % 4]
        text = written(script, 5 + rng.randrange(60), rng)
        queries.append(json.dumps({"id": f"q{i}", "text": text}, ensure_ascii=bool(i % 3)))
        for name in WORDS[script][1]:
            tokens = BASE + round(expected(script, text, name))
            outcomes.append(f"q{i},{name},{int(rng.random() < 0.7)},0.001,{tokens},20")
    (folder / "queries.jsonl").write_text("\n".join(queries) + "\n")
    (folder / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    return folder
