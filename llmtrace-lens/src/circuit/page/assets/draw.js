// Draws the graph on a canvas: pictures of all links and nodes and of those around the chosen node, and above them what changes
// from frame to frame.
const INKS = ["page", "text", "muted", "line", "for", "against", "feature", "token", "answer", "error", "mark"];
const LEVELS = 8;
const FOLLOWED_LEVELS = 24;
const MOST_FOLLOWED = 400;
const MOST_NAMED = 60;
const DIM = 0.22;
const HALO = 0.75;
const AXIS_LINE = 16;
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
    this.followed = [];
    [this.all, this.near] = [new Layer(), new Layer()];
    this.asked = 0;
    this.isBusy = false;
    this.readInks();
  }

  readInks() {
    this.inks = {};
    for (const name of INKS) {
      this.probe.style.color = `var(--c-${name})`;
      this.inks[name] = getComputedStyle(this.probe).color;
    }
    this.all.drop();
    this.near.drop();
    this.ask();
  }

  // Another part of the graph is shown.
  show(shown, placed) {
    this.shown = shown;
    this.placed = placed;
    this.density = Math.min(1, Math.max(0.3, Math.sqrt(1_500 / (shown.links.length || 1))));
    this.all.show(this.content(shown.links, [...placed.places], LEVELS, (level) => this.strokeOf(level)));
  }

  // A node is chosen, or none.
  choose(node) {
    this.chosen = node;
    const links = node ? [...node.ins, ...node.outs].filter((link) => this.shown.isShown[link.index]) : [];
    links.sort((a, b) => Math.abs(a.weight) - Math.abs(b.weight));
    this.followed = links.slice(-MOST_FOLLOWED);
    const near = new Set(node ? [...links.flatMap((link) => [link.source, link.target]), node] : []);
    const marks = [...near].map((held) => [held, this.placed.places.get(held)]);
    this.near.show(node ? this.content(this.followed, marks, FOLLOWED_LEVELS, (level) => this.followedStrokeOf(level)) : null);
    this.ask();
  }

  content(links, marks, steps, strokeOf) {
    const { placed } = this;
    return { ...levelsOf(links, this.shown.largest, placed, steps), marks, strokeOf, width: placed.width, height: placed.height,
      drawMarks: (context, held, scale, alpha) => this.drawMarks(context, held, scale, alpha) };
  }

  // The weakest are hardly seen, and broken lines cost more.
  strokeOf({ strength, isFor, isWeakest }) {
    return { colour: isFor ? this.inks.for : this.inks.against, alpha: Math.min(1, (0.06 + 0.94 * strength) * this.density),
      width: (0.6 + 3.4 * Math.sqrt(strength)) * this.density, dash: isFor || isWeakest ? [] : NEGATIVE_DASH };
  }

  followedStrokeOf({ strength, isFor }) {
    return { colour: isFor ? this.inks.for : this.inks.against, alpha: 0.35 + 0.65 * strength,
      width: (0.6 + 3.4 * Math.sqrt(strength)) * 1.15, dash: isFor ? [] : NEGATIVE_DASH };
  }

  resize(width, height) {
    this.ratio = window.devicePixelRatio || 1;
    [this.width, this.height] = [width, height];
    [this.canvas.width, this.canvas.height] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    this.all.drop();
    this.near.drop();
    this.ask();
  }

  ask() {
    if (!this.asked) this.asked = requestAnimationFrame((now) => { this.asked = 0; this.frame(now); });
  }

  // What is in sight, in whole pixels of the screen: pictures are quickest to move by whole ones.
  sight() {
    const { view, ratio, canvas } = this;
    const scale = view.scale * ratio;
    return { scale, left: Math.round(view.x * scale), top: Math.round(view.y * scale), width: canvas.width, height: canvas.height };
  }

  frame(now) {
    if (!this.shown || !this.width) return;
    const { context, ratio, inks } = this;
    const sight = this.sight();
    const until = performance.now() + (this.isBusy ? SHORT_SLICE_MS : SLICE_MS);
    const isMore = [this.near, this.all].map((layer) => layer.advance(sight, now, until));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = inks.page;
    context.fillRect(0, 0, sight.width, sight.height);
    this.drawGround(sight);
    this.all.drawOn(context, sight, this.chosen ? DIM : 1);
    this.near.drawOn(context, sight, 1);
    context.globalAlpha = 1;
    context.setTransform(sight.scale, 0, 0, sight.scale, -sight.left, -sight.top);
    this.drawRings();
    this.drawLabels();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.drawAxis();
    this.tellProgress(isMore.some(Boolean));
  }

  // Goes on in the next frame while something is missing, and says so to whoever waits for the picture.
  tellProgress(isMore) {
    if (isMore) this.ask();
    if (isMore !== this.isUnfinished) this.canvas.setAttribute("aria-busy", String(isMore));
    this.isUnfinished = isMore;
  }

  drawGround({ scale, top, width }) {
    const { context, inks, placed, ratio } = this;
    context.fillStyle = inks.line;
    context.globalAlpha = 0.45;
    for (const { y, text } of placed.axis) if (text) context.fillRect(0, Math.round(y * scale - top), width, ratio);
  }

  // Nodes as they stand in a picture, each by itself, as that is quickest.
  drawMarks(context, marks, scale, alpha) {
    const { inks } = this;
    context.globalAlpha = alpha;
    context.setLineDash([]);
    context.lineWidth = 1.5;
    for (const [node, place] of marks) {
      if (node.kind === "feature") {
        fillShape(context, node, place, HALO, inks.page);
        fillShape(context, node, place, 0, inks.feature);
      } else {
        fillShape(context, node, place, 0, inks.page);
        context.strokeStyle = inks[node.kind];
        context.stroke();
      }
    }
    if (scale < 0.35 * this.ratio) return;
    context.font = MONO_FACE;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = inks.text;
    for (const [node, place] of marks) if (place.width) context.fillText(boxText(node), place.x, place.y + 0.5, place.width - 6);
  }

  drawRings() {
    const { placed } = this;
    for (const node of this.pinned) if (placed.places.has(node)) this.ring(node, 2, [3, 2]);
    if (this.hovered && placed.places.has(this.hovered)) this.ring(this.hovered, 1.5, []);
    if (this.chosen) this.ring(this.chosen, 3, []);
  }

  ring(node, width, dash) {
    const { context, placed, inks } = this;
    context.strokeStyle = inks.mark;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.beginPath();
    shapeOf(context, node, placed.places.get(node), 4);
    context.stroke();
    context.setLineDash([]);
  }

  // Names beside dots: of the chosen node and of those that it is linked with most, of pinned ones, of all where they are few.
  drawLabels() {
    const { context, inks, placed, view } = this;
    if (view.scale < 0.45) return;
    const wanted = [this.chosen, this.hovered, ...this.pinned, ...this.followed.slice(-12).reverse().flatMap((link) => [link.source, link.target])];
    if (!this.chosen && placed.places.size <= MOST_NAMED) wanted.push(...placed.places.keys());
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
    let lowest = -Infinity;
    for (const { y, text } of placed.axis) {
      const at = (y - view.y) * view.scale;
      const width = 8 + text.length * 6.4;
      // Where rows are close, some of them are named.
      if (!text || at < lowest + AXIS_LINE) continue;
      lowest = at;
      context.globalAlpha = 0.88;
      context.fillStyle = inks.page;
      context.fillRect(0, at - 9, width, 18);
      context.globalAlpha = 1;
      context.fillStyle = inks.muted;
      context.fillText(text, 4, at);
    }
  }
}

const fillShape = (context, node, place, more, colour) => {
  context.fillStyle = colour;
  context.beginPath();
  shapeOf(context, node, place, more);
  context.fill();
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
};
