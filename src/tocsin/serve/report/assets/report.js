"use strict";
/* The report's script: zoom and drag the maps, point from tables to maps and back, sort and filter. It fetches nothing,
   stores nothing and makes no element out of data; without it the page is whole, only still. */
(() => {
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
  const SVG = "http://www.w3.org/2000/svg";
  const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30];
  const LINES = 6, BAR = 160, MAX_ZOOM = 400, CLOSE = 60000, ECC = 0.0818191908426215, SEMI_MAJOR = 6378137;

  /* --- one map --- */
  class ChartView {
    constructor(svg) {
      this.svg = svg;
      this.world = svg.querySelector(".world");
      [, , this.width, this.height] = svg.getAttribute("viewBox").split(" ").map(Number);
      this.labels = all(".lbl", svg);
      this.ticks = svg.querySelector(".ticks");
      this.grid = svg.querySelector(".grid");
      this.geo = Object.fromEntries(["lon0", "x0", "y0", "scale", "metres"].map((k) => [k, Number(svg.dataset[k])]));
      this.isMercator = svg.dataset.projection === "mercator";
      this.fit();
      this.listen();
    }
    unit() { /* sheet units in a pixel of the screen */
      const box = this.svg.getBoundingClientRect();
      return box.width ? Math.max(this.width / box.width, this.height / box.height) : 1;
    }
    point(event) { /* the pointer on the sheet, before zooming */
      const matrix = this.svg.getScreenCTM();
      return matrix ? new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse()) : new DOMPoint();
    }
    fit() { this.k = 1; this.x = 0; this.y = 0; this.draw(); }
    zoom(factor, cx = this.width / 2, cy = this.height / 2) {
      const k = clamp(this.k * factor, 0.6, MAX_ZOOM), f = k / this.k;
      this.x = cx - (cx - this.x) * f; this.y = cy - (cy - this.y) * f; this.k = k;
      this.draw();
    }
    centre(x, y, k) { this.k = k; this.x = this.width / 2 - x * k; this.y = this.height / 2 - y * k; this.draw(); }
    move(dx, dy) { this.x += dx; this.y += dy; this.draw(); }
    draw() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => { this.waiting = false; this.paint(); });
    }
    paint() {
      const u = this.unit();
      this.world.setAttribute("transform", `translate(${this.x.toFixed(2)} ${this.y.toFixed(2)}) scale(${this.k.toFixed(5)})`);
      this.world.style.setProperty("--u", String(u / this.k));
      this.world.classList.toggle("close", this.geo.metres * this.width / this.k < CLOSE);
      this.furniture(u);
      this.declutter();
    }
    furniture(u) {
      const north = this.svg.querySelector(".north"), bar = this.svg.querySelector(".scale");
      north.setAttribute("transform", `translate(${this.width - 26 * u} ${30 * u}) scale(${u})`);
      const lat = this.isMercator ? this.latitude(this.geo.y0 - ((this.height / 2 - this.y) / this.k - this.height / 2) / this.geo.scale) : 0;
      const metres = this.isMercator ? this.metresPerRadian(lat) / this.geo.scale : this.geo.metres;
      const longest = BAR * metres * u / this.k, power = 10 ** Math.floor(Math.log10(longest));
      const length = Math.max(...[1, 2, 5].map((m) => m * power).filter((m) => m <= longest)), px = length / metres * this.k / u;
      bar.setAttribute("transform", `translate(${16 * u} ${this.height - 30 * u}) scale(${u})`);
      bar.querySelector("path").setAttribute("d", `M0-5V0H${px.toFixed(1)}V-5`);
      const text = bar.querySelector("text");
      text.setAttribute("x", String(px / 2));
      text.textContent = length >= 1000 ? `${length / 1000} km` : `${length} m`;
      if (this.isMercator) this.graticule(u);
    }
    psi(lat) { const s = Math.sin(lat); return Math.asinh(Math.tan(lat)) - ECC * Math.atanh(ECC * s); }
    latitude(psi) { let low = -1.55, high = 1.55; for (let i = 0; i < 40; i++) { const m = (low + high) / 2; if (this.psi(m) < psi) low = m; else high = m; } return low; }
    metresPerRadian(lat) { return SEMI_MAJOR * Math.cos(lat) / Math.sqrt(1 - (ECC * Math.sin(lat)) ** 2); }
    graticule(u) {
      const g = this.geo, deg = Math.PI / 180, box = this.svg.getBoundingClientRect();
      const seenW = box.width * u || this.width, seenH = box.height * u || this.height;
      const left = (this.width - seenW) / 2, top = (this.height - seenH) / 2;
      const sheetX = (x) => (x - this.x) / this.k, sheetY = (y) => (y - this.y) / this.k;
      const lon = (x) => g.lon0 + (g.x0 + (sheetX(x) - this.width / 2) / g.scale) / deg;
      const lat = (y) => this.latitude(g.y0 - (sheetY(y) - this.height / 2) / g.scale) / deg;
      const west = lon(left), east = lon(left + seenW), north = lat(top), south = lat(top + seenH);
      const step = (span, room) => STEPS.find((s) => s >= span / clamp(Math.floor(room), 2, LINES)) || 30;
      const across = step(east - west, seenW / u / 110), up = step(north - south, seenH / u / 70);
      const lines = [], names = [], far = 1e4;
      for (let n = Math.ceil(west / across); n * across <= east; n++) {
        const x = this.width / 2 + g.scale * ((n * across - g.lon0) * deg - g.x0);
        lines.push(`M${x.toFixed(2)} ${-far}V${far}`);
        names.push(["lon", x * this.k + this.x, top + seenH, this.degrees(n * across, across, "EW")]);
      }
      for (let n = Math.ceil(south / up); n * up <= north; n++) {
        const y = this.height / 2 - g.scale * (this.psi(n * up * deg) - g.y0);
        lines.push(`M${-far} ${y.toFixed(2)}H${far}`);
        names.push(["lat", left, y * this.k + this.y, this.degrees(n * up, up, "NS")]);
      }
      this.grid.setAttribute("d", lines.join(""));
      this.ticks.replaceChildren(...names.filter(([kind, x, y]) => kind === "lat" ? y > top + 130 * u && y < top + seenH - 44 * u : x > left + 215 * u && x < left + seenW - 24 * u)
        .map(([kind, x, y, words]) => {
          const group = document.createElementNS(SVG, "g"), text = document.createElementNS(SVG, "text");
          group.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${u})`);
          text.setAttribute("class", kind); text.textContent = words; group.append(text);
          return group;
        }));
    }
    degrees(value, step, letters) {
      let v = value; if (letters === "EW") v = ((v + 180) % 360 + 360) % 360 - 180;
      const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)), text = `${Math.abs(v).toFixed(digits)}°`;
      return Number(Math.abs(v).toFixed(digits)) === 0 ? text : `${text} ${letters[v > 0 ? 0 : 1]}`;
    }
    declutter() { /* hide names that would overlap another; the first in the list win */
      const used = [];
      for (const label of this.labels) label.classList.remove("off");
      const boxes = this.labels.map((label) => label.querySelector("text").getBoundingClientRect());
      this.labels.forEach((label, i) => {
        const a = boxes[i];
        if (used.some((b) => a.left < b.right + 2 && b.left < a.right + 2 && a.top < b.bottom && b.top < a.bottom)) label.classList.add("off");
        else used.push(a);
      });
    }
    listen() {
      const svg = this.svg, held = new Map();
      let moved = 0;
      svg.addEventListener("pointerdown", (e) => { if (e.button === 0) { held.set(e.pointerId, this.point(e)); moved = 0; } });
      svg.addEventListener("pointermove", (e) => {
        const before = held.get(e.pointerId);
        if (!before) return;
        const now = this.point(e), others = [...held].filter(([id]) => id !== e.pointerId).map(([, p]) => p);
        if (others.length) {
          const away = (p) => Math.hypot(p.x - others[0].x, p.y - others[0].y);
          if (away(before) > 0) this.zoom(away(now) / away(before), (now.x + others[0].x) / 2, (now.y + others[0].y) / 2);
        } else if (e.pointerType !== "touch" || this.k > 1.01) {
          if (moved > 4) { svg.setPointerCapture(e.pointerId); svg.classList.add("moving"); this.move(now.x - before.x, now.y - before.y); }
        }
        moved += Math.hypot(now.x - before.x, now.y - before.y) / this.unit();
        held.set(e.pointerId, now);
      });
      const drop = (e) => { held.delete(e.pointerId); svg.classList.remove("moving"); };
      ["pointerup", "pointercancel", "pointerleave"].forEach((name) => svg.addEventListener(name, drop));
      svg.addEventListener("wheel", (e) => {
        if (!e.ctrlKey && !e.metaKey && document.activeElement !== svg) return;
        e.preventDefault();
        const p = this.point(e);
        this.zoom(Math.exp(-clamp(e.deltaY, -120, 120) / 240), p.x, p.y);
      }, { passive: false });
      svg.addEventListener("dblclick", (e) => { const p = this.point(e); this.zoom(2, p.x, p.y); });
      svg.addEventListener("keydown", (e) => {
        const step = 60, keys = { "+": () => this.zoom(1.5), "=": () => this.zoom(1.5), "-": () => this.zoom(1 / 1.5), "0": () => this.fit(),
          ArrowLeft: () => this.move(step, 0), ArrowRight: () => this.move(-step, 0), ArrowUp: () => this.move(0, step), ArrowDown: () => this.move(0, -step) };
        if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
      });
      svg.addEventListener("click", (e) => { if (moved <= 6) pick(e.target, this); });
      all("[data-zoom]", svg.parentElement).forEach((button) => button.addEventListener("click", () => {
        ({ in: () => this.zoom(1.6), out: () => this.zoom(1 / 1.6), fit: () => this.fit() })[button.dataset.zoom]();
      }));
      if (window.ResizeObserver) new ResizeObserver(() => this.draw()).observe(svg);
    }
  }
  const charts = all("svg.map").map((svg) => new ChartView(svg));

  /* --- pointing from one place to the others --- */
  const has = (element, name, value) => (element.dataset[name] || "").split(" ").includes(String(value));
  function clear() {
    all(".on").forEach((element) => element.classList.remove("on"));
    all(".has-pick").forEach((element) => element.classList.remove("has-pick"));
  }
  function tell(chart, words) {
    const line = chart.svg.closest("figure").querySelector(".picked");
    if (line && words) line.textContent = words;
  }
  function titleOf(element) { const title = element && element.querySelector("title"); return title ? title.textContent : ""; }
  function pick(target, chart) {
    const element = target.closest("[data-e], [data-t], [data-z]");
    clear();
    if (!element || element.dataset.t === "-1") return;
    element.classList.add("on");
    tell(chart, titleOf(element));
    const tracks = (element.dataset.t || "").split(" ").filter(Boolean);
    if (tracks.length) showTracks(tracks);
    const events = (element.dataset.e || "").split(" ").filter(Boolean);
    const row = events.length ? document.getElementById(`e${events[0]}`) : null;
    all("#event-table tr[data-e]").forEach((r) => r.classList.toggle("on", events.length ? has(element, "e", r.dataset.e) : tracks.includes(r.dataset.t)));
    const box = row && row.closest(".scroll");
    if (box) box.scrollTop = row.offsetTop - box.clientHeight / 3;
  }
  function showTracks(tracks) {
    for (const chart of charts) {
      const found = all(".t", chart.svg).filter((t) => tracks.includes(t.dataset.t));
      if (!found.length) continue;
      chart.world.classList.add("has-pick");
      found.forEach((t) => t.classList.add("on"));
    }
    all("table.cases tr[data-t]").forEach((row) => row.classList.toggle("on", tracks.includes(row.dataset.t)));
  }
  all("button.go").forEach((button) => button.addEventListener("click", () => {
    const row = button.closest("tr");
    clear();
    row.classList.add("on");
    for (const chart of charts) {
      const mark = all(".mark", chart.svg).find((m) => has(m, "e", row.dataset.e));
      if (!mark) continue;
      const [x, y] = mark.getAttribute("transform").match(/-?[\d.]+/g).map(Number);
      showTracks([row.dataset.t]);
      mark.classList.add("on");
      chart.centre(x, y, Math.max(chart.k, 3));
      tell(chart, titleOf(mark));
      chart.svg.closest("figure").scrollIntoView({ block: "start", behavior: "smooth" });
      return;
    }
  }));
  document.addEventListener("keydown", (e) => { if (e.key === "Escape") clear(); });
  const unfold = () => {
    const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    for (let box = target; box; box = box.parentElement) if (box.tagName === "DETAILS") box.open = true;
    if (target && target.matches("details.case")) { clear(); showTracks([target.dataset.t]); target.scrollIntoView(); }
  };
  window.addEventListener("hashchange", unfold);
  unfold();

  /* --- tables --- */
  all("table.sortable").forEach((table) => all("thead th", table).forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending", body = table.tBodies[0];
      const value = (row) => { const cell = row.cells[column]; return cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.textContent.trim(); };
      const sign = down ? -1 : 1;
      const rows = Array.from(body.rows, (row, n) => [value(row), n, row]);
      rows.sort(([a, i], [b, j]) => sign * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true })) || i - j);
      body.append(...rows.map(([, , row]) => row));
      all("th", table).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
    });
  }));
  all("form.filter").forEach((form) => {
    const rows = Array.from(document.getElementById(form.dataset.for).tBodies[0].rows), out = form.querySelector("output");
    const words = rows.map((row) => row.textContent.toLocaleLowerCase("en"));
    const apply = () => {
      const text = form.elements.text.value.trim().toLocaleLowerCase("en"), kind = form.elements.kind.value, zone = form.elements.zone.value;
      let shown = 0;
      rows.forEach((row, i) => {
        row.hidden = !(words[i].includes(text) && (!kind || row.dataset.kind === kind) && (!zone || row.dataset.zone === zone));
        shown += row.hidden ? 0 : 1;
      });
      out.textContent = shown === rows.length ? `${rows.length} events` : `${shown} of ${rows.length} events`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (e) => e.preventDefault());
    apply();
  });
  window.addEventListener("beforeprint", () => all("details").forEach((box) => { box.dataset.was = box.open ? "1" : ""; box.open = true; }));
  window.addEventListener("afterprint", () => all("details").forEach((box) => { box.open = box.dataset.was === "1"; }));
})();
