"""Networks as lists of calls: each layer names its own parameters and buffers."""

from core import vjp


class Net:
    """`n = Net(x=(2, 3, 8, 8)); n.conv("x", 3, 8, 3, padding=1)` … gives names of values, `n.case(...)` the case."""

    def __init__(self, kinds=None, **inputs):
        self.graph, self.params, self.buffers, self.count = [], [], [], 0
        self.tensors = {name: (shape, (kinds or {}).get(name, "normal")) for name, shape in inputs.items()}

    def call(self, op, given, out=None, **attrs):
        given = [given] if isinstance(given, str) else list(given)
        self.count += 1
        outs = [out or f"t{self.count}"] if not isinstance(out, list) else out
        self.graph.append((op, given, outs, attrs))
        return outs[0] if len(outs) == 1 else outs

    def param(self, name, shape, scale="normal"):
        self.tensors[name] = (shape, scale)
        self.params.append(name)
        return name

    def conv(self, x, c, o, k, bias=True, groups=1, dims=2, transposed=False, name=None, **attrs):
        self.count += 1
        name = name or f"conv{self.count}"
        kernel = (k,) * dims if isinstance(k, int) else tuple(k)
        shape = (c, o // groups, *kernel) if transposed else (o, c // groups, *kernel)
        # Narrow layers stay near 1 in size, so that deep nets neither die nor explode.
        size = c // groups
        for n in kernel:
            size *= n
        given = [x, self.param(f"{name}.weight", shape, "scaled:%g" % (1.2 / size ** 0.5))]
        if bias:
            given.append(self.param(f"{name}.bias", (o,), "scaled:0.3"))
        if groups != 1:
            attrs["groups"] = groups
        return self.call(f"conv{'_transpose' if transposed else ''}{dims}d", given, **attrs)

    def bn(self, x, c, training=True, **attrs):
        self.count += 1
        name = f"bn{self.count}"
        given = [x, self.param(f"{name}.weight", (c,), "positive"), self.param(f"{name}.bias", (c,), "scaled:0.5")]
        self.tensors.update({f"{name}.running_mean": ((c,), "scaled:0.3"), f"{name}.running_var": ((c,), "positive")})
        self.buffers += [f"{name}.running_mean", f"{name}.running_var"]
        return self.call("batch_norm", [*given, *self.buffers[-2:]], training=training, **attrs)

    def linear(self, x, d, o, bias=True):
        self.count += 1
        name = f"fc{self.count}"
        given = [x, self.param(f"{name}.weight", (o, d), "scaled:%g" % (1 / d ** 0.5))]
        if bias:
            given.append(self.param(f"{name}.bias", (o,), "scaled:0.3"))
        return self.call("linear", given)

    def __getattr__(self, op):
        return lambda *given, **attrs: self.call(op, given, **attrs)

    def case(self, name, group, **outputs_from):
        """`case("n", "network", y=value, z=value)`: these values are the outputs, under these names."""
        outputs = outputs_from or {"y": self.graph[-1][2][0]}
        names = {value: out for out, value in outputs.items()}
        graph = [(op, [names.get(i, i) for i in given], [names.get(o, o) for o in outs], attrs)
                 for op, given, outs, attrs in self.graph]
        vjp(name, group, graph, self.tensors, params=self.params, buffers=self.buffers, outputs=list(outputs))
