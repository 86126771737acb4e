// The time line: layers and causes from the whole run down to single cycles.
class Timeline {
  constructor(app) {
    this.app = app;
    this.box = $('timeline');
    this.canvas = $('time-canvas');
    this.still = document.createElement('canvas');
    this.pointers = new Map();
    this.width = this.box.clientWidth || 1;
    this.height = this.box.clientHeight || 112;
    new ResizeObserver(([entry]) => {
      this.width = entry.contentRect.width || 1;
      this.height = entry.contentRect.height || 112;
      this.stale = true;
      this.draw();
    }).observe(this.box);
    this.box.addEventListener('wheel', event => {
      event.preventDefault();
      const at = this.cycleAt(event.offsetX);
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan((event.deltaX || event.deltaY) / this.width);
      else this.zoom(event.deltaY > 0 ? 1.3 : 1 / 1.3, at);
    }, {passive: false});
    this.box.addEventListener('pointerdown', event => this.down(event));
    this.box.addEventListener('pointermove', event => this.move(event));
    for (const name of ['pointerup', 'pointercancel'])
      this.box.addEventListener(name, event => this.up(event));
  }

  get span() { return this.to - this.from; }
  cycleAt(x) { return this.from + x / this.width * this.span; }

  show(from, to) {
    const {run} = this.app, least = Math.min(run.cycles, 8);
    const span = Math.min(Math.max(to - from, least), run.cycles);
    this.from = Math.min(Math.max(0, from), run.cycles - span);
    this.to = this.from + span;
    this.stale = true;
    this.draw();
  }

  zoom(factor, at = this.app.cycle + .5) {
    const left = (at - this.from) * factor;
    this.show(at - left, at - left + this.span * factor);
  }

  pan(share) { this.show(this.from + share * this.span, this.to + share * this.span); }

  // The play head stays in sight.
  follow() {
    const {cycle} = this.app;
    if (cycle < this.from || cycle + 1 > this.to) this.show(cycle - this.span * .1, cycle + this.span * .9);
    else this.draw();
  }

