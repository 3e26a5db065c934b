// Pictures of many links and nodes, made bit by bit over several frames and kept: while the reader moves, a picture is only put
// elsewhere, so that a frame costs little however many links there are. All lengths here are pixels of the screen.
const SLICE_MS = 6;
const SHORT_SLICE_MS = 3;
const SETTLE_MS = 90;
const MARGIN = 1 / 3;
const FLUSH_US = 800;
const FIRST_PART = 1_500;
const MARKS_AT_ONCE = 60;
const WORLD_EDGE = 40;

// A picture of one content at one scale, somewhat larger than what is seen.
class Sketch {
  constructor() {
    [this.base, this.front] = [surface(), surface()];
    this.drop();
  }

  drop() {
    this.work?.return();
    Object.assign(this, { content: null, work: null, isFirstThere: false, isWhole: false });
  }

  // Starts anew: the strongest links and the nodes come first, on a surface of their own, all others under them.
  begin(content, sight) {
    this.drop();
    Object.assign(this, { content, scale: sight.scale, ...around(content, sight) });
    for (const { canvas, context } of [this.base, this.front]) {
      if (canvas.width !== this.width || canvas.height !== this.height) [canvas.width, canvas.height] = [this.width, this.height];
      else {
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.clearRect(0, 0, this.width, this.height);
      }
    }
    this.work = this.all();
  }

  * all() {
    const { content } = this;
    yield* this.paint(this.front.context, this, content.levels.slice(content.first), content.marks);
    this.isFirstThere = true;
    if (content.first > 0) {
      yield* this.paint(this.base.context, this, content.levels.slice(0, content.first), []);
    }
    this.base.context.setTransform(1, 0, 0, 1, 0, 0);
    this.base.context.globalAlpha = 1;
    this.base.context.drawImage(this.front.canvas, 0, 0);
    this.isWhole = true;
  }

  // Goes where the reader went: what stays in sight is moved, the rest is painted.
  shift(sight) {
    const before = { left: this.left, top: this.top };
    Object.assign(this, around(this.content, sight));
    const [right, down] = [before.left - this.left, before.top - this.top];
    const { context, canvas } = this.base;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = 1;
    context.globalCompositeOperation = "copy";
    context.drawImage(canvas, right, down);
    context.globalCompositeOperation = "source-over";
    const [wide, high] = [Math.min(Math.abs(right), this.width), Math.min(Math.abs(down), this.height)];
    const strips = [
      { left: right > 0 ? this.left : this.left + this.width - wide, top: this.top, width: wide, height: this.height },
      { left: right > 0 ? this.left + wide : this.left, top: down > 0 ? this.top : this.top + this.height - high, width: this.width - wide, height: high },
    ];
    this.isWhole = false;
    this.isShifted = true;
    this.work = this.strips(strips.filter(({ width, height }) => width > 0 && height > 0));
  }

  * strips(strips) {
    for (const strip of strips) yield* this.paint(this.base.context, strip, this.content.levels, this.content.marks);
    this.isWhole = true;
  }

  advance(until) {
    while (this.work && performance.now() < until) if (this.work.next().done) this.work = null;
  }

  // Whether all of the world that is in sight, or so near to it, is in the picture.
  covers(sight, more) {
    const world = worldOf(this.content, sight.scale);
    const isWithin = (start, length, from, room, [first, last]) => Math.max(from - more, first) >= start && Math.min(from + room + more, last) <= start + length;
    return isWithin(this.left, this.width, sight.left, sight.width, world.across) && isWithin(this.top, this.height, sight.top, sight.height, world.down);
  }

  // Whether a part of what is in sight is in the picture.
  meets(sight) {
    return Math.abs(this.left + this.width / 2 - sight.left - sight.width / 2) < (this.width + sight.width) / 2
      && Math.abs(this.top + this.height / 2 - sight.top - sight.height / 2) < (this.height + sight.height) / 2;
  }

