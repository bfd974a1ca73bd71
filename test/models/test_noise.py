"""The noise of the Feynman-Kac ensemble: whose standard deviation, whose gradient, whose random numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from feynkac_worker.models import enresnet
from feynkac_worker.models.enresnet import EnResNet, inject_noise

torch.set_num_threads(1)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coupling(net: EnResNet) -> float:
    """The largest gradient of the first image's logits with respect to the second image, in eval mode."""
    x = torch.rand(2, 3, 8, 8, requires_grad=True)
    (gradient,) = torch.autograd.grad(net.eval()(x, generator=generator(0))[0].sum(), x)
    assert gradient[0].abs().max() > 0
    return float(gradient[1].abs().max())


def test_noise_is_the_unbiased_deviation_of_the_whole_tensor() -> None:
    x = torch.randn(4, 3, 5, 6, dtype=torch.float64) * 7 + 2
    normal = torch.randn(4, 5, 6, 3, generator=generator(1), dtype=torch.float64).permute(0, 3, 1, 2)
    centred = x - x.sum() / x.numel()
    std = ((centred**2).sum() / (x.numel() - 1)).sqrt()
    torch.testing.assert_close(inject_noise(x, 0.3, generator=generator(1)), x + 0.3 * std * normal)


def test_gradient_flows_through_the_deviation() -> None:
    x = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: inject_noise(t, 0.3, generator=generator(1)), x)
    assert torch.autograd.gradcheck(lambda t: inject_noise(t, 0.3, draws=2, generator=generator(1)), x)
    assert torch.autograd.gradcheck(lambda t: inject_noise(t, 0.3, std="sample", generator=generator(1)), x)


def test_whole_tensor_deviation_couples_the_images_of_a_batch() -> None:
    assert coupling(EnResNet(8, 2, 0.1)) > 0


def test_images_are_uncoupled_without_noise() -> None:
    assert coupling(EnResNet(8, 2, 0.0)) == 0


def test_per_sample_deviation_removes_the_coupling() -> None:
    assert coupling(EnResNet(8, 2, 0.1, noise_std="sample")) == 0


def test_per_sample_deviation_equals_batches_of_one() -> None:
    x = torch.randn(3, 4, 4, 4)
    whole = inject_noise(x, 0.5, std="sample", generator=generator(2))
    shared = generator(2)
    alone = [inject_noise(image[None], 0.5, generator=shared) for image in x]
    torch.testing.assert_close(whole, torch.cat(alone))


def test_draws_have_their_own_deviation_and_equal_separate_calls() -> None:
    x = torch.randn(6, 4, 4, 4)
    x[2:4] *= 10
    stacked = inject_noise(x, 0.5, draws=3, generator=generator(3))
    shared = generator(3)
    separate = [inject_noise(part, 0.5, generator=shared) for part in x.split(2)]
    torch.testing.assert_close(stacked, torch.cat(separate))
    assert not torch.allclose(stacked, inject_noise(x, 0.5, generator=generator(3)))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_network_with_draws_equals_separate_calls(
    layout: torch.memory_format, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole network, fed with the same normal numbers: the draw of the stacked batch, cut into its copies."""
    net = EnResNet(8, 2, 0.3).eval()
    x = torch.rand(2, 3, 8, 8).contiguous(memory_format=layout)
    recorded: list[Tensor] = []
    randn = torch.randn
    with monkeypatch.context() as patch:
        patch.setattr(enresnet.torch, "randn", lambda *a, **k: recorded.append(randn(*a, **k)) or recorded[-1])
        stacked = net(torch.cat([x, x, x]), draws=3, generator=generator(4))
    for draw in range(3):
        replay = iter([noise[2 * draw : 2 * draw + 2] for noise in recorded])
        with monkeypatch.context() as patch:
            patch.setattr(enresnet.torch, "randn", lambda *_a, replay=replay, **_k: next(replay))
            torch.testing.assert_close(net(x), stacked[2 * draw : 2 * draw + 2], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(stacked[:2], stacked[2:4])


def test_noise_follows_every_block_of_every_member_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes: list[tuple[int, ...]] = []
    randn = torch.randn
    monkeypatch.setattr(enresnet.torch, "randn", lambda shape, **k: shapes.append(shape) or randn(shape, **k))
    EnResNet(20, 2, 0.1)(torch.rand(2, 3, 32, 32))
    member = [(2, 32, 32, 16)] * 3 + [(2, 16, 16, 32)] * 3 + [(2, 8, 8, 64)] * 3
    assert shapes == member * 2


def test_noise_stays_on_in_eval_mode_and_can_be_switched_off_for_one_call() -> None:
    net = EnResNet(8, 2, 0.1).eval()
    x = torch.rand(2, 3, 8, 8)
    assert not torch.equal(net(x), net(x))
    quiet = EnResNet(8, 2, 0.0).eval()
    quiet.load_state_dict(net.state_dict())
    assert torch.equal(net(x, noise=False), quiet(x))
    assert torch.equal(quiet(x, noise=True), quiet(x))


def test_a_generator_reproduces_the_draw_and_leaves_the_global_one_alone() -> None:
    net = EnResNet(8, 2, 0.1).eval()
    x = torch.rand(2, 3, 8, 8)
    before = torch.get_rng_state()
    mine = generator(5)
    first, second = net(x, generator=mine), net(x, generator=mine)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(net(x, generator=generator(5)), first)
    assert not torch.equal(first, second)
    net(x)
    assert not torch.equal(torch.get_rng_state(), before)


def test_the_layout_of_the_image_does_not_change_the_draw() -> None:
    x = torch.randn(4, 3, 8, 8)
    contiguous = inject_noise(x, 0.5, generator=generator(6))
    channels_last = inject_noise(x.contiguous(memory_format=torch.channels_last), 0.5, generator=generator(6))
    torch.testing.assert_close(contiguous, channels_last, rtol=1e-6, atol=1e-6)
    net = EnResNet(8, 2, 0.1).eval()
    image = torch.rand(4, 3, 8, 8)
    assert torch.equal(
        net(image, generator=generator(7)),
        net(image.contiguous(memory_format=torch.channels_last), generator=generator(7)),
    )


def test_gradient_of_the_network_matches_finite_differences() -> None:
    """In-place operations included: float64, train mode, noise on."""
    net = EnResNet(8, 2, 0.2, width=2).double().train()
    x = torch.rand(3, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: net(t, generator=generator(8)), x, eps=1e-7, atol=1e-4)