  down(event) {
    this.box.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event.offsetX);
    this.moved = 0;
  }

  move(event) {
    if (!this.pointers.has(event.pointerId)) return;
    const before = this.pointers.get(event.pointerId), dx = event.offsetX - before;
    if (this.pointers.size === 1) {
      this.moved += Math.abs(dx);
      if (this.moved > 5) this.pan(-dx / this.width);
    } else {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const old = Math.max(10, Math.abs(before - other)), now = Math.max(10, Math.abs(event.offsetX - other));
      this.moved = 100;
      this.zoom(old / now, this.cycleAt((event.offsetX + other) / 2));
    }
    this.pointers.set(event.pointerId, event.offsetX);
  }

  up(event) {
    if (this.pointers.delete(event.pointerId) && this.pointers.size === 0 && this.moved <= 5 && event.type === 'pointerup')
      this.app.go(Math.floor(this.cycleAt(event.offsetX)));
  }

  draw() {
    if (!this.app.run?.opened || this.from === undefined) return;
    const {width, height} = this;
    if (this.stale) {
      this.drawStill(sharp(this.still, width, height), width, height);
      this.stale = false;
    }
    const context = sharp(this.canvas, width, height);
    context.drawImage(this.still, 0, 0, width, height);
    const x = (this.app.cycle - this.from) / this.span * width, wide = Math.max(2, width / this.span);
    context.strokeStyle = context.fillStyle = colour('--ink');
    context.lineWidth = 2;
    if (wide > 5) context.strokeRect(x + 1, 3, wide - 2, height - 20);
    else context.fillRect(x, 0, 2, height - 14);
    this.box.setAttribute('aria-valuenow', this.app.cycle);
    this.box.setAttribute('aria-valuetext', `cycle ${this.app.cycle} of ${this.app.run.cycles}`);
  }

  drawStill(context, width, height) {
    const {run} = this.app, scale = width / this.span;
    this.drawLayers(context, width);
    if (scale >= 5) this.drawCycles(context, scale);
    else this.drawCauses(context, width);
    context.fillStyle = colour('--accent');
    for (const [from, to] of run.windows) {
      const x = (from - this.from) * scale;
      if (x < width && (to - this.from) * scale > 0) context.fillRect(x, 86, Math.max(1.5, (to - from) * scale), 4);
    }
    context.fillStyle = colour('--soft');
    context.font = '11px system-ui,sans-serif';
    const texts = [this.from, (this.from + this.to) / 2, this.to].map(cycle => 'cycle ' + thousands(cycle));
    context.textAlign = 'left';
    context.fillText(texts[0], 4, height - 6);
    context.textAlign = 'center';
    context.fillText(texts[1], width / 2, height - 6);
    context.textAlign = 'right';
    context.fillText(texts[2], width - 4, height - 6);
  }

  // Layers that stream work at the same time: each has a lane of its own.
  lanes(run) {
    if (run.lanes) return run.lanes;
    const ends = [];
    run.lanes = run.layers.map((layer, position) => {
      const list = run.own[position];
      if (!list.length) return 0;
      const start = run.segCycle[list[0]], free = ends.findIndex(end => end <= start), lane = free < 0 ? ends.length : free;
      ends[lane] = run.segCycle[list[list.length - 1] + 1];
      return lane;
    });
    run.laneCount = Math.max(1, ends.length);
    return run.lanes;
  }

  drawLayers(context, width) {
    const {run} = this.app, scale = width / this.span, lanes = this.lanes(run), tall = 22 / run.laneCount;
    context.font = '600 11px system-ui,sans-serif';
    context.textAlign = 'left';
    run.layers.forEach((layer, position) => {
      const list = run.own[position];
      if (!list.length) return;
      const start = run.segCycle[list[0]], stop = run.segCycle[list[list.length - 1] + 1];
      const x = (start - this.from) * scale, end = (stop - this.from) * scale;
      if (end < 0 || x > width) return;
      context.fillStyle = layerColour(position);
      const y = 4 + lanes[position] * tall;
      context.fillRect(x, y, Math.max(1, end - x - 1), tall - (run.laneCount > 1 ? .5 : 0));
      const left = Math.max(4, x + 5);
      if (end - left < 14 || tall < 10) return;
      context.save();
      context.beginPath();
      context.rect(x, y, end - x - 3, tall);
      context.clip();
      context.fillStyle = '#fff';
      context.fillText(`${layer.number}${layer.name ? ' ' + layer.name : ''}  ${layer.does}`, left, y + tall / 2 + 4);
      context.restore();
    });
  }

  drawCauses(context, width) {
    const {run} = this.app;
    let before = run.counts(Math.floor(this.from));
    for (let x = 0; x < width; x++) {
      const to = Math.min(run.cycles, Math.max(Math.floor(this.from) + 1, Math.floor(this.from + (x + 1) / width * this.span)));
      const after = run.counts(to), parts = new Float64Array(DATA.causes.length);
      let total = 0;
      for (let s = 0; s < after.length; s++) {
        if (CAUSE_OF[s] < 0) continue;
        parts[CAUSE_OF[s]] += after[s] - before[s];
        total += after[s] - before[s];
      }
      if (total > 0) {
        let y = 84;
        parts.forEach((part, cause) => {
          const tall = part / total * 52;
          context.fillStyle = DATA.causes[cause].colour;
          if (tall > 0) context.fillRect(x, y - tall, 1.05, tall);
          y -= tall;
        });
        before = after;
      }
    }
  }

  drawCycles(context, scale) {
    const {run} = this.app, to = Math.min(run.cycles, Math.ceil(this.to));
    context.font = '10px system-ui,sans-serif';
    context.textAlign = 'center';
    for (let cycle = Math.floor(this.from); cycle < to; cycle++) {
      const now = run.at(cycle), x = (cycle - this.from) * scale;
      context.fillStyle = DATA.causes[CAUSE_OF[now.state]]?.colour ?? '#888';
      context.fillRect(x + .5, 32, scale - 1, 52);
      if (scale < 34) continue;
      context.fillStyle = '#111';
      context.fillText(stateText(now.state), x + scale / 2, 55, scale - 4);
      if (now.state === STATE.output) context.fillText('ch ' + now.slot, x + scale / 2, 69, scale - 4);
    }
  }
}
