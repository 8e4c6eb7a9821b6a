"""Training runs: every optimiser and its options, schedules, clipping, kinds of nets."""

from core import train

HIDDEN = {"fc1.weight": ((6, 5), "small"), "fc1.bias": ((6,), "small"), "fc2.weight": ((3, 6), "small"),
          "fc2.bias": ((3,), "small")}
MLP = [("linear", ["x", "fc1.weight", "fc1.bias"], ["h"], {}), ("tanh", ["h"], ["a"], {}),
       ("linear", ["a", "fc2.weight", "fc2.bias"], ["z"], {})]
CLASSES = [("cross_entropy", ["z", "t"], ["loss"], {})]
FEED = {"x": ((8, 5), "normal"), "t": ((8,), "int:3")}


def mlp(name, optimizer, steps=15, loss=CLASSES, feeds=FEED, graph=MLP, params=HIDDEN, **more):
    train(name, [*graph, *loss], params, feeds, optimizer, steps, **more)


def opt(kind, **options):
    mlp("train_" + "_".join([kind, *options]), {"type": kind, **options})


opt("sgd", lr=0.1)
opt("sgd", lr=0.1, momentum=0.9)
opt("sgd", lr=0.1, momentum=0.9, nesterov=True)
opt("sgd", lr=0.1, momentum=0.8, dampening=0.4)
opt("sgd", lr=0.1, weight_decay=0.05)
opt("sgd", lr=0.05, momentum=0.9, weight_decay=0.05, nesterov=True)
mlp("train_sgd_maximize", {"type": "sgd", "lr": 0.02, "maximize": True})
mlp("train_sgd_maximize_decay", {"type": "sgd", "lr": 0.02, "maximize": True, "weight_decay": 0.1})
for kind in ["adam", "adamw"]:
    opt(kind, lr=0.01)
    opt(kind, lr=0.02, betas=[0.8, 0.95], eps=1e-6)
    opt(kind, lr=0.02, amsgrad=True)
    opt(kind, lr=0.01, weight_decay=0.1)
    opt(kind, lr=0.02, weight_decay=0.1, amsgrad=True, betas=[0.5, 0.9])
mlp("train_adam_maximize", {"type": "adam", "lr": 0.005, "maximize": True, "weight_decay": 0.05})
mlp("train_adam_defaults", {"type": "adam"})
opt("rmsprop", lr=0.01)
opt("rmsprop", lr=0.01, alpha=0.9, eps=1e-4, momentum=0.8)
opt("rmsprop", lr=0.01, centered=True)
opt("rmsprop", lr=0.01, centered=True, momentum=0.9, weight_decay=0.05)
opt("adagrad", lr=0.05)
opt("adagrad", lr=0.05, lr_decay=0.1, initial_accumulator_value=0.2, weight_decay=0.05, eps=1e-6)
opt("adadelta")
opt("adadelta", lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.05)
opt("adamax", lr=0.01)
opt("adamax", lr=0.01, betas=[0.8, 0.9], weight_decay=0.05)
opt("nadam", lr=0.01)
opt("nadam", lr=0.01, betas=[0.8, 0.9], weight_decay=0.05, momentum_decay=0.02)
opt("radam", lr=0.02)
opt("radam", lr=0.02, betas=[0.8, 0.9], weight_decay=0.05)
opt("asgd", lr=0.1)
opt("asgd", lr=0.1, lambd=0.05, alpha=0.6, t0=3, weight_decay=0.05)
opt("rprop", lr=0.01)
opt("rprop", lr=0.01, etas=[0.4, 1.3], step_sizes=[1e-4, 0.05])

