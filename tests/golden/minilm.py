#!/usr/bin/env python3
"""What all-MiniLM-L6-v2 makes of a hundred texts by its reference implementation: writes minilm-texts.jsonl and
minilm-vectors.i16 beside itself, which tests/lm compares with what llama.cpp makes of them.

usage: tests/golden/minilm.py FOLDER     (needs torch, transformers; FOLDER is where scripts/test-models put all-MiniLM-L6-v2)

A vector is the mean over all tokens' last hidden states, of length 1, as sentence-transformers does; a text is cut at 256
tokens (sentence_bert_config.json), the last of them [SEP]. minilm-vectors.i16: a row of 384 a text, little-endian 16-bit
integers, 32767 times the value, which is 3e-5 at most from what it was.

Korean and Hindi are not among the texts. llama.cpp's WordPiece does not take Hangul syllables apart, and it drops vowel
signs that the reference keeps: cosine .69 and .94 on one sentence each.
"""

import json
import sys
from pathlib import Path

TOKENS_MAX = 256
HERE = Path(__file__).parent

PLAIN = """\
hello world
The quick brown fox jumps over the lazy dog.
What is the capital of France?
Who wrote "Pride and Prejudice", and in which year was it first published?
a
I
42
?
...
The cat sat on the mat. The cat sat on the mat. The cat sat on the mat.
Explain the difference between nominal and real interest rates to a ten-year-old.
Find the degree for the given field extension Q(sqrt(2), sqrt(3), sqrt(18)) over Q.
A train leaves at 14:35 and arrives at 17:10; how long is the journey, in minutes?
If 3x + 7 = 22, what is x?
Write a haiku about rain on a tin roof.
Translate "good morning" into Japanese, Swahili and Welsh.
Summarise the following e-mail in one sentence: Dear all, the meeting on Thursday is moved to Friday at noon.
Is it legal to record a telephone call in Germany without the other party's consent?
The patient, a 57-year-old man, presents with acute chest pain radiating to the left arm; ECG shows ST elevation in II, III and aVF.
Which of the following statements about supply and demand is NOT correct?
antidisestablishmentarianism
floccinaucinihilipilification and pneumonoultramicroscopicsilicovolcanoconiosis
don't won't can't shouldn't've y'all'd
How many r's are in strawberry?
ok
state-of-the-art, twenty-one, mother-in-law, re-enter
THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG.
WHAT IS THE AIR-SPEED VELOCITY OF AN UNLADEN SWALLOW?!
iPhone eBay McDonald's LaTeX GitHub PostgreSQL
NASA, UNESCO, HTTP/2, TCP/IP, RFC 9110, ISO-8601
1,234,567.89 USD is about 1.2 million dollars
3.14159265358979323846264338327950288419716939937510
192.168.0.1:8080 and ::1 and fe80::1%eth0
user.name+tag@example.com wrote to https://example.com/a/b?c=d&e=f#g
#hashtag @mention $variable %percent ^caret &and *star
(brackets) [square] {curly} <angle> "quotes" 'single' `back`
one/two\\three|four~five_six=seven+eight-nine
"""

UNICODE = """\
Die Übergröße der Straße überraschte den Fußgänger in Köln.
L'été dernier, à Besançon, nous avons goûté une crème brûlée exquise.
El niño pequeño comió piñas en el jardín mañana por la mañana.
Zażółć gęślą jaźń
Příliš žluťoučký kůň úpěl ďábelské ódy.
Съешь же ещё этих мягких французских булок, да выпей чаю.
Ξεσκεπάζω την ψυχοφθόρα βδελυγμία.
北京是中华人民共和国的首都。
日本の首都は東京です。ラーメンが大好きです。
Bugün hava çok güzel, değil mi?
القاهرة هي عاصمة مصر
ירושלים היא עיר עתיקה
Україна має чудові гори і широкі степи.
กรุงเทพมหานครเป็นเมืองหลวง
Hà Nội là thủ đô của Việt Nam.
naïve café résumé coöperate Ångström
nai\u0308ve cafe\u0301 re\u0301sume\u0301 coo\u0308perate A\u030angstro\u0308m
I ❤ pizza ☕ and ★ stars
price: 5 € or 4 £ or 600 ¥
∀x ∈ ℝ: x² ≥ 0
∫ f(x) dx = F(x) + C, where F′ = f
“curly quotes” ‘single’ — em dash – en dash … ellipsis
a\u00a0no-break\u2003em\u2009thin space
中文和English混合在一起 with mixed 日本語 text
ＦＵＬＬ　ＷＩＤＴＨ　letters
"""

