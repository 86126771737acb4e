// Counters as they grow: cycles by cause, multiplications used of those possible; the tables of layers, of the host's
// work, and of several programs beside each other.
class Counters {
  constructor(app) {
    this.app = app;
    this.about = make('p.soft');
    const body = make('tbody');
    this.rows = DATA.causes.map(cause => {
      const bar = make('i', {style: `background:${cause.colour}`}), here = make('td.r'), all = make('td.r');
      const row = make('tr', {}, make('td', {}, make('span.dot', {style: `background:${cause.colour}`}), cause.name),
        make('td', {}, make('div.meter', {}, bar)), here, all);
      body.append(row);
      return {row, bar, here, all};
    });
    this.total = {here: make('td.r'), all: make('td.r')};
    this.lines = make('div');
    this.used = make('i', {style: 'background:var(--mul)'});
    this.usedText = make('p');
    $('counters').append(this.about, make('div.scroll', {}, make('table', {}, make('thead', {}, make('tr', {},
      make('th', {}, 'cause'), make('th', {}, ''), make('th.r', {}, 'this layer'), make('th.r', {}, 'whole run'))), body,
      make('tfoot', {}, make('tr', {}, make('td', {}, 'cycles so far'), make('td'), this.total.here, this.total.all)))),
      make('h3', {}, 'Multiplications'), make('div.meter', {}, this.used), this.usedText, this.lines);
  }

  draw(now) {
    const {run} = this.app, {layer} = now, until = now.cycle + 1;
    const all = run.counts(until), here = layer ? run.layerCounts(layer.position, until) : new Float64Array(all.length);
    const sum = counts => counts.reduce((a, b) => a + b, 0), total = sum(here) || 1;
    DATA.causes.forEach((cause, index) => {
      const of = counts => counts.reduce((a, b, s) => a + (CAUSE_OF[s] === index ? b : 0), 0);
      const row = this.rows[index], value = of(here), whole = of(all);
      setText(row.here, thousands(value));
      setText(row.all, thousands(whole));
      row.bar.style.width = (100 * value / total).toFixed(2) + '%';
      row.row.hidden = !run.totals[index];
    });
    setText(this.total.here, thousands(sum(here)));
    setText(this.total.all, thousands(sum(all)));
    setText(this.about, layer ? `Layer ${layer.title}: ${thousands(sum(here))} of its ${thousands(layer.cycles)} cycles, up to and with this one.` : 'Before the first layer.');
    const products = layer ? productsSoFar(run, layer, here) : 0, possible = sum(here) * run.peak;
    this.used.style.width = percentWidth(products, possible);
    setText(this.usedText, `${thousands(products)} done by this layer so far, of ${thousands(possible)} that ${run.peak} multipliers could do in these cycles: ${percent(products, possible)}.` +
      (layer?.kernels && run.productsAt(now) ? ` In this cycle: ${thousands(run.productsAt(now))} of ${run.peak}.` : ' In this cycle: none.'));
  }

  legend() {
    $('legend').replaceChildren(...DATA.causes.filter((_, i) => this.app.run.totals[i]).map(cause =>
      make('span', {}, make('i', {style: `background:${cause.colour}`}), cause.name)),
    make('span', {}, make('i', {style: 'background:var(--accent);height:4px;vertical-align:3px'}), 'values are held'));
  }

  layers() {
    const {run} = this.app, rows = run.layers.map(layer => {
      const possible = layer.cycles * run.peak;
      return make('tr', {'data-layer': layer.position},
        make('td', {}, make('button', {type: 'button', onclick: () => this.app.goLayer(layer.position)}, layer.title)),
        make('td', {}, layer.does), make('td', {}, layer.shape.replace(/x/g, '×').replace('->', '→')),
        make('td.r', {}, `${layer.inputs} of 64`), make('td.r', {}, `${layer.passes}`), make('td.r', {}, thousands(layer.cycles)),
        make('td.r', {}, thousands(layer.macs)), make('td.r', {}, percent(layer.macs, possible)), make('td.r', {}, thousands(layer.wordsRead)),
        make('td.r', {}, thousands(layer.wordsWritten)), make('td.r', {}, thousands(layer.clippedLow + layer.clippedHigh)));
    });
    this.layerRows = rows;
    $('layers').replaceChildren(cardTable(heads(['layer', 'does', 'shape'],
      ['processors', 'passes', 'cycles', 'multiplications', 'of possible', 'words read', 'written', 'clipped']), rows));
  }

