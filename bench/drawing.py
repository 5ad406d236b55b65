"""HTML pages and log-log figures as SVG, without a library: a page stands alone in one file."""
import html
import math

STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; max-width: 76em; margin: 2em auto; padding: 0 1em; color: #1b1f24; background: #fff }
h1 { font-size: 1.6em } h2 { font-size: 1.2em; margin-top: 2em }
.wide { overflow-x: auto } td { white-space: nowrap }
table { border-collapse: collapse; font-variant-numeric: tabular-nums } td, th { padding: .25em .7em; text-align: right; border-bottom: 1px solid #d9dee3 }
td:first-child, th:first-child { text-align: left } th { font-weight: 600 } .behind { color: #a3320b; font-weight: 600 }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22em, 100%), 1fr)); gap: 1.2em } figure { margin: 0 }
figcaption { font-size: .88em; color: #4a535c } svg { width: 100%; height: auto } svg text { font: 12px system-ui, sans-serif; fill: #4a535c }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2em 1.2em } dt { font-weight: 600 } dd { margin: 0 }
"""
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 300, 62, 14, 12, 44


def page(title, *parts):
    return (f"<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>{html.escape(title)}</title><style>{STYLE}</style>\n<h1>{html.escape(title)}</h1>\n" + "\n".join(parts) + "\n</html>\n")


def table(head, rows):
    """Cells are text, or (text, class)."""
    def cell(value):
        text, kind = value if isinstance(value, tuple) else (value, None)
        return f"<td{f' class={kind}' if kind else ''}>{html.escape(str(text))}</td>"

    return ("<div class=wide><table><tr>" + "".join(f"<th>{html.escape(word)}</th>" for word in head) + "</tr>\n"
            + "\n".join("<tr>" + "".join(map(cell, row)) + "</tr>" for row in rows) + "</table></div>")


def ticks(low, high):
    """Powers of ten within [low, high], and 2 and 5 times them where there would be fewer than three."""
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5)):
        found = [f * 10.0**d for d in decades for f in factors if low <= f * 10.0**d <= high]
        if len(found) >= 3:
            break
    return found[:: math.ceil(len(found) / 6)] if found else [low]


def seconds_text(s):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if s >= size:
            return f"{s / size:.3g} {unit}"
    return f"{s / 1e-9:.3g} ns"


def count_text(x):
    return f"{x:g}" if x < 1e4 else f"{x / 1e3:g}k" if x < 1e6 else f"{x / 1e6:g}M"


def curve(c):
    """One figure: points, those that leave the law hollow, and the line of the expected exponent."""
    points = [p for p in c["points"] if p["seconds"] > 0]
    if not points:
        return ""
    fit = c["fit"]
    expected = [(x, fit["factor"] * x ** c["expected"]) for x in (points[0]["x"], points[-1]["x"])] if fit else []
    xs, ys = [p["x"] for p in points], [p["seconds"] for p in points] + [y for _, y in expected]
    x0, x1, y0, y1 = min(xs) / 1.2, max(xs) * 1.2, min(ys) / 1.3, max(ys) * 1.3

    def at(x, y):
        u = (math.log(x) - math.log(x0)) / (math.log(x1) - math.log(x0))
        v = (math.log(y) - math.log(y0)) / (math.log(y1) - math.log(y0))
        return LEFT + u * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - v * (HEIGHT - TOP - BOTTOM)

    parts = [f"<rect x={LEFT} y={TOP} width={WIDTH - LEFT - RIGHT} height={HEIGHT - TOP - BOTTOM} fill=none stroke=#c4cbd2 />"]
    for x in ticks(x0, x1):
        px, bottom = at(x, y0)
        parts.append(f"<line x1={px:.1f} x2={px:.1f} y1={TOP} y2={bottom:.1f} stroke=#eceff2 /><text x={px:.1f} y={bottom + 16:.1f} "
                     f"text-anchor=middle>{count_text(x)}</text>")
    for y in ticks(y0, y1):
        left, py = at(x0, y)
        parts.append(f"<line x1={left:.1f} x2={WIDTH - RIGHT} y1={py:.1f} y2={py:.1f} stroke=#eceff2 /><text x={LEFT - 6} y={py + 4:.1f} "
                     f"text-anchor=end>{seconds_text(y)}</text>")
    parts.append(f"<text x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 8} text-anchor=middle>{html.escape(c['x_name'])}</text>")
    if expected:
        (ax, ay), (bx, by) = (at(*p) for p in expected)
        parts.append(f"<line x1={ax:.1f} y1={ay:.1f} x2={bx:.1f} y2={by:.1f} stroke=#9aa4ae stroke-width=1.5 stroke-dasharray='5 4' />")
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in (at(p["x"], p["seconds"]) for p in points))
    parts.append(f"<polyline points='{path}' fill=none stroke=#2463a8 stroke-width=1.5 />")
    for p in points:
        px, py = at(p["x"], p["seconds"])
        hollow = fit and p["x"] in fit["leaves"]
        parts.append(f"<circle cx={px:.1f} cy={py:.1f} r=4 fill={'#fff' if hollow else '#2463a8'} stroke=#2463a8 stroke-width=1.5>"
                     f"<title>{p['x']:g}: {seconds_text(p['seconds'])}</title></circle>")
    found = f"exponent {fit['exponent']:.2f} over the upper half, {c['expected']} expected" if fit else "too few points for an exponent"
    return (f"<figure><svg viewBox='0 0 {WIDTH} {HEIGHT}' role=img>{''.join(parts)}</svg><figcaption><b>{html.escape(c['name'])}</b>: "
            f"{found}: {html.escape(c['why'])}</figcaption></figure>")


def curves(all_curves):
    return ("<p>Dashed: the expected exponent through the upper half of the points. Hollow: more than 15 % off that line.</p>"
            "<div class=figures>" + "\n".join(map(curve, all_curves)) + "</div>")
