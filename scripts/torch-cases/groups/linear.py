"""Matrix products of every rank, index notation, tables, attention."""

import numpy as np

from core import vjp
from groups.common import one

G = "linear"
for name, shape in {"1d": (7,), "2d": (3, 7), "3d": (2, 3, 7), "4d": (2, 1, 3, 7)}.items():
    x, w, b = (shape, "normal"), ((5, 7), "normal"), ((5,), "normal")
    one(G, f"linear_{name}", "linear", {"x": x, "weight": w, "bias": b}, params=["weight", "bias"])
    one(G, f"linear_{name}_no_bias", "linear", {"x": x, "weight": w}, params=["weight"])
one(G, "linear_one", "linear", {"x": ((3, 1), "normal"), "weight": ((1, 1), "normal"), "bias": ((1,), "normal")},
    params=["weight", "bias"])
one(G, "linear_large", "linear", {"x": ((33, 65), "normal"), "weight": ((67, 65), "normal")}, params=["weight"])
SHAPES = {"1_1": ((5,), (5,)), "1_2": ((5,), (5, 3)), "2_1": ((3, 5), (5,)), "2_2": ((3, 5), (5, 2)),
          "1_3": ((5,), (2, 5, 3)), "3_1": ((2, 3, 5), (5,)), "3_2": ((2, 3, 5), (5, 4)), "2_3": ((3, 5), (2, 5, 4)),
          "3_3": ((2, 3, 5), (2, 5, 4)), "3_3_one": ((1, 3, 5), (2, 5, 4)), "4_3": ((2, 3, 4, 5), (3, 5, 2)),
          "4_4": ((2, 1, 4, 5), (1, 3, 5, 2)), "2_4": ((4, 5), (2, 3, 5, 2)), "1_4": ((5,), (2, 3, 5, 2)),
          "inner_1": ((3, 1), (1, 4)), "row_column": ((1, 5), (5, 1)), "odd": ((17, 33), (33, 19))}
for name, (a, b) in SHAPES.items():
    one(G, f"matmul_{name}", "matmul", {"a": (a, "normal"), "b": (b, "normal")})
one(G, "mm", "mm", {"a": ((3, 5), "normal"), "b": ((5, 4), "normal")})
one(G, "bmm", "bmm", {"a": ((3, 2, 5), "normal"), "b": ((3, 5, 4), "normal")})
one(G, "mv", "mv", {"a": ((3, 5), "normal"), "b": ((5,), "normal")})
one(G, "dot", "dot", {"a": ((5,), "normal"), "b": ((5,), "normal")})
one(G, "inner", "inner", {"a": ((2, 5), "normal"), "b": ((3, 5), "normal")})
one(G, "outer", "outer", {"a": ((3,), "normal"), "b": ((5,), "normal")})
one(G, "addmm", "addmm", {"c": ((4,), "normal"), "a": ((3, 5), "normal"), "b": ((5, 4), "normal")}, {"beta": 0.5, "alpha": 2})
one(G, "addmm_plain", "addmm", {"c": ((3, 4), "normal"), "a": ((3, 5), "normal"), "b": ((5, 4), "normal")})
one(G, "addmv", "addmv", {"c": ((3,), "normal"), "a": ((3, 5), "normal"), "b": ((5,), "normal")}, {"alpha": -1})
one(G, "addbmm", "addbmm", {"c": ((3, 4), "normal"), "a": ((2, 3, 5), "normal"), "b": ((2, 5, 4), "normal")})
one(G, "baddbmm", "baddbmm", {"c": ((2, 1, 4), "normal"), "a": ((2, 3, 5), "normal"), "b": ((2, 5, 4), "normal")},
    {"beta": 2, "alpha": 0.5})
one(G, "addr", "addr", {"c": ((3, 5), "normal"), "a": ((3,), "normal"), "b": ((5,), "normal")})
one(G, "kron", "kron", {"a": ((2, 3), "normal"), "b": ((3, 2), "normal")})
one(G, "tensordot", "tensordot", {"a": ((2, 3, 4), "normal"), "b": ((3, 4, 5), "normal")}, {"dims": 2})
one(G, "cross", "cross", {"a": ((2, 3), "normal"), "b": ((2, 3), "normal")}, {"dim": 1})
one(G, "cdist", "cdist", {"a": ((4, 3), "normal"), "b": ((5, 3), "normal")})
one(G, "cosine_similarity", "cosine_similarity", {"a": ((4, 3), "normal"), "b": ((4, 3), "normal")})
one(G, "cosine_similarity_dim", "cosine_similarity", {"a": ((2, 4, 3), "normal"), "b": ((2, 4, 3), "normal")}, {"dim": -1})
one(G, "pairwise_distance", "pairwise_distance", {"a": ((4, 3), "normal"), "b": ((4, 3), "normal")})
one(G, "pairwise_distance_1", "pairwise_distance", {"a": ((4, 3), "normal"), "b": ((4, 3), "normal")},
    {"p": 1, "keepdim": True})
BIL = {"x1": ((4, 3), "normal"), "x2": ((4, 5), "normal"), "weight": ((2, 3, 5), "normal")}
one(G, "bilinear_no_bias", "bilinear", BIL, params=["weight"])
one(G, "bilinear", "bilinear", {**BIL, "bias": ((2,), "normal")}, params=["weight", "bias"])
one(G, "bilinear_3d", "bilinear", {"x1": ((2, 4, 3), "normal"), "x2": ((2, 4, 5), "normal"),
                                   "weight": ((2, 3, 5), "normal"), "bias": ((2,), "normal")}, params=["weight", "bias"])
