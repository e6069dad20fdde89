// The chart library, and what our charts add to it: colors that follow the page's scheme, one
// tooltip, picking by pointer and keyboard, and a table for screen readers. The library only
// draws (`staticPlot`); what a chart means stands in `layout.meta`, which the server fills:
//   kind    "columns" (one slot per moment, series stacked) or "rows" (one slot per item)
//   keys    what is told to the server when slot i is picked
//   labels  the name of slot i, plain text
//   facts   rows only: pairs of name and value for slot i
//   axis, table  head of the first column, id of the hidden table
//   one, unit, places  columns only: unit of a total, and digits behind the decimal point

// It is large, and takes a browser a while: what is read first is drawn first.
await new Promise((begin) => {
  if (window.requestIdleCallback) requestIdleCallback(begin, { timeout: 1000 });
  else setTimeout(begin);
});
await import("./plotly-basic.min.js");

const library = window.Plotly;
const charts = new Map(); // element -> Chart
const REACH = 4; // pixels beside a thin segment that still count as on it
const MANY = 100; // slots
const TABLE_EVERY_MS = 2000;

// ---- colors -----------------------------------------------------------------------------------

const probe = document.createElement("span");

function paint(color) {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.cssText = `display:none;color:${color}`;
  const computed = getComputedStyle(probe).color;
  const parts = computed.match(/-?\d*\.?\d+(?:e-?\d+)?/g).map(Number);
  const scale = computed.startsWith("color(") ? 255 : 1; // what color-mix() becomes
  const [red, green, blue] = parts.map((part) => Math.round(part * scale));
  return `rgba(${red},${green},${blue},${parts[3] ?? 1})`;
}

// Return where in a figure a color is a CSS expression: pairs of path and expression.
function colorsIn(node, path = []) {
  return Object.entries(node).flatMap(([key, value]) => {
    if (key === "meta") return [];
    const here = [...path, key];
    if (typeof value === "string") return value.startsWith("var(--") ? [[here, value]] : [];
    return value && typeof value === "object" ? colorsIn(value, here) : [];
  });
}

function paintFigure(figure, colors) {
  for (const [path, color] of colors) {
    const owner = path.slice(0, -1).reduce((node, key) => node[key], figure);
    owner[path.at(-1)] = paint(color);
  }
}

const isDarkNow = () => document.body.classList.contains("body--dark");
let wasDark = isDarkNow();

function followScheme() {
  const isDark = isDarkNow();
  if (isDark === wasDark) return;
  wasDark = isDark;
  for (const [element, chart] of charts) {
    if (!element.isConnected) charts.delete(element);
    else chart.repaint();
  }
}

new MutationObserver(followScheme).observe(document.body, { attributeFilter: ["class"] });

// ---- one chart ---------------------------------------------------------------------------------

