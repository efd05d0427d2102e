"""PyTorch: products, attention and passes over arrays on the CPU, and whole training steps there or on a GPU."""
import math

import torch
import torch.nn.functional as F
from torch import nn

import peer

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def on_threads(make):
    """Sets the number of threads of each run."""

    def prepare(r):
        torch.set_num_threads(r["threads"])
        work = make(r)

        def run():
            torch.set_num_threads(r["threads"])
            work()

        return run

    return prepare


def mm(r):
    dtype, form = DTYPES[r["dtype"]], r["form"]
    a = torch.randn((r["k"], r["m"]) if form[0] == "t" else (r["m"], r["k"])).to(dtype)
    b = torch.randn((r["n"], r["k"]) if form[1] == "t" else (r["k"], r["n"])).to(dtype)
    a, b = (x.t() if f == "t" else x for x, f in zip((a, b), form))
    c = torch.empty(r["m"], r["n"], dtype=dtype)
    return lambda: torch.mm(a, b, out=c)


def triad(r):
    a, b, c = (torch.full((r["n"],), 0.01) for _ in range(3))
    return lambda: torch.add(b, c, alpha=3.0, out=a)


def dot(r):
    a, b = (torch.full((r["n"],), 0.01) for _ in range(2))
    return lambda: torch.dot(a, b)


def sdpa(r):
    length, heads = r["length"], r["heads"]
    dim = r["width"] // heads
    qkv = torch.randn(1, length, 3, heads, dim)
    q, k, v = (qkv[:, :, i].transpose(1, 2).detach().requires_grad_() for i in range(3))
    dout = torch.randn(1, heads, length, dim)

    def run():
        F.scaled_dot_product_attention(q, k, v, is_causal=True).backward(dout)
        q.grad = k.grad = v.grad = None

    return run


class Attention(nn.Module):
    """Causal attention with rotary positions."""

    def __init__(self, r):
        super().__init__()
        self.heads, self.kv, self.form = r["heads"], r.get("kv") or r["heads"], r["attention"]
        width, length = r["width"], r["length"]
        dim = width // self.heads
        self.qkv = nn.Linear(width, (self.heads + 2 * self.kv) * dim, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        angles = torch.outer(torch.arange(length).float(), 1e4 ** (-torch.arange(0, dim, 2).float() / dim))
        self.register_buffer("cos", torch.cat([angles.cos()] * 2, -1))
        self.register_buffer("sin", torch.cat([angles.sin()] * 2, -1))
        self.register_buffer("later", torch.triu(torch.ones(length, length, dtype=torch.bool), 1))

    def rotate(self, x):
        a, b = x.chunk(2, -1)
        return x * self.cos.to(x.dtype) + torch.cat([-b, a], -1) * self.sin.to(x.dtype)

    def forward(self, x):
        batch, length, width = x.shape
        qkv = self.qkv(x).view(batch, length, self.heads + 2 * self.kv, -1).transpose(1, 2)
        q, k, v = qkv.split([self.heads, self.kv, self.kv], 1)
        q, k = self.rotate(q), self.rotate(k)
        if self.form == "math":
            scores = (q @ k.transpose(-1, -2)) / math.sqrt(q.shape[-1])
            y = scores.masked_fill(self.later, float("-inf")).softmax(-1) @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.kv != self.heads)
        return self.out(y.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, r):
        super().__init__()
        width, inner = r["width"], r["inner"]
        self.norm1, self.norm2 = nn.RMSNorm(width, 1e-5), nn.RMSNorm(width, 1e-5)
        self.attention = Attention(r)
        self.gate_up, self.down = nn.Linear(width, 2 * inner, bias=False), nn.Linear(inner, width, bias=False)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Llama(nn.Module):
    def __init__(self, r):
        super().__init__()
        self.embed = nn.Embedding(r["vocab"], r["width"])
        self.blocks = nn.ModuleList(Block(r) for _ in range(r["layers"]))
        self.norm, self.head = nn.RMSNorm(r["width"], 1e-5), nn.Linear(r["width"], r["vocab"], bias=False)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, std=0.02)
        if r.get("tied"):
            self.head.weight = self.embed.weight

    def forward(self, ids, targets):
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


models = {}


def step(r):
    """The settings of one model share weights and moments: time does not depend on what is in them."""
    device = r.get("device", "cpu")
    key = tuple(r.get(name) for name in ("layers", "width", "heads", "kv", "inner", "vocab", "length", "device"))
    if key not in models:
        models.clear()
        model = Llama(r).to(device)
        models[key] = model, torch.optim.AdamW(model.parameters(), 1e-4, (0.9, 0.95), weight_decay=0.1, fused=True)
    model, optimizer = models[key]
    forward = torch.compile(model) if r.get("compile") else model
    ids, targets = torch.randint(0, r["vocab"], (2, r["batch"], r["length"]), device=device)

    def run():
        for block in model.blocks:
            block.attention.form = r["attention"]
        with torch.autocast(device, torch.bfloat16, enabled=r["dtype"] == "bf16"):
            loss = forward(ids, targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if device == "cuda":
            torch.cuda.synchronize()

    return run


makers = {"mm": mm, "triad": triad, "dot": dot, "sdpa": sdpa, "step": step}
about = torch.cuda.get_device_name() if torch.cuda.is_available() else torch.backends.cpu.get_cpu_capability()
peer.serve({name: on_threads(make) for name, make in makers.items()},
           f"PyTorch {torch.__version__} ({about})")
