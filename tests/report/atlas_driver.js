/* Uses an atlas as a reader would, in tests/report/test_atlas.c; what it finds stands in attributes of the element #driven. */
(async () => {
    const found = {};
    const root = document.documentElement;
    const sleep = (ms) => new Promise((go) => setTimeout(go, ms));
    const until = async (test) => {
        for (let i = 0; i < 2400; i++) {
            if (test()) return true;
            await sleep(25);
        }
        return false;
    };
    const cards = () => document.querySelectorAll(".card").length;
    const set = (id, value, event) => {
        const element = document.getElementById(id);
        element.value = value;
        element.dispatchEvent(new Event(event, { bubbles: true }));
    };
    const faults = async () => {
        const result = await axe.run(document, { resultTypes: ["violations"], iframes: false });
        return result.violations.filter((v) => v.impact !== "minor").map((v) => v.id + ": " + v.nodes.map((n) => n.html.slice(0, 90)).slice(0, 2).join(" | ")).join(" ;; ");
    };
    const marks = () => document.querySelectorAll("svg.marks").length;
    try {
        await until(() => Number(root.dataset.drawn) >= 3);
        found.home = cards();
        found["home-marks"] = marks();
        found["home-faults"] = await faults();
        set("filter-verdict", "FAILS", "change");
        found.fails = cards();
        set("filter-verdict", "", "change");
        set("filter-approach", "limits", "change");
        found.limits = cards();
        set("filter-approach", "", "change");
        set("filter-text", "2103.00065", "input");
        found.text = cards();
        set("filter-text", "no such words", "input");
        found.none = cards();
        set("filter-text", "", "input");
        found.again = cards();
        location.hash = "#/first";
        await until(() => document.querySelector(".katex") && Number(root.dataset.drawn) >= 4);
        found.title = document.querySelector("h1").textContent;
        found.view = marks();
        found.equation = document.querySelectorAll(".equation .katex-mathml").length;
        found["view-faults"] = await faults();
        found.map = document.body.textContent.includes("The law holds at 1 to 2; not at 4.") && document.body.textContent.includes("orrery law map x --axis a=1:4");
        /* a legend of long names has a column on a telephone, all side by side on a desk */
        const columns = (width) => {
            const rows = ["one long name of a network", "another long name of one"].map((label) => ({ label }));
            const spec = { datasets: { a: rows }, layer: [{ encoding: { color: { field: "label", type: "nominal" } } }, { encoding: { color: { field: "label", type: "nominal", legend: {} } } }] };
            fit(spec, width);
            return spec.layer.map((l) => (l.encoding.color.legend || {}).columns || 0).join("");
        };
        found.columns = columns(328) + " " + columns(900);
        const panel = document.querySelector("figure.panel");
        /* turned: its legend takes more rows, then as many as before */
        const rowsOfLegend = () => new Set([...panel.querySelectorAll(".role-legend-label text")].map((t) => Math.round(t.getBoundingClientRect().top))).size;
        const wide = rowsOfLegend();
        const turn = async (width) => {
            document.getElementById("page").style.maxWidth = width;
            dispatchEvent(new Event("resize"));
        };
        await turn("10rem");
        found.turned = String(await until(() => rowsOfLegend() > wide));
        await turn("");
        found["turned-back"] = String(await until(() => rowsOfLegend() === wide));
        /* switches of the first figure */
        const picture = () => panel.querySelector("svg.marks").outerHTML;
        let before = picture();
        panel.querySelector('button[data-scale="y"]').click();
        found.log = String(await until(() => panel.querySelector("svg.marks") && picture() !== before));
        before = picture();
        panel.querySelector('input[data-seed="1"]').click();
        found.seed = String(await until(() => panel.querySelector("svg.marks") && picture() !== before));
        /* downloads: the bytes, instead of a file */
        const saved = {};
        const make = URL.createObjectURL;
        URL.createObjectURL = (blob) => { saved[blob.type] = blob; return make.call(URL, blob); };
        for (const button of panel.querySelectorAll(".saves button")) if (button.textContent !== "PNG") button.click();
        await until(() => saved["text/csv"] && saved["application/zip"] && saved["image/svg+xml"]);
        found.csv = (await saved["text/csv"].text()).split("\n").slice(0, 2).join("/");
        found.npz = btoa(String.fromCharCode(...new Uint8Array(await saved["application/zip"].arrayBuffer())));
        found.svg = String((await saved["image/svg+xml"].text()).startsWith("<svg"));
        found.table = panel.querySelectorAll(".data tbody tr").length;
        document.getElementById("theme").click();
        await until(() => root.dataset.theme && Number(root.dataset.drawn) >= 3);
        found.theme = root.dataset.theme;
        found["dark-faults"] = await faults();
        found.broken = root.dataset.broken;
    } catch (error) {
        found.error = String(error);
    }
    const element = document.createElement("div");
    element.id = "driven";
    for (const [key, value] of Object.entries(found)) element.setAttribute("data-" + key, value);
    document.body.append(element);
    release();
})();
