"""Writes the file that include/llm/static_embedding.hpp describes."""
import struct

import numpy as np

MAGIC = b"LLMV\r\n\x1a\n"
VERSION = 1


def fnv1a(data, value=0xcbf29ce484222325):
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return value


def quantise(vectors):
    """int8 rows, each with a scale."""
    vectors = np.asarray(vectors, np.float32)
    scales = np.abs(vectors).max(1) / 127
    safe = np.where(scales > 0, scales, 1)
    return (np.rint(vectors / safe[:, None]).astype(np.int8),
            scales.astype("<f4"))


def write(path, name, pieces, vectors):
    """pieces: strings, with "[UNK]"; vectors: as many, float."""
    rows, scales = quantise(vectors)
    stride = -(-rows.shape[1] // 32) * 32
    rows = np.pad(rows, ((0, 0), (0, stride - rows.shape[1])))
    encoded = [piece.encode() for piece in pieces]
    offsets = np.cumsum([0] + [len(piece) for piece in encoded])
    text = b"".join(encoded)
    body = (offsets.astype("<u4").tobytes() + text + bytes(-len(text) % 4)
            + scales.tobytes() + rows.tobytes())
    head = MAGIC + struct.pack("<IIII32s", VERSION, len(encoded),
                               vectors.shape[1], len(text), name.encode())
    checksum = fnv1a(body, fnv1a(head))
    with open(path, "wb") as file:
        file.write(head + struct.pack("<Q", checksum) + body)
