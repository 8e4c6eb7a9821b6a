"""Losses with every option and reduction, and far from zero."""

import numpy as np

from groups.common import one

G = "loss"
FAR = np.array([[1e4, -1e4, 0], [-1e4, 30, 50], [0, 0, 1e4]], np.float32)


def each(name, op, tensors, attrs=None, consts=(), reductions=("mean", "sum", "none")):
    for r in reductions:
        one(G, f"loss_{name}_{r}", op, tensors, {**(attrs or {}), "reduction": r}, consts=consts)


def mean(name, op, tensors, attrs=None, consts=()):
    one(G, f"loss_{name}", op, tensors, attrs or {}, consts=consts)


AB = {"a": ((3, 4), "normal"), "b": ((3, 4), "normal")}
for op in ["mse", "l1", "huber", "smooth_l1", "mse_loss", "l1_loss"]:
    each(op, op, AB)
mean("huber_delta", "huber", AB, {"delta": 0.4})
mean("huber_loss_delta", "huber_loss", AB, {"delta": 2.5})
mean("smooth_l1_beta", "smooth_l1", AB, {"beta": 0.3})
mean("smooth_l1_beta_0", "smooth_l1_loss", AB, {"beta": 0})
mean("mse_4d", "mse", {"a": ((2, 2, 3, 2), "normal"), "b": ((2, 2, 3, 2), "normal")})
mean("mse_scalar", "mse", {"a": ((), "normal"), "b": ((), "normal")})
P = {"p": ((4, 3), "unit"), "t": ((4, 3), "unit")}
each("bce", "bce", P, consts=["t"])
each("bce_weight", "bce", {**P, "w": ((4, 3), "positive")}, consts=["t", "w"])
EDGE = {"p": np.array([0, 1, 0, 1, 1e-5, 0.5], np.float32), "t": np.array([0, 1, 1, 0, 1, 0.5], np.float32)}
mean("bce_edges", "bce", {"p": EDGE["p"][[0, 1, 4, 5]], "t": EDGE["t"][[0, 1, 4, 5]]}, consts=["t"])
mean("bce_wrong", "bce", EDGE, consts=["t"])
L = {"z": ((4, 3), "normal"), "t": ((4, 3), "unit")}
each("bce_logits", "bce_with_logits", L, consts=["t"])
mean("bce_logits_weight", "bce_with_logits", {**L, "w": ((3,), "positive")}, consts=["t", "w"])
mean("bce_logits_weights", "bce_with_logits", {**L, "w": ((4, 3), "positive"), "pw": ((3,), "positive")},
     consts=["t", "w", "pw"])
mean("bce_logits_far", "bce_with_logits", {"z": FAR, "t": np.array([[1, 0, 1], [1, 0, 1], [0, 1, 0]], np.float32)},
     consts=["t"])
C = {"z": ((6, 5), "normal"), "t": ((6,), "int:5")}
K = {"z": ((2, 5, 3, 2), "normal"), "t": ((2, 3, 2), "int:5")}
for op in ["cross_entropy", "nll"]:
    name = "ce" if op == "cross_entropy" else op
    each(name, op, C)
    each(f"{name}_weight", op, {**C, "w": ((5,), "positive")}, consts=["w"])
    each(f"{name}_ignore", op, C, {"ignore_index": 2})
    each(f"{name}_images", op, K)
    mean(f"{name}_images_all", op, {**K, "w": ((5,), "positive")}, {"ignore_index": 1}, consts=["w"])
    mean(f"{name}_ignore_default", op, {"z": ((4, 3), "normal"), "t": np.array([0, -100, 2, -100], np.int32)})
    mean(f"{name}_3d", op, {"z": ((2, 3, 4), "normal"), "t": ((2, 4), "int:3")})
each("ce_smoothing", "cross_entropy", C, {"label_smoothing": 0.1})
each("ce_all", "cross_entropy", {**C, "w": ((5,), "positive")}, {"label_smoothing": 0.3, "ignore_index": 0}, consts=["w"])
mean("ce_images_smoothing", "cross_entropy", {**K, "w": ((5,), "positive")}, {"label_smoothing": 0.2}, consts=["w"])
mean("ce_square", "cross_entropy", {"z": ((3, 3, 3), "normal"), "t": ((3, 3), "int:3")})
mean("ce_one_class", "cross_entropy", {"z": ((3, 1), "normal"), "t": ((3,), "int:1")})
mean("ce_unbatched", "cross_entropy", {"z": ((4,), "normal"), "t": np.array(2, np.int32)})
mean("ce_far", "cross_entropy", {"z": FAR, "t": np.array([0, 1, 1], np.int32)})
S = {"z": ((4, 5), "normal"), "t": ((4, 5), "probs")}
each("ce_soft", "cross_entropy", S, consts=["t"])
each("ce_soft_all", "cross_entropy", {**S, "w": ((5,), "positive")}, {"label_smoothing": 0.2}, consts=["t", "w"])
mean("ce_soft_images", "cross_entropy", {"z": ((2, 5, 3), "normal"), "t": ((2, 5, 3), "probs")}, consts=["t"])
mean("ce_soft_gradient", "cross_entropy", S)
Q = {"q": ((3, 4), "normal"), "p": ((3, 4), "probs")}
each("kl", "kl_div", Q, reductions=("mean", "sum", "none", "batchmean"))
each("kl_log", "kl_div", {"q": ((3, 4), "normal"), "p": ((3, 4), "normal")}, {"log_target": True},
     reductions=("mean", "batchmean"))
