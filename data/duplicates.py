"""Near-duplicate groups: posts that say the same in almost the same characters must never be split apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import HashingVectorizer

from data.simplify import in_simplified

SHINGLE = 3  # characters
BLOCK = 512  # rows whose similarities are held at once


def _shingles(texts: Sequence[str]) -> csr_matrix:
    """Unit vectors over the distinct character shingles of each text: [texts, 2^20], their dot product is the cosine.

    No idf: whether two posts are duplicates must not depend on what else is in the corpus.
    """
    hashing = HashingVectorizer(
        analyzer="char", ngram_range=(SHINGLE, SHINGLE), binary=True, alternate_sign=False, dtype=np.float32
    )
    return csr_matrix(hashing.transform(texts))


def _pairs(vectors: csr_matrix, threshold: float) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Pairs (i, j), i < j, of rows with cosine >= threshold, block by block."""
    for start in range(0, vectors.shape[0], BLOCK):
        similar = (vectors[start : start + BLOCK] @ vectors[start:].T).tocoo()
        near = (similar.data >= threshold - 1e-6) & (similar.row < similar.col)
        yield similar.row[near] + start, similar.col[near] + start


def components(left: Sequence[int], right: Sequence[int], size: int) -> list[int]:
    """Group ids of `size` things that the pairs (left, right) tie together, numbered by first appearance."""
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels.tolist()]


def near_duplicate_groups(texts: Sequence[str], threshold: float = 0.8) -> list[int]:
    """Group id of each text; similar texts (cosine of character shingles >= threshold) and their chains share one.

    Texts that are equal in normalised, simplified characters always share a group.
    """
    unique: dict[str, int] = {}
    rows = [unique.setdefault(in_simplified(text), len(unique)) for text in texts]
    if not unique:
        return []
    left, right = zip(*_pairs(_shingles(list(unique)), threshold), strict=True)
    groups = components(np.concatenate(left).tolist(), np.concatenate(right).tolist(), len(unique))
    return [groups[row] for row in rows]


def near_any(texts: Sequence[str], others: Sequence[str], threshold: float = 0.8) -> NDArray[np.bool_]:
    """Whether each text would share a group with one of the others, chains apart: [texts]."""
    rows, known = ([in_simplified(text) for text in each] for each in (texts, others))
    same = frozenset(known)
    equal = np.array([text in same for text in rows], bool)  # also texts too short for a shingle
    if not rows or not known:
        return equal
    vectors, against = _shingles(rows), _shingles(known).T.tocsr()
    blocks = (vectors[start : start + BLOCK] @ against for start in range(0, vectors.shape[0], BLOCK))
    near = np.concatenate([block.max(axis=1).toarray().ravel() >= threshold - 1e-6 for block in blocks])
    return np.asarray(equal | near)
