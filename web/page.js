/* Draws a page from its content: the JSON that src/report/page.c wrote into the element #content.
 * One entry: that is the page.  Several: a home with a card for each, by approach, and a view for each (#/ID). */
(async () => {
    "use strict";
    const main = document.getElementById("page"), root = document.documentElement;
    if (typeof DecompressionStream !== "function") {
        main.append(make("p", {}, "This page is packed; a browser of 2023 or later can open it."));
        return;
    }
    const content = JSON.parse(await unpack("content"));
    const isAtlas = content.entries.length > 1 || Boolean(content.home);
    let views = [], figures = [], turn = 0;

    const number = (x) => (x === null || x === undefined ? "–" : String(Number(x.toPrecision(4))).replace("-", "−"));
    const range = (pair, open) => {
        if (!pair || (pair[0] === null && pair[1] === null)) return "–";
        if (open && pair[0] === null) return "at most " + number(pair[1]);
        if (open && pair[1] === null) return "at least " + number(pair[0]);
        return "[" + number(pair[0]) + ", " + number(pair[1]) + "]";
    };
    const tone = (verdict) => (verdict === "HOLDS" ? "holds" : verdict === "FAILS" ? "fails" : "out");

    /* ---- one law or run ---- */

    const verdict = (v) =>
        make("div", { class: "verdict " + tone(v.verdict), role: "status" }, make("b", {}, v.verdict),
            v.value === null && v.note ? make("span", {}, v.note) :
            make("span", {}, v.metric + " = " + number(v.value) + ", interval " + range(v.interval) + ", tolerance " + range(v.tolerance, true)),
            v.value !== null && v.note ? make("span", {}, v.note) : null);

    const checks = (rows) => {
        const head = make("tr", { role: "row" }, ["check", "verdict"].map((t) => make("th", { scope: "col" }, t)),
            ["value", "interval", "tolerance"].map((t) => make("th", { scope: "col", class: "number" }, t)));
        const body = rows.map((v) => make("tr", { role: "row" },
            make("td", { role: "cell" }, v.metric, v.note ? make("div", { class: "quiet" }, v.note) : null),
            make("td", { role: "cell", class: "word " + tone(v.verdict) }, v.verdict),
            [["value", number(v.value)], ["interval", range(v.interval)], ["tolerance", range(v.tolerance, true)]].map(([name, t]) =>
                make("td", { role: "cell", class: "number", "data-name": name }, t))));
        return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Every check" }, /* roles: on a narrow screen its rows are blocks */
            make("table", { class: "checks", role: "table" }, make("thead", { role: "rowgroup" }, head), make("tbody", { role: "rowgroup" }, body)));
    };

    const facts = (rows) => make("table", { class: "facts" }, make("tbody", {}, rows.map(([name, value]) =>
        make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value)))));

    /* Typeset when KaTeX is there; until then, and where it fails, the source. */
    const equation = (tex) => {
        const box = make("div", { class: "equation scroll", tabindex: "0", role: "region", "aria-label": "The equation" }, make("code", {}, tex));
        views.push(async () => {
            await loadKatex();
            try { katex.render(tex, box, { displayMode: true, throwOnError: true, output: "htmlAndMathml" }); } catch { return false; }
            return true;
        });
        return box;
    };

    /* Along the axis that breaks the law: what was measured, or the command that would. */
    const mapSection = (e, panels, section) => {
        const command = e.map_command ? make("code", { class: "command", tabindex: "0" }, e.map_command) : null;
        if (e.map) return section("The regime, measured", make("p", {}, "The law " + e.map.words + "."), panels(e.map.panels, "-map"), command);
        return command ? section("The regime, not measured yet", make("p", {}, "This command runs the law along the axis that breaks it, past its regime; a page made afterwards shows where it ends:"), command) : null;
    };

    const entryView = (e) => {
        const panels = (list, prefix) => make("div", { class: "panels" }, list.map((p, i) => {
            const panel = figurePanel(p, (e.id || "figure") + prefix + (list.length > 1 ? "-" + (i + 1) : ""));
            views.push(panel.draw);
            figures.push(panel);
            return panel.element;
        }));
        const section = (title, ...body) => [make("h2", {}, title), ...body];
        return [
            isAtlas ? make("p", { class: "back" }, make("a", { href: "#/" }, "← All laws")) : null,
            make("p", { class: "kicker" }, e.kicker),
            make("h1", {}, e.title),
            make("p", { class: "statement" }, e.statement),
            e.verdict ? verdict(e.verdict) : null,
            e.equation ? equation(e.equation) : null,
            (e.panels || []).length ? make("h2", { class: "unseen" }, "Figures") : null,
            panels(e.panels || [], ""),
            (e.checks || []).length ? section("Every check", checks(e.checks)) : null,
            (e.regime || []).length ? section("Where the law speaks", make("ul", {}, e.regime.map((words) => make("li", {}, words)))) : null,
            mapSection(e, panels, section),
            (e.ingredients || []).length ? section("The experiment", facts(e.ingredients)) : null,
            section("The record", facts(e.facts)),
            section("Make it again", make("code", { class: "command", tabindex: "0" }, e.command)),
            e.sources ? section("Sources", make("p", {}, e.sources)) : null,
        ].flat().filter(Boolean);
    };

    /* ---- home ---- */

    const filter = { approach: "", verdict: "", text: "" };
    const matches = (e) => (!filter.approach || e.approach === filter.approach) && (!filter.verdict || e.verdict.verdict === filter.verdict) &&
        (!filter.text || (e.title + " " + e.statement + " " + e.id + " " + e.sources).toLowerCase().includes(filter.text.toLowerCase()));

    /* Small figures are drawn as they come into view. */
    const watcher = typeof IntersectionObserver === "function" ? new IntersectionObserver((seen) => {
        for (const one of seen) if (one.isIntersecting && one.target.drawNow) {
            watcher.unobserve(one.target);
            one.target.drawNow();
        }
    }, { rootMargin: "200px" }) : null;

    const card = (e) => {
        const figure = (e.panels || []).length ? smallFigure(e.panels[0]) : null;
        if (figure) {
            const mine = turn;
            figure.element.drawNow = async () => {
                if (mine !== turn) return;
                count(await figure.draw());
            };
            views.push(async () => { watcher ? watcher.observe(figure.element) : await figure.element.drawNow(); return null; });
        }
        return make("li", { class: "card", "data-id": e.id, "data-approach": e.approach, "data-verdict": e.verdict.verdict },
            make("h3", {}, make("a", { href: "#/" + e.id }, e.title)),
            figure ? figure.element : null,
            make("p", { class: "statement" }, e.statement),
            make("p", { class: "result" }, make("span", { class: "pill " + tone(e.verdict.verdict) }, e.verdict.verdict),
                make("span", { class: "quiet" }, e.verdict.value === null || e.verdict.value === undefined ? e.verdict.note || "" : e.verdict.metric + " = " + number(e.verdict.value))));
    };

    const homeView = () => {
        const list = make("div", { id: "cards" });
        const found = make("p", { class: "quiet", role: "status", id: "found" });
        const refill = () => {
            turn++;
            views = [];
            const shown = content.entries.filter(matches);
            list.replaceChildren(...content.approaches.map((a) => {
                const here = shown.filter((e) => e.approach === a.id);
                return here.length ? make("section", { "aria-labelledby": "approach-" + a.id }, make("h2", { id: "approach-" + a.id }, a.title), make("p", { class: "quiet" }, a.words),
                    make("ul", { class: "cards" }, here.map(card))) : null;
            }).filter(Boolean));
            found.textContent = shown.length === content.entries.length ? shown.length + " laws" : shown.length + " of " + content.entries.length + " laws";
            draw();
        };
        const select = (id, label, values, key) => make("label", {}, label, " ", make("select", {
            id, change: (event) => { filter[key] = event.currentTarget.value; refill(); },
        }, make("option", { value: "" }, "all"), values.map(([value, words]) => make("option", { value, selected: filter[key] === value }, words))));
        const present = [...new Set(content.entries.map((e) => e.verdict.verdict))];
        const form = make("form", { class: "filters", role: "search", submit: (event) => event.preventDefault() },
            select("filter-approach", "Approach", content.approaches.map((a) => [a.id, a.title]), "approach"),
            select("filter-verdict", "Verdict", present.map((v) => [v, v]), "verdict"),
            make("label", {}, "Text ", make("input", { id: "filter-text", type: "search", value: filter.text, placeholder: "sharpness, kernel, 2103.00065", input: (event) => { filter.text = event.currentTarget.value; refill(); } })));
        const words = { HOLDS: ["holds", "hold"], FAILS: ["fails", "fail"], "OUT OF REGIME": ["is out of its regime", "are out of their regime"] };
        const tally = present.map((v) => [content.entries.filter((e) => e.verdict.verdict === v).length, words[v] || [v, v]]).map(([n, w]) => n + " " + w[n === 1 ? 0 : 1]).join(", ");
        return [[make("p", { class: "kicker" }, content.kicker || ""), make("h1", {}, content.title), make("p", { class: "statement" }, content.statement || ""), make("p", { class: "quiet" }, tally), form, found, list], refill];
    };

    /* ---- the page ---- */

    const count = (good) => {
        /* for tests: how many figures are there */
        if (good === null) return;
        const key = good ? "drawn" : "broken";
        root.dataset[key] = String(Number(root.dataset[key] || 0) + 1);
    };
    const draw = async () => {
        const mine = turn;
        for (const view of views) {
            if (mine !== turn) return;
            count(await view());
        }
        if (mine === turn) root.dataset.done = String(turn);
    };

    const show = () => {
        const id = decodeURIComponent(location.hash.replace(/^#\/?/, ""));
        const entry = isAtlas ? content.entries.find((e) => e.id === id) : content.entries[0];
        turn++;
        views = [];
        figures = [];
        root.dataset.drawn = root.dataset.broken = "0";
        if (entry) {
            main.replaceChildren(...entryView(entry));
            document.title = isAtlas ? entry.title + " · " + content.title : content.title;
            draw();
        } else {
            const [elements, refill] = homeView();
            main.replaceChildren(...elements);
            document.title = content.title;
            refill();
        }
    };

    const theme = () => {
        const button = make("button", { type: "button", id: "theme", click: () => {
            root.dataset.theme = isDark() ? "light" : "dark";
            show();
        } }, "Light or dark");
        return button;
    };
    document.getElementById("bar").append(...[isAtlas ? make("a", { href: "#/", class: "brand" }, "Orrery") : make("span", { class: "brand" }, "Orrery"), theme()]);
    document.getElementById("foot").append(make("p", { class: "quiet" }, content.foot || ""));
    addEventListener("hashchange", () => {
        if (location.hash === "#page") return;
        show();
        main.focus({ preventScroll: true });
        scrollTo(0, 0);
    });
    let resting = 0; /* a telephone that is turned: legends have room for other columns */
    addEventListener("resize", () => {
        clearTimeout(resting);
        resting = setTimeout(() => figures.forEach((figure) => figure.refit()), 150);
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    show();
})();
