// How the reader moves over the graph: pointer, fingers, wheel, keys.
const NEAR_PX = 12;
const DRAG_PX = 4;
const SCALES = [0.05, 4];
const READABLE = 0.75;

class Moves {
  constructor(drawing, on) {
    this.drawing = drawing;
    this.on = on;
    this.held = new Map();
    const { canvas } = drawing;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.moved(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event));
    canvas.addEventListener("pointerleave", () => this.hover(null, null));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  // The node under a point of the canvas.
  at(x, y) {
    const { view, placed } = this.drawing;
    const [worldX, worldY] = [view.x + x / view.scale, view.y + y / view.scale];
    let [best, nearest] = [null, NEAR_PX / view.scale];
    for (const [node, place] of placed.places) {
      const away = Math.hypot(Math.max(0, Math.abs(worldX - place.x) - place.width / 2), Math.max(0, Math.abs(worldY - place.y) - (place.width ? BOX_HEIGHT / 2 : 0)));
      if (away < nearest) [best, nearest] = [node, away];
    }
    return best;
  }

  down(event) {
    if (event.button) return;
    this.drawing.canvas.setPointerCapture(event.pointerId);
    this.held.set(event.pointerId, { x: event.offsetX, y: event.offsetY, startX: event.offsetX, startY: event.offsetY, moved: this.held.size > 0 });
  }

  moved(event) {
    const finger = this.held.get(event.pointerId);
    if (!finger) {
      const node = this.at(event.offsetX, event.offsetY);
      this.hover(node, event);
      return;
    }
    finger.moved ||= Math.hypot(event.offsetX - finger.startX, event.offsetY - finger.startY) > DRAG_PX;
    const other = [...this.held].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const [before, after] = [finger, { x: event.offsetX, y: event.offsetY }].map((point) => Math.hypot(point.x - other.x, point.y - other.y));
      if (before > 0) this.zoom(after / before, other.x, other.y);
    } else if (finger.moved) this.pan(finger.x - event.offsetX, finger.y - event.offsetY);
    [finger.x, finger.y] = [event.offsetX, event.offsetY];
  }

  up(event) {
    const finger = this.held.get(event.pointerId);
    this.held.delete(event.pointerId);
    if (finger && !finger.moved && event.type === "pointerup") this.on.choose(this.at(event.offsetX, event.offsetY));
  }

  hover(node, event) {
    if (node !== this.drawing.hovered) {
      this.drawing.hovered = node;
      this.drawing.canvas.classList.toggle(classes("on-node"), Boolean(node));
      this.drawing.ask();
    }
    this.on.hover(node, event);
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX || event.deltaY, 0);
    else return;
    event.preventDefault();
  }

  pan(x, y) {
    const { view } = this.drawing;
    this.to(view.x + x / view.scale, view.y + y / view.scale, view.scale);
  }

  zoom(by, x, y) {
    const { view } = this.drawing;
    const scale = Math.min(SCALES[1], Math.max(SCALES[0], view.scale * by));
    this.to(view.x + x / view.scale - x / scale, view.y + y / view.scale - y / scale, scale);
  }

  // A part of the graph stays in sight wherever the reader goes.
  to(x, y, scale) {
    const { placed, width, height, view } = this.drawing;
    const within = (value, room, length) => Math.min(Math.max(value, -room * 0.7 / scale), length - room * 0.3 / scale);
    Object.assign(view, { x: within(x, width, placed.width), y: within(y, height, placed.height), scale });
    this.drawing.ask();
  }

  // All of the graph.
  fit() { this.show(Math.min(1.15, this.whole())); }

  // All of it where it can be read so; else as much of its right end, where the answers are, as can be read.
  begin() { this.show(Math.min(1.15, Math.max(this.whole(), READABLE))); }

  whole() {
    const { placed, width, height } = this.drawing;
    return Math.max(SCALES[0], Math.min((width - AXIS - 12) / placed.width, (height - 12) / placed.height));
  }

  // After another part of the graph is shown: all of it where all was seen; else the chosen node, or what was in the middle, stays.
  keep(before) {
    const { placed, chosen, view, width, height } = this.drawing;
    const [seenWidth, seenHeight] = [width / view.scale, height / view.scale];
    if (view.x <= 0 && view.y <= 0 && view.x + seenWidth >= before.width && view.y + seenHeight >= before.height) return this.begin();
    const [from, to] = [before.places.get(chosen), placed.places.get(chosen)];
    if (from && to) return this.to(view.x + to.x - from.x, view.y + to.y - from.y, view.scale);
    const along = (start, length, was, is) => (start + length / 2) / was * is - length / 2;
    return this.to(along(view.x, seenWidth, before.width, placed.width), along(view.y, seenHeight, before.height, placed.height), view.scale);
  }

  show(scale) {
    const { placed, width, height, view } = this.drawing;
    const spare = (width - AXIS - 12) / scale - placed.width;
    const x = spare >= 0 ? -(AXIS / scale) - spare / 2 : placed.width + 12 / scale - width / scale;
    const y = -Math.max(0, (height / scale - placed.height) / 2);
    Object.assign(view, { x, y, scale });
    this.drawing.ask();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { width, height } = this.drawing;
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const done = {
      "+": () => this.zoom(1.25, width / 2, height / 2), "-": () => this.zoom(0.8, width / 2, height / 2), 0: () => this.fit(),
      p: () => this.on.pin(), Escape: () => this.on.choose(null),
    };
    if (steps[event.key]) this.step(...steps[event.key]);
    else if (Object.hasOwn(done, event.key)) done[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Chooses the nearest node in a direction.
  step(right, down) {
    const { placed, chosen } = this.drawing;
    const from = chosen && placed.places.get(chosen);
    let [best, nearest] = [null, Infinity];
    for (const [node, place] of placed.places) {
      if (!from) {
        if (node.kind === "answer" && (best === null || (node.probability ?? 0) > (best.probability ?? 0))) best = node;
        continue;
      }
      const [x, y] = [place.x - from.x, place.y - from.y];
      const [along, aside] = right ? [x * right, Math.abs(y)] : [y * down, Math.abs(x)];
      const away = along + 3 * aside;
      if (along > 1 && away < nearest) [best, nearest] = [node, away];
    }
    if (best) {
      this.on.choose(best);
      this.reveal(best);
    }
  }

  reveal(node) {
    const { placed, view, width, height } = this.drawing;
    const place = placed.places.get(node);
    if (!place) return;
    const [x, y] = [(place.x - view.x) * view.scale, (place.y - view.y) * view.scale];
    if (x < AXIS || x > width - 40 || y < 20 || y > height - 20) this.to(place.x - width / 2 / view.scale, place.y - height / 2 / view.scale, view.scale);
  }
}
