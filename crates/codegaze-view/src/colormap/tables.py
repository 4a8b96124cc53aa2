"""Writes src/view/colormap/tables.rs: python src/view/colormap/tables.py > src/view/colormap/tables.rs (needs matplotlib)."""

import matplotlib

ANCHORS = 52
HUE = (0x00, 0x72, 0xB2)  # Okabe and Ito's blue

HEAD = """//! Samples of the color maps at 0, 1/51 … 1, made by `src/view/colormap/tables.py`.
//!
//! Viridis, magma, inferno and plasma: Nathaniel Smith and Stéfan van der Walt; cividis: Nuñez, Anderton and Renslow 2018.
//! All are in the public domain (CC0), as in matplotlib. Blues: even steps of lightness in `OKLab` (Ottosson 2020) at one hue.

use super::Anchors;
"""


def to_oklab(rgb):
    r, g, b = ((c / 255 / 12.92) if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb)
    l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    )


def from_oklab(lab):
    L, a, b = lab
    l, m, s = (
        (L + x * a + y * b) ** 3
        for x, y in ((0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480))
    )
    linear = (
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    )
    clipped = (min(max(c, 0.0), 1.0) for c in linear)
    return tuple(round(255 * (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055)) for c in clipped)


def blues():
    """Lightness falls evenly from .98 to .25; chroma is the hue's own at its own lightness and fades to both ends."""
    top, bottom = 0.98, 0.25
    light, a, b = to_oklab(HUE)
    for i in range(ANCHORS):
        L = top + (bottom - top) * i / (ANCHORS - 1)
        fade = (top - L) / (top - light) if L > light else 0.45 + 0.55 * (L - bottom) / (light - bottom)
        yield from_oklab((L, a * fade, b * fade))


def table(name, colors):
    cells = [f"0x00{r:02X}_{g:02X}{b:02X}," for r, g, b in colors]
    assert len(cells) == ANCHORS
    print("#[rustfmt::skip]")
    print(f"pub(super) const {name.upper()}: Anchors = [")
    for start in range(0, ANCHORS, 8):
        print("    " + " ".join(cells[start : start + 8]))
    print("];")


print(HEAD)
for name in ("viridis", "cividis", "magma", "inferno", "plasma"):
    samples = matplotlib.colormaps[name].colors
    table(name, [tuple(round(255 * c) for c in samples[i]) for i in range(0, 256, 5)])
    print()
table("blues", list(blues()))
