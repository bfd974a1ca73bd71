"""foolbox's C&W-L2 on the network and the images of cw_foolbox.ts, and one judge of both attacks.

foolbox is no dependency of this package. It lives in an environment of its own, which borrows torch from ours:

    python -m venv ~/foolbox && ~/foolbox/bin/pip install foolbox==3.3.4
    echo "$PWD/.venv/lib/python3.11/site-packages" > ~/foolbox/lib/python3.11/site-packages/feynkac.pth
    FOOLBOX_PYTHON=~/foolbox/bin/python npx ts-node -T benchmarks/peers/cw_foolbox.ts

Reads one JSON line: {network, options, weights, images, labels, ours, shape, searches, iterations, lr, c, threads}.
The files are raw float32 and int64. Answers with distances (l2) and margins of both attacks: the best other logit above
that of the label.
"""

from __future__ import annotations

import json
import sys

import numpy as np


def main() -> None:
    setup = json.loads(sys.stdin.readline())
    import foolbox
    import torch
    from torch import Tensor

    from feynkac_worker.models import build

    torch.set_num_threads(setup["threads"])
    net = build(setup["network"], setup["options"]).eval()
    net.load_state_dict(torch.load(setup["weights"], weights_only=True))
    images_BCHW, ours_BCHW = (
        torch.from_numpy(np.fromfile(setup[key], np.float32)).reshape(setup["shape"]) for key in ("images", "ours")
    )
    labels_B = torch.from_numpy(np.fromfile(setup["labels"], np.int64))

    attack = foolbox.attacks.L2CarliniWagnerAttack(
        binary_search_steps=setup["searches"],
        steps=setup["iterations"],
        stepsize=setup["lr"],
        initial_const=setup["c"],
        # Ours has no stop either.
        abort_early=False,
    )
    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    _, theirs_BCHW, _ = attack(model, images_BCHW, labels_B, epsilons=None)
    # Where foolbox finds nothing it gives a black image, which may well be of another class; ours gives the clean one.
    black_B111 = theirs_BCHW.amax((1, 2, 3), keepdim=True) == 0
    theirs_BCHW = torch.where(black_B111, images_BCHW, theirs_BCHW)

    # Both attacks stop right at the boundary, where float32 decides by the order of its sums: one judge in float64.
    judge = net.double()

    def judged(found_BCHW: Tensor) -> dict[str, list[float]]:
        assert found_BCHW.min() >= 0 and found_BCHW.max() <= 1
        with torch.no_grad():
            logits_BK = judge(found_BCHW.double())
        label_B1 = labels_B[:, None]
        margin_B = logits_BK.scatter(1, label_B1, -torch.inf).amax(1) - logits_BK.gather(1, label_B1)[:, 0]
        far_B = (found_BCHW.double() - images_BCHW.double()).flatten(1).norm(dim=1)
        return {"distances": far_B.tolist(), "margins": margin_B.tolist()}

    answer = {
        "ours": judged(ours_BCHW),
        "theirs": judged(theirs_BCHW),
        "versions": {"foolbox": foolbox.__version__, "torch": torch.__version__},
    }
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
