"""Fits the vectors of single pieces so that their sum points where the
teacher points for the whole sentence.

Two steps, both minimising the mean of 1 - cos(sum, target) with Adam:

1. vector[piece] = weight[piece] * features[piece] @ map, where the features
   are what the teacher says of the piece alone and the teacher's own input
   embedding. Few parameters for many pieces: what is learned from the
   corpus holds for pieces that it rarely has.
2. The vectors themselves, for a few rounds with small steps.
"""
import numpy as np
from scipy import sparse

BATCH = 512


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def bags(sequences, pieces):
    """How often each piece is in each sentence, as a sparse matrix."""
    rows = np.repeat(np.arange(len(sequences)), [len(s) for s in sequences])
    columns = np.concatenate([np.asarray(s, int) for s in sequences])
    ones = np.ones(len(rows), np.float32)
    return sparse.csr_matrix((ones, (rows, columns)),
                             shape=(len(sequences), pieces))


def principal_components(vectors, count):
    """[width, count]. Not centred: dot products are to stay what they are."""
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    return np.ascontiguousarray(axes[:, ::-1][:, :count])


def intent_targets(vectors, intents, blend):
    """Each sentence's vector, drawn to the mean of all with its intent."""
    means = np.zeros((intents.max() + 1, vectors.shape[1]), np.float32)
    np.add.at(means, intents, vectors)
    return unit(blend * unit(means)[intents] + (1 - blend) * vectors)


class Adam:
    def __init__(self, like, rate, epsilon):
        self.mean = np.zeros_like(like)
        self.square = np.zeros_like(like)
        self.rate = rate
        self.epsilon = epsilon

    def step(self, values, gradient, left, rows=slice(None)):
        """Changes values[rows]; `left` falls from 1 to 0."""
        mean = 0.9 * self.mean[rows] + 0.1 * gradient
        square = 0.99 * self.square[rows] + 0.01 * gradient * gradient
        self.mean[rows] = mean
        self.square[rows] = square
        values[rows] -= (self.rate * left * mean
                         / (np.sqrt(square) + self.epsilon))


def batches(bag, epochs, seed):
    """(indexes, their bags, the pieces in them, what is left of the time)"""
    random = np.random.default_rng(seed)
    steps = epochs * (bag.shape[0] // BATCH)
    step = 0
    for _ in range(epochs):
        order = random.permutation(bag.shape[0])
        for begin in range(0, len(order) - BATCH + 1, BATCH):
            part = order[begin:begin + BATCH]
            rows = bag[part]
            pieces = np.unique(rows.indices)
            step += 1
            yield part, rows[:, pieces], pieces, 1 - step / steps


def pull(sums, targets):
    """The gradient of 1 - cos(sums, targets) at the sums."""
    length = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    units = sums / length
    cosine = (units * targets).sum(1, keepdims=True)
    return (cosine * units - targets) / length


def fit_map(features, weights, matrix, bag, targets, epochs=8, seed=0):
    logs = np.log(weights).astype(np.float32)
    matrix = matrix.copy()
    adam_matrix = Adam(matrix, 1e-3, 1e-9)
    adam_logs = Adam(logs, 1e-2, 1e-4)
    for part, rows, pieces, left in batches(bag, epochs, seed):
        weight = np.exp(logs[pieces])[:, None]
        mapped = features[pieces] @ matrix
        gradient = rows.T @ pull(rows @ (mapped * weight), targets[part])
        adam_matrix.step(
            matrix, features[pieces].T @ (gradient * weight) / BATCH, left)
        adam_logs.step(logs, (gradient * mapped * weight).sum(1), left,
                       pieces)
    return np.exp(logs)[:, None] * (features @ matrix)


def fit_vectors(vectors, bag, targets, epochs=8, rate=3e-3, seed=1):
    vectors = vectors.copy()
    adam = Adam(vectors, rate, 1e-8)
    for part, rows, pieces, left in batches(bag, epochs, seed):
        gradient = rows.T @ pull(rows @ vectors[pieces], targets[part])
        adam.step(vectors, gradient, left, pieces)
    return vectors
