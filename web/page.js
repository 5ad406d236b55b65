/* Draws a page from its content: the JSON that src/report/page.c wrote into the element #content. */
(() => {
    "use strict";
    const content = JSON.parse(document.getElementById("content").textContent);
    const main = document.getElementById("page");
    const views = [];
    let drawn = 0, broken = 0;

    /* An element with attributes and children; text is always text, never markup. */
    const make = (tag, attributes, ...children) => {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
        element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
        return element;
    };
    const number = (x) => (x === null || x === undefined ? "–" : String(Number(x.toPrecision(4))).replace("-", "−"));
    const range = (pair, open) => {
        if (!pair || (pair[0] === null && pair[1] === null)) return "–";
        if (open && pair[0] === null) return "at most " + number(pair[1]);
        if (open && pair[1] === null) return "at least " + number(pair[0]);
        return "[" + number(pair[0]) + ", " + number(pair[1]) + "]";
    };
    const tone = (verdict) => (verdict === "HOLDS" ? "holds" : verdict === "FAILS" ? "fails" : "out");

    const verdict = (v) =>
        make("div", { class: "verdict " + tone(v.verdict), role: "status" }, make("b", {}, v.verdict),
            v.value === null && v.note ? make("span", {}, v.note) :
            make("span", {}, v.metric + " = " + number(v.value) + ", interval " + range(v.interval) + ", tolerance " + range(v.tolerance, true)),
            v.value !== null && v.note ? make("span", {}, v.note) : null);

    const checks = (rows) => {
        const head = make("tr", {}, ...["check", "verdict"].map((t) => make("th", { scope: "col" }, t)),
            ...["value", "interval", "tolerance"].map((t) => make("th", { scope: "col", class: "number" }, t)));
        const body = rows.map((v) => make("tr", {},
            make("td", {}, v.metric, v.note ? make("div", { class: "quiet" }, v.note) : null),
            make("td", { class: "word " + tone(v.verdict) }, v.verdict),
            ...[number(v.value), range(v.interval), range(v.tolerance, true)].map((t) => make("td", { class: "number" }, t))));
        return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
    };

    const facts = (rows) => make("table", { class: "facts" }, make("tbody", {}, ...rows.map(([name, value]) =>
        make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value)))));

    /* Vega's theme, from the page's own colours, so that both follow light and dark. */
    const theme = () => {
        const style = getComputedStyle(document.documentElement);
        const colour = (name) => style.getPropertyValue("--" + name).trim();
        const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';
        return {
            background: null, font,
            view: { stroke: null },
            axis: { labelColor: colour("quiet"), titleColor: colour("quiet"), gridColor: colour("line"), gridOpacity: 0.7, domainColor: colour("line"),
                tickColor: colour("line"), labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal", titlePadding: 8, labelPadding: 4 },
            legend: { labelColor: colour("ink"), titleColor: colour("quiet"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
                orient: "top", direction: "horizontal", offset: 6, symbolStrokeColor: colour("quiet"), symbolSize: 220, labelLimit: 320, columnPadding: 18 },
            range: { category: [1, 2, 3, 4, 5].map((i) => colour("series-" + i)) },
            text: { color: colour("quiet"), fontSize: 11 }, rule: { color: colour("quiet") },
            style: { band: { fill: colour("band"), fillOpacity: 0.13 }, ink: { stroke: colour("ink"), color: colour("ink") } },
        };
    };

    const panel = (p) => {
        const chart = make("div", { class: "chart", role: "img", "aria-label": p.alt || p.title });
        views.push(() => vegaEmbed(chart, p.spec, {
            mode: "vega-lite", renderer: "svg", config: theme(), tooltip: { theme: "custom" },
            actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
        }).then(() => { drawn++; }, (error) => {
            broken++;
            chart.replaceChildren(make("p", { class: "broken" }, "This figure could not be drawn: " + error.message));
        }));
        return make("figure", { class: p.wide ? "panel wide" : "panel" }, make("h3", {}, p.title), chart,
            p.caption ? make("figcaption", {}, p.caption) : null);
    };

    const draw = async () => {
        drawn = broken = 0;
        for (const view of views) await view();
        /* for tests: how many figures are there */
        document.documentElement.dataset.drawn = drawn;
        document.documentElement.dataset.broken = broken;
    };

    main.replaceChildren(
        make("p", { class: "kicker" }, content.kicker),
        make("h1", {}, content.title),
        make("p", { class: "statement" }, content.statement),
        verdict(content.verdict),
        make("div", { class: "panels" }, ...content.panels.map(panel)),
        ...(content.checks.length ? [make("h2", {}, "Every check"), checks(content.checks)] : []),
        make("h2", {}, "The record"), facts(content.facts),
        make("h2", {}, "Make it again"), make("code", { class: "command" }, content.command),
        make("h2", {}, "Sources"), make("p", {}, content.sources));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    draw();
})();