function part(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

const print = (number, places = 0) => (number / 10 ** places).toLocaleString("en-US",
  { minimumFractionDigits: places, maximumFractionDigits: places });

class Chart {
  constructor(element) {
    this.element = element;
    this.slot = null;
    this.series = null;
    this.band = part("div", "fp-band");
    this.tip = part("div", "fp-tip");
    this.tip.setAttribute("role", "status");
    element.append(this.band, this.tip);
    element.querySelector(".plot-container").setAttribute("aria-hidden", "true");
    element.addEventListener("pointermove", (event) => this.point(event));
    element.addEventListener("pointerdown", (event) => this.touch(event));
    element.addEventListener("click", (event) => this.click(event));
    element.addEventListener("keydown", (event) => this.press(event));
    element.addEventListener("blur", () => this.hide());
    element.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") this.hide();
    });
    element.on("plotly_afterplot", () => this.drawn());
    this.drawn();
  }

  get meta() {
    return this.element.layout.meta;
  }

  get isRows() {
    return this.meta.kind === "rows";
  }

  repaint() {
    paintFigure(this.element, this.colors);
    library.redraw(this.element);
  }

  drawn() {
    this.element.toggleAttribute("data-many", this.meta.keys.length > MANY); // do not slide
    if (this.slot !== null) this.show(this.slot, this.series);
    this.tableTimer ??= setTimeout(() => {
      this.tableTimer = null;
      this.fillTable();
    }, TABLE_EVERY_MS);
  }

  box() {
    const { l, r, t, b } = this.element.layout.margin;
    const width = this.element.clientWidth;
    const height = this.element.clientHeight;
    return { left: l, top: t, width: width - l - r, height: height - t - b, outer: width };
  }

  slots() {
    const axis = this.isRows ? this.element.layout.yaxis : this.element.layout.xaxis;
    return Math.abs(axis.range[1] - axis.range[0]);
  }

  values(slot) {
    return this.element.data.map((series) => series.y[slot] ?? 0);
  }

  // Return the slot and the series under the pointer; a series only where its bar is.
  under(event) {
    const outer = this.element.getBoundingClientRect();
    const box = this.box();
    const x = event.clientX - outer.left - box.left;
    const y = event.clientY - outer.top - box.top;
    const along = this.isRows ? y / box.height : x / box.width;
    const slot = Math.floor(along * this.slots());
    if (slot < 0 || slot >= this.meta.keys.length) return [null, null];
    if (this.isRows) return [slot, 0];
    return [slot, this.segment(slot, box.height - y, box.height)];
  }

  segment(slot, height, whole) {
    const scale = whole / this.element.layout.yaxis.range[1];
    let base = 0;
    let nearest = null;
    let distance = REACH;
    this.values(slot).forEach((value, series) => {
      if (!value) return;
      const away = Math.max(base * scale - height, height - (base + value) * scale, 0);
      if (away < distance) [nearest, distance] = [series, away];
      base += value;
    });
    return nearest;
  }

  point(event) {
    if (event.pointerType === "touch") return;
    const [slot, series] = this.under(event);
    if (slot === null) this.hide();
    else if (slot !== this.slot || series !== this.series) this.show(slot, series);
  }

  // A first touch shows, a second one on the same slot picks.
  touch(event) {
    if (event.pointerType !== "touch") return;
    const [slot, series] = this.under(event);
    this.isFresh = slot !== this.slot;
    if (slot === null) this.hide();
    else this.show(slot, series);
  }

  click(event) {
    const isFresh = this.isFresh;
    this.isFresh = false;
    if (!isFresh) this.pick(...this.under(event));
  }

  pick(slot, series) {
    if (slot === null || series === null) return;
    const detail = { key: this.meta.keys[slot], series: this.element.data[series].meta?.key };
    this.element.dispatchEvent(new CustomEvent("pick", { detail }));
  }

  press(event) {
    const [before, after] = this.isRows ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
    const last = this.meta.keys.length - 1;
    const slot = this.slot ?? (this.isRows ? -1 : last + 1);
    if (event.key === before) this.show(Math.max(slot - 1, 0), this.isRows ? 0 : null);
    else if (event.key === after) this.show(Math.min(slot + 1, last), this.isRows ? 0 : null);
    else if (!this.isRows && event.key === "ArrowUp") this.climb(1);
    else if (!this.isRows && event.key === "ArrowDown") this.climb(-1);
    else if (event.key === "Enter") this.pick(this.slot, this.series);
    else if (event.key === "Escape") this.hide();
    else return;
    event.preventDefault();
  }

  climb(step) {
    if (this.slot === null) return;
    const filled = [...this.values(this.slot).keys()].filter((i) => this.values(this.slot)[i]);
    const from = this.series === null && step < 0 ? filled.length : filled.indexOf(this.series);
    const next = Math.min(Math.max(from + step, 0), filled.length - 1);
    if (filled.length) this.show(this.slot, filled[next]);
  }

  hide() {
    this.slot = this.series = null;
    this.element.removeAttribute("data-shown");
    this.element.removeAttribute("data-hit");
  }

  show(slot, series) {
    if (slot < 0 || slot >= this.meta.keys.length) {
      this.hide();
      return;
    }
    this.slot = slot;
    this.series = series;
    this.fillTip();
    this.element.setAttribute("data-shown", slot);
    this.element.toggleAttribute("data-hit", series !== null);
    const box = this.box();
    const size = (this.isRows ? box.height : box.width) / this.slots();
    if (this.isRows) this.placeAtRow(box, box.top + slot * size, size);
    else this.placeAtColumn(box, box.left + slot * size, size);
  }

  placeAtColumn(box, left, width) {
    const band = { left, top: box.top, width, height: box.height };
    for (const [name, value] of Object.entries(band)) this.band.style[name] = `${value}px`;
    const after = left + width + 8;
    const before = left - this.tip.offsetWidth - 8;
    const fits = after + this.tip.offsetWidth <= box.outer;
    this.tip.style.left = `${fits ? after : Math.max(before, 0)}px`;
    this.tip.style.top = `${box.top}px`;
  }

  placeAtRow(box, top, height) {
    const band = { left: 0, top, width: box.outer, height };
    for (const [name, value] of Object.entries(band)) this.band.style[name] = `${value}px`;
    const below = top + height + 4;
    const fits = below + this.tip.offsetHeight <= box.top + box.height;
    this.tip.style.left = `${Math.max(box.outer - this.tip.offsetWidth - 8, 0)}px`;
    this.tip.style.top = `${fits ? below : Math.max(top - this.tip.offsetHeight - 4, 0)}px`;
  }

  fillTip() {
    const lines = this.isRows ? this.factLines() : this.seriesLines();
    this.tip.replaceChildren(part("div", "fp-tip-head", this.meta.labels[this.slot]), ...lines);
  }

  factLines() {
    return this.meta.facts[this.slot].map(([name, value]) => {
      const line = part("div", "fp-tip-line");
      line.append(part("span", "name", name), part("span", "value", value));
      return line;
    });
  }

  seriesLines() {
    const values = this.values(this.slot);
    const { places } = this.meta;
    const lines = this.element.data.flatMap((series, i) => {
      if (!values[i]) return [];
      const line = part("div", i === this.series ? "fp-tip-line hit" : "fp-tip-line");
      const mark = part("span", `mark fill-${series.meta.key}`, series.meta.mark);
      line.append(mark, part("span", "name", series.name), part("span", "value", print(values[i], places)));
      return [line];
    });
    if (this.element.data.length === 1 && lines.length) return lines; // it is its own total
    const total = part("div", "fp-tip-line total");
    const sum = values.reduce((left, right) => left + right, 0);
    const words = `${print(sum, places)} ${sum === 1 ? this.meta.one : this.meta.unit}`;
    total.append(part("span", "name", "Total"), part("span", "value", words));
    return [...lines, total];
  }

  fillTable() {
    const table = document.getElementById(this.meta.table);
    if (!table) return;
    const { axis, labels, facts, places } = this.meta;
    const names = this.isRows ? (facts[0] ?? []).map(([name]) => name)
      : this.element.data.map((series) => series.name);
    const row = (tag, cells) => {
      const made = document.createElement("tr");
      made.append(...cells.map((cell, i) => part(i ? tag : "th", "", cell)));
      made.firstChild.scope = tag === "th" ? "col" : "row";
      return made;
    };
    const rows = labels.map((label, slot) => row("td", [label, ...(this.isRows
      ? facts[slot].map(([, value]) => value)
      : this.values(slot).map((value) => print(value, places)))]));
    table.replaceChildren(row("th", [axis, ...names]), ...rows);
  }
}

// ---- what NiceGUI calls ------------------------------------------------------------------------

// Draw with the scheme's colors; the figure handed in stays as it is.
async function draw(method, element, figure, config) {
  const own = JSON.parse(JSON.stringify({ data: figure.data, layout: figure.layout }));
  const colors = colorsIn(own);
  paintFigure(own, colors);
  await library[method](element, own.data, own.layout, config);
  const isNew = !charts.has(element);
  if (isNew) charts.set(element, new Chart(element));
  charts.get(element).colors = colors;
  if (isNew) element.dispatchEvent(new CustomEvent("ready"));
}

export const Plotly = Object.assign(Object.create(library), {
  newPlot: (...given) => draw("newPlot", ...given),
  react: (...given) => draw("react", ...given),
});
