// What the browser alone does in the payout table: write times and amounts, draw the block of a
// phone, sort by a click on a header, copy an id. Loaded once; the grid's options name it `fpTable`.
window.fpTable = (() => {
  const formats = new Map();
  function formatOf(zone, style) {
    const key = `${zone} ${Object.keys(style)}`;
    if (!formats.has(key))
      formats.set(key, new Intl.DateTimeFormat("en-GB", { ...style, timeZone: zone }));
    return formats.get(key);
  }
  const FULL = { dateStyle: "full", timeStyle: "long" };
  const PARTS = { year: "numeric", month: "short", day: "2-digit", hour: "2-digit",
    minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  // Days of this year go without it.
  function short(text, zone, seconds = true) {
    const parts = {};
    for (const { type, value } of formatOf(zone, PARTS).formatToParts(new Date(text)))
      parts[type] = value;
    const day = `${parts.day} ${parts.month.slice(0, 3)}`;
    const time = `${parts.hour}:${parts.minute}`;
    if (+parts.year !== new Date().getFullYear()) return `${day} ${parts.year}, ${time}`;
    return `${day}, ${time}${seconds ? `:${parts.second}` : ""}`;
  }
  const part = (tag, name, text) => {
    const made = document.createElement(tag);
    made.className = name;
    made.textContent = text;
    return made;
  };
  const rootOf = (inside) => inside.closest("[data-testid=payout-table]");
  const tell = (root, name, data) =>
    root && root.dispatchEvent(Object.assign(new CustomEvent(name), { data }));
  const number = (value) => (value == null ? "–" : value.toLocaleString("en-US"));

  // The arrows lead into the rows from wherever the page stands.
  let api = null;
  document.addEventListener("keydown", (event) => {
    const isArrow = event.key === "ArrowDown" || event.key === "ArrowUp";
    if (event.target !== document.body || !api || api.isDestroyed()) return;
    // A live page may have drawn the row anew under the focus.
    if (event.key === "Enter" && api.getFocusedCell()) {
      const node = api.getDisplayedRowAtIndex(api.getFocusedCell().rowIndex);
      if (node) tell(document.querySelector("[data-testid=payout-table]"), "fp-open", node.data);
    }
    if (!isArrow) return;
    const column = api.getAllDisplayedColumns()[0], last = api.getDisplayedRowCount() - 1;
    if (last < 0 || !column) return;
    event.preventDefault();
    const from = api.getFocusedCell();
    const row = from ? from.rowIndex + (event.key === "ArrowDown" ? 1 : -1) : 0;
    const place = Math.min(Math.max(row, 0), last);
    api.ensureIndexVisible(place);
    api.setFocusedCell(place, column);
  });

  let sorted = "created";
  function mark(button, cell) {
    const on = button.dataset.sort === sorted;
    button.classList.toggle("on", on);
    if (cell) cell.setAttribute("aria-sort", on ? "descending" : "none");
  }

  // Which columns a width has room for; below the first there is one block for each payout.
  const NARROW = 640;
  const AT_LEAST = { at: NARROW, status: NARROW, amount: NARROW, card: NARROW, worth: 701,
    memo: 861, pull: 1001, fee: 1081, id: 1151 };
  function isShown(column, wide) {
    if (column === "phone") return wide < NARROW;
    if (column !== "completed") return wide >= AT_LEAST[column];
    // When something was completed matters most where it gives the order.
    return wide > 1320 || (wide >= NARROW && sorted === "completed");
  }
  const widthNow = () => document.querySelector("[data-testid=payout-table]").clientWidth;
  const heights = (wide) => (wide < NARROW
    ? { headerHeight: 0, rowHeight: 62 } : { headerHeight: 38, rowHeight: 44 });

  // Each change makes the grid lay itself out anew, so only what is different is told.
  function showColumns(grid, wide) {
    const state = ["phone", "completed", ...Object.keys(AT_LEAST)]
      .map((colId) => ({ colId, hide: !isShown(colId, wide) }))
      .filter(({ colId, hide }) => grid.getColumn(colId)?.isVisible() === hide);
    if (state.length) grid.applyColumnState({ state });
  }

  class Header {
    init(params) {
      const { displayName, sort, column } = params;
      const isRight = (column.getColDef().headerClass || "").includes("right");
      this.gui = part("button", `fp-sort${isRight ? " right" : ""}`, displayName);
      this.gui.type = "button";
      this.gui.dataset.sort = sort;
      this.gui.title = `Sort by ${displayName.toLowerCase()}`;
      mark(this.gui, params.eGridHeader);
      this.gui.addEventListener("click", () => tell(rootOf(this.gui), "fp-sort", { sort }));
    }
    getGui() { return this.gui; }
    refresh() { return false; }
    destroy() {}
  }

  return {
    Header,
    hides: (column) => !isShown(column, widthNow()),
    height: (name) => heights(widthNow())[name],
    number: (p) => number(p.value),
    time: (zone) => (p) => (p.value ? short(p.value, zone) : "–"),
    fullTime: (zone) => (p) => (p.value ? formatOf(zone, FULL).format(new Date(p.value)) : ""),
    status: (glyphs) => (p) =>
      p.value ? `${glyphs[p.value]}\u2002${p.value[0].toUpperCase()}${p.value.slice(1)}` : "",
    id(p) {
      const box = part("span", "fp-id num soft", "");
      box.append(part("span", "", `…${p.value.slice(-8)}`));
      const copy = part("button", "fp-copy", "Copy");
      copy.type = "button";
      copy.setAttribute("aria-label", `Copy ${p.value}`);
      copy.addEventListener("click", (event) => {
        event.stopPropagation();
        navigator.clipboard.writeText(p.value).then(() => {
          copy.textContent = "Copied";
          setTimeout(() => { copy.textContent = "Copy"; }, 1400);
        });
      });
      box.append(copy);
      return box;
    },
    // On a phone each payout is one block of two lines instead of columns.
    block: (zone, glyphs) => (p) => {
      const d = p.data, box = part("div", "fp-block", "");
      const when = short(d.at, zone, false);
      box.append(part("span", "strong", d.card), part("span", "num strong amount",
        d.amount == null ? "Not known yet" : `${number(d.amount)} sats`));
      box.append(part("span", "soft num", d.memo ? `${when} · ${d.memo}` : when));
      box.append(part("span", `is-${d.status} strong`, `${glyphs[d.status]} ${d.status}`));
      return box;
    },
    // Near the end of what is here, ask for more.
    scrolled(p) {
      if (p.api.getLastDisplayedRowIndex() >= p.api.getDisplayedRowCount() - 8)
        tell(document.querySelector("[data-testid=payout-table]"), "fp-more");
    },
    key(p) {
      const root = document.querySelector("[data-testid=payout-table]");
      if (p.event.key === "Enter" && !p.event.target.closest("button"))
        tell(root, "fp-open", { id: p.data.id });
      if (p.event.key === "Escape") p.api.clearFocusedCell();
    },
    fit(p) {
      const wide = p.clientWidth;
      if (!wide || p.api.fpWidth === wide) return;
      p.api.fpWidth = wide;
      showColumns(p.api, wide);
      const wanted = Object.entries(heights(wide));
      const changed = wanted.filter(([name, height]) => p.api.getGridOption(name) !== height);
      for (const [name, height] of changed) p.api.setGridOption(name, height);
      if (changed.length) p.api.resetRowHeights();
    },
    showSort(sort) {
      sorted = sort;
      for (const button of document.querySelectorAll(".fp-sort"))
        mark(button, button.closest("[role=columnheader]"));
      if (api && !api.isDestroyed()) showColumns(api, api.fpWidth ?? widthNow());
    },
    ready(p) { api = p.api; },
  };
})();
