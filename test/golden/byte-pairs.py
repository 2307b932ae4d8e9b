"""Golden tokens: small tokenizers of the forms that are in use, trained here on a few lines, and what the library makes of texts.

Needs the package tokenizers (Hugging Face). Writes byte-pairs.json: for each tokenizer its file, and for each text its tokens without
and with those that are put around it, and the text that comes back, with and without special tokens.
"""

import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LINES = [
    "Once upon a time there was a king who had three daughters, and the youngest of them was as fair as the day.",
    "The king said to the youngest: there is a time to stay and a time to go, and the day has come to go.",
    "She'll go, they said, and we've said what we'd say; it isn't the first time, and 1234 days are not the last 567.",
    "Ça alors! Die Königin hörte das und schwieg. été, naïve, über, straße",
] * 4

TEXTS = [
    "",
    " ",
    "a",
    "Once upon a time",
    "  two  spaces   and\ta tab\n\nlines\r\n end ",
    "The king's daughters aren't there, they'LL GO; we've 12345 days.",
    "naïve été über straße",
    "日本語 and 🙂🏽 and e\u0301",
    "zero\u0000width\u200b no-break\u00a0space\u0085next \ufeffmark",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "<s>special</s> and <end>, <end><end>",
    "under_score-dash ... !!! ??? (brackets) [more] {these}",
]

SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def trained(tokenizer, **options):
    tokenizer.train_from_iterator(LINES, trainers.BpeTrainer(show_progress=False, **options))
    return tokenizer


def gpt2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trained(tokenizer, vocab_size=330, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.add_special_tokens(["<end>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def llama3():
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trained(tokenizer, vocab_size=330, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.add_special_tokens(["<s>", "</s>"])
    begin = tokenizer.token_to_id("<s>")
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", begin)]),
        ]
    )
    return tokenizer


def with_bytes(tokenizer, size):
    """Trains on characters, then puts the special tokens and the bytes in front, as Llama has them."""
    trained(tokenizer, vocab_size=size, special_tokens=SPECIAL)
    model = json.loads(tokenizer.to_str())["model"]
    pieces = [piece for piece, _ in sorted(model["vocab"].items(), key=lambda entry: entry[1]) if piece not in SPECIAL]
    vocab = {piece: token for token, piece in enumerate(SPECIAL + BYTES + pieces)}
    tokenizer.model = models.BPE(
        vocab=vocab,
        merges=[tuple(pair) for pair in model["merges"]],
        unk_token="<unk>",
        fuse_unk=True,
        byte_fallback=True,
    )
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return tokenizer


def llama2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return with_bytes(tokenizer, 120)


def metaspace():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=True)
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(replacement="▁", prepend_scheme="first")]
    )
    return with_bytes(tokenizer, 120)


def lowercase():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.Fuse()
    trained(tokenizer, vocab_size=90, special_tokens=SPECIAL)
    tokenizer.add_tokens([AddedToken("<end>", normalized=True, lstrip=True, rstrip=True)])
    tokenizer.post_processor = processors.BertProcessing(("</s>", 2), ("<s>", 1))
    return tokenizer


def row(tokenizer, text):
    plain = tokenizer.encode(text, add_special_tokens=False).ids
    return {
        "text": text,
        "tokens": plain,
        "special": tokenizer.encode(text).ids,
        "decoded": tokenizer.decode(plain, skip_special_tokens=False),
        "bare": tokenizer.decode(plain, skip_special_tokens=True),
    }


def main():
    made = {}
    for make in [gpt2, llama3, llama2, metaspace, lowercase]:
        tokenizer = make()
        made[make.__name__] = {
            "file": json.loads(tokenizer.to_str()),
            "rows": [row(tokenizer, text) for text in TEXTS],
        }
    out = pathlib.Path(__file__).with_name("byte-pairs.json")
    out.write_text(json.dumps(made, ensure_ascii=True, separators=(",", ":")) + "\n")


main()
