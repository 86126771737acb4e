// The chip: four groups of sixteen processors, their memories, and the output stage that all share.
class Chip {
  constructor(app) {
    this.app = app;
    this.memory = [];
    this.processor = [];
    this.group = [];
    for (let g = 0; g < GROUPS; g++) $('chip').append(this.makeGroup(g));
    this.fifos = Array.from({length: FIFOS}, (_, f) => {
      const value = make('b', {}, '–'), note = make('span'), name = f < 4 ? `FIFO ${f}` : 'fast FIFO';
      const node = make('div.box', {}, make('span', {}, name), value, note);
      $('fifos').append(node);
      return {node, value, note};
    });
    this.boxes = ['sum of groups', 'bias × 128', 'shift and round', 'clip', 'activation', 'word written'].map(name => {
      const value = make('b', {}, '–'), about = make('span', {}, name);
      const node = make('div.box', {}, about, value, make('span'));
      $('stage').append(node);
      return {node, value, name: about, note: node.lastChild};
    });
  }

  makeGroup(g) {
    const state = make('span'), sum = make('div.gsum', {}, 'Σ –'), mems = make('div.mems');
    for (let m = 0; m < 4; m++) {
      const instance = 4 * g + m;
      const address = make('b', {}, ''), value = make('span', {}, '');
      const word = make('button.word', {
        type: 'button', 'aria-label': `Memory ${instance}`, onclick: () => this.app.pickInstance(instance),
      }, make('span', {}, `mem ${instance}`), address, value);
      this.memory[instance] = {node: word, address, value};
      const lanes = make('div.lanes');
      for (let lane = 0; lane < 4; lane++) lanes.append(this.makeProcessor(4 * instance + lane));
      mems.append(make('div.mem', {}, word, lanes));
    }
    const range = make('i'), mark = make('u'), place = make('span', {}, '–');
    const kernels = make('div.kmem', {title: 'Kernel memories of the 16 processors: they all read the same word'},
      make('span', {}, 'kernels'), make('div', {}, range, mark), place);
    const node = make('div.group', {}, make('h3', {}, `Group ${g}`, state), mems, kernels, sum);
    this.group[g] = {node, state, sum, kernels, range, mark, place};
    return node;
  }

  makeProcessor(p) {
    const value = make('span', {}, '');
    const node = make('button.proc', {
      type: 'button', 'aria-label': `Processor ${p}`, title: `Processor ${p}`, onclick: () => this.app.pickProcessor(p),
    }, make('small', {}, `${p}`), value);
    this.processor[p] = {node, value};
    return node;
  }

  draw(now, events) {
    const {run} = this.app, {layer} = now;
    const reads = new Map(), writes = new Map();
    for (const read of events ? events.reads : run.readsAt(now)) reads.set(read.instance, read);
    for (const write of events ? [...events.inputs, ...events.writes] : []) writes.set(write.instance, write);
    for (let i = 0; i < INSTANCES; i++) this.drawMemory(i, layer, reads.get(i), writes.get(i));
    const kernel = events && events.kernels.length ? events.kernels[events.kernels.length - 1] : null;
    const products = kernel ? productsOf(run, kernel) : null;
    const multiplies = layer && now.state === STATE.output && layer.kernels;
    for (let p = 0; p < PROCESSORS; p++) {
      const {node, value} = this.processor[p];
      const on = layer && (layer.on[p] || layer.multiplies[p]);
      setClass(node, 'off', !on);
      setClass(node, 'line', Boolean(on && now.state === STATE.tram));
      setClass(node, 'mul', Boolean(multiplies && layer.multiplies[p]));
      setClass(node, 'pick', p === this.app.processor);
      let text = '';
      if (on && events?.tram) text = signed(events.tram.values[p]);
      else if (products && layer.multiplies[p]) text = signed(products[p]);
      else if (on && reads.get(p >> 2)?.value !== undefined)
        text = signed(byteOf(reads.get(p >> 2).value, layer.chw ? Math.log2(reads.get(p >> 2).lanes) : p & 3));
      setText(value, text.replace(',', ''));
    }
    this.drawGroups(now, events, products);
    this.drawKernels(now);
    this.drawFifos(now, events);
    this.drawStage(now, events);
  }

  // Kernel memories: the words of this layer, and those that are applied in this cycle.
  drawKernels(now) {
    const {run} = this.app, {layer} = now;
    for (let g = 0; g < GROUPS; g++) {
      const {kernels, range, mark, place} = this.group[g];
      const used = layer?.kernels && layer.multiplies.slice(16 * g, 16 * g + 16).some(Boolean);
      const all = used ? kernelRange(layer, g) : null, at = used ? kernelPlace(run, now, g) : null;
      setClass(kernels, 'off', !all);
      setClass(kernels, 'on', Boolean(at));
      const left = all ? 100 * all.first / run.kernelWords : 0, wide = all ? 100 * (all.last + 1 - all.first) / run.kernelWords : 0;
      setStyle(range, 'left', left.toFixed(2) + '%');
      setStyle(range, 'width', wide.toFixed(2) + '%');
      setStyle(mark, 'left', (at ? 100 * at.first / run.kernelWords : 0).toFixed(2) + '%');
      const bypassed = used && layer.bypass;
      setText(place, bypassed ? 'all ones' : at ? hex(at.first, 3) + (at.last > at.first ? `–${hex(at.last, 3)}` : '') : all ? `${hex(all.first, 3)}…` : '–');
    }
  }

