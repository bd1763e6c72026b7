"""scripts/tune-minilm: its encoder is that of transformers, and tuning learns what is planted, in the upper layers alone."""

import importlib.util
import json
import random
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("gguf")
import tokenizers  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LOADER = SourceFileLoader("tune_minilm", str(ROOT / "scripts" / "tune-minilm"))
tune_minilm = importlib.util.module_from_spec(importlib.util.spec_from_loader("tune_minilm", LOADER))
sys.dont_write_bytecode = True
LOADER.exec_module(tune_minilm)

FILLING = "which of these is true for a river and the stone that one finds under it by night or day".split()
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "planets", "verbs", ".", "A", "B", *sorted(set(FILLING))]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """The folder of a random BERT of some thousand weights."""
    folder = tmp_path_factory.mktemp("encoder")
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    words = tokenizers.Tokenizer(tokenizers.models.WordPiece({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    words.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    words.save(str(folder / "tokenizer.json"))
    torch.manual_seed(3)
    transformers.BertModel(transformers.BertConfig(
        vocab_size=len(WORDS), hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=2,
        max_position_embeddings=64), add_pooling_layer=False).save_pretrained(folder)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 24}')
    return folder


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """One expert knows planets and the other verbs; nothing else in a question says which it is about."""
    folder, chance = tmp_path_factory.mktemp("planted"), random.Random(5)
    queries, outcomes = [], ["id,model,score"]
    for at in range(600):
        text = chance.choices(FILLING, k=chance.randint(3, 12))
        subject = chance.randrange(2)
        text.insert(chance.randrange(len(text)), ("planets", "verbs")[subject])
        queries.append(json.dumps({"id": f"q{at}", "text": " ".join(text), "choices": ["true", "river"][:chance.randrange(3)]}))
        outcomes += [f"q{at},astronomer,{1 - subject}", f"q{at},linguist,{subject}"]
    (folder / "queries.jsonl").write_text("\n".join(queries) + "\n")
    (folder / "outcomes.csv").write_text("\n".join(outcomes[:1100]) + "\n")  # the last ones are not known
    return folder


def tune(*arguments):
    return subprocess.run([sys.executable, "-B", ROOT / "scripts" / "tune-minilm", *map(str, arguments)], capture_output=True,
                          text=True, timeout=300)


def test_the_encoder_is_that_of_transformers(encoder):
    texts = ["planets", "which of these is true . A B", " ".join(FILLING * 3), "nonsense of a river"]
    lower = tune_minilm.Lower(tune_minilm.Encoder(encoder), texts, 2)
    ours = tune_minilm.vectors(tune_minilm.Encoder(encoder), lower, range(len(texts)))
    reference = transformers.BertModel.from_pretrained(encoder, add_pooling_layer=False).eval()
    for row, ids in enumerate(lower.ids):
        assert len(ids) <= 24 and ids[0] == 2 and ids[-1] == 3
        with torch.inference_mode():
            mean = reference(torch.tensor([ids])).last_hidden_state[0].mean(0)
        assert torch.allclose(ours[row], mean / mean.norm(), atol=2e-3), row  # the lower layers' output is kept as float16


def test_what_is_planted_is_learnt_in_the_upper_layer(encoder, planted, tmp_path):
    done = tune(planted, encoder, tmp_path / "out", "--layers", "1", "--rate", "3e-2")
    assert done.returncode == 0, done.stderr
    before, after = (float(done.stdout.split(mark)[0].split()[-1]) for mark in (" as it was", " tuned"))
    assert after < 0.5 * before and before < 0.7, done.stdout
    old, new = load_file(encoder / "model.safetensors"), load_file(tmp_path / "out" / "model.safetensors")
    assert set(old) == set(new)
    for name, value in old.items():
        assert torch.equal(value, new[name]) == ("layer.2." not in name), name
    assert (tmp_path / "out" / "model.gguf").read_bytes()[:4] == b"GGUF"
    assert (tmp_path / "out" / "vocab.txt").exists()


@pytest.mark.parametrize("arguments, said", [(("--layers", "4"), "the encoder has 3"), ((), "is there already")])
def test_what_cannot_be_is_refused_and_nothing_is_left(encoder, planted, tmp_path, arguments, said):
    out = tmp_path / "out" if arguments else tmp_path
    done = tune(planted, encoder, out, *arguments)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
