// The page itself: which run, which cycle, playing, keys.
const QUESTIONS = [
  ['What is a processor?', 'Each of the 64 processors has a kernel memory, a line buffer (TRAM) and nine multipliers. It works on one input channel at a time, and applies a kernel of up to 3×3 weights in one cycle. All processors of a layer work on the same pixel and on the same output channel.'],
  ['Why four to a memory?', 'A word of data memory has four bytes. In HWC layout they are the same pixel in four channels, one for each of the four processors at that memory. So 64 channels are read with one word from each of 16 memories, in one cycle.'],
  ['What does the 65th channel cost?', 'Input channels beyond 64 need a second pass: all reads, line buffer writes, padding and output cycles of a pixel are done twice. So 65 to 128 input channels cost the same. Output channels cost one cycle each and pass; beyond 64 their number is rounded up so that passes are equal and multiples of four, and the layer after them needs two passes.'],
  ['Why do 60 input channels cost as much as 64?', 'As input they cost exactly the same: the four idle processors take no time, they only do nothing. As output they cost 60 cycles a pixel in place of 64, one for each channel.'],
  ['Why does 1×1 waste multipliers?', 'A kernel takes one cycle whatever its size: 3×3 uses nine multipliers of each processor, 1×1 uses one.'],
  ['What does pooling cost?', 'Each sample of the pooling window is read, one cycle each and pass. But each pooled pixel is convolved only once, so pooling before a convolution saves more than it costs.'],
  ['What does “only waits” mean?', 'A group that takes part in the run but has no processor that reads in this layer. It uses no cycles; it has nothing to do.'],
  ['Where do the numbers come from?', 'From the cycle-exact engine of ai8xsim, which made this page while it ran the program. The sequence of cycles is complete. Values (words, products, sums) are held for the cycles with a blue stroke below the time line; --from, --to and --layer choose others.'],
  ['What is filling?', 'Cycles after pixels with which no kernel window is complete yet, above and left of the first output pixel. They come once a pixel, not once a pass.'],
  ['Why is the bias multiplied by 128?', 'Inputs and weights stand for fractions of 128. A product is in units of 1/128 of an output step, and the 8-bit bias, in output steps, is brought to the same scale.'],
  ['What does “switched off” mean?', 'A group that takes no part in the run at all: the program did not enable it.'],
  ['Why is the run one cycle longer than its layers?', 'After the start bit is set, one cycle passes before the first layer.'],
  ['What are passes and slots?', 'A pass is one round over up to 64 input channels of a pixel. A slot is one output channel in the order in which they are computed. Four 8-bit results are collected and written as one word.'],
  ['Keys', 'Space plays and pauses. Left and right step; with Shift ten steps. Up and down zoom. Home and End go to the start and the end. Page Up and Page Down go to the layer before and after.'],
];

class App {
  constructor() {
    this.runs = DATA.runs.map((plain, index) => new Run(plain, index));
    for (const run of this.runs) {
      run.totals = DATA.causes.map((_, i) => 0);
      for (const layer of run.layers) layer.states.forEach((cycles, s) => { if (CAUSE_OF[s] >= 0) run.totals[CAUSE_OF[s]] += cycles; });
      run.usesFifo = run.layers.some(layer => layer.fifo);
      if (CAUSE_OF[STATE.start] >= 0) run.totals[CAUSE_OF[STATE.start]] += run.cycles > 0 ? 1 : 0;
    }
    this.processor = 0;
    this.instance = 0;
    this.cycle = 0;
    this.speed = 1;
    this.timeline = new Timeline(this);
    this.chip = new Chip(this);
    this.numbers = new Numbers(this);
    this.counters = new Counters(this);
    this.tensors = new Tensors(this);
    if (DATA.tour) this.tour = new Tour(this, DATA.tour);
    this.wire();
    this.watchSight();
    this.help();
  }

  async start() {
    setText($('title'), DATA.tour ? DATA.tour.title : this.runs.map(run => run.name).join(', '));
    if (this.tour) {
      $('tour').hidden = false;
      document.querySelector('main').classList.add('touring');
      await Promise.all(this.runs.map(run => run.open()));
      await this.tour.go(0);
    } else {
      await this.chooseRun(0);
    }
    document.documentElement.dataset.ready = 'yes';
  }