  host() {
    const {run} = this.app;
    const rows = run.load.map((load, index) => {
      const what = load.layer >= 0 ? `registers of layer ${load.layer}` : load.name || (load.region ? load.region + (/register$/.test(load.region) ? 's' : '') : 'accelerator');
      load.text = '';
      const does = {WRITE32: 'writes', WRITE8: 'writes', WAIT: 'waits until bits are set in', FIFO_WRITE32: 'pushes into', EXPECT: 'reads', RUN: 'waits for the end of the run'}[load.kind] ?? load.kind;
      load.text = load.kind === 'RUN' ? 'The core sets the start bit and waits.' : `${plural(load.count, 'access')}: the core ${does} ${what}, ${hex(load.first, 8)}${load.count > 1 ? ' to ' + hex(load.last, 8) : ''}.`.replace('accesss', 'accesses');
      return make('tr', {onclick: () => this.showHost(index)}, make('td', {}, load.after ? 'after the run' : load.kind === 'RUN' ? 'the run' : load.kind === 'FIFO_WRITE32' ? 'while it runs' : 'before the run'),
        make('td', {}, load.kind === 'RUN' ? does : `${does} ${what}` + (load.unit >= 0 && load.region === 'data' ? ` ${load.unit}` : '')),
        make('td.r', {}, thousands(load.count)), make('td', {}, load.kind === 'RUN' ? '' : hex(load.first, 8) + (load.count > 1 ? ' … ' + hex(load.last, 8) : '')),
        make('td', {}, load.count === 1 && load.kind !== 'RUN' ? hex(load.value, 8) : ''));
    });
    this.hostRows = rows;
    const writes = run.load.filter(l => !l.after && /WRITE/.test(l.kind)).reduce((a, l) => a + l.count, 0);
    $('host').replaceChildren(make('p.soft', {}, `Before the machine starts, the core makes ${thousands(writes)} bus writes: kernels, biases, registers of layers, input. Then one write starts it. Adjacent writes of one kind are one row here.`),
      cardTable([...heads(['when', 'what'], ['accesses']), ...heads(['bus addresses', 'value'])], rows));
  }

  // One entry of the host's work in the picture of the accelerator.
  showHost(index) {
    const load = this.app.run.load[index];
    this.hostAt = index;
    this.hostRows.forEach((row, i) => setClass(row, 'here-host', i === index));
    setText($('host-now'), `${index + 1} of ${this.app.run.load.length}: ${load.text}`);
    setText($('badge'), load.kind === 'RUN' ? 'start' : 'host');
    setText($('where'), load.after ? 'after the run' : 'before the run');
    setText($('sentence'), load.text);
    this.app.chip.drawHost(load);
  }

  // The loading as a film: one entry after the other, then the first cycle.
  playHost() {
    this.app.pause();
    const {load} = this.app.run, before = load.findIndex(entry => entry.kind === 'RUN');
    let index = 0;
    const step = () => {
      this.showHost(index);
      if (index++ >= (before < 0 ? load.length - 1 : before)) {
        this.hostTimer = setTimeout(() => { this.stopHost(); this.app.go(0); }, 600);
        return;
      }
      this.hostTimer = setTimeout(step, 600);
    };
    step();
  }

  stopHost() {
    clearTimeout(this.hostTimer);
    if (this.hostAt === undefined) return;
    this.hostAt = undefined;
    this.hostRows.forEach(row => setClass(row, 'here-host', false));
    setText($('host-now'), '');
  }

  compare() {
    const {runs} = this.app;
    $('compare-card').hidden = runs.length < 2;
    if (runs.length < 2) return;
    const macs = run => run.layers.reduce((sum, layer) => sum + layer.macs, 0);
    const rows = runs.map(run => make('tr', {}, make('td', {}, run.name), make('td', {}, run.part), make('td.r', {}, thousands(run.cycles)),
      make('td.r', {}, (run.cycles / runs[0].cycles).toFixed(2) + ' ×'), make('td.r', {}, thousands(macs(run))), make('td.r', {}, percent(macs(run), run.cycles * run.peak)),
      ...DATA.causes.map((cause, i) => this.app.runs.some(r => r.totals[i]) ? make('td.r', {}, thousands(run.totals[i])) : null)));
    $('compare').replaceChildren(cardTable(heads(['program', 'part'], ['cycles', 'of the first', 'multiplications', 'of possible',
      ...DATA.causes.filter((cause, i) => runs.some(r => r.totals[i])).map(cause => cause.name)]), rows));
  }
}

const percentWidth = (part, whole) => (whole ? Math.min(100, 100 * part / whole) : 0).toFixed(2) + '%';

// Multiplications of the output cycles that a layer has had: each pass of each channel has the same number.
function productsSoFar(run, layer, counts) {
  const done = counts[STATE.output], all = layer.states[STATE.output];
  return done === all ? layer.macs : Math.round(layer.macs * done / all) || 0;
}
