# Networks of torchvision, small ones of each kind, and three made up of what these do not have, as ONNX files without their weights: what PyTorch makes of one input, in evaluation and in
# training, and the gradients of the mean of its squared outputs.
#
#   apt-get install -y --no-install-recommends python3-torch python3-torchvision python3-onnx libopenblas0-pthread
#   /usr/bin/python3 test/golden/onnx-networks.py
#
# Numbers come from a rule: number i of tensor k is offset + scale (((i + 97 k) 7919 mod 1009) / 1009 - 0.5), in f32. In the files each
# weight is external data, so that whoever reads them asks for it by its name.

import base64
import gzip
import io
import json
import pathlib
import warnings

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torchvision.models import convnext, densenet, efficientnet, mnasnet, mobilenetv2, mobilenetv3, regnet, resnet, shufflenetv2
from torchvision.models import squeezenet, swin_transformer, vision_transformer

warnings.filterwarnings("ignore")
torch.manual_seed(0)
CLASSES = 10
BATCH = 2


def efficient():
    setting, last = efficientnet._efficientnet_conf("efficientnet_b0", width_mult=0.25, depth_mult=0.4)
    return efficientnet.EfficientNet(setting, dropout=0, stochastic_depth_prob=0, num_classes=CLASSES, last_channel=64)


def mobile3():
    setting, _ = mobilenetv3._mobilenet_v3_conf("mobilenet_v3_small", width_mult=0.25, reduced_tail=True)
    return mobilenetv3.MobileNetV3(setting, last_channel=64, num_classes=CLASSES, dropout=0)


def conv_next():
    block = convnext.CNBlockConfig
    return convnext.ConvNeXt([block(8, 16, 1), block(16, 32, 1), block(32, None, 1)], layer_scale=0.5, num_classes=CLASSES)


def reg():
    params = regnet.BlockParams.from_init_params(depth=4, w_0=8, w_a=8, w_m=2, group_width=4, se_ratio=0.25)
    return regnet.RegNet(params, num_classes=CLASSES)


class Narrow(resnet.ResNet):
    """A quarter as wide behind its stem."""

    def _make_layer(self, block, planes, *args, **more):
        return super()._make_layer(block, planes // 4, *args, **more)


def residual(block, **more):
    network = Narrow(block, [1, 1, 1, 1], num_classes=CLASSES, **more)
    network.fc = torch.nn.Linear(128 * block.expansion, CLASSES)
    return network


class Text(torch.nn.Module):
    """Letters through layers that go step by step, from both ends and from one."""

    def __init__(self):
        super().__init__()
        self.letters = torch.nn.Embedding(11, 6)
        self.both = torch.nn.LSTM(6, 5, bidirectional=True, batch_first=True)
        self.gates = torch.nn.GRU(10, 4, batch_first=True)
        self.deep = torch.nn.LSTM(4, 3, num_layers=2, batch_first=True)
        self.head = torch.nn.Linear(7, CLASSES)

    def forward(self, x):
        y, _ = self.both(self.letters(x))
        y, h = self.gates(y)
        y, _ = self.deep(y)
        return self.head(torch.cat([y[:, -1], h[-1]], 1))


class Encoder(torch.nn.Module):
    """Letters and their places through attention, one table for both ends."""

    def __init__(self):
        super().__init__()
        self.letters = torch.nn.Embedding(CLASSES, 8)
        self.places = torch.nn.Parameter(torch.zeros(1, 7, 8))
        layer = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0, batch_first=True, norm_first=True, activation="gelu")
        self.layers = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x):
        y = self.layers(self.letters(x) + self.places[:, : x.shape[1]])
        return y.mean(1) @ self.letters.weight.t()


class Hourglass(torch.nn.Module):
    """Images made small and large again, with what lies between."""

    def __init__(self):
        super().__init__()
        n = torch.nn
        self.down = n.Sequential(n.ReflectionPad2d(1), n.Conv2d(3, 8, 3), n.GroupNorm(2, 8), n.PReLU(8), n.AvgPool2d(2))
        self.deep = n.Sequential(n.Conv2d(8, 12, 3, padding=2, dilation=2), n.InstanceNorm2d(12, affine=True), n.ELU(), n.MaxPool2d(3, 2, 1))
        self.up = n.ConvTranspose2d(12, 8, 3, stride=2, padding=1, output_padding=1)
        self.line = n.Sequential(n.Conv1d(16, 6, 3, padding=1), n.BatchNorm1d(6), n.Hardswish(), n.Conv1d(6, 6, 5, groups=6))
        self.head = n.Linear(36, CLASSES)

    def forward(self, x):
        a = self.down(x)
        b = self.deep(a)
        c = torch.cat([F.leaky_relu(self.up(b), 0.2), F.interpolate(a, scale_factor=0.5, mode="bilinear")[:, :, :2].repeat(1, 1, 4, 2)], 1)
        c = F.interpolate(c, scale_factor=1.5, mode="bilinear", align_corners=False)
        lines = self.line(c.flatten(2)[:, :, ::9])
        spread = F.softmax(lines, -1) * F.softplus(lines).clamp(0.1, 3)
        return self.head(torch.cat([spread[..., :5].flatten(1), (spread**2).sum(-1).sqrt()], 1))


