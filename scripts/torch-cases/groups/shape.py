"""Rearranging, picking, placing, padding."""

import numpy as np

from core import vjp
from groups.common import one

G = "shape"
X = {"x": ((2, 3, 4), "normal")}
M = {"x": ((4, 5), "apart")}


def x(name, op, attrs=None, tensors=X, **more):
    one(G, f"shape_{name}", op, tensors, attrs, **more)


def many(name, op, attrs, count, tensors=X):
    outs = [f"y{i}" for i in range(count)]
    one(G, f"shape_{name}", op, tensors, attrs, outputs=outs)


x("reshape_infer", "reshape", {"shape": [-1, 6]})
x("reshape_flat", "reshape", {"shape": [-1]})
x("reshape_more", "reshape", {"shape": [2, 1, 3, 2, 2]})
x("view", "view", {"shape": [6, 4]})
x("flatten", "flatten")
x("flatten_from", "flatten", {"start_dim": 1})
x("flatten_some", "flatten", {"start_dim": 0, "end_dim": 1})
x("flatten_negative", "flatten", {"start_dim": -2, "end_dim": -1})
x("unflatten", "unflatten", {"dim": 2, "sizes": [2, 2]})
x("unflatten_infer", "unflatten", {"dim": -1, "sizes": [-1, 2]})
ONES = {"x": ((1, 3, 1, 2), "normal")}
x("squeeze_all", "squeeze", tensors=ONES)
x("squeeze_one", "squeeze", {"dim": 2}, tensors=ONES)
x("squeeze_not_one", "squeeze", {"dim": 1}, tensors=ONES)
x("squeeze_negative", "squeeze", {"dim": -2}, tensors=ONES)
for d in [0, 1, 3, -1, -2]:
    x(f"unsqueeze_{d}".replace("-", "m"), "unsqueeze", {"dim": d})
x("permute", "permute", {"dims": [2, 0, 1]})
x("permute_negative", "permute", {"dims": [-1, 0, -2]})
x("transpose", "transpose", {"dim0": 0, "dim1": 2})
x("transpose_negative", "transpose", {"dim0": -1, "dim1": 1})
x("t", "t", tensors=M)
x("swapaxes", "swapaxes", {"axis0": 0, "axis1": 1})
x("movedim", "movedim", {"source": 0, "destination": -1})
x("movedim_several", "movedim", {"source": [0, 1], "destination": [2, 0]})
x("expand", "expand", {"size": [4, 3, 5]}, tensors={"x": ((3, 1), "normal")})
x("expand_keep", "expand", {"size": [2, -1, 5]}, tensors={"x": ((2, 3, 1), "normal")})
x("broadcast_to", "broadcast_to", {"size": [2, 3, 4]}, tensors={"x": ((4,), "normal")})
x("repeat", "repeat", {"repeats": [2, 1, 3]})
x("repeat_more", "repeat", {"repeats": [2, 3, 1]}, tensors={"x": ((3, 2), "normal")})
x("tile", "tile", {"dims": [2]})
x("tile_more", "tile", {"dims": [2, 1, 2]}, tensors={"x": ((3,), "normal")})
x("repeat_interleave", "repeat_interleave", {"repeats": 3, "dim": 1})
x("repeat_interleave_flat", "repeat_interleave", {"repeats": 2})
CAT = {"a": ((2, 1, 4), "normal"), "b": ((2, 3, 4), "normal")}
x("cat_negative", "cat", {"dim": -2}, tensors=CAT)
x("cat_self", "cat", {"dim": 0}, tensors={"a": ((2, 3), "normal"), "b": ((1, 3), "normal"), "c": ((3, 3), "normal")})
x("cat_empty", "cat", {"dim": 0}, tensors={"a": ((2, 3), "normal"), "b": ((0, 3), "normal")})
SAME = {n: ((2, 3), "normal") for n in "abc"}
for d in [0, 1, 2, -1]:
    x(f"stack_{d}".replace("-", "m"), "stack", {"dim": d}, tensors=SAME)