  async chooseRun(index) {
    const run = this.runs[index];
    if (this.run === run) return;
    if (!run.opened) await run.open();
    this.pause();
    this.run = run;
    this.cycle = 0;
    this.tensors.picked = null;
    $('run').value = index;
    const time = run.cycles / run.hz;
    const about = run.exact ? '' : ` (an estimate, within ${(100 * run.cyclesError).toFixed(1)} % of silicon on ${run.cyclesNetworks} networks)`;
    setText($('lead'), `${run.name} on the ${run.part}: ${plural(run.layers.length, 'layer')}, ${thousands(run.cycles)} cycles${about}, ` +
      `${(time * 1e6).toFixed(0)} µs at ${run.hz / 1e6} MHz. ` + verdict(run));
    this.timeline.box.setAttribute('aria-valuemax', run.cycles - 1);
    $('jump-layer').replaceChildren(...run.layers.map(layer => make('option', {value: layer.position}, `${layer.title}: ${layer.does}`)));
    const first = run.layers[0];
    if (first) {
      this.processor = Math.max(0, first.on.indexOf(1));
      this.instance = first.instances[0] ?? 0;
    }
    $('fifos').hidden = !run.usesFifo;
    if (run.usesFifo) run.fifosUsed ??= usedFifos(run);
    this.counters.legend();
    this.counters.layers();
    this.counters.host();
    this.counters.compare();
    this.go(0);
    this.timeline.show(0, run.cycles);
  }

  go(cycle) {
    this.counters.stopHost();
    this.cycle = Math.max(0, Math.min(this.run.cycles - 1, Math.floor(cycle) || 0));
    this.draw();
    this.timeline.follow();
  }

  goLayer(position) {
    const [from, to] = layerSpan(this.run, this.run.layers[position]);
    this.go(from);
    this.timeline.show(from, to);
  }

  draw() {
    const {run, cycle} = this, now = this.now = run.at(cycle), events = run.eventsAt(cycle);
    const cause = DATA.causes[CAUSE_OF[now.state]];
    setText($('badge'), stateText(now.state));
    $('badge').style.background = cause?.colour ?? '#777';
    $('badge').style.color = '#111';
    setText($('where'), `cycle ${thousands(cycle)} of ${thousands(run.cycles)}${cause ? ', counted as ' + cause.name : ''}`);
    setText($('sentence'), sentence(run, cycle));
    setText($('held'), events || !now.layer ? '' : 'Values of this cycle are not held by this page; what happens and where is exact.');
    this.chip.draw(now, events);
    // While playing, what is scrolled out of sight is left alone: frames stay short.
    if (this.inSight('numbers')) this.numbers.draw(now, events);
    if (this.inSight('counters')) this.counters.draw(now);
    if (this.inSight('tensor')) this.tensors.draw(now, events);
    this.counters.layerRows?.forEach(row => setClass(row, 'here', now.layer && Number(row.dataset.layer) === now.layer.position));
  }

  inSight(id) { return !this.playing || this.sight.get(id) !== false; }

  watchSight() {
    this.sight = new Map();
    const observer = new IntersectionObserver(entries => {
      for (const entry of entries) this.sight.set(entry.target.id, entry.isIntersecting);
    });
    for (const id of ['numbers', 'counters', 'tensor']) observer.observe($(id));
  }

  step(by) {
    const {run} = this, unit = $('unit').value, segment = run.segmentAt(this.cycle);
    if (unit === 'cycle') return this.go(this.cycle + by);
    const now = run.at(this.cycle);
    const same = {
      pixel: () => false,
      row: i => run.segRow[i] === now.row && run.segLayer[i] === run.segLayer[segment],
      layer: i => run.segLayer[i] === run.segLayer[segment],
    }[unit];
    let at = segment;
    do at += Math.sign(by); while (at > 0 && at < run.segmentCount && same(at));
    this.go(run.segCycle[Math.max(0, Math.min(run.segmentCount - 1, at))]);
  }

  nextHeld() {
    const {windows} = this.run, next = windows.find(([from]) => from > this.cycle) ?? windows[0];
    if (next) this.go(next[0]);
  }

  pickProcessor(p) {
    this.processor = p;
    this.instance = p >> 2;
    this.numbers.mark = null;
    this.draw();
  }

  pickInstance(instance) {
    this.instance = instance;
    this.tensors.picked = null;
    this.draw();
    $('tensor').scrollIntoView({block: 'nearest'});
  }

  readSpeed() {
    // 1 to 100,000 cycles a second.
    this.speed = Math.round(10 ** (Number($('speed').value) / 20));
    setText($('speed-text'), `${thousands(this.speed)} cycle${this.speed === 1 ? '' : 's'}/s`);
  }

