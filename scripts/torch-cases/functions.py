"""PyTorch's functions by the names that cases use. Most are called with the case's attrs as keyword arguments."""

import torch
import torch.nn.functional as F


class Functions:
    def __init__(self):
        self.own = {}

    def define(self, name):
        def add(f):
            self.own[name] = f
            return f
        return add

    def call(self, op, args, attrs):
        if op in self.own:
            return self.own[op](*args, **attrs)
        for home in (F, torch):
            if hasattr(home, op):
                return getattr(home, op)(*args, **attrs)
        raise KeyError(op)


FUNCTIONS = Functions()
define = FUNCTIONS.define


@define("batch_norm")
def batch_norm(x, *given, training=False, momentum=0.1, eps=1e-5):
    """x, then weight and bias, then the running mean and variance; of two alone, gradients are asked of weights only."""
    weight = bias = mean = variance = None
    if len(given) == 4:
        weight, bias, mean, variance = given
    elif len(given) == 2 and given[0].requires_grad:
        weight, bias = given
    elif len(given) == 2:
        mean, variance = given
    return F.batch_norm(x, mean, variance, weight, bias, training, momentum, eps)


@define("layer_norm")
def layer_norm(x, weight=None, bias=None, normalized_shape=(), eps=1e-5):
    return F.layer_norm(x, normalized_shape, weight, bias, eps)


@define("group_norm")
def group_norm(x, weight=None, bias=None, num_groups=1, eps=1e-5):
    return F.group_norm(x, num_groups, weight, bias, eps)


@define("instance_norm")
def instance_norm(x, *given, **attrs):
    weight = bias = mean = variance = None
    if len(given) == 4:
        weight, bias, mean, variance = given
    elif len(given) == 2 and given[0].requires_grad:
        weight, bias = given
    elif len(given) == 2:
        mean, variance = given
    return F.instance_norm(x, mean, variance, weight, bias, **attrs)


@define("dropout_eval")
def dropout_eval(x, p=0.5):
    return F.dropout(x, p, training=False)


@define("cat")
def cat(*args, dim=0):
    return torch.cat(args, dim)


@define("stack")
def stack(*args, dim=0):
    return torch.stack(args, dim)


@define("reshape")
def reshape(x, shape):
    return torch.reshape(x, shape)


@define("permute")
def permute(x, dims):
    return x.permute(dims)


@define("rms_norm")
def rms_norm(x, weight=None, normalized_shape=(), eps=None):
    axes = tuple(range(-len(normalized_shape), 0))
    y = x / torch.sqrt((x * x).mean(dim=axes, keepdim=True) + (2 ** -23 if eps is None else eps))
    return y if weight is None else y * weight


@define("fractional_max_pool2d")
def fractional_max_pool2d(x, samples, **attrs):
    return F.fractional_max_pool2d(x, _random_samples=samples, **attrs)


@define("fractional_max_pool3d")
def fractional_max_pool3d(x, samples, **attrs):
    return F.fractional_max_pool3d(x, _random_samples=samples, **attrs)


