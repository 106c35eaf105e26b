"""Distributions as pictures, without a library: SVG, both axes logarithmic."""
import math

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#333333", "#999999"]
WIDTH, HEIGHT, LEFT, TOP, GAP = 420, 300, 60, 50, 70


def tails(panels, title, promise):
    """{panel: {curve: microseconds}} as the share that took longer, over the time. `promise` is a line at so many us."""
    every = [value for curves in panels.values() for values in curves.values() for value in values]
    low = 10 ** math.floor(math.log10(max(1, min(every))))
    high = 10 ** math.ceil(math.log10(max(every)))
    most = max(len(values) for curves in panels.values() for values in curves.values())
    decades = max(1, math.ceil(math.log10(most)))
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    width = LEFT + len(panels) * (WIDTH + GAP)
    height = TOP + HEIGHT + 60 + 18 * math.ceil(len(names) / 3)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
           f'font-size="12"><rect width="100%" height="100%" fill="#fff"/><text x="{LEFT}" y="20" font-size="15">'
           f"{title}</text>"]

    def x_of(value):
        return WIDTH * math.log10(max(value, low) / low) / math.log10(high / low)

    def y_of(share):
        return HEIGHT * -math.log10(max(share, 10.0**-decades)) / decades

    for number, (panel, curves) in enumerate(panels.items()):
        out.append(f'<g transform="translate({LEFT + number * (WIDTH + GAP)},{TOP})"><text y="-8">{panel}</text>'
                   f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#333"/>')
        for exponent in range(round(math.log10(low)), round(math.log10(high)) + 1):
            x = x_of(10**exponent)
            label = f"{10**exponent} us" if exponent < 3 else f"{10**(exponent - 3)} ms" if exponent < 6 else \
                f"{10**(exponent - 6)} s"
            out.append(f'<path d="M{x:.1f} 0V{HEIGHT}" stroke="#ddd"/><text x="{x:.1f}" y="{HEIGHT + 16}" '
                       f'text-anchor="middle">{label}</text>')
        for exponent in range(decades + 1):
            y = HEIGHT * exponent / decades
            out.append(f'<path d="M0 {y:.1f}H{WIDTH}" stroke="#ddd"/><text x="-6" y="{y + 4:.1f}" text-anchor="end">'
                       f"{100 * 10.0**-exponent:g} %</text>")
        out.append(f'<path d="M{x_of(promise):.1f} 0V{HEIGHT}" stroke="#c00" stroke-dasharray="4 3"/>')
        for name, values in curves.items():
            ordered, path = sorted(values), []
            for place, value in enumerate(ordered):
                path.append(f"{'L' if path else 'M'}{x_of(value):.1f} {y_of(1 - place / len(ordered)):.1f}")
            colour = COLOURS[names.index(name) % len(COLOURS)]
            out.append(f'<path d="{"".join(thinned(path))}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        out.append("</g>")
    for number, name in enumerate(names):
        x, y = LEFT + number % 3 * 260, TOP + HEIGHT + 45 + 18 * (number // 3)
        out.append(f'<path d="M{x} {y - 4}h20" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="3"/>'
                   f'<text x="{x + 26}" y="{y}">{name}</text>')
    out.append(f'<text x="{width - GAP}" y="20" text-anchor="end" fill="#c00">dashed: the promise, {promise} us</text>'
               "</svg>")
    return "\n".join(out) + "\n"


def thinned(path):
    """Where thousands of points share a pixel, the same point once."""
    kept = [path[0]]
    for point in path[1:]:
        if point[1:] != kept[-1][1:]:
            kept.append(point)
    return kept