SGD = {"type": "sgd", "lr": 0.2, "momentum": 0.5}
for name, schedule in {"step": {"type": "step", "step_size": 4, "gamma": 0.3},
                       "multistep": {"type": "multistep", "milestones": [3, 7, 8], "gamma": 0.5},
                       "exponential": {"type": "exponential", "gamma": 0.9}, "cosine": {"type": "cosine", "T_max": 15},
                       "cosine_min": {"type": "cosine", "T_max": 20, "eta_min": 0.01},
                       "linear": {"type": "linear", "start_factor": 0.1, "total_iters": 6},
                       "constant": {"type": "constant", "factor": 0.25, "total_iters": 5},
                       "warmup": {"type": "warmup", "warmup_steps": 5}}.items():
    mlp(f"train_schedule_{name}", SGD, lr_schedule=schedule)
mlp("train_schedule_adam", {"type": "adam", "lr": 0.02}, lr_schedule={"type": "step", "step_size": 5, "gamma": 0.1})
mlp("train_clip_norm", SGD, clip_grad_norm=0.3)
mlp("train_clip_norm_1", SGD, clip_grad_norm={"max_norm": 0.5, "norm_type": 1})
mlp("train_clip_norm_never", SGD, clip_grad_norm=100.0)
mlp("train_clip_value", SGD, clip_grad_value=0.05)
mlp("train_clip_norm_adam", {"type": "adam", "lr": 0.01}, clip_grad_norm=0.1)
mlp("train_frozen", SGD, frozen=["fc1.weight", "fc1.bias"])
mlp("train_frozen_decay", {"type": "adamw", "lr": 0.01, "weight_decay": 0.5}, frozen=["fc2.bias"])

REAL = {"x": ((8, 5), "normal"), "t": ((8, 3), "normal")}
for loss in ["mse", "l1", "smooth_l1", "huber"]:
    mlp(f"train_regression_{loss}", {"type": "adam", "lr": 0.02}, loss=[(loss, ["z", "t"], ["loss"], {})], feeds=REAL)
mlp("train_bce_logits", {"type": "adam", "lr": 0.02}, loss=[("bce_with_logits", ["z", "t"], ["loss"], {})],
    feeds={"x": ((8, 5), "normal"), "t": ((8, 3), "unit")})
mlp("train_class_weights", SGD, loss=[("cross_entropy", ["z", "t", "w"], ["loss"], {"label_smoothing": 0.1})],
    consts={"w": ((3,), "positive")})
mlp("train_two_losses", {"type": "adam", "lr": 0.01},
    loss=[("cross_entropy", ["z", "t"], ["l1"], {}), ("square", ["fc1.weight"], ["q"], {}), ("sum", ["q"], ["s"], {}),
          ("mul", ["s"], ["l2"], {"other": 0.01}), ("add", ["l1", "l2"], ["loss"], {})])
mlp("train_no_bias", SGD, graph=[("linear", ["x", "fc1.weight"], ["h"], {}), ("relu", ["h"], ["a"], {}),
                                 ("linear", ["a", "fc2.weight"], ["z"], {})],
    params={n: s for n, s in HIDDEN.items() if "weight" in n})

