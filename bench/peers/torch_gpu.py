"""The rows of `npm run bench -- --gpu` with PyTorch on CUDA: python3 bench/peers/torch_gpu.py [--repeat N] [--only NAME,...] [--json FILE]

Times are of the GPU, by events. TF32 is off, as ours never rounds f32 unasked; `-f16` rows are halves, or autocast to them.
"""

import argparse
import json
import statistics

import torch


def timed(run, repeat):
    for _ in range(5):
        run()
    times = []
    for _ in range(repeat):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end))
    return times


def product(dtype):
    a, b = (torch.randn(4096, 4096, device="cuda", dtype=dtype) for _ in range(2))
    return lambda: a @ b


def convolution(dtype):
    layer = torch.nn.Conv2d(64, 64, 3, padding=1).to("cuda", dtype)
    x = torch.randn(128, 64, 56, 56, device="cuda", dtype=dtype)

    def run():
        with torch.no_grad():
            layer(x)

    return run


class Basic(torch.nn.Module):
    def __init__(self, inner, outer, stride):
        super().__init__()
        nn = torch.nn
        self.straight = nn.Sequential(
            nn.Conv2d(inner, outer, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outer),
            nn.ReLU(),
            nn.Conv2d(outer, outer, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outer),
        )
        same = stride == 1 and inner == outer
        down = [nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer)]
        self.skip = nn.Identity() if same else nn.Sequential(*down)

    def forward(self, x):
        return torch.relu(self.straight(x) + self.skip(x))


def resnet18():
    nn = torch.nn
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inner = 64
    for i in range(4):
        outer = 64 * 2**i
        layers += [Basic(inner, outer, 1 if i == 0 else 2), Basic(outer, outer, 1)]
        inner = outer
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


def training(half):
    net = resnet18().cuda().train()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    scaler = torch.cuda.amp.GradScaler(enabled=half)
    x = torch.rand(128, 3, 224, 224, device="cuda") * 3.4 - 1.7
    y = torch.randint(0, 1000, (128,), device="cuda")

    def run():
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=torch.float16, enabled=half):
            loss = torch.nn.functional.cross_entropy(net(x), y)
        scaler.scale(loss).backward()
        scaler.step(optimiser)
        scaler.update()

    return run


def lenet():
    nn = torch.nn
    layers = [nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
    net = nn.Sequential(*layers).cuda().eval()
    x = torch.randn(1, 1, 28, 28, device="cuda")

    def run():
        with torch.no_grad():
            net(x)

    return run


# Of ResNet-18, multiply-adds of an image as bench/works/nets.mjs counts them.
IMAGE = 1_814_073_344
ROWS = [
    ("matmul-4096", 2 * 4096**3, lambda: product(torch.float32)),
    ("matmul-4096-f16", 2 * 4096**3, lambda: product(torch.float16)),
    ("conv3x3-b128", 2 * 128 * 64 * 56 * 56 * 64 * 9, lambda: convolution(torch.float32)),
    ("conv3x3-b128-f16", 2 * 128 * 64 * 56 * 56 * 64 * 9, lambda: convolution(torch.float16)),
    ("lenet-b1", 2 * 416_520, lenet),
    ("resnet18-step-b128", 6 * 128 * IMAGE, lambda: training(False)),
    ("resnet18-step-b128-f16", 6 * 128 * IMAGE, lambda: training(True)),
]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--repeat", type=int, default=20)
    options.add_argument("--only")
    options.add_argument("--json")
    options = options.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    rows = []
    for name, flops, make in ROWS:
        if options.only and name not in options.only.split(","):
            continue
        times = timed(make(), options.repeat)
        median = statistics.median(times)
        rows.append(
            {
                "work": name,
                "who": f"pytorch {torch.__version__}",
                "target": "cuda",
                "adapter": torch.cuda.get_device_name(),
                "median_ms": round(median, 4),
                "min_ms": round(min(times), 4),
                "n": len(times),
                "tflops": round(flops / median / 1e9, 2),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
        torch.cuda.empty_cache()
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=2)


main()