x("hstack", "hstack", tensors=SAME)
x("vstack", "vstack", tensors=SAME)
many("split_even", "split", {"split_size": 2, "dim": 2}, 2)
many("split_rest", "split", {"split_size": 2, "dim": 1}, 2)
many("split_sizes", "split", {"split_size": [1, 3], "dim": -1}, 2)
many("chunk", "chunk", {"chunks": 3, "dim": 1}, 3, tensors={"x": ((2, 7), "normal")})
many("chunk_2", "chunk", {"chunks": 2, "dim": -1}, 2)
many("unbind", "unbind", {"dim": 1}, 3)
x("narrow", "narrow", {"dim": 1, "start": 1, "length": 2})
x("select", "select", {"dim": 1, "index": 2})
x("select_negative", "select", {"dim": -1, "index": -2})
x("slice", "slice", {"dim": 2, "start": 1, "end": 3})
x("slice_step", "slice", {"dim": 0, "start": 1, "step": 3}, tensors={"x": ((8, 2), "normal")})
x("slice_negative", "slice", {"dim": 1, "start": -3, "end": -1}, tensors={"x": ((2, 5), "normal")})
x("slice_beyond", "slice", {"dim": 1, "start": 2, "end": 99}, tensors={"x": ((2, 5), "normal")})
x("slice_none", "slice", {"dim": 1, "start": 2, "end": 2}, tensors={"x": ((2, 5), "normal")})
x("flip", "flip", {"dims": [0, 2]})
x("fliplr", "fliplr", tensors=M)
x("flipud", "flipud", tensors=M)
x("rot90", "rot90", {"k": 1, "dims": [0, 1]}, tensors=M)
x("roll", "roll", {"shifts": 2, "dims": 2})
x("roll_several", "roll", {"shifts": [1, -2], "dims": [0, 1]})
x("roll_flat", "roll", {"shifts": 5})
for name, pad in {"last": [1, 2], "two": [1, 0, 0, 2], "all": [1, 1, 0, 2, 1, 0], "crop": [-1, 2], "crop_two": [-1, -1, 1, -1]}.items():
    x(f"pad_{name}", "pad", {"pad": pad})
x("pad_value", "pad", {"pad": [1, 2], "mode": "constant", "value": -1.5})
IMAGE = {"x": ((1, 2, 4, 5), "normal")}
for mode in ["reflect", "replicate", "circular"]:
    x(f"pad_{mode}", "pad", {"pad": [2, 1, 1, 3], "mode": mode}, tensors=IMAGE)
    x(f"pad_{mode}_1d", "pad", {"pad": [3, 2], "mode": mode}, tensors={"x": ((1, 2, 5), "normal")})
for op in ["triu", "tril"]:
    for d in [0, 1, -2]:
        x(f"{op}_{d}".replace("-", "m"), op, {"diagonal": d}, tensors=M)
    x(f"{op}_batch", op)
for d in [0, 2, -1]:
    x(f"diagonal_{d}".replace("-", "m"), "diagonal", {"offset": d}, tensors=M)
    x(f"diag_{d}".replace("-", "m"), "diag", {"diagonal": d}, tensors=M)
    x(f"diag_vector_{d}".replace("-", "m"), "diag", {"diagonal": d}, tensors={"x": ((4,), "normal")})