BN = {"bn.weight": ((4,), "positive"), "bn.bias": ((4,), "small")}
STATS = {"bn.running_mean": ((4,), "zeros"), "bn.running_var": ((4,), "ones")}
CNN = {"conv.weight": ((4, 2, 3, 3), "small"), "conv.bias": ((4,), "small"), **BN, "fc.weight": ((3, 16), "small"), "fc.bias": ((3,), "small")}
IMAGES = {"x": ((4, 2, 4, 4), "normal"), "t": ((4,), "int:3")}
for name, momentum in [("", 0.1), ("_momentum", 0.4)]:
    train(f"train_cnn_batch_norm{name}", [
        ("conv2d", ["x", "conv.weight", "conv.bias"], ["c"], {"padding": 1}),
        ("batch_norm", ["c", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"], ["b"],
         {"training": True, "momentum": momentum, "eps": 1e-5}),
        ("relu", ["b"], ["r"], {}), ("max_pool2d", ["r"], ["p"], {"kernel_size": 2}), ("flatten", ["p"], ["f"], {"start_dim": 1}),
        ("linear", ["f", "fc.weight", "fc.bias"], ["z"], {}), *CLASSES], CNN, IMAGES, SGD, 10, buffers=STATS)
train("train_cnn_frozen_norm", [
    ("conv2d", ["x", "conv.weight", "conv.bias"], ["c"], {"padding": 1}),
    ("batch_norm", ["c", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"], ["b"], {"training": True}),
    ("gelu", ["b"], ["r"], {}), ("avg_pool2d", ["r"], ["p"], {"kernel_size": 2}), ("flatten", ["p"], ["f"], {"start_dim": 1}),
    ("linear", ["f", "fc.weight", "fc.bias"], ["z"], {}), *CLASSES], CNN, IMAGES, SGD, 10, buffers=STATS,
      frozen=["bn.weight", "conv.bias"])
train("train_batch_norm_eval", [
    ("conv2d", ["x", "conv.weight", "conv.bias"], ["c"], {"padding": 1}),
    ("batch_norm", ["c", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"], ["b"], {"training": False}),
    ("relu", ["b"], ["r"], {}), ("adaptive_avg_pool2d", ["r"], ["p"], {"output_size": 2}), ("flatten", ["p"], ["f"], {"start_dim": 1}),
    ("linear", ["f", "fc.weight", "fc.bias"], ["z"], {}), *CLASSES], CNN, IMAGES, SGD, 8, buffers=STATS)
train("train_layer_norm", [
    ("linear", ["x", "fc1.weight", "fc1.bias"], ["h"], {}), ("layer_norm", ["h", "ln.weight", "ln.bias"], ["n"], {"normalized_shape": [6]}),
    ("gelu", ["n"], ["a"], {}), ("linear", ["a", "fc2.weight", "fc2.bias"], ["z"], {}), *CLASSES],
      {**HIDDEN, "ln.weight": ((6,), "ones"), "ln.bias": ((6,), "zeros")}, FEED, {"type": "adamw", "lr": 0.01}, 12)
train("train_group_norm", [
    ("conv2d", ["x", "conv.weight"], ["c"], {"padding": 1}), ("group_norm", ["c", "bn.weight", "bn.bias"], ["b"], {"num_groups": 2}),
    ("silu", ["b"], ["r"], {}), ("mean", ["r"], ["p"], {"dim": [2, 3]}), ("linear", ["p", "fc.weight", "fc.bias"], ["z"], {}), *CLASSES],
      {"conv.weight": CNN["conv.weight"], **BN, "fc.weight": ((3, 4), "small"), "fc.bias": ((3,), "small")}, IMAGES,
      {"type": "rmsprop", "lr": 0.005}, 10)
train("train_residual", [
    ("linear", ["x", "a.weight", "a.bias"], ["h"], {}), ("relu", ["h"], ["r"], {}), ("linear", ["r", "b.weight", "b.bias"], ["g"], {}),
    ("add", ["g", "x"], ["y"], {}), ("mse", ["y", "t"], ["loss"], {})],
      {"a.weight": ((4, 5), "small"), "a.bias": ((4,), "zeros"), "b.weight": ((5, 4), "small"), "b.bias": ((5,), "zeros")},
      {"x": ((6, 5), "normal"), "t": ((6, 5), "normal")}, SGD, 12)
train("train_autoencoder", [
    ("linear", ["x", "e.weight", "e.bias"], ["h"], {}), ("sigmoid", ["h"], ["c"], {}), ("linear", ["c", "d.weight", "d.bias"], ["y"], {}),
    ("mse", ["y", "x"], ["loss"], {})],
      {"e.weight": ((3, 7), "small"), "e.bias": ((3,), "zeros"), "d.weight": ((7, 3), "small"), "d.bias": ((7,), "zeros")},
      {"x": ((6, 7), "normal")}, {"type": "adam", "lr": 0.02}, 12)
train("train_tied", [
    ("linear", ["x", "w"], ["h"], {}), ("tanh", ["h"], ["c"], {}), ("transpose", ["w"], ["v"], {"dim0": 0, "dim1": 1}),
    ("linear", ["c", "v"], ["y"], {}), ("mse", ["y", "x"], ["loss"], {})], {"w": ((3, 7), "small")}, {"x": ((6, 7), "normal")}, SGD, 12)
train("train_embedding", [
    ("embedding", ["ids", "emb.weight"], ["e"], {"padding_idx": 0}), ("mean", ["e"], ["m"], {"dim": 1}),
    ("linear", ["m", "fc.weight", "fc.bias"], ["z"], {}), *CLASSES],
      {"emb.weight": ((9, 4), "normal"), "fc.weight": ((3, 4), "small"), "fc.bias": ((3,), "small")},
      {"ids": ((5, 4), "int:9"), "t": ((5,), "int:3")}, {"type": "adagrad", "lr": 0.1}, 12)
train("train_two_inputs", [
    ("linear", ["a", "p.weight", "p.bias"], ["u"], {}), ("linear", ["b", "q.weight", "q.bias"], ["v"], {}),
    ("cat", ["u", "v"], ["c"], {"dim": 1}), ("relu", ["c"], ["r"], {}), ("linear", ["r", "o.weight", "o.bias"], ["z"], {}), *CLASSES],
      {"p.weight": ((4, 3), "small"), "p.bias": ((4,), "small"), "q.weight": ((2, 5), "small"), "q.bias": ((2,), "small"),
       "o.weight": ((3, 6), "small"), "o.bias": ((3,), "small")},
      {"a": ((6, 3), "normal"), "b": ((6, 5), "normal"), "t": ((6,), "int:3")}, {"type": "adam", "lr": 0.02}, 12)
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
for kind, gates in GATES.items():
    weights = {"r.weight_ih_l0": ((gates * 4, 3), "small"), "r.weight_hh_l0": ((gates * 4, 4), "small"),
               "r.bias_ih_l0": ((gates * 4,), "small"), "r.bias_hh_l0": ((gates * 4,), "small")}
    starts = ["h0", "c0"] if kind == "lstm" else ["h0"]
    train(f"train_{kind}", [
        (kind, ["x", *starts, *weights], ["y", "hn"] + (["cn"] if kind == "lstm" else []), {"batch_first": True}),
        ("select", ["y"], ["last"], {"dim": 1, "index": -1}), ("linear", ["last", "fc.weight", "fc.bias"], ["z"], {}), *CLASSES],
          {**weights, "fc.weight": ((3, 4), "small"), "fc.bias": ((3,), "small")},
          {"x": ((5, 4, 3), "normal"), **{s: ((1, 5, 4), "zeros") for s in starts}, "t": ((5,), "int:3")},
          {"type": "adam", "lr": 0.02}, 8, clip_grad_norm=1.0)
HEADS = [("linear", ["x", "q.weight"], ["q"], {}), ("linear", ["x", "k.weight"], ["k"], {}), ("linear", ["x", "v.weight"], ["v"], {}),
         ("scaled_dot_product_attention", ["q", "k", "v"], ["a"], {}), ("add", ["a", "x"], ["r"], {}),
         ("layer_norm", ["r", "n.weight", "n.bias"], ["n"], {"normalized_shape": [6]}), ("mean", ["n"], ["m"], {"dim": 1}),
         ("linear", ["m", "fc.weight", "fc.bias"], ["z"], {}), *CLASSES]
train("train_attention", HEADS, {**{f"{n}.weight": ((6, 6), "small") for n in "qkv"}, "n.weight": ((6,), "ones"), "n.bias": ((6,), "zeros"),
                                 "fc.weight": ((3, 6), "small"), "fc.bias": ((3,), "zeros")},
      {"x": ((4, 5, 6), "normal"), "t": ((4,), "int:3")}, {"type": "adamw", "lr": 0.01, "weight_decay": 0.1}, 10)