NETWORKS = {
    "convnext": (conv_next, 64),
    "densenet": (lambda: densenet.DenseNet(8, (2, 2, 2), 16, num_classes=CLASSES), 64),
    "efficientnet": (efficient, 64),
    "mnasnet": (lambda: mnasnet.MNASNet(0.2, num_classes=CLASSES, dropout=0), 64),
    "mobilenet_v2": (lambda: mobilenetv2.MobileNetV2(num_classes=CLASSES, width_mult=0.2, dropout=0), 64),
    "mobilenet_v3": (mobile3, 64),
    "regnet": (reg, 64),
    "resnet": (lambda: residual(resnet.BasicBlock), 32),
    "resnext": (lambda: residual(resnet.Bottleneck, groups=4, width_per_group=16), 32),
    "shufflenet_v2": (lambda: shufflenetv2.ShuffleNetV2([2, 2, 2], [8, 16, 32, 64, 64], num_classes=CLASSES), 64),
    "squeezenet": (lambda: squeezenet.SqueezeNet("1_1", num_classes=CLASSES, dropout=0), 48),
    "swin": (lambda: swin_transformer.SwinTransformer([4, 4], 8, [2, 1], [2, 4], [4, 4], stochastic_depth_prob=0, num_classes=CLASSES), 32),
    "text": (Text, 0),
    "encoder": (Encoder, 0),
    "hourglass": (Hourglass, 16),
    "vit": (lambda: vision_transformer.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=CLASSES), 32),
}


def rule(count, k, scale, offset):
    i = (np.arange(count, dtype=np.int64) + 97 * k) * 7919 % 1009
    return (offset + scale * (i / 1009 - 0.5)).astype(np.float32)


def numbers_of(name, tensor, k):
    if name.endswith("running_var") or (tensor.dim() == 1 and name.endswith("weight")):
        scale, offset = 0.5, 1.0
    elif tensor.dim() <= 1 or name.endswith(("layer_scale", "class_token", "pos_embedding", "relative_position_bias_table")):
        scale, offset = 0.4, 0.05
    else:
        fan = tensor[0].numel() if tensor.dim() > 1 else 1
        scale, offset = 2 * np.sqrt(3 / fan), 0.0
    scale, offset = float(np.float32(scale)), float(np.float32(offset))
    with torch.no_grad():
        tensor.copy_(torch.from_numpy(rule(tensor.numel(), k, scale, offset)).reshape(tensor.shape))
    return {"k": k, "scale": scale, "offset": offset}


def exported(network, x):
    file = io.BytesIO()
    names = {"input": {0: "batch"}, "output": {0: "batch"}}
    torch.onnx.export(network, x, file, input_names=["input"], output_names=["output"], dynamic_axes=names, opset_version=14,
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
    model = onnx.load_from_string(file.getvalue())
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or tensor.name not in rules:
            continue
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", tensor.name
    for node in model.graph.node:
        node.ClearField("doc_string")
    return model.SerializeToString()


networks = []
for name, (make, size) in NETWORKS.items():
    network = make().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    rules = {}
    for k, (key, tensor) in enumerate(network.state_dict().items()):
        if tensor.dtype == torch.float32:
            rules[key] = numbers_of(key, tensor, k)
    shape = [3, size, size] if size > 0 else [7]
    x = torch.from_numpy(rule(BATCH * int(np.prod(shape)), 0, 2.0, 0.0)).reshape(BATCH, *shape)
    if size == 0:
        x = torch.arange(BATCH * 7).reshape(BATCH, 7) * 7919 % 1009 % CLASSES
    model = exported(network, x)
    network = network.double()
    x = x.double() if size > 0 else x
    with torch.no_grad():
        evaluated = network(x)
    network.train()
    y = network(x)
    (y**2).mean().backward()
    gradients = {}
    for key, p in network.named_parameters():
        # A sequence has one weight for both directions here, and an LSTM one bias where PyTorch has two that move alike.
        one = key.replace("_reverse", "")
        if "bias_hh" in key and not key.startswith("gates"):
            continue
        before = gradients.get(one.replace("bias_hh", "bias_ih"), [0, 0])
        gradients[one.replace("bias_hh", "bias_ih")] = [before[0] + p.grad.sum().item(), before[1] + p.grad.abs().sum().item()]
    networks.append({
        "name": name,
        "shape": shape,
        "rules": rules,
        "evaluated": evaluated.ravel().tolist(),
        "trained": y.detach().ravel().tolist(),
        "gradients": gradients,
        "model": base64.b64encode(model).decode(),
    })
    params = sum(p.numel() for p in network.parameters())
    print(name, len(model), "bytes", params, "weights", float(evaluated.abs().max()), float(y.abs().max()))

text = "[\n" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in networks) + "\n]\n"
path = pathlib.Path(__file__).with_name("onnx-networks.json.gz")
path.write_bytes(gzip.compress(text.encode(), mtime=0))
print(path.stat().st_size, "bytes")