  drawOn(context, sight) {
    const zoom = sight.scale / this.scale;
    for (const { canvas } of this.content && !this.isShifted && !this.isWhole ? [this.base, this.front] : this.content ? [this.base] : []) {
      const [x, y] = [this.left * zoom - sight.left, this.top * zoom - sight.top];
      if (zoom === 1) context.drawImage(canvas, x, y);
      else context.drawImage(canvas, x, y, this.width * zoom, this.height * zoom);
    }
  }

  // Paints what lies in a rectangle, the weakest links first, and rests after each part whose time can be foreseen.
  * paint(context, rectangle, levels, marks) {
    const { scale, left, top, content } = this;
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.beginPath();
    context.rect(rectangle.left - left, rectangle.top - top, rectangle.width, rectangle.height);
    context.clip();
    context.setTransform(scale, 0, 0, scale, -left, -top);
    const seen = worldWithin(rectangle, scale);
    try {
      for (const level of levels) yield* strokes(context, level, content.strokeOf(level), seen, scale);
      for (let at = 0; at < marks.length; at += MARKS_AT_ONCE) {
        content.drawMarks(context, marks.slice(at, at + MARKS_AT_ONCE).filter(([, place]) => isSeen(place, seen)), scale, 1);
        flush(context);
        yield;
      }
    } finally {
      context.restore();
    }
  }
}

// The pictures of one content: the one that is seen, and the one of another scale that is to come instead.
class Layer {
  constructor() {
    [this.sketch, this.next] = [new Sketch(), new Sketch()];
    this.content = null;
  }

  show(content) {
    this.content = content;
    this.drop();
  }

  drop() {
    this.sketch.drop();
    this.next.drop();
  }

  // Goes on with what is missing; true while something is.
  advance(sight, now, until) {
    if (!this.content) return false;
    if (sight.scale !== this.scale) [this.scale, this.since] = [sight.scale, now];
    if (!this.sketch.content) this.sketch.begin(this.content, sight);
    else if (this.sketch.scale !== sight.scale) return this.replace(sight, now, until);
    else if (!this.sketch.meets(sight)) this.sketch.begin(this.content, sight);
    else if (this.sketch.isWhole && !this.hasRoom(sight)) this.sketch.shift(sight);
    this.sketch.advance(until);
    return !(this.sketch.isWhole && this.hasRoom(sight));
  }

  // Whether there is more of the picture on all sides, so that the next move shows no gap.
  hasRoom(sight) { return this.sketch.covers(sight, sight.width * MARGIN / 2); }

  // What is seen is stretched while the reader zooms, and replaced once that is over.
  replace(sight, now, until) {
    if (now - this.since < SETTLE_MS) return true;
    if (!this.next.content || this.next.scale !== sight.scale || !this.next.meets(sight)) this.next.begin(this.content, sight);
    this.next.advance(until);
    if (this.next.isFirstThere) {
      [this.sketch, this.next] = [this.next, this.sketch];
      this.next.drop();
    }
    return true;
  }

  // Nodes that are in no picture yet are drawn as they are.
  drawOn(context, sight, alpha) {
    const { content, sketch } = this;
    if (!content) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = alpha;
    sketch.drawOn(context, sight);
    if (sketch.isFirstThere) return;
    const seen = worldWithin(sight, sight.scale);
    context.setTransform(sight.scale, 0, 0, sight.scale, -sight.left, -sight.top);
    content.drawMarks(context, content.marks.filter(([, place]) => isSeen(place, seen)), sight.scale, alpha);
  }
}

// Read often: it stays in the computer's own memory, where the time of a part can be told.
const surface = () => {
  const canvas = document.createElement("canvas");
  return { canvas, context: canvas.getContext("2d", { willReadFrequently: true }) };
};

// A canvas collects what is to be drawn, and draws it when it is read.
const flush = (context) => { context.getImageData(0, 0, 1, 1); };

