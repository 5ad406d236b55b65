/* Figures: a panel of the page's content as an element with its chart, switches and downloads. */
"use strict";

/* The text of an element that src/report/page.c or the build packed: base64 of a raw deflate stream. */
const unpack = async (id) => {
    const packed = atob(document.getElementById(id).textContent), bytes = new Uint8Array(packed.length);
    for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
};

/* A library or style of the page, put to work where something first needs it: what is seen at first needs none. */
const parsed = new Promise((go) => (document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", go) : go()));
const loads = {};
const load = (id) => (loads[id] ||= parsed.then(() => unpack(id)).then((text) => {
    document.head.append(make(id.endsWith("-style") ? "style" : "script", {}, text));
}));
const loadVega = async () => { for (const id of ["vega", "vega-lite", "vega-embed"]) await load(id); };
const loadKatex = () => Promise.all([load("katex"), load("katex-style")]);

/* An element with attributes and children; text is always text, never markup. */
const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {}))
        if (typeof value === "function") element.addEventListener(name, value);
        else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
};

const isDark = () => (document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);

/* Vega's theme, from the page's own colours, so that both follow light and dark. */
const figureTheme = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue("--" + name).trim();
    const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';
    return {
        background: null, font,
        view: { stroke: null },
        axis: { labelSeparation: 5, labelColor: colour("quiet"), titleColor: colour("quiet"), gridColor: colour("line"), gridOpacity: 0.7, domainColor: colour("line"),
            tickColor: colour("line"), labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal", titlePadding: 8, labelPadding: 4 },
        legend: { labelColor: colour("ink"), titleColor: colour("quiet"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
            orient: "top", direction: "horizontal", offset: 6, layout: { top: { direction: "vertical", margin: 4 }, bottom: { direction: "vertical", margin: 4 } }, symbolStrokeColor: colour("quiet"), symbolSize: 220, labelLimit: 320, columnPadding: 18 },
        header: { labelColor: colour("ink"), titleColor: colour("quiet") },
        range: { category: [1, 2, 3, 4, 5, 6, 7, 8].map((i) => colour("series-" + i)), heatmap: { scheme: "viridis" }, ramp: { scheme: "viridis" },
            symbol: ["circle", "square", "triangle-up", "cross", "diamond", "triangle-right", "triangle-down", "triangle-left",
                "M0,-1L.235,-.324L.951,-.309L.38,.124L.588,.809L0,.4L-.588,.809L-.38,.124L-.951,-.309L-.235,-.324Z", "M0,-1L.866,-.5L.866,.5L0,1L-.866,.5L-.866,-.5Z"],
            ordinal: { scheme: "viridis", extent: isDark() ? [0.3, 1] : [0, 0.85] } },
        text: { color: colour("quiet"), fontSize: 11 }, rule: { color: colour("quiet") },
        style: { band: { fill: colour("band"), fillOpacity: 0.13 }, ink: { stroke: colour("ink"), color: colour("ink") } },
    };
};

const copyOf = (value) => JSON.parse(JSON.stringify(value));

/* Every view of a specification that has an encoding: itself, its layers, the parts of a concatenation. */
const unitsOf = (spec) => [
    ...(spec.encoding ? [spec] : []),
    ...["layer", "hconcat", "vconcat", "concat"].flatMap((key) => (spec[key] || []).flatMap(unitsOf)),
    ...(spec.spec ? unitsOf(spec.spec) : []),
];

const isQuantitative = (e) => e && e.field && e.type === "quantitative" && !e.bin;

/* The type of scale that a channel has in the specification as it came. */
const scaleOf = (spec, channel) => {
    for (const unit of unitsOf(spec)) {
        const e = unit.encoding[channel];
        if (isQuantitative(e)) return (e.scale && e.scale.type) || "linear";
    }
    return null;
};

/* Logarithms need positive numbers; where there are others, the scale is linear about 0 (symlog). */
const setScale = (spec, channel, type) => {
    const fields = new Set();
    const units = unitsOf(spec).filter((unit) => isQuantitative(unit.encoding[channel]));
    for (const unit of units) for (const key of [channel, channel + "2"]) if (unit.encoding[key] && unit.encoding[key].field) fields.add(unit.encoding[key].field);
    const positive = Object.values(spec.datasets || {}).every((rows) => rows.every((row) => [...fields].every((f) => !(row[f] <= 0 && row[f] !== null && row[f] !== undefined))));
    for (const unit of units) {
        const e = unit.encoding[channel], scale = { ...(e.scale || {}), type: type === "log" && !positive ? "symlog" : type };
        if (type === "log") delete scale.zero;
        e.scale = scale;
    }
};

/* A band without rows would leave its scale without an end. */
const withoutEmptyBands = (spec) => {
    if (spec.layer) spec.layer = spec.layer.filter((l) => !(l.mark && (l.mark.style === "band" || l.mark.type === "rect") && l.data && (spec.datasets[l.data.name] || []).length === 0));
};

/* Legends in as many columns as there is room for, and small multiples side by side as far as they go. */
const fit = (spec, width) => {
    const units = unitsOf(spec), rows = Object.values(spec.datasets || {}).flat();
    const valuesOf = (field) => {
        const given = units.flatMap((u) => Object.values(u.encoding)).find((e) => e && e.field === field && e.scale && e.scale.domain);
        return given ? given.scale.domain : [...new Set(rows.map((row) => row[field]).filter((v) => v !== undefined && v !== null))];
    };
    for (const channel of ["color", "fill", "shape", "strokeDash"]) {
        const all = units.map((u) => u.encoding[channel]).filter((e) => e && e.field && e.legend !== null && (e.type === "nominal" || e.type === "ordinal"));
        for (const field of new Set(all.map((e) => e.field))) {
            const mine = all.filter((e) => e.field === field), e = mine.find((m) => m.legend) || mine.find((m) => m.title !== undefined) || mine[0]; /* layers share it */
            const words = valuesOf(field).map((v) => (typeof v === "number" ? v.toLocaleString("en") : String(v)));
            const own = e.legend || {}, title = own.titleOrient === "left" ? 8 * e.title.length : 0;
            const room = width - 56 - title, each = 46 + 6.7 * Math.max(0, ...words.map((w) => w.length)); /* a symbol, 12 px letters, a gap */
            if (words.length) e.legend = { ...own, columns: Math.max(1, Math.min(words.length, Math.floor(room / each))), labelLimit: Math.max(80, room - 20) };
        }
    }
    if (spec.facet && spec.facet.field && spec.spec) {
        const n = valuesOf(spec.facet.field).length, columns = Math.max(1, Math.min(n, Math.floor((width - 60) / 120)));
        const side = Math.max(90, Math.min(210, Math.floor((width - 60 - 20 * columns) / columns)));
        Object.assign(spec, { columns });
        Object.assign(spec.spec, { width: side, height: side });
    }
};

/* Dragging moves, the wheel with shift zooms, a double click goes back. */
const addZoom = (spec) => {
    if (matchMedia("(pointer: coarse)").matches) return; /* a finger scrolls the page */
    if (spec.hconcat || spec.vconcat || spec.concat || spec.facet || spec.repeat) return;
    const unit = unitsOf(spec).filter((u) => u !== spec || !spec.layer).reverse().find((u) => isQuantitative(u.encoding.x) && isQuantitative(u.encoding.y) && !u.encoding.x.aggregate && !u.encoding.y.aggregate);
    if (unit) unit.params = [...(unit.params || []), { name: "zoom", select: { type: "interval", zoom: "wheel![event.shiftKey]" }, bind: "scales" }];
};

const seedsOf = (spec) => [...new Set(Object.values(spec.datasets || {}).flatMap((rows) => rows.map((row) => row.seed)).filter((s) => s !== undefined && s !== null))].sort((a, b) => a - b);

/* ---- downloads ---- */

const download = (name, parts, type) => {
    const url = URL.createObjectURL(new Blob(parts, { type }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
};

const columnsOf = (rows) => [...new Set(rows.flatMap((row) => Object.keys(row)))];

/* One table of all data sets; the first column says which. */
const csvOf = (datasets) => {
    const quote = (x) => (x === null || x === undefined ? "" : /[",\n]/.test(String(x)) ? '"' + String(x).replaceAll('"', '""') + '"' : String(x));
    const columns = columnsOf(Object.values(datasets).flat());
    const lines = Object.entries(datasets).flatMap(([name, rows]) => rows.map((row) => [name, ...columns.map((c) => row[c])].map(quote).join(",")));
    return [["set", ...columns].map(quote).join(","), ...lines].join("\n") + "\n";
};

/* A column as the bytes of a .npy file (format 1.0): float64, or fixed-width UTF-32 text. */
const npyOf = (column) => {
    const isText = column.some((x) => typeof x === "string");
    const words = isText ? column.map((x) => [...String(x ?? "")]) : null;
    const width = isText ? Math.max(1, ...words.map((w) => w.length)) : 0;
    const body = new DataView(new ArrayBuffer(column.length * (isText ? 4 * width : 8)));
    column.forEach((x, i) => {
        if (isText) words[i].forEach((c, k) => body.setUint32(4 * (i * width + k), c.codePointAt(0), true));
        else body.setFloat64(8 * i, typeof x === "number" ? x : typeof x === "boolean" ? +x : NaN, true);
    });
    let head = "{'descr': '" + (isText ? "<U" + width : "<f8") + "', 'fortran_order': False, 'shape': (" + column.length + ",), }";
    head += " ".repeat((64 - ((10 + head.length + 1) % 64)) % 64) + "\n";
    const bytes = new Uint8Array(10 + head.length + body.byteLength);
    bytes.set([0x93, 78, 85, 77, 80, 89, 1, 0, head.length & 255, head.length >> 8]);
    for (let i = 0; i < head.length; i++) bytes[10 + i] = head.charCodeAt(i);
    bytes.set(new Uint8Array(body.buffer), 10 + head.length);
    return bytes;
};

const crcOf = (bytes) => {
    let crc = ~0;
    for (const b of bytes) {
        crc ^= b;
        for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
};

/* A ZIP archive of stored files, which is what .npz is. */
const zipOf = (files) => {
    const parts = [], central = [];
    let offset = 0;
    const record = (size, fields) => {
        const view = new DataView(new ArrayBuffer(size));
        for (const [at, width, value] of fields) width === 4 ? view.setUint32(at, value, true) : view.setUint16(at, value, true);
        return new Uint8Array(view.buffer);
    };
    for (const [name, bytes] of files) {
        const label = new TextEncoder().encode(name), crc = crcOf(bytes), n = bytes.length;
        const local = record(30, [[0, 4, 0x04034b50], [4, 2, 20], [6, 2, 0x800], [12, 2, 33], [14, 4, crc], [18, 4, n], [22, 4, n], [26, 2, label.length]]);
        central.push(record(46, [[0, 4, 0x02014b50], [4, 2, 20], [6, 2, 20], [8, 2, 0x800], [14, 2, 33], [16, 4, crc], [20, 4, n], [24, 4, n], [28, 2, label.length], [42, 4, offset]]), label);
        parts.push(local, label, bytes);
        offset += local.length + label.length + n;
    }
    const size = central.reduce((sum, part) => sum + part.length, 0);
    const end = record(22, [[0, 4, 0x06054b50], [8, 2, files.length], [10, 2, files.length], [12, 4, size], [16, 4, offset]]);
    return [...parts, ...central, end];
};

const npzOf = (datasets) => zipOf(Object.entries(datasets).flatMap(([name, rows]) => columnsOf(rows).map((c) => [name + "." + c + ".npy", npyOf(rows.map((row) => row[c]))])));

/* ---- a panel ---- */

const plain = (x) => (x === null || x === undefined ? "–" : typeof x === "number" ? String(Number(x.toPrecision(6))).replace("-", "−") : String(x));

const tableOf = (datasets) => Object.entries(datasets).map(([name, rows]) => {
    const columns = columnsOf(rows), most = 200;
    return make("div", { class: "scroll data", tabindex: "0", role: "region", "aria-label": "Data: " + name },
        make("table", {}, make("caption", {}, name + (rows.length > most ? ", the first " + most + " of " + rows.length + " rows" : ", " + rows.length + " rows")),
            make("thead", {}, make("tr", {}, columns.map((c) => make("th", { scope: "col" }, c)))),
            make("tbody", {}, rows.slice(0, most).map((row) => make("tr", {}, columns.map((c) => make("td", {}, plain(row[c]))))))));
});

/* Draws a specification into an element; retries without zoom where the specification doesn't take it. */
const drawChart = async (chart, spec, zoom) => {
    await loadVega();
    const options = { mode: "vega-lite", renderer: "svg", config: figureTheme(), tooltip: { theme: "custom" }, actions: false };
    if (zoom) {
        const zoomed = copyOf(spec);
        addZoom(zoomed);
        try { return await vegaEmbed(chart, zoomed, options); } catch { /* below */ }
    }
    return vegaEmbed(chart, spec, options);
};

/* { element, draw, refit } of a panel; refit draws it again where its width isn't what it was drawn for.  name: of its files. */
const figurePanel = (p, name) => {
    const seeds = seedsOf(p.spec), on = new Set(seeds);
    const scales = { x: scaleOf(p.spec, "x"), y: scaleOf(p.spec, "y") };
    const chart = make("div", { class: "chart", role: "img", "aria-label": p.alt || p.title });
    const data = make("div", { hidden: true });
    let view = null, fitted = 0;

    const draw = async () => {
        const spec = copyOf(p.spec);
        for (const key of Object.keys(spec.datasets || {}))
            spec.datasets[key] = spec.datasets[key].filter((row) => row.seed === undefined || row.seed === null || on.has(row.seed));
        withoutEmptyBands(spec);
        fitted = chart.clientWidth;
        fit(spec, fitted || 600);
        for (const channel of ["x", "y"]) if (scales[channel] && scales[channel] !== scaleOf(p.spec, channel)) setScale(spec, channel, scales[channel]);
        try {
            view = (await drawChart(chart, spec, true)).view;
            return true;
        } catch (error) {
            chart.replaceChildren(make("p", { class: "broken" }, "This figure could not be drawn: " + error.message));
            return false;
        }
    };

    const scaleSwitch = (channel) => scales[channel] && make("button", {
        type: "button", "aria-pressed": String(scales[channel] === "log"), title: channel + " axis: logarithmic or linear", "data-scale": channel,
        click: (event) => {
            scales[channel] = scales[channel] === "log" ? "linear" : "log";
            event.currentTarget.setAttribute("aria-pressed", String(scales[channel] === "log"));
            draw();
        },
    }, "log " + channel);
    const seedSwitch = (seed) => make("label", {}, make("input", {
        type: "checkbox", checked: true, "data-seed": String(seed),
        change: (event) => {
            if (event.currentTarget.checked) on.add(seed);
            else on.delete(seed);
            draw();
        },
    }), String(seed));
    const save = (what, action) => make("button", { type: "button", title: "Download as " + what, click: action }, what);
    const image = (type) => async () => {
        if (!view) return;
        if (type === "svg") download(name + ".svg", [await view.toSVG()], "image/svg+xml");
        else (await view.toCanvas(2)).toBlob((blob) => download(name + ".png", [blob], "image/png"));
    };
    const tools = make("div", { class: "tools", role: "group", "aria-label": "Axes, seeds and data of: " + p.title },
        make("div", { class: "switches" }, scaleSwitch("x"), scaleSwitch("y"),
            seeds.length > 1 && seeds.length <= 12 ? make("fieldset", { class: "seeds" }, make("legend", {}, "seeds"), seeds.map(seedSwitch)) : null),
        make("div", { class: "saves" },
            make("button", {
                type: "button", "aria-expanded": "false",
                click: (event) => {
                    if (!data.childElementCount) data.append(...tableOf(p.spec.datasets || {}));
                    data.hidden = !data.hidden;
                    event.currentTarget.setAttribute("aria-expanded", String(!data.hidden));
                },
            }, "data"),
            save("CSV", () => download(name + ".csv", [csvOf(p.spec.datasets || {})], "text/csv")),
            save("NPZ", () => download(name + ".npz", npzOf(p.spec.datasets || {}), "application/zip")),
            save("SVG", image("svg")), save("PNG", image("png"))));
    return {
        element: make("figure", { class: "panel" + (p.wide ? " wide" : "") + (p.row ? " row" : "") }, make("h3", {}, p.title), chart, tools,
            p.caption ? make("figcaption", {}, p.caption) : null, data),
        draw,
        refit: () => (view && chart.clientWidth !== fitted ? draw() : null),
    };
};

/* A small picture of a panel, for a card: marks and bare axes only. */
const smallFigure = (p) => {
    const chart = make("div", { class: "chart small", role: "img", "aria-label": p.alt || p.title });
    const spec = copyOf(p.spec);
    const quiet = { labelFontSize: 9, tickCount: 3, title: null, labelOverlap: true, gridOpacity: 0.4, labelLimit: 60 };
    const shrink = (s) => {
        delete s.title;
        if (s.width !== undefined) s.width = "container";
        if (s.height !== undefined) s.height = 96;
        for (const key of ["layer"]) (s[key] || []).forEach(shrink);
    };
    let base = spec;
    for (const key of ["hconcat", "vconcat", "concat"]) if (base[key]) base = { ...base[key][0], datasets: spec.datasets, data: base[key][0].data || spec.data };
    shrink(base);
    withoutEmptyBands(base);
    base.width = "container";
    base.height = 96;
    for (const unit of unitsOf(base)) {
        for (const channel of ["x", "y"]) if (unit.encoding[channel]) unit.encoding[channel] = { ...unit.encoding[channel], title: null, axis: unit.encoding[channel].axis === null ? null : quiet };
        for (const channel of ["color", "shape", "strokeDash", "size", "opacity"]) if (unit.encoding[channel] && unit.encoding[channel].field) unit.encoding[channel] = { ...unit.encoding[channel], legend: null };
        delete unit.encoding.tooltip;
    }
    return { element: chart, draw: () => drawChart(chart, base, false).then(() => true, () => { chart.replaceChildren(); return false; }) };
};
