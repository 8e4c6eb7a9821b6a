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
