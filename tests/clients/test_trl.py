"""What `leeroo export` writes is what TRL's trainers take: each makes a step on a tiny random model, from nothing but the
exported rows, and the recipe of docs/universe.md runs as it stands."""

import functools
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.update(HF_HUB_OFFLINE="1", ACCELERATE_USE_CPU="1", TOKENIZERS_PARALLELISM="false", WANDB_MODE="disabled")
torch = pytest.importorskip("torch")
trl = pytest.importorskip("trl")
import datasets  # noqa: E402
import tokenizers  # noqa: E402
import transformers  # noqa: E402

from e2e_conftest import write_dataset  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ("{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
            "{% if add_generation_prompt %}<|assistant|>{% endif %}")
SPECIAL = ["<|end|>", "<|user|>", "<|assistant|>", "<|pad|>"]
EXPORTS = [("sft", "routing"), ("sft", "answers"), ("openai", "routing"), ("openai", "answers"),
           ("dpo", "routing"), ("dpo", "answers"), ("preference", "routing"), ("preference", "answers")]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data set with answers."""
    folder = write_dataset(tmp_path_factory.mktemp("data"))
    (folder / "responses").mkdir()
    scores = [row.split(",")[:3] for row in (folder / "outcomes.csv").read_text().splitlines()[1:]]
    for expert in {row[1] for row in scores}:
        lines = [json.dumps({"id": q, "text": f"The answer is {'right' if s == '1' else 'wrong'}, says {e}."})
                 for q, e, s in scores if e == expert]
        (folder / "responses" / f"{expert}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def exported(leeroo, data, tmp_path_factory):
    """The file of a format and a subject."""
    folder = tmp_path_factory.mktemp("rows")

    def write(form, subject):
        path = folder / f"{form}-{subject}.jsonl"
        subprocess.run([leeroo, "export", str(data), "--format", form, "--of", subject, "--lambda", "20", "-o", str(path)],
                       check=True, capture_output=True, timeout=60)
        return path
    return write


@pytest.fixture(scope="module")
def model(exported, tmp_path_factory):
    """The folder of a random Llama of some thousand weights, with a tokenizer learnt from rows."""
    folder = tmp_path_factory.mktemp("tiny")
    words = tokenizers.Tokenizer(tokenizers.models.BPE())
    words.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = tokenizers.decoders.ByteLevel()
    words.train_from_iterator(exported("sft", "routing").read_text().splitlines(), tokenizers.trainers.BpeTrainer(
        vocab_size=600, special_tokens=SPECIAL, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|end|>", pad_token="<|pad|>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=2048, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id)).save_pretrained(folder)
    return folder


def rows(path, cache):
    return datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(cache)).select(range(8))


SETTINGS = {"max_steps": 1, "per_device_train_batch_size": 4, "learning_rate": 1e-2, "use_cpu": True, "bf16": False,
            "report_to": "none", "save_strategy": "no", "logging_steps": 1}


def settings(kind, folder):
    return kind(output_dir=str(folder), **SETTINGS)


def weights(model):
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def one_step(trainer):
    before = weights(trainer.model)
    loss = trainer.train().training_loss
    assert math.isfinite(loss) and loss > 0
    assert any(not torch.equal(value, before[name]) for name, value in trainer.model.named_parameters())


@pytest.mark.parametrize("form, subject", EXPORTS[:4])
def test_sft_takes_a_step(exported, model, tmp_path, form, subject):
    """Where prompt and completion are apart, only the completion is learnt."""
    trainer = trl.SFTTrainer(str(model), args=settings(trl.SFTConfig, tmp_path / "out"),
                             train_dataset=rows(exported(form, subject), tmp_path))
    one_step(trainer)
    batch = next(iter(trainer.get_train_dataloader()))
    learnt = trainer.processing_class.decode(batch["labels"][0][batch["labels"][0] != -100])
    assert ("Question:" in learnt) == (form == "openai" and subject == "routing"), learnt


@pytest.mark.parametrize("form, subject", EXPORTS[4:6])
def test_dpo_takes_a_step(exported, model, tmp_path, form, subject):
    one_step(trl.DPOTrainer(str(model), args=settings(trl.DPOConfig, tmp_path / "out"),
                            train_dataset=rows(exported(form, subject), tmp_path)))


@pytest.mark.parametrize("form, subject", EXPORTS[4:])
def test_reward_takes_a_step(exported, model, tmp_path, form, subject):
    one_step(trl.RewardTrainer(str(model), args=settings(trl.RewardConfig, tmp_path / "out"),
                               train_dataset=rows(exported(form, subject), tmp_path)))


def test_the_recipe_runs(exported, model, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "universe.md").read_text().split("## Export", 1)[1]
    code = re.search(r"^```python\n(.*?)^```$", page, re.M | re.S)[1]
    assert re.search(r'^MODEL = ".*"$', code, re.M)
    code = re.sub(r'^MODEL = ".*"$', f"MODEL = {str(model)!r}", code, flags=re.M)
    monkeypatch.chdir(tmp_path)
    for kind in ("SFTConfig", "DPOConfig"):  # as on a machine with a GPU, but for how long
        monkeypatch.setattr(trl, kind, functools.partial(getattr(trl, kind), **SETTINGS))
    for name, form in (("sft.jsonl", "sft"), ("pairs.jsonl", "dpo")):
        lines = exported(form, "routing").read_text().splitlines()[:16]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    exec(compile(code, "docs/universe.md", "exec"), {"__name__": "recipe"})  # noqa: S102 our own page
    assert (tmp_path / "router" / "config.json").exists()


def converter():
    """llama.cpp's own, which scripts/install-llama puts beside the library."""
    found = subprocess.run([ROOT / "scripts" / "install-llama", "--find"], capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip("no llama.cpp")
    return Path(found.stdout.strip()) / "share" / "llama.cpp"


def test_a_lora_step_becomes_an_adapter_for_llama_cpp(exported, model, tmp_path, monkeypatch):
    """The recipe of docs/tuning.md runs as it stands, and what it saves is converted whole: a pair for every matrix."""
    code = re.search(r"^```python\n(.*?)^```$", (ROOT / "docs" / "tuning.md").read_text(), re.M | re.S)[1]
    assert re.search(r'^MODEL = ".*"$', code, re.M)
    code = re.sub(r'^MODEL = ".*"$', f"MODEL = {str(model)!r}", code, flags=re.M)
    share = converter()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trl, "SFTConfig", functools.partial(trl.SFTConfig, **SETTINGS))
    (tmp_path / "sft.jsonl").write_text("\n".join(exported("sft", "routing").read_text().splitlines()[:16]) + "\n")
    exec(compile(code, "docs/tuning.md", "exec"), {"__name__": "recipe"})  # noqa: S102 our own page
    subprocess.run([sys.executable, "-B", share / "convert_lora_to_gguf.py", "--base", model, "adapter", "--outfile", "adapter.gguf"],
                   check=True, timeout=300)
    monkeypatch.syspath_prepend(str(share / "gguf-py"))
    import gguf
    read = gguf.GGUFReader("adapter.gguf")
    assert read.fields["general.type"].contents() == "adapter" and read.fields["adapter.lora.alpha"].contents() == 32
    tensors = {tensor.name: tensor.data for tensor in read.tensors}
    matrices = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
    assert sorted(tensors) == sorted(f"blk.0.{name}.weight.lora_{half}" for name in matrices for half in "ab")
    assert any(tensors[f"blk.0.{name}.weight.lora_b"].any() for name in matrices), "an adapter that has not learnt is 0"