  play() {
    if (this.playing) return;
    if (this.cycle >= this.run.cycles - 1) this.go(0);
    this.playing = true;
    this.stopAt = Infinity;
    this.frames = [];
    this.exactCycle = this.cycle;
    let before = performance.now();
    setText($('play'), 'Pause');
    $('play').setAttribute('aria-label', 'Pause');
    const frame = time => {
      if (!this.playing) return;
      this.exactCycle += Math.max(0, time - before) / 1000 * this.speed;
      before = time;
      const cycle = Math.min(Math.floor(this.exactCycle), this.stopAt, this.run.cycles - 1);
      const begin = performance.now();
      if (cycle !== this.cycle) this.go(cycle);
      this.frames.push(performance.now() - begin);
      if (cycle >= this.run.cycles - 1 || cycle >= this.stopAt) this.pause();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  playFor(cycles, speed) {
    this.pause();
    const from = this.cycle;
    $('speed').value = 20 * Math.log10(speed);
    this.readSpeed();
    this.play();
    this.stopAt = from + cycles;
  }

  pause() {
    this.counters.stopHost();
    if (!this.playing) return;
    this.playing = false;
    setText($('play'), 'Play');
    $('play').setAttribute('aria-label', 'Play');
    this.numbers.mark = null;
    this.draw();
  }

  jump() {
    const text = $('jump-cycle').value.replace(/[, ]/g, '');
    if (text !== '') return this.go(Number(text));
    const position = Number($('jump-layer').value), row = $('jump-row').value, column = $('jump-column').value;
    if (row === '' && column === '') return this.goLayer(position);
    const layer = this.run.layers[position], pixel = [Number(row), Number(column)];
    if (!(pixel[0] >= 0 && pixel[0] < layer.outputRows && pixel[1] >= 0 && pixel[1] < layer.outputColumns)) {
      setText($('held'), `Layer ${layer.title} has output rows 0 to ${layer.outputRows - 1} and columns 0 to ${layer.outputColumns - 1}.`);
      return;
    }
    this.go(finder.find.call(null, this.run, {layer: position, pixel, state: 'output'}));
  }

  wire() {
    const click = (id, then) => $(id).addEventListener('click', then);
    click('play', () => this.playing ? this.pause() : this.play());
    click('first', () => this.go(0));
    click('last', () => this.go(this.run.cycles - 1));
    click('back', () => this.step(-1));
    click('forward', () => this.step(1));
    click('zoom-in', () => this.timeline.zoom(.5));
    click('zoom-out', () => this.timeline.zoom(2));
    click('zoom-all', () => this.timeline.show(0, this.run.cycles));
    click('zoom-cycle', () => this.timeline.show(this.cycle - 6, this.cycle + 18));
    click('host-play', () => this.counters.playHost());
    click('theme', () => this.theme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
    $('speed').addEventListener('input', () => this.readSpeed());
    $('jump').addEventListener('submit', event => { event.preventDefault(); this.jump(); });
    $('run').append(...this.runs.map(run => make('option', {value: run.index}, `${run.name} (${run.part})`)));
    $('run-label').hidden = this.runs.length < 2;
    $('run').addEventListener('change', () => this.chooseRun(Number($('run').value)));
    document.addEventListener('keydown', event => this.key(event));
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', () => this.theme(dark.matches ? 'dark' : 'light'));
    this.theme(dark.matches ? 'dark' : 'light');
    this.readSpeed();
    // Paper is white.
    let before = '';
    window.addEventListener('beforeprint', () => { before = document.documentElement.dataset.theme; this.theme('light'); });
    window.addEventListener('afterprint', () => this.theme(before));
  }

  theme(name) {
    document.documentElement.dataset.theme = name;
    colours.clear();
    this.timeline.stale = true;
    if (this.run) { this.timeline.draw(); this.draw(); }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.key === ' ' && event.target.tagName === 'BUTTON') return;
    const layer = this.now?.layer?.position ?? -1, far = event.shiftKey ? 10 : 1;
    const act = {
      ' ': () => $('play').click(),
      ArrowLeft: () => { for (let i = 0; i < far; i++) this.step(-1); },
      ArrowRight: () => { for (let i = 0; i < far; i++) this.step(1); },
      Home: () => this.go(0),
      End: () => this.go(this.run.cycles - 1),
      PageUp: () => this.goLayer(Math.max(0, layer - 1)),
      PageDown: () => this.goLayer(Math.min(this.run.layers.length - 1, layer + 1)),
      ...(event.target === this.timeline.box || event.target === document.body ? {
        ArrowUp: () => this.timeline.zoom(.5),
        ArrowDown: () => this.timeline.zoom(2),
      } : {}),
      '+': () => this.timeline.zoom(.5),
      '-': () => this.timeline.zoom(2),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  help() {
    $('help').append(...QUESTIONS.map(([question, answer]) => make('details', {}, make('summary', {}, question), make('p', {}, answer))));
  }
}

// FIFOs that a word passes through where the page holds it, or that the host writes to.
function usedFifos(run) {
  const used = new Array(FIFOS).fill(false);
  run.windows.forEach((_, index) => fifosAt(run, run.windows[index][0])?.length && run.fifoChanges.get(index).forEach((list, f) => { used[f] ||= list.length > 0; }));
  return used;
}

function verdict(run) {
  if (run.stopped) return `The machine stopped: ${run.message}`;
  if (run.checks === 0) return '';
  return run.pass ? `All ${thousands(run.checks)} expected words are right.` : `${thousands(run.mismatches)} of ${thousands(run.checks)} expected words are wrong.`;
}

const finder = {find: Tour.prototype.find};
const app = new App();
// What tests and the curious read: the page's own data.
window.ai8xsim = {app, data: DATA, sentence, wordHistory, lineRows, kernelPlace, kernelRange, fifosAt, planeValues};
app.start().catch(error => { setText($('lead'), `This page cannot be shown: ${error.message}`); document.documentElement.dataset.ready = 'failed'; });
