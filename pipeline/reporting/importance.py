"""How much of a search's outcome each hyperparameter explains, and what chance would show.

A random forest learns the score from the hyperparameters; the variance of its marginal
prediction over one of them is that one's share (first-order functional ANOVA: Hutter, Hoos and
Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance", ICML 2014), here
over the values that the trials tried, divided by the variance of the scores. With few trials a
forest finds shares in noise as well: so the same is done with shuffled scores, and a share
counts only above what 95 % of the shuffles gave.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.reporting.units import is_number

METHOD = "first-order functional ANOVA of a random forest"
# Fewer trials say nothing, however they are looked at.
MIN_TRIALS = 8
# The marginal takes trials² predictions for each setting.
MAX_TRIALS = 250
TREES = 24
# A leaf holds a fifth of the trials, within these bounds: smaller ones learn noise, and chance
# would give shares that no real effect can stand out from.
LEAF = (3, 10)
# At most one of 39 shuffles above a share: chance shows that in 2 of 40 searches, 5 %. Of 19
# shuffles none might be, and a single lucky one would hide every real effect.
SHUFFLES = 39


def measure_importance(
    trials: Sequence[Mapping[str, Any]], logarithmic: frozenset[str], seed: int
) -> dict[str, Any]:
    """Shares of the scores' variance that single hyperparameters explain.

    Args:
        trials: with `hyperparameters` (path → value; a path may be missing from a trial whose
            conditions leave it out) and `score`; trials without a finite score do not count.
        logarithmic: paths whose values are compared by their ratio.
        seed: of the forest and of the shuffles.

    Returns:
        {"method", "trials" (that counted), "shuffles", "reason" (why there are no shares, or
        None), "explained" (share of the scores' variance that the forest foretells of trials
        it has not seen, R² out of bag), "shares": [{"path", "share", "chance" (what 95 % of
        the shuffles stay below)}] largest first}.
    """
    usable = [trial for trial in trials if is_number(trial["score"])][:MAX_TRIALS]
    found: dict[str, Any] = {
        "method": METHOD, "trials": len(usable), "shuffles": SHUFFLES,
        "reason": None, "explained": None, "shares": [],
    }  # fmt: skip
    paths = list(dict.fromkeys(path for trial in usable for path in trial["hyperparameters"]))
    columns = {path: encode(usable, path, path in logarithmic) for path in paths}
    columns = {path: column for path, column in columns.items() if len(np.unique(column)) > 1}
    scores = np.array([trial["score"] for trial in usable], float)
    if len(usable) < MIN_TRIALS:
        return {**found, "reason": f"it takes at least {MIN_TRIALS} trials with a score"}
    if not columns:
        return {**found, "reason": "all trials had the same settings"}
    if np.ptp(scores) == 0:
        return {**found, "reason": "all trials scored the same"}
    table = np.column_stack(list(columns.values()))
    explained, shares, chance = explain(table, rank(scores), seed)
    rows = [
        {"path": path, "share": float(share), "chance": float(limit)}
        for path, share, limit in zip(columns, shares, chance, strict=True)
    ]
    rows.sort(key=lambda row: -row["share"])
    return {**found, "explained": explained, "shares": rows}


def explain(
    table: np.ndarray, ranks: np.ndarray, seed: int
) -> tuple[float, np.ndarray, np.ndarray]:
    """R² out of bag, the share of each column (k,), and what chance gives each one (k,)."""
    forest = fit_forest(table, ranks, seed, oob_score=True)
    random = np.random.default_rng(seed)
    shuffled = []
    for _ in range(SHUFFLES):
        by_chance = random.permutation(ranks)
        shuffled.append(measure_shares(fit_forest(table, by_chance, seed), table, by_chance))
    shares = measure_shares(forest, table, ranks)
    return float(forest.oob_score_), shares, np.sort(shuffled, axis=0)[-2]


def encode(trials: Sequence[Mapping[str, Any]], path: str, logarithmic: bool) -> np.ndarray:
    """One column (n,) of numbers: figures as they are (or their logarithm), choices by number.

    A trial that does not have the setting gets a place of its own below all values.
    """
    values = [trial["hyperparameters"].get(path) for trial in trials]
    known = [value for value in values if value is not None]
    if all(is_number(value) for value in known):
        positive = logarithmic and all(value > 0 for value in known)
        places = [
            None if value is None else math.log(value) if positive else float(value)
            for value in values
        ]
    else:
        order = {value: index for index, value in enumerate(sorted(set(map(repr, known))))}
        places = [None if value is None else float(order[repr(value)]) for value in values]
    present = [place for place in places if place is not None]
    below = min(present, default=0.0) - max(1.0, np.ptp(present) if present else 0.0)
    return np.array([below if place is None else place for place in places])


def rank(scores: np.ndarray) -> np.ndarray:
    """Ranks (n,): one diverged trial with a loss of 10⁶ must not be all there is to explain."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: np.ndarray = (last - (counts - 1) / 2)[inverse]
    return ranks


def fit_forest(table: np.ndarray, scores: np.ndarray, seed: int, oob_score: bool = False) -> Any:
    """Fits a forest to the settings (n, k) and scores (n,) of n trials."""
    from sklearn.ensemble import RandomForestRegressor

    leaf = min(LEAF[1], max(LEAF[0], len(table) // 5))
    return RandomForestRegressor(
        n_estimators=TREES, min_samples_leaf=leaf, oob_score=oob_score, random_state=seed
    ).fit(table, scores)


def measure_shares(forest: Any, table: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The share (k,) of the scores' variance in the forest's marginal over each setting.

    share_j = var_v( mean_i f(x_i with x_ij = v) ) / var(scores), v over the values of the trials
    """
    shares = []
    for column in range(table.shape[1]):
        values, counts = np.unique(table[:, column], return_counts=True)
        everywhere = np.repeat(table[None], len(values), axis=0)
        everywhere[:, :, column] = values[:, None]
        predicted = forest.predict(everywhere.reshape(-1, table.shape[1]))
        marginal = predicted.reshape(len(values), -1).mean(axis=1)
        mean = np.average(marginal, weights=counts)
        shares.append(np.average((marginal - mean) ** 2, weights=counts) / scores.var())
    return np.array(shares)
