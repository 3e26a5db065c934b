// Draws the graph on a canvas. All links lie in a picture of their own, the sketch, which is made bit by bit over several
// frames and moved while the reader pans, so that a frame costs little however many links there are.
const INKS = ["page", "text", "muted", "line", "for", "against", "feature", "token", "answer", "error", "mark"];
const LEVELS = 8;
const MOST_FOLLOWED = 400;
const FACE = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const MONO_FACE = "12px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const NEGATIVE_DASH = [5, 4];

class Drawing {
  constructor(canvas, probe) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.probe = probe;
    this.view = { x: 0, y: 0, scale: 1 };
    this.chosen = null;
    this.hovered = null;
    this.pinned = new Set();
    this.sketch = null;
    this.next = null;
    this.chunk = 500;
    this.asked = 0;
    this.readInks();
  }

  readInks() {
    this.inks = {};
    for (const name of INKS) {
      this.probe.style.color = `var(--c-${name})`;
      this.inks[name] = getComputedStyle(this.probe).color;
    }
    this.sketch = this.next = null;
    this.ask();
  }

  // Another part of the graph is shown.
  show(shown, placed) {
    this.shown = shown;
    this.placed = placed;
    this.levels = levelsOf(shown, placed);
    this.density = Math.min(1, Math.max(0.3, Math.sqrt(1_500 / (shown.links.length || 1))));
    this.insOf = group(shown.links, (link) => link.target);
    this.outsOf = group(shown.links, (link) => link.source);
    this.sketch = this.next = null;
    this.prepare();
  }

  // Who is chosen or pinned has changed.
  prepare() {
    const links = this.chosen ? [...(this.insOf.get(this.chosen) ?? []), ...(this.outsOf.get(this.chosen) ?? [])] : [];
    links.sort((a, b) => Math.abs(a.weight) - Math.abs(b.weight));
    this.followed = links.slice(-MOST_FOLLOWED);
    this.near = new Set(links.flatMap((link) => [link.source, link.target]));
    if (this.chosen) this.near.add(this.chosen);
    this.paths = pathsOf(this.placed.places, this.near);
    this.ask();
  }

  resize(width, height) {
    this.ratio = window.devicePixelRatio || 1;
    [this.width, this.height] = [width, height];
    [this.canvas.width, this.canvas.height] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    this.sketch = this.next = null;
    this.ask();
  }

  ask() {
    if (!this.asked) this.asked = requestAnimationFrame((now) => { this.asked = 0; this.frame(now); });
  }

  frame(now) {
    if (!this.shown || !this.width) return;
    this.advance(now);
    const { context, view, ratio, inks } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = inks.page;
    context.fillRect(0, 0, this.width, this.height);
    this.drawGround();
    this.drawSketch();
    context.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, -view.x * view.scale * ratio, -view.y * view.scale * ratio);
    this.drawFollowed();
    this.drawNodes();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.drawAxis();
    if (this.next) this.ask();
  }

  // Goes on with the sketch of where the reader is, by as many links as fit into a frame.
  advance(now) {
    const { view } = this;
    const target = this.next ?? this.sketch;
    const covers = target && target.scale === view.scale && target.x <= Math.max(view.x, -target.margin) && target.y <= Math.max(view.y, -target.margin)
      && target.x + target.width >= Math.min(view.x + this.width / view.scale, this.placed.width + target.margin)
      && target.y + target.height >= Math.min(view.y + this.height / view.scale, this.placed.height + target.margin);
    if (!covers) this.next = this.startSketch();
    if (!this.next) return;
    const took = now - (this.before ?? now);
    this.before = now;
    if (took > 24) this.chunk = Math.max(250, this.chunk / 2);
    else if (took < 22) this.chunk = Math.min(2_000, this.chunk * 1.15);
    if (this.continueSketch(this.next, this.chunk)) {
      this.sketch = this.next;
      this.next = null;
      this.before = undefined;
    }
  }

  startSketch() {
    const { view, ratio } = this;
    const [marginX, marginY] = [this.width / 3 / view.scale, this.height / 3 / view.scale];
    const made = { x: view.x - marginX, y: view.y - marginY, scale: view.scale, margin: 20, level: 0, at: 0 };
    [made.width, made.height] = [this.width / view.scale + 2 * marginX, this.height / view.scale + 2 * marginY];
    made.canvas = document.createElement("canvas");
    made.canvas.width = Math.ceil(made.width * view.scale * ratio);
    made.canvas.height = Math.ceil(made.height * view.scale * ratio);
    made.context = made.canvas.getContext("2d");
    const scale = ratio * view.scale;
    made.context.setTransform(scale, 0, 0, scale, -made.x * scale, -made.y * scale);
    return made;
  }

  // Draws up to `most` links more, the weakest first; true when all are there.
  continueSketch(sketch, most) {
    const { context } = sketch;
    const [left, right] = [sketch.x, sketch.x + sketch.width];
    const [top, bottom] = [sketch.y, sketch.y + sketch.height];
    let drawn = 0;
    for (; sketch.level < this.levels.length; sketch.level += 1, sketch.at = 0) {
      const level = this.levels[sketch.level];
      this.stroke(context, level.strength, level.isFor, 1);
      // The weakest are hardly seen, and broken lines cost more.
      if (sketch.level < 2) context.setLineDash([]);
      context.beginPath();
      for (; sketch.at < level.points.length && drawn < most; sketch.at += 4) {
        const [x1, y1, x2, y2] = level.points.subarray(sketch.at, sketch.at + 4);
        if (Math.max(x1, x2) < left || Math.min(x1, x2) > right || Math.max(y1, y2) < top || Math.min(y1, y2) > bottom) continue;
        context.moveTo(x1, y1);
        context.lineTo(x2, y2);
        drawn += 1;
      }
      context.stroke();
      if (drawn >= most && sketch.at < level.points.length) return false;
    }
    return true;
  }

  stroke(context, strength, isFor, more) {
    context.strokeStyle = isFor ? this.inks.for : this.inks.against;
    context.globalAlpha = more > 1 ? 0.35 + 0.65 * strength : Math.min(1, (0.06 + 0.94 * strength) * this.density);
    context.lineWidth = (0.6 + 3.4 * Math.sqrt(strength)) * (more > 1 ? 1.15 : this.density);
    context.setLineDash(isFor ? [] : NEGATIVE_DASH);
  }

  drawGround() {
    const { context, view, inks, placed } = this;
    context.fillStyle = inks.line;
    context.globalAlpha = 0.45;
    for (const { y, text } of placed.axis) if (text) context.fillRect(0, (y - view.y) * view.scale, this.width, 1);
    context.globalAlpha = 1;
  }

  drawSketch() {
    const { context, view } = this;
    const sketch = this.sketch ?? this.next;
    if (!sketch) return;
    const zoom = view.scale / sketch.scale;
    context.globalAlpha = this.chosen ? 0.22 : 1;
    context.drawImage(sketch.canvas, (sketch.x - view.x) * view.scale, (sketch.y - view.y) * view.scale,
      sketch.canvas.width / this.ratio * zoom, sketch.canvas.height / this.ratio * zoom);
    context.globalAlpha = 1;
  }

  drawFollowed() {
    const { context, placed, shown } = this;
    for (const { source, target, weight } of this.followed) {
      const [from, to] = [placed.places.get(source), placed.places.get(target)];
      this.stroke(context, Math.abs(weight) / shown.largest, weight > 0, 2);
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
      context.stroke();
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  drawNodes() {
    const { context, inks, paths, placed } = this;
    for (const [dim, held] of [[0.25, paths.far], [1, paths.near]]) {
      context.globalAlpha = this.chosen ? dim : 1;
      context.lineWidth = 1.5;
      context.fillStyle = context.strokeStyle = inks.page;
      context.fill(held.features);
      context.stroke(held.features);
      context.fillStyle = inks.feature;
      context.fill(held.features);
      context.fillStyle = inks.page;
      context.strokeStyle = inks.error;
      context.fill(held.errors);
      context.stroke(held.errors);
      for (const [kind, path] of [["token", held.tokens], ["answer", held.answers]]) {
        context.fillStyle = inks.page;
        context.fill(path);
        context.strokeStyle = inks[kind];
        context.stroke(path);
      }
      this.drawBoxTexts(held.boxes);
    }
    context.globalAlpha = 1;
    for (const node of this.pinned) if (placed.places.has(node)) this.ring(node, 2, [3, 2]);
    if (this.hovered && placed.places.has(this.hovered)) this.ring(this.hovered, 1.5, []);
    if (this.chosen && placed.places.has(this.chosen)) this.ring(this.chosen, 3, []);
    this.drawLabels();
  }

  drawBoxTexts(boxes) {
    const { context, inks, view } = this;
    if (view.scale < 0.35) return;
    context.font = MONO_FACE;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = inks.text;
    for (const [node, place] of boxes) context.fillText(boxText(node), place.x, place.y + 0.5, place.width - 6);
  }

  ring(node, width, dash) {
    const { context, placed, inks } = this;
    context.strokeStyle = inks.mark;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.stroke(shapeOf(new Path2D(), node, placed.places.get(node), 4));
    context.setLineDash([]);
  }

  // Names beside dots: of the chosen node and of those that it is linked with most, of pinned ones, of all where they are few.
  drawLabels() {
    const { context, inks, placed, view } = this;
    if (view.scale < 0.45) return;
    const wanted = [this.chosen, this.hovered, ...this.pinned, ...this.followed.slice(-12).reverse().flatMap((link) => [link.source, link.target])];
    if (!this.chosen && placed.places.size <= 60) wanted.push(...placed.places.keys());
    const taken = [];
    context.font = FACE;
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    for (const node of new Set(wanted.filter((node) => node && (node.kind === "feature" || node.kind === "error") && placed.places.has(node)))) {
      const place = placed.places.get(node);
      const text = cut(node.name, 28);
      const box = { left: place.x + 9, right: place.x + 13 + text.length * 6.6, y: place.y - 11 };
      if (taken.some((other) => box.left < other.right && box.right > other.left && Math.abs(box.y - other.y) < 13)) continue;
      taken.push(box);
      context.strokeStyle = inks.page;
      context.lineWidth = 4;
      context.strokeText(text, box.left, box.y);
      context.fillStyle = inks.text;
      context.fillText(text, box.left, box.y);
    }
  }

  drawAxis() {
    const { context, inks, view, placed } = this;
    context.font = FACE;
    context.textAlign = "left";
    context.textBaseline = "middle";
    for (const { y, text } of placed.axis) {
      const at = (y - view.y) * view.scale;
      const width = 8 + text.length * 6.4;
      if (!text) continue;
      context.globalAlpha = 0.88;
      context.fillStyle = inks.page;
      context.fillRect(0, at - 9, width, 18);
      context.globalAlpha = 1;
      context.fillStyle = inks.muted;
      context.fillText(text, 4, at);
    }
  }
}

// Links by strength, the weakest first, as points of the plane.
const levelsOf = (shown, placed) => {
  const levels = [];
  for (let level = 0; level < LEVELS; level += 1) {
    for (const isFor of [false, true]) {
      const links = shown.links.filter(({ weight }) => (weight > 0) === isFor
        && Math.min(LEVELS - 1, Math.floor(Math.abs(weight) / shown.largest * LEVELS)) === level);
      const points = new Float32Array(links.length * 4);
      for (const [at, { source, target }] of links.entries()) {
        const [from, to] = [placed.places.get(source), placed.places.get(target)];
        points.set([from.x, from.y, to.x, to.y], at * 4);
      }
      levels.push({ points, isFor, strength: (level + 0.5) / LEVELS });
    }
  }
  return levels;
};

const pathsOf = (places, near) => {
  const made = () => ({ features: new Path2D(), errors: new Path2D(), tokens: new Path2D(), answers: new Path2D(), boxes: [] });
  const paths = { near: made(), far: made() };
  for (const [node, place] of places) {
    const held = near.size === 0 || near.has(node) ? paths.near : paths.far;
    shapeOf(held[`${node.kind}s`], node, place, 0);
    if (place.width) held.boxes.push([node, place]);
  }
  return paths;
};

// Features are discs, errors diamonds, tokens and answers boxes.
const shapeOf = (path, node, place, more) => {
  const { x, y, width } = place;
  const radius = (place.radius ?? 6) + more;
  if (width) path.roundRect(x - width / 2 - more, y - BOX_HEIGHT / 2 - more, width + 2 * more, BOX_HEIGHT + 2 * more, node.kind === "answer" ? 12 + more : 3 + more);
  else if (node.kind === "error") {
    path.moveTo(x, y - radius);
    path.lineTo(x + radius, y);
    path.lineTo(x, y + radius);
    path.lineTo(x - radius, y);
    path.closePath();
  } else {
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
  }
  return path;
};