@define("channel_shuffle")
def channel_shuffle(x, groups):
    n, c, *sizes = x.shape
    return x.reshape(n, groups, c // groups, *sizes).transpose(1, 2).reshape(x.shape)


@define("upsample")
def upsample(x, **attrs):
    return F.interpolate(x, **attrs)


def losses():
    for op, name in [("mse", "mse_loss"), ("l1", "l1_loss"), ("huber", "huber_loss"), ("smooth_l1", "smooth_l1_loss"),
                     ("bce", "binary_cross_entropy"), ("bce_with_logits", "binary_cross_entropy_with_logits"),
                     ("nll", "nll_loss"), ("kl_div", "kl_div")]:
        def loss(x, y, weight=None, name=name, **attrs):
            more = {} if weight is None else {"weight": weight}
            return getattr(F, name)(x, y, **more, **attrs)
        FUNCTIONS.own[op] = loss


losses()


@define("cross_entropy")
def cross_entropy(x, y, weight=None, **attrs):
    return F.cross_entropy(x, y, weight=weight, **attrs)


def recurrent():
    for op, gates, states in [("rnn", 1, 1), ("gru", 3, 1), ("lstm", 4, 2)]:
        def call(x, *rest, op=op, states=states, layers=1, bidirectional=False, batch_first=False, bias=True,
                 nonlinearity="tanh"):
            name = f"rnn_{nonlinearity}" if op == "rnn" else op
            start = rest[0] if states == 1 else rest[:2]
            weights = list(rest[states:])
            return getattr(torch, name)(x, start, weights, bias, layers, 0.0, False, bidirectional, batch_first)
        FUNCTIONS.own[op] = call


recurrent()


def methods():
    """Functions that are only methods of tensors, and those that take lists of tensors."""
    for name in ["view", "repeat", "expand", "unfold", "view_as", "expand_as", "type_as", "masked_fill"]:
        FUNCTIONS.own["tensor_unfold" if name == "unfold" else name] = (
            lambda x, *args, name=name, **attrs: getattr(x, name)(*args, *attrs.values()))
    for name in ["hstack", "vstack", "dstack", "broadcast_tensors", "meshgrid", "block_diag", "cartesian_prod"]:
        FUNCTIONS.own[name] = lambda *args, name=name, **attrs: (
            getattr(torch, name)(args, **attrs) if name in ("hstack", "vstack", "dstack")
            else getattr(torch, name)(*args, **attrs))


methods()


@define("float")
def to_float(x):
    return x.to(torch.get_default_dtype())


@define("einsum")
def einsum(*args, equation):
    return torch.einsum(equation, *args)


@define("slice")
def take_slice(x, dim=0, start=None, end=None, step=1):
    return x[(slice(None),) * (dim % x.dim()) + (slice(start, end, step),)]


@define("select")
def select(x, dim, index):
    return x.select(dim, index)


@define("index")
def index(x, at, dim=0):
    return x[(slice(None),) * dim + (at,)]


@define("norm")
def norm(x, p=2, **attrs):
    return torch.norm(x, float(p) if p != "fro" else "fro", **attrs)


@define("split")
def split(x, split_size, dim=0):
    return torch.split(x, split_size, dim)


@define("permute")
def permute_again(x, dims):
    return x.permute(dims)


@define("clamp")
def clamp(x, *bounds, min=None, max=None):
    return torch.clamp(x, *bounds) if bounds else torch.clamp(x, min, max)


@define("scaled_dot_product_attention")
def attention(q, k, v, attn_mask=None, is_causal=False, scale=None):
    scores = q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), -torch.inf)
    if attn_mask is not None:
        blocked = attn_mask.dtype == torch.bool
        scores = scores.masked_fill(~attn_mask, -torch.inf) if blocked else scores + attn_mask
    return torch.softmax(scores, -1) @ v


@define("rrelu")
def rrelu(x, **attrs):
    return F.rrelu(x, training=False, **attrs)


@define("multi_margin_loss")
def multi_margin_loss(x, y, weight=None, **attrs):
    return F.multi_margin_loss(x, y, weight=weight, **attrs)


@define("bce_with_logits")
def bce_with_logits(x, y, weight=None, pos_weight=None, **attrs):
    return F.binary_cross_entropy_with_logits(x, y, weight=weight, pos_weight=pos_weight, **attrs)


FUNCTIONS.own["binary_cross_entropy_with_logits"] = FUNCTIONS.own["bce_with_logits"]


@define("scatter")
def scatter(x, index, *source, dim, value=None):
    return torch.scatter(x, dim, index, *source) if source else torch.scatter(x, dim, index, value)


@define("scatter_add")
def scatter_add(x, index, source, dim):
    return torch.scatter_add(x, dim, index, source)


@define("gather")
def gather(x, index, dim):
    return torch.gather(x, dim, index)


@define("index_select")
def index_select(x, index, dim):
    return torch.index_select(x, dim, index)


@define("index_add")
def index_add(x, index, source, dim, alpha=1):
    return torch.index_add(x, dim, index, source, alpha=alpha)


@define("index_copy")
def index_copy(x, index, source, dim):
    return torch.index_copy(x, dim, index, source)


@define("pow")
def power(*args, exponent=None, base=None):
    if base is not None:
        return torch.pow(base, args[0])
    return torch.pow(*args) if exponent is None else torch.pow(args[0], exponent)