x("diagonal_dims", "diagonal", {"offset": 1, "dim1": 0, "dim2": 2})
x("diag_embed", "diag_embed", tensors={"x": ((2, 3), "normal")})
x("trace", "trace", tensors=M)
I = {"i": np.array([2, 0, 2, 1], np.int32)}
x("index_select", "index_select", {"dim": 1}, tensors={**X, **I})
x("index_tensor", "index", {"dim": 1}, tensors={**X, **I})
x("index_tensor_2d", "index", tensors={**M, "i": np.array([[0, 3], [3, 1]], np.int32)})
x("gather", "gather", {"dim": 1}, tensors={**M, "i": np.array([[0, 0, 4], [1, 2, 3], [4, 4, 4], [0, 1, 0]], np.int32)})
x("gather_fewer", "gather", {"dim": 0}, tensors={**M, "i": np.array([[3, 0], [0, 0], [1, 1]], np.int32)})
x("take_along_dim", "take_along_dim", {"dim": 1}, tensors={**M, "i": np.array([[0], [4], [2], [2]], np.int32)})
SC = {**M, "i": np.array([[0, 0, 4], [1, 2, 3], [4, 4, 4]], np.int32), "s": ((3, 3), "normal")}
x("scatter_add", "scatter_add", {"dim": 1}, tensors=SC)
x("scatter_add_0", "scatter_add", {"dim": 0}, tensors={**M, "i": np.array([[3, 0, 3, 1, 1], [3, 0, 2, 1, 0]], np.int32), "s": ((2, 5), "normal")})
x("scatter", "scatter", {"dim": 1}, tensors={**M, "i": np.array([[0, 1], [4, 2], [1, 3]], np.int32), "s": ((3, 2), "normal")})
x("scatter_value", "scatter", {"dim": 1, "value": 2.5}, tensors={**M, "i": np.array([[0, 1], [4, 2], [1, 3]], np.int32)})
x("index_add", "index_add", {"dim": 0, "alpha": 2}, tensors={**M, **I, "s": ((4, 5), "normal")})
x("index_copy", "index_copy", {"dim": 0}, tensors={**M, "i": np.array([2, 0], np.int32), "s": ((2, 5), "normal")})
x("one_hot", "one_hot", {"num_classes": 4}, tensors=I, outputs=["m"], also=[("float", ["m"], ["y"], {})])
for largest in [True, False]:
    one(G, f"shape_topk_{largest}".lower(), "topk", M, {"k": 3, "largest": largest}, outputs=["y", "i"])
one(G, "shape_topk_dim", "topk", X, {"k": 2, "dim": 1}, outputs=["y", "i"])
one(G, "shape_sort", "sort", M, outputs=["y", "i"])
one(G, "shape_sort_down", "sort", M, {"dim": 0, "descending": True}, outputs=["y", "i"])
x("argsort", "argsort", {"dim": 1}, tensors=M, outputs=["m"], also=[("float", ["m"], ["y"], {})])
vjp("shape_meshgrid", G, [("meshgrid", ["a", "b"], ["y", "z"], {"indexing": "ij"})],
    {"a": ((3,), "normal"), "b": ((4,), "normal")}, outputs=["y", "z"])
vjp("shape_meshgrid_xy", G, [("meshgrid", ["a", "b"], ["y", "z"], {"indexing": "xy"})],
    {"a": ((3,), "normal"), "b": ((4,), "normal")}, outputs=["y", "z"])
x("tensor_unfold", "tensor_unfold", {"dimension": 1, "size": 3, "step": 2}, tensors={"x": ((2, 8), "normal")})
x("tensor_unfold_overlap", "tensor_unfold", {"dimension": 0, "size": 3, "step": 1}, tensors={"x": ((5, 2), "normal")})
x("masked_fill", "masked_fill", {"value": 0.5}, tensors={**M, "m": ((5,), "bool")})
x("empty_sum", "reshape", {"shape": [3, 0, 2]}, tensors={"x": ((0, 6), "normal")})
x("contiguous", "clone")
vjp("shape_chain", G, [("transpose", ["x"], ["a"], {"dim0": 0, "dim1": 1}), ("reshape", ["a"], ["b"], {"shape": [3, 8]}),
                       ("slice", ["b"], ["c"], {"dim": 1, "start": 1, "end": 7, "step": 2}), ("flip", ["c"], ["d"], {"dims": [1]}),
                       ("cat", ["c", "d"], ["y"], {"dim": 0})], X)
vjp("shape_split_cat", G, [("split", ["x"], ["a", "b"], {"split_size": 2, "dim": 2}), ("cat", ["b", "a"], ["y"], {"dim": 2})], X)
