// Guided tours: steps that go to a cycle, with text whose numbers are taken from the runs.
class Tour {
  constructor(app, plain) {
    this.app = app;
    this.steps = plain.steps;
    this.plain = plain;
    this.step = 0;
  }

  // {{run1.cycles - run0.cycles}}: numbers, names and + - * / from left to right, * and / first.
  value(text) {
    const tokens = text.match(/[A-Za-z][\w.]*|\d+(\.\d+)?|[-+*/]/g) ?? [];
    const terms = [];
    let sign = 1, pending = null;
    for (const token of tokens) {
      if (/^[-+]$/.test(token)) { sign = token === '-' ? -1 : 1; pending = null; }
      else if (/^[*/]$/.test(token)) { pending = token; }
      else {
        const number = /^\d/.test(token) ? Number(token) : this.lookUp(token);
        if (pending === '*') terms[terms.length - 1] *= number;
        else if (pending === '/') terms[terms.length - 1] /= number;
        else terms.push(sign * number);
        pending = null;
      }
    }
    return terms.reduce((a, b) => a + b, 0);
  }

  // run0.cycles, run1.layer0.output (cycles by cause or state), run0.layer2.macs
  lookUp(path) {
    let at = null;
    for (const name of path.split('.')) {
      const run = name.match(/^run(\d+)$/), layer = name.match(/^layer(\d+)$/);
      if (run) at = this.app.runs[run[1]];
      else if (layer) at = (at ?? this.app.runs[0]).layers[layer[1]];
      else if (at && name in at) at = at[name];
      else if (at && at.states && name in STATE) at = at.states[STATE[name]];
      else at = undefined;
      if (at === undefined) throw new Error(`the tour names ${path}, which its programs do not have`);
    }
    return Number(at);
  }

  fill(text) {
    return text.replace(/\{\{([^}]*)\}\}/g, (_, expression) => {
      const value = this.value(expression.replace(/ round$/, ''));
      return Number.isInteger(value) ? signed(value) : value.toFixed(2);
    });
  }

  // The cycle of a place: {layer, pixel: [row, column] of the output or input: [row, column], state, slot, pass, nth}
  find(run, at) {
    if (at === undefined) return 0;
    if (at.cycle !== undefined) return at.cycle;
    const layer = run.layers[at.layer ?? 0];
    let left = at.nth ?? 0;
    for (const segment of run.own[layer.position]) {
      const row = run.segRow[segment], column = run.segColumn[segment];
      const to = at.pixel ? [at.pixel[0] + (layer.kernels ? layer.kernelRows : 1) - 1, at.pixel[1] + (layer.kernels ? layer.kernelColumns : 1) - 1]
        : at.input ? [at.input[0] + layer.padRows, at.input[1] + layer.padColumns] : null;
      if (to && (row !== to[0] || column !== to[1])) continue;
      const {state, pass, slot} = run.pattern[run.segPattern[segment]];
      for (let i = 0; i < state.length; i++) {
        if (at.state !== undefined && STATES[state[i]] !== at.state) continue;
        if (at.slot !== undefined && slot[i] !== at.slot) continue;
        if (at.pass !== undefined && pass[i] !== at.pass) continue;
        if (left-- === 0) return run.segCycle[segment] + i;
      }
    }
    throw new Error('the tour names a place that its program does not reach: ' + JSON.stringify(at));
  }

  async go(step) {
    this.step = Math.max(0, Math.min(this.steps.length - 1, step));
    const plain = this.steps[this.step];
    await this.app.chooseRun(plain.run ?? 0);
    const {run} = this.app, cycle = this.find(run, plain.at);
    if (plain.processor !== undefined) this.app.processor = plain.processor;
    this.app.tensors.picked = null;
    this.app.pause();
    this.app.go(cycle);
    const span = plain.span ?? 24;
    this.app.timeline.show(...(span === 'run' ? [0, run.cycles] : span === 'layer' && this.app.now.layer
      ? layerSpan(run, this.app.now.layer) : [cycle - span * .3, cycle + span * .7]));
    if (plain.word) this.app.tensors.pickWord(plain.word[0], plain.word[1]);
    for (const node of document.querySelectorAll('.target')) node.classList.remove('target');
    if (plain.look) $(plain.look)?.closest('.card,.now')?.classList.add('target');
    this.draw();
  }

  draw() {
    const plain = this.steps[this.step], count = this.steps.length;
    const move = by => () => this.go(this.step + by);
    const paragraphs = this.fill(plain.text).split('\n\n').map(text => make('p.text', {}, text));
    const play = plain.play ? make('button', {type: 'button', onclick: () => this.app.playFor(plain.play, plain.speed ?? 8)}, '▶ Play this') : null;
    const dots = this.steps.map((other, i) => make('button.dot-step', {
      type: 'button', title: other.title, 'aria-label': `Step ${i + 1}: ${other.title}`, 'aria-current': i === this.step ? 'step' : null, onclick: () => this.go(i),
    }, `${i + 1}`));
    $('tour').replaceChildren(make('p.soft', {}, `Tour: ${this.plain.title}`), make('h2', {}, `${this.step + 1}. ${plain.title}`),
      make('div', {'aria-live': 'polite'}, ...paragraphs), make('div.steps', {},
        make('button', {type: 'button', id: 'tour-back', onclick: move(-1), disabled: this.step === 0}, 'Back'),
        make('button.main', {type: 'button', id: 'tour-next', onclick: move(1), disabled: this.step === count - 1}, 'Next'), play),
      make('div.steps', {}, ...dots),
      make('p', {}, make('a', {href: '#help-title'}, 'Questions and answers are at the end of the page.')));
  }
}

const layerSpan = (run, layer) => {
  const list = run.own[layer.position];
  return [run.segCycle[list[0]], run.segCycle[list[list.length - 1] + 1]];
};