BLOCKS = [
    "",
    " ",
    " \n\t\r\n ",
    "line one\nline two\n\n\nline three\r\nline four\tand a tab",
    "def fibonacci(n):\n    a, b = 0, 1\n    while n:\n        a, b, n = b, a + b, n - 1\n    return a\n",
    "#include <stdio.h>\n\nint main(void)\n{\n    printf(\"hello, world\\n\");\n    return 0;\n}\n",
    "SELECT u.name, COUNT(*) AS n FROM users u LEFT JOIN orders o ON o.user_id = u.id GROUP BY u.name HAVING COUNT(*) > 3;",
    "const add = (a, b) => a + b; // returns NaN for add(1)\nexport default add;",
    "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\", \"unit\": \"celsius\", \"days\": [1, 2, 3]}}",
    "<html><body><h1 class=\"title\">It works!</h1><p>&amp; &lt; &gt;</p></body></html>",
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n**bold** _italic_ `code` [link](http://example.com)",
    "\\begin{equation} e^{i\\pi} + 1 = 0 \\end{equation}",
    "$ git rebase -i HEAD~3 && make -j$(nproc) 2>&1 | tee build.log",
    "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\nKeyError: 'id'",
    "2026-11-30T23:59:59.999Z ERROR [worker-3] connection reset by peer (errno=104)",
    "let x: Vec<Option<&'static str>> = vec![None; 10];",
    "0xDEADBEEF 0b1010 1e-9 +Inf NaN 007",
    "What is the sum of the first ten primes?\nA. 100\nB. 129\nC. 158\nD. 77",
    "Statement 1 | Every group of order 159 is cyclic. Statement 2 | Every group of order 102 has a nontrivial normal "
    "subgroup.\nA. True, True\nB. False, False\nC. True, False\nD. False, True",
    "You are a helpful assistant.\nUser: How do I boil an egg?\nAssistant: Put it into boiling water.\nUser: For how long?",
    "[CLS] tokens in the text [SEP] are only words [MASK] here [PAD]",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "b " * 200,
    "!" * 60,
    "supercalifragilisticexpialidocious " * 20,
    "Call me Ishmael. Some years ago, never mind how long precisely, having little or no money in my purse, and nothing "
    "particular to interest me on shore, I thought I would sail about a little and see the watery part of the world.",
]

PARAGRAPH = ("The committee met on the third of March to discuss the budget, the lease of the new building, and the "
             "appointment of a treasurer. After two hours of debate no motion had found a majority. ")
LONG = [
    PARAGRAPH * 3,
    PARAGRAPH * 7 + "Which motion found a majority?",
    PARAGRAPH * 40,
    "for (int i = 0; i < n; i++) { sum += values[i] * weights[i]; } " * 20,
    "Die Würde des Menschen ist unantastbar. Sie zu achten und zu schützen ist Verpflichtung aller staatlichen Gewalt. " * 12,
    " ".join(str(n * n) for n in range(300)),
    "漢字とかな。" * 80,
    "word " * 253 + "last",
    "word " * 254 + "last",
    "word " * 255 + "last",
    "WHY DOES MY SERVER RETURN 502 BAD GATEWAY BEHIND NGINX? " * 25,
    "| id | name | score |\n" + "".join(f"| {n} | expert-{n} | 0.{n * 37 % 1000:03d} |\n" for n in range(60)),
]


def texts():
    return [line.replace("\\\\", "\\") for line in PLAIN.splitlines() + UNICODE.splitlines()] + BLOCKS + LONG


def vectors(folder, texts):
    import torch
    import transformers
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    for text in texts:
        tokens = tokenizer(text, truncation=True, max_length=TOKENS_MAX, split_special_tokens=True, return_tensors="pt")
        with torch.inference_mode():
            hidden = model(**tokens).last_hidden_state[0]
        yield torch.nn.functional.normalize(hidden.mean(0), dim=0).numpy()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    import numpy
    all_texts = texts()
    rows = numpy.stack(list(vectors(sys.argv[1], all_texts)))
    (HERE / "minilm-vectors.i16").write_bytes(numpy.rint(rows * 32767).astype("<i2").tobytes())
    lines = [json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in all_texts]
    (HERE / "minilm-texts.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
