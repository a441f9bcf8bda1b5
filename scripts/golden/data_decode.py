"""Small image files of every kind, and their pixels as Pillow reads them.

Run: python3 scripts/golden/data_decode.py
Made with Debian's python3-pil 9.4.0.
"""
import numpy as np
from PIL import Image, ImageCms, ImageOps
import PIL

from data_common import OUT, encode, picture, write

WIDTH, HEIGHT = 20, 14


def main():
    folder = OUT / "images"
    folder.mkdir(parents=True, exist_ok=True)
    pixels = picture(WIDTH, HEIGHT, 1)
    image = Image.fromarray(pixels)
    alpha = picture(WIDTH, HEIGHT, 2)[..., 0]
    with_alpha = Image.fromarray(np.dstack([pixels, alpha]))
    palette = image.convert("P", palette=Image.ADAPTIVE, colors=16)
    turned = Image.Exif()
    turned[0x0112] = 6
    mirrored = Image.Exif()
    mirrored[0x0112] = 7
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    image.save(folder / "rgb.jpg", quality=92)
    image.save(folder / "progressive.jpg", quality=92, progressive=True)
    image.save(folder / "half.jpg", quality=92, subsampling="4:2:2")
    image.convert("L").save(folder / "grey.jpg")
    image.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    image.save(folder / "turned.jpg", quality=92, exif=turned)
    image.save(folder / "mirrored.jpg", quality=92, exif=mirrored)
    image.save(folder / "profile.jpg", quality=92, icc_profile=profile)
    image.save(folder / "rgb.png")
    with_alpha.save(folder / "alpha.png")
    with_alpha.convert("LA").save(folder / "grey-alpha.png")
    image.convert("L").save(folder / "grey.png")
    image.convert("1").save(folder / "bilevel.png")
    palette.save(folder / "palette.png")
    palette.save(folder / "palette-transparent.png", transparency=3)
    palette.save(folder / "palette.gif")
    image.save(folder / "rgb.tif")
    image.convert("CMYK").save(folder / "cmyk.tif")
    with_alpha.save(folder / "alpha.webp", lossless=True, exact=True)
    image.save(folder / "png-named.jpg", format="PNG")

    expected = {}
    # Of pixels that are none of ours, and there from an earlier run: made below.
    for path in sorted(set(folder.iterdir()) - {folder / "float.tif"}):
        rgb = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
        height, width, _ = rgb.shape
        expected[path.name] = {"width": width, "height": height, "pixels": encode(rgb)}

    # Pillow cuts 16-bit grey off at 255 instead of scaling it: the upper byte is what is expected.
    deep = (pixels[..., 0].astype(np.uint16) << 8) | pixels[..., 1]
    for name in ("grey16.png", "grey16.tif"):
        Image.fromarray(deep).save(folder / name)
        upper = np.repeat((deep >> 8).astype(np.uint8)[..., None], 3, axis=2)
        expected[name] = {"width": WIDTH, "height": HEIGHT, "pixels": encode(upper)}

    Image.fromarray(pixels[..., 0].astype(np.float32)).save(folder / "float.tif")
    write("decode", {"pillow": PIL.__version__, "files": expected})


main()
