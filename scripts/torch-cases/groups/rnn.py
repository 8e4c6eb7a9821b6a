"""Recurrent layers: layers, directions, biases, layouts."""

from core import vjp

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def case(name, op, t=5, n=2, d=3, h=4, layers=1, bidirectional=False, batch_first=False, bias=True, **attrs):
    directions = 2 if bidirectional else 1
    states = ["h0", "c0"] if op == "lstm" else ["h0"]
    tensors = {"x": ((n, t, d) if batch_first else (t, n, d), "normal")}
    tensors.update({s: ((layers * directions, n, h), "normal") for s in states})
    params = []
    for layer in range(layers):
        for end in ["", "_reverse"][:directions]:
            width = d if layer == 0 else h * directions
            shapes = {"weight_ih": (GATES[op] * h, width), "weight_hh": (GATES[op] * h, h)}
            if bias:
                shapes.update({"bias_ih": (GATES[op] * h,), "bias_hh": (GATES[op] * h,)})
            for key, shape in shapes.items():
                tensors[f"{key}_l{layer}{end}"] = (shape, "normal")
                params.append(f"{key}_l{layer}{end}")
    out = ["y", "hn"] + (["cn"] if op == "lstm" else [])
    all_attrs = dict(layers=layers, bidirectional=bidirectional, batch_first=batch_first, bias=bias, **attrs)
    vjp(name, "rnn", [(op, ["x", *states, *params], out, all_attrs)], tensors, params=params, outputs=out)


for op in GATES:
    case(f"{op}_two_layers", op, layers=2)
    case(f"{op}_both_ways", op, bidirectional=True)
    case(f"{op}_two_layers_both_ways", op, layers=2, bidirectional=True, t=3)
    case(f"{op}_batch_first", op, batch_first=True, t=4, n=3)
    case(f"{op}_no_bias", op, bias=False)
    case(f"{op}_one_step", op, t=1, n=1)
case("rnn_relu", "rnn", nonlinearity="relu")
