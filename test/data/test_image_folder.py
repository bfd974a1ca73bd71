"""Folders of images: PNG and JPEG, classes over both splits, and every refusal."""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from feynkac_worker.data import image_folder
from feynkac_worker.errors import ServiceError

RNG = np.random.default_rng(7)
COLOUR = RNG.integers(0, 256, (3, 5, 7, 3), np.uint8)


def save(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Classes ape (train only), bee and cat: labels 0, 1 and 2 in both splits."""
    save(tmp_path / "train/ape/1.png", COLOUR[0])
    save(tmp_path / "train/cat/1.PNG", COLOUR[1])
    save(tmp_path / "test/cat/b.png", COLOUR[2])
    save(tmp_path / "test/cat/a.png", COLOUR[1])
    save(tmp_path / "test/bee/z.png", COLOUR[0])
    (tmp_path / "test/.DS_Store").write_bytes(b"x")
    (tmp_path / "test/cat/.hidden").write_bytes(b"x")
    return tmp_path


def test_classes_and_files_are_in_the_order_of_their_names(root: Path) -> None:
    images, labels, description = image_folder.load(str(root), "test")
    assert np.array_equal(images, COLOUR.transpose(0, 3, 1, 2)) and images.flags.c_contiguous
    assert images.dtype == np.uint8 and labels.dtype == np.int64 and labels.tolist() == [1, 2, 2]
    assert description["shape"] == [3, 5, 7] and description["classes"] == 3 and description["n"] == 3
    assert description["title"] == root.name and description["official"] is False and description["epsilon"] is None
    assert [file["file"] for file in description["files"]] == ["z.png", "a.png", "b.png"]
    data = (root / "test/bee/z.png").read_bytes()
    assert description["files"][0]["actual"] == f"md5:{hashlib.md5(data).hexdigest()}"
    assert image_folder.load(str(root), "train").labels.tolist() == [0, 2]


def test_grey_images_palettes_and_bits(tmp_path: Path) -> None:
    grey = np.array([[0, 255], [255, 0]], np.uint8)
    save(tmp_path / "test/a/1.png", grey)
    save(tmp_path / "test/a/2.png", grey > 0)
    images = image_folder.load(str(tmp_path), "test").images
    assert images.shape == (2, 1, 2, 2) and np.array_equal(images[0, 0], grey) and np.array_equal(images[1, 0], grey)
    Image.fromarray(COLOUR[0]).quantize(8).save(tmp_path / "test/a/1.png")
    save(tmp_path / "test/a/2.png", COLOUR[1])
    assert image_folder.load(str(tmp_path), "test").images.shape == (2, 3, 5, 7)


def test_jpeg(tmp_path: Path) -> None:
    smooth = np.repeat(np.arange(0, 160, 10, np.uint8)[:, None], 16, 1)
    path = save(tmp_path / "test/a/1.jpg", smooth, quality=95)
    path.with_suffix(".JPEG").write_bytes(path.read_bytes())
    images = image_folder.load(str(tmp_path), "test").images
    assert images.shape == (2, 1, 16, 16) and np.abs(images[0, 0].astype(int) - smooth).max() <= 4


def refused(root: Path, split: str = "test") -> str:
    with pytest.raises(ServiceError, match=r"^Expected ") as raised:
        image_folder.load(str(root), split)
    return str(raised.value).replace(str(root), "ROOT")


def test_refuses_two_sizes_and_names_both(root: Path) -> None:
    save(root / "test/cat/a.png", COLOUR[0][:4])
    said = "Expected all images to have one size, got 7x5 RGB in `ROOT/test/bee/z.png` and "
    assert refused(root) == f"{said}7x4 RGB in `ROOT/test/cat/a.png`"
    save(root / "test/cat/a.png", COLOUR[0][:, :, 0])
    assert refused(root) == f"{said}7x5 grey in `ROOT/test/cat/a.png`"


def test_refuses_what_it_would_have_to_change(root: Path) -> None:
    path = root / "test/bee/z.png"
    said = f"Expected `{path}` to be grey or RGB with 8 bits and no transparency, got mode ".replace(str(root), "ROOT")
    save(path, RNG.integers(0, 256, (5, 7, 4), np.uint8))
    assert refused(root) == f"{said}RGBA"
    save(path, RNG.integers(0, 256, (5, 7)).astype(np.uint16))
    assert refused(root) == f"{said}I;16"
    Image.fromarray(COLOUR[0]).quantize(8).save(path, transparency=0)
    assert refused(root) == f"{said}P with transparency"


def test_refuses_other_files_and_layouts(root: Path) -> None:
    odd = root / "test/cat/Thumbs.db"
    odd.write_bytes(b"x")
    assert refused(root) == "Expected `ROOT/test/cat` to hold PNG and JPEG images only, got `Thumbs.db`"
    odd.rename(root / "train/list.txt")
    assert refused(root) == "Expected `ROOT/train` to hold one folder a class, got the file `list.txt`"
    (root / "train/list.txt").unlink()
    (root / "train").rename(root / "training")
    assert refused(root, "train") == "Expected the folder `ROOT/train` with one folder a class, got no such folder"
    (root / "train/empty").mkdir(parents=True)
    assert refused(root, "train") == "Expected `ROOT/train` to hold at least one PNG or JPEG image, got none"
    with pytest.raises(ServiceError, match=r"^Expected `split` to be one of train, test, got `val`$"):
        image_folder.load(str(root), "val")


def test_refuses_other_formats_under_the_name_of_png(root: Path) -> None:
    save(root / "test/bee/z.png", COLOUR[0], format="BMP")
    assert refused(root) == "Expected `ROOT/test/bee/z.png` to be an intact PNG or JPEG image, got: another format"


def test_refuses_what_would_fill_the_memory(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_folder, "MAX_BYTES", 3 * 5 * 7 * 3 - 1)
    assert refused(root) == "Expected 3 images like `ROOT/test/bee/z.png` to take at most 314 bytes, got 315"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 34)  # Pillow itself would only warn
    assert refused(root).startswith("Expected `ROOT/test/bee/z.png` to be an intact PNG or JPEG image, got: Image size")


def test_without_pillow_one_sentence_repairs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert refused(root) == (
        "Expected the Python package `pillow` for images in folders, found none; "
        f"install it with: {sys.executable} -m pip install pillow"
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_damaged_images_are_refused_or_load(tmp_path: Path, kind: str) -> None:
    out = io.BytesIO()
    Image.fromarray(COLOUR[0]).save(out, kind)
    whole, refusals = out.getvalue(), 0
    path = save(tmp_path / f"test/a/1.{kind.lower()}", COLOUR[0])
    for _ in range(200):
        data = bytearray(whole)
        at = int(RNG.integers(len(data)))
        if RNG.integers(3):
            data[at] = int(RNG.integers(256))
        else:
            del data[at:]
        path.write_bytes(data)
        try:
            found = image_folder.load(str(tmp_path), "test")
            assert found.images.shape == (1, *found.description["shape"])
        except ServiceError as error:
            assert str(error).startswith(("Expected `", "Expected 1 images like `"))
            refusals += 1
    assert refusals > 0