mean("kl_zero", "kl_div", {"q": ((2, 3), "normal"), "p": np.array([[0, 0.5, 0.5], [1, 0, 0]], np.float32)}, {"reduction": "sum"},
     consts=["p"])
SIGN = {"x": ((4, 3), "normal"), "t": ((4, 3), "sign")}
each("hinge_embedding", "hinge_embedding_loss", SIGN, consts=["t"])
mean("hinge_embedding_margin", "hinge_embedding_loss", SIGN, {"margin": 0.3}, consts=["t"])
each("soft_margin", "soft_margin_loss", SIGN, consts=["t"])
mean("soft_margin_far", "soft_margin_loss", {"x": np.clip(FAR, -80, 80), "t": np.ones((3, 3), np.float32)}, consts=["t"])
RANK = {"a": ((5,), "normal"), "b": ((5,), "normal"), "t": ((5,), "sign")}
each("margin_ranking", "margin_ranking_loss", RANK, consts=["t"])
mean("margin_ranking_margin", "margin_ranking_loss", RANK, {"margin": 0.7}, consts=["t"])
LABELS = np.array([[3, 0, -1, 1], [1, -1, 0, 0], [0, 1, 2, 3]], np.int32)
each("multilabel_margin", "multilabel_margin_loss", {"x": ((3, 4), "normal"), "t": LABELS})
mean("multilabel_margin_1d", "multilabel_margin_loss", {"x": ((4,), "normal"), "t": LABELS[0]})
ML = {"x": ((3, 4), "normal"), "t": np.array([[1, 0, 0, 1], [0, 0, 1, 1], [1, 1, 1, 0]], np.float32)}
each("multilabel_soft_margin", "multilabel_soft_margin_loss", ML, consts=["t"])
mean("multilabel_soft_margin_weight", "multilabel_soft_margin_loss", {**ML, "weight": ((4,), "positive")},
     consts=["t", "weight"])
MM = {"x": ((4, 3), "normal"), "t": ((4,), "int:3")}
each("multi_margin", "multi_margin_loss", MM)
mean("multi_margin_p", "multi_margin_loss", MM, {"p": 2, "margin": 0.5})
mean("multi_margin_weight", "multi_margin_loss", {**MM, "w": ((3,), "positive")}, {"p": 2}, consts=["w"])
COS = {"a": ((4, 3), "normal"), "b": ((4, 3), "normal"), "t": np.array([1, -1, 1, -1], np.float32)}
each("cosine_embedding", "cosine_embedding_loss", COS, consts=["t"])
mean("cosine_embedding_margin", "cosine_embedding_loss", COS, {"margin": -0.4}, consts=["t"])
TRI = {n: ((4, 3), "normal") for n in "apn"}
each("triplet", "triplet_margin_loss", TRI)
mean("triplet_options", "triplet_margin_loss", TRI, {"margin": 2, "p": 1, "eps": 1e-3})
mean("triplet_swap", "triplet_margin_loss", TRI, {"swap": True})
mean("triplet_p3", "triplet_margin_loss", TRI, {"p": 3, "swap": True, "margin": 3})
PO = {"x": ((3, 4), "normal"), "t": ((3, 4), "positive")}
each("poisson", "poisson_nll_loss", PO, consts=["t"])
mean("poisson_full", "poisson_nll_loss", {**PO, "t": np.arange(12, dtype=np.float32).reshape(3, 4)}, {"full": True},
     consts=["t"])
mean("poisson_rate", "poisson_nll_loss", {"x": ((3, 4), "positive"), "t": ((3, 4), "positive")},
     {"log_input": False, "eps": 1e-4}, consts=["t"])
GA = {"x": ((3, 4), "normal"), "t": ((3, 4), "normal"), "v": ((3, 4), "positive")}
each("gaussian", "gaussian_nll_loss", GA)
mean("gaussian_full", "gaussian_nll_loss", {**GA, "v": ((3, 1), "positive")}, {"full": True, "eps": 0.5})