  // FIFOs: the last word, and how many words are left.
  drawFifos(now, events) {
    const {run} = this.app;
    if (!run.usesFifo) return;
    const last = fifosAt(run, now.cycle);
    this.fifos.forEach((fifo, f) => {
      const change = last?.[f], here = change?.cycle === now.cycle;
      setClass(fifo.node, 'off', !run.fifosUsed[f]);
      setClass(fifo.node, 'on', Boolean(here));
      setText(fifo.value, change ? plural(change.level, 'word') : run.fifosUsed[f] ? '–' : 'empty');
      setText(fifo.note, change ? `${here ? '' : 'last '}${change.kind === 'pop' ? 'out' : 'in'} ${change.value.toString(16).padStart(8, '0')}` : '');
    });
  }

  // The core's bus accesses of one entry, before or after the run.
  drawHost(load) {
    const kernel = /kernel|tram/.test(load.region), data = load.region === 'data' || load.region === 'data memory';
    const hit = (unit, map) => Boolean(parseInt(map[15 - (unit >> 2)], 16) >> (unit & 3) & 1);
    for (let i = 0; i < INSTANCES; i++) {
      const {node} = this.memory[i], on = data && hit(i, load.units);
      setClass(node, 'off', !on);
      setClass(node, 'read', on && load.kind === 'EXPECT');
      setClass(node, 'write', on && load.kind !== 'EXPECT');
    }
    for (let p = 0; p < PROCESSORS; p++) {
      const {node} = this.processor[p], on = kernel && hit(p, load.units);
      setClass(node, 'off', !on);
      setClass(node, 'mul', on);
      setClass(node, 'line', false);
    }
    for (let g = 0; g < GROUPS; g++) setClass(this.group[g].node, 'off', !(load.groups >> g & 1));
  }

  drawMemory(i, layer, read, write) {
    const {node, address, value} = this.memory[i], word = write ?? read;
    setClass(node, 'read', Boolean(read));
    setClass(node, 'write', Boolean(write));
    setClass(node, 'off', !word && !(layer && layer.instances.includes(i)));
    setText(address, word ? hex(word.word) : '');
    setText(value, word?.value !== undefined ? word.value.toString(16).padStart(8, '0') : '');
  }

  drawGroups(now, events, products) {
    const {layer} = now, sums = events?.sums ?? [];
    for (let g = 0; g < GROUPS; g++) {
      const used = layer ? layer.on.slice(16 * g, 16 * g + 16).reduce((a, b) => a + b, 0) : 0;
      const part = layer && (layer.groups >> g & 1);
      setClass(this.group[g].node, 'off', !part);
      setText(this.group[g].state, !layer ? '' : used ? `${used} of 16 processors` : part ? 'only waits' : 'switched off');
      const on = sums.length > 0 && used > 0;
      setClass(this.group[g].sum, 'on', on);
      let text = 'Σ –';
      if (on) text = sums.map(sum => 'Σ ' + signed(sum.group[g])).join('  ');
      else if (products && used && layer.depthwise) text = 'depth-wise: no sum';
      setText(this.group[g].sum, text);
    }
  }

  drawStage(now, events) {
    const {layer} = now, output = events?.outputs[events.outputs.length - 1];
    const entries = output ? events.biases.filter(b => b.slot === output.slot) : [];
    const bias = entries.reduce((sum, b) => sum + b.value, 0);
    const write = events?.writes[events.writes.length - 1];
    const chain = stageChain(layer, output, bias);
    const running = events?.sums.length ? events.sums[events.sums.length - 1].group.reduce((a, b) => a + b, 0) : null;
    const values = [
      output ? chain.sum : running, output ? bias : null, chain?.shifted, chain?.clipped, chain?.value,
      write ? `${write.instance}:${hex(write.word)}` : null,
    ];
    const right = layer ? 7 - layer.outputShift : 0;
    const notes = [
      !output && running !== null ? 'further passes follow' : '',
      entries.length ? `entry ${entries.map(b => b.entry).join(', ')}` : '',
      layer?.kernels && layer.outputBits === 8 ? (right > 0 ? `÷ 2^${right}, rounded` : `× 2^${-right}`) : '',
      chain && chain.clipped !== chain.shifted ? 'out of range' : '',
      layer && layer.kernels ? layer.activation : '',
      write ? `= ${write.value.toString(16).padStart(8, '0')}` : '',
    ];
    this.boxes.forEach((box, i) => {
      const some = values[i] !== null && values[i] !== undefined;
      setClass(box.node, 'on', some);
      setText(box.value, !some ? '–' : typeof values[i] === 'number' ? signed(values[i]) : values[i]);
      setText(box.note, notes[i]);
    });
  }
}

// Sum over the taps of each processor.
function productsOf(run, kernel) {
  const window = run.operand[kernel.window], weights = run.operand[kernel.weights], sums = new Int32Array(PROCESSORS);
  for (let i = 0; i < window.length; i++) sums[i & 63] += window[i] * weights[i];
  return sums;
}

// The output stage, step by step, from the complete sum of the engine.
function stageChain(layer, output, bias) {
  if (!layer || !output) return null;
  const sum = output.sum - 128 * bias;
  if (!layer.kernels || layer.outputBits !== 8) return {sum, shifted: null, clipped: null, value: output.value};
  const right = 7 - layer.outputShift;
  const shifted = right > 0 ? Math.floor((output.sum + 2 ** (right - 1)) / 2 ** right) : output.sum * 2 ** -right;
  const clipped = Math.max(-128, Math.min(127, shifted));
  return {sum, shifted, clipped, value: output.value};
}