const worldOf = ({ width, height }, scale) => ({ across: [-WORLD_EDGE, Math.ceil(width * scale) + WORLD_EDGE], down: [-WORLD_EDGE, Math.ceil(height * scale) + WORLD_EDGE] });

const worldWithin = ({ left, top, width, height }, scale) => ({ left: left / scale, top: top / scale, right: (left + width) / scale, bottom: (top + height) / scale });

// What is seen with a margin around it, inside the world where that is larger.
const around = (content, sight) => {
  const world = worldOf(content, sight.scale);
  const along = (from, room, [first, last]) => {
    const length = Math.ceil(room * (1 + 2 * MARGIN));
    const start = from - Math.round((length - room) / 2);
    return [last - first <= length ? first - Math.round((length - last + first) / 2) : Math.min(Math.max(start, first), last - length), length];
  };
  const [left, width] = along(sight.left, sight.width, world.across);
  const [top, height] = along(sight.top, sight.height, world.down);
  return { left, top, width, height, isShifted: false };
};

const isSeen = ({ x, y, width, radius = 0 }, seen) => {
  const [across, down] = [Math.max(width / 2, radius) + 8, Math.max(BOX_HEIGHT / 2, radius) + 8];
  return x + across > seen.left && x - across < seen.right && y + down > seen.top && y - down < seen.bottom;
};

// Thin lines are drawn many at once, and broad ones one by one, as they are quickest; broken broad ones take the longest.
function* strokes(context, { points }, stroke, seen, scale) {
  const isThin = stroke.width * scale <= 1;
  const [atOnce, cost] = isThin ? [30, 10] : [1, stroke.dash.length ? 200 : 40];
  context.strokeStyle = stroke.colour;
  context.globalAlpha = stroke.alpha;
  context.lineWidth = stroke.width;
  context.setLineDash(stroke.dash);
  let [open, spent] = [0, 0];
  for (let at = 0; at < points.length; at += 4) {
    const [x1, y1, x2, y2] = [points[at], points[at + 1], points[at + 2], points[at + 3]];
    if (Math.max(x1, x2) < seen.left || Math.min(x1, x2) > seen.right || Math.max(y1, y2) < seen.top || Math.min(y1, y2) > seen.bottom) continue;
    if (!open) context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    open += 1;
    spent += cost;
    if (open < atOnce) continue;
    context.stroke();
    open = 0;
    if (spent < FLUSH_US) continue;
    flush(context);
    spent = 0;
    yield;
  }
  if (open) context.stroke();
  if (spent) {
    flush(context);
    yield;
  }
}

// Links by strength, the weakest first, as points of the plane; the strongest that are a first picture begin at `first`.
const levelsOf = (links, largest, placed, steps) => {
  const levelOf = ({ weight }) => 2 * Math.min(steps - 1, Math.floor(Math.abs(weight) / largest * steps)) + Number(weight > 0);
  const counts = new Int32Array(2 * steps);
  for (const link of links) counts[levelOf(link)] += 1;
  const levels = Array.from(counts, (held, level) => ({ points: new Float32Array(4 * held), isFor: level % 2 === 1, isWeakest: level < 2, strength: ((level >> 1) + 0.5) / steps }));
  const filled = new Int32Array(2 * steps);
  for (const link of links) {
    const level = levelOf(link);
    const { points } = levels[level];
    const at = filled[level];
    filled[level] += 4;
    points[at] = placed.x[link.source.index];
    points[at + 1] = placed.y[link.source.index];
    points[at + 2] = placed.x[link.target.index];
    points[at + 3] = placed.y[link.target.index];
  }
  let first = levels.length;
  for (let drawn = 0; first > 0 && (drawn === 0 || drawn + counts[first - 1] <= FIRST_PART); first -= 1) drawn += counts[first - 1];
  return { levels, first };
};