EINSUM = {"matrix": ("ij,jk->ik", (3, 4), (4, 5)), "batch": ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
          "outer": ("i,j->ij", (3,), (4,)), "trace": ("ii->", (4, 4)), "diagonal": ("ii->i", (4, 4)),
          "transpose": ("ij->ji", (3, 4)), "sum": ("ij->", (3, 4)), "rows": ("ij->i", (3, 4)), "dot": ("i,i->", (4,), (4,)),
          "heads": ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)), "three": ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
          "bilinear": ("bi,oij,bj->bo", (3, 2), (4, 2, 5), (3, 5)), "dots": ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
          "implicit": ("ij,jk", (3, 4), (4, 2)), "hadamard": ("ij,ij->ij", (3, 4), (3, 4)), "permute": ("abcd->dbca", (2, 3, 4, 5)),
          "batch_diagonal": ("bii->bi", (2, 3, 3)), "contract_two": ("abc,cbd->ad", (2, 3, 4), (4, 3, 5)),
          "implicit_dots": ("...i,i", (2, 3, 4), (4,)), "product": ("a,b,c->abc", (2,), (3,), (4,))}
for name, (equation, *shapes) in EINSUM.items():
    one(G, f"einsum_{name}", "einsum", {"abc"[i]: (s, "normal") for i, s in enumerate(shapes)}, {"equation": equation})
IDS = np.array([[0, 2, 2], [4, 0, 1]], np.int32)
vjp("embedding", G, [("embedding", ["ids", "weight"], ["y"], {})], {"ids": IDS, "weight": ((5, 3), "normal")},
    params=["weight"])
vjp("embedding_padding", G, [("embedding", ["ids", "weight"], ["y"], {"padding_idx": 2})],
    {"ids": IDS, "weight": ((5, 3), "normal")}, params=["weight"])
vjp("embedding_padding_last", G, [("embedding", ["ids", "weight"], ["y"], {"padding_idx": -1})],
    {"ids": IDS, "weight": ((5, 3), "normal")}, params=["weight"])
vjp("embedding_1d", G, [("embedding", ["ids", "weight"], ["y"], {})], {"ids": IDS[0], "weight": ((5, 3), "normal")},
    params=["weight"])
vjp("embedding_3d", G, [("embedding", ["ids", "weight"], ["y"], {})], {"ids": IDS[:, None], "weight": ((5, 3), "normal")},
    params=["weight"])
for mode in ["sum", "mean", "max"]:
    vjp(f"embedding_bag_{mode}", G, [("embedding_bag", ["ids", "weight"], ["y"], {"mode": mode})],
        {"ids": np.array([[0, 2, 3], [4, 0, 1]], np.int32), "weight": ((5, 3), "normal")}, params=["weight"])
QKV = {"q": ((2, 3, 4), "normal"), "k": ((2, 5, 4), "normal"), "v": ((2, 5, 6), "normal")}
A = "scaled_dot_product_attention"
one(G, "attention", A, QKV)
one(G, "attention_scale", A, QKV, {"scale": 0.3})
one(G, "attention_heads", A, {"q": ((2, 2, 3, 4), "normal"), "k": ((2, 2, 3, 4), "normal"), "v": ((2, 2, 3, 4), "normal")})
one(G, "attention_causal", A, {n: ((2, 5, 4), "normal") for n in "qkv"}, {"is_causal": True})
one(G, "attention_mask", A, {**QKV, "m": np.array([[1, 0, 1, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]], bool)})
one(G, "attention_bias", A, {**QKV, "m": ((3, 5), "normal")})
HEADS = [("linear", ["x", "wq", "bq"], ["q0"], {}), ("linear", ["x", "wk", "bk"], ["k0"], {}),
         ("linear", ["x", "wv", "bv"], ["v0"], {})]
for n in "qkv":
    HEADS += [("reshape", [f"{n}0"], [f"{n}1"], {"shape": [2, 3, 2, 4]}), ("transpose", [f"{n}1"], [n], {"dim0": 1, "dim1": 2})]
HEADS += [(A, ["q", "k", "v"], ["a"], {}), ("transpose", ["a"], ["b"], {"dim0": 1, "dim1": 2}),
          ("reshape", ["b"], ["c"], {"shape": [2, 3, 8]}), ("linear", ["c", "wo", "bo"], ["d"], {}), ("add", ["x", "d"], ["e"], {}),
          ("layer_norm", ["e", "g", "h"], ["y"], {"normalized_shape": [8]})]
P = {**{f"w{n}": ((8, 8), "small") for n in "qkvo"}, **{f"b{n}": ((8,), "small") for n in "qkvo"}, "g": ((8,), "ones"),
     "h": ((8,), "zeros")}
vjp("multi_head_attention", G, HEADS, {"x": ((2, 3, 8), "normal"), **P}, params=list(P))
vjp("tied_weights", G, [("linear", ["x", "w"], ["h"], {}), ("tanh", ["h"], ["a"], {}), ("transpose", ["w"], ["v"], {"dim0": 0, "dim1": 1}),
                        ("linear", ["a", "v"], ["y"], {})], {"x": ((3, 4), "normal"), "w": ((5, 4), "normal")}, params=["w"])
