// The page's data: unpacking, and questions to a run. Everything here comes from the events of the exact engine.
const DATA = JSON.parse(document.getElementById('data').textContent);
const STATES = DATA.states;
const STATE = Object.fromEntries(STATES.map((name, index) => [name, index]));
// The line buffer is called TRAM in the vendor's registers.
const stateText = state => STATES[state] === 'tram' ? 'line buffer' : STATES[state];
const CAUSE_OF = STATES.map((_, state) => DATA.causes.findIndex(cause => cause.states >> state & 1));
const GROUPS = 4, INSTANCES = 16, PROCESSORS = 64, FIFOS = 5;

async function unpack(packed) {
  const text = atob(packed.z), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

class Reader {
  constructor(bytes, at = 0) { this.bytes = bytes; this.at = at; }
  byte() { return this.bytes[this.at++]; }
  number() {
    let value = 0, scale = 1, byte;
    do {
      byte = this.bytes[this.at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte & 128);
    return value;
  }
  signed() {
    const value = this.number();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  }
  word() {
    const b = this.bytes, i = this.at;
    this.at += 4;
    return (b[i] | b[i + 1] << 8 | b[i + 2] << 16 | b[i + 3] << 24) >>> 0;
  }
}

function bitsOf(hex) {
  const bits = [];
  for (let p = 0; p < PROCESSORS; p++)
    bits.push(parseInt(hex[15 - (p >> 2)], 16) >> (p & 3) & 1);
  return bits;
}

const byteOf = (word, lane) => (word >>> 8 * lane & 255) << 24 >> 24;

// What follows from a layer's registers and is asked for often.
function prepareLayer(layer, position) {
  layer.position = position;
  layer.on = bitsOf(layer.processors);
  layer.multiplies = bitsOf(layer.bypass ? layer.processors : layer.kernelProcessors);
  layer.inputs = layer.on.reduce((sum, bit) => sum + bit, 0);
  layer.multipliers = layer.multiplies.reduce((sum, bit) => sum + bit, 0);
  layer.instances = [];
  for (let i = 0; i < INSTANCES; i++)
    if (layer.on.slice(4 * i, 4 * i + 4).some(Boolean)) layer.instances.push(i);
  // Rank of each processor among those that read: its channel in a pass.
  let rank = 0;
  layer.rank = layer.on.map(bit => bit ? rank++ : -1);
  layer.kernels = layer.operation !== 'passthrough';
  layer.taps = layer.kernelRows * layer.kernelColumns;
  layer.parallel = layer.calcx4 || layer.fanout ? 4 : 1;
  layer.imageRows = layer.pooledRows * (layer.transposed ? 2 : 1);
  layer.imageColumns = layer.pooledColumns * (layer.transposed ? 2 : 1);
  layer.channels = layer.inputs * layer.passes;
  layer.title = layer.name ? `${layer.number} “${layer.name}”` : `${layer.number}`;
  layer.writeRing = 0;
}

// Output that another layer streams from goes round that layer's ring.
function prepareRings(layers) {
  layers.slice(1).forEach((reader, i) => {
    if (layers[i].streaming && reader.streaming) layers[i].writeRing = reader.ringWords;
  });
}

class Run {
  constructor(plain, index) {
    Object.assign(this, plain);
    this.index = index;
    this.layers.forEach(prepareLayer);
    prepareRings(this.layers);
    this.parsed = new Map();
  }

  async open() {
    const [segments, patterns, operands, events] =
      await Promise.all([this.segments, this.patterns, this.operands, this.events].map(unpack));
    await Promise.all(this.layers.map(layer => this.readKernels(layer)));
    this.readPatterns(new Reader(patterns));
    this.readSegments(new Reader(segments));
    this.readOperands(new Reader(operands));
    this.eventBytes = events;
    this.opened = true;
  }

  // Where each slot's and pass's kernel begins in its group's kernel memories, in bits.
  async readKernels(layer) {
    const reader = new Reader(await unpack(layer.kernelBits)), count = (layer.depthwise ? 1 : layer.slots) * layer.passes;
    if (reader.bytes.length === 0) return;
    layer.kernelAt = Array.from({length: GROUPS}, () => {
      const bits = new Uint32Array(count);
      let value = 0;
      for (let i = 0; i < count; i++) bits[i] = value += reader.signed();
      return bits;
    });
  }

  readPatterns(reader) {
    const sizes = Array.from({length: reader.number()}, () => 0);
    for (let i = 0; i < sizes.length; i++) sizes[i] = reader.number();
    this.pattern = sizes.map(size => {
      const end = reader.at + size, state = [], pass = [], slot = [], counts = new Float64Array(STATES.length);
      let cycles = 0, wait = false;
      while (reader.at < end) {
        state.push(reader.number());
        pass.push(reader.number());
        slot.push(reader.number());
        const length = reader.number();
        wait = wait || length > 1;
        counts[state[state.length - 1]] += length;
        cycles += length;
      }
      return {state, pass, slot, cycles, counts, wait};
    });
  }

  readSegments(reader) {
    const count = this.segmentCount, layers = this.layers.length;
    this.segPattern = new Uint32Array(count);
    this.segLayer = new Int32Array(count);
    this.segRow = new Int32Array(count);
    this.segColumn = new Int32Array(count);
    this.segCycle = new Float64Array(count + 1);
    for (let i = 0; i < count; i++) this.segPattern[i] = reader.number();
    for (const to of [this.segLayer, this.segRow, this.segColumn]) {
      let value = 0;
      for (let i = 0; i < count; i++) to[i] = value += reader.signed();
    }
    const own = Array.from({length: layers}, () => []);
    for (let i = 0; i < count; i++) {
      this.segCycle[i + 1] = this.segCycle[i] + this.pattern[this.segPattern[i]].cycles;
      if (this.segLayer[i] >= 0) own[this.segLayer[i]].push(i);
    }
    this.own = own.map(list => Uint32Array.from(list));
    this.sums = this.own.map(list => this.prefix(list));
    this.allSums = this.prefix({length: count});
  }

  // Cycles by state before every 64th segment of a list (or, without elements, of all).
  prefix(list) {
    const sums = [], running = new Float64Array(STATES.length);
    for (let i = 0; i < list.length; i++) {
      if (i % 64 === 0) sums.push(running.slice());
      const counts = this.pattern[this.segPattern[list[i] ?? i]].counts;
      for (let s = 0; s < counts.length; s++) running[s] += counts[s];
    }
    sums.total = running;
    return sums;
  }

  readOperands(reader) {
    const sizes = Array.from({length: reader.number()}, () => 0);
    for (let i = 0; i < sizes.length; i++) sizes[i] = reader.number();
    this.operand = sizes.map(size => {
      const values = new Int8Array(reader.bytes.buffer, reader.at, size);
      reader.at += size;
      return values;
    });
  }

  segmentAt(cycle) {
    let low = 0, high = this.segmentCount - 1;
    while (low < high) {
      const middle = low + high + 1 >> 1;
      if (this.segCycle[middle] <= cycle) low = middle; else high = middle - 1;
    }
    return low;
  }

  // What the sequencer does in a cycle.
  at(cycle) {
    const segment = this.segmentAt(cycle), pattern = this.pattern[this.segPattern[segment]];
    const step = pattern.wait ? 0 : Math.min(cycle - this.segCycle[segment], pattern.state.length - 1);
    const layer = this.segLayer[segment] < 0 ? null : this.layers[this.segLayer[segment]];
    return {
      cycle, segment, step, layer, pattern,
      row: this.segRow[segment], column: this.segColumn[segment],
      state: pattern.state[step], pass: pattern.pass[step], slot: pattern.slot[step],
    };
  }

  // Which sample of the pooling window and which operand is read: counted from the steps of the pixel so far.
  sampleAt(now) {
    const {pattern, layer} = now;
    let samples = 0, tram = 0;
    for (let i = 0; i < now.step; i++) {
      if (i > 0 && pattern.pass[i] !== pattern.pass[i - 1]) samples = tram = 0;
      const state = pattern.state[i];
      if (state === STATE.tram) { tram++; samples = 0; }
      else if (state === STATE.read || state === STATE['pool-read']) samples++;
      else samples = tram = 0;
    }
    if (now.step > 0 && pattern.pass[now.step] !== pattern.pass[now.step - 1]) samples = tram = 0;
    if (layer.operands > 1 && !layer.poolFirst)
      return {position: Math.floor(samples / layer.operands), operand: samples % layer.operands};
    return {position: samples, operand: layer.operands > 1 ? tram : 0};
  }

  isPad(layer, row, column) {
    return row < layer.padRows || row >= layer.padRows + layer.imageRows ||
      column < layer.padColumns || column >= layer.padColumns + layer.imageColumns;
  }

  // Input pixel that is read; null for the zeros that a transposed convolution inserts.
  inputPixel(now) {
    const {layer} = now, {position, operand} = this.sampleAt(now);
    let row = now.row - layer.padRows, column = now.column - layer.padColumns;
    if (layer.transposed) {
      if ((row | column) & 1) return null;
      row >>= 1;
      column >>= 1;
    }
    row = row * layer.poolStride + Math.floor(position / layer.poolColumns) * layer.poolDilationRows;
    column = column * layer.poolStride + position % layer.poolColumns * layer.poolDilationColumns;
    return {row, column, position, operand};
  }

  // Word in which an input pixel, pass and operand lie in an instance.
  inputWord(layer, instance, row, column, pass, operand) {
    const pixel = row * layer.columns + column;
    let offset = layer.chw ? pixel >> 2 : pixel * layer.pixelStep + pass % layer.passes * layer.operands + operand;
    if (layer.ringWords) offset %= layer.ringWords;
    return layer.readBase[instance >> 2] + offset;
  }

  // Words read in a cycle, by the layer's read pointers.
  readsAt(now) {
    if (!now.layer || (now.state !== STATE.read && now.state !== STATE['pool-read'])) return [];
    const at = this.inputPixel(now);
    if (!at) return [];
    return now.layer.instances.map(instance => ({
      instance, word: this.inputWord(now.layer, instance, at.row, at.column, now.pass, at.operand),
    }));
  }

  outputPixel(now) {
    const {layer} = now;
    const row = now.row + 1 - (layer.kernels ? layer.kernelRows : 1);
    const column = now.column + 1 - (layer.kernels ? layer.kernelColumns : 1);
    return row < 0 || column < 0 ? null : {row, column, index: row * layer.outputColumns + column};
  }

  outputPlace(layer, slot, pixel) {
    const instance = layer.places[3 * slot], origin = layer.writeWord[layer.writeMode === 0 ? layer.master : instance >> 2];
    const offset = layer.places[3 * slot + 1] - origin + pixel * layer.pixelWords;
    return {instance, word: origin + (layer.writeRing ? offset % layer.writeRing : offset), lane: layer.places[3 * slot + 2]};
  }

  // Multiplications of one output cycle.
  productsAt(now) {
    const {layer} = now;
    if (!layer || now.state !== STATE.output || !layer.kernels) return 0;
    if (layer.depthwise) return this.productsPerOutput(layer);
    const slots = Math.min(layer.parallel, layer.slots - now.slot);
    return layer.multipliers * layer.taps * (layer.fanout ? 1 : slots) * Math.min(layer.tcalc, layer.passes - now.pass);
  }

  productsPerOutput(layer) {
    return layer.states[STATE.output] ? layer.macs / layer.states[STATE.output] : 0;
  }

  addPartial(counts, segment, cycle) {
    const pattern = this.pattern[this.segPattern[segment]], from = this.segCycle[segment];
    if (cycle <= from) return;
    if (pattern.wait || cycle >= from + pattern.cycles) {
      const part = pattern.wait ? Math.min(pattern.cycles, cycle - from) : 1;
      if (pattern.wait) counts[pattern.state[0]] += part;
      else for (let s = 0; s < counts.length; s++) counts[s] += pattern.counts[s];
      return;
    }
    for (let i = 0; i < cycle - from; i++) counts[pattern.state[i]]++;
  }

  // Cycles by state that a layer has used before `cycle`.
  layerCounts(position, cycle) {
    const list = this.own[position], sums = this.sums[position];
    let low = 0, high = list.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (this.segCycle[list[middle]] < cycle) low = middle + 1; else high = middle;
    }
    if (low === 0) return new Float64Array(STATES.length);
    const block = low - 1 >> 6, counts = sums[block].slice();
    for (let i = block << 6; i < low; i++) this.addPartial(counts, list[i], cycle);
    return counts;
  }

  // The same for the whole run.
  counts(cycle) {
    const last = this.segmentAt(Math.max(0, cycle - 1)), block = last >> 6, counts = this.allSums[block].slice();
    for (let i = block << 6; i <= last; i++) this.addPartial(counts, i, cycle);
    return counts;
  }

  windowAt(cycle) {
    return this.windows.findIndex(([from, to]) => cycle >= from && cycle < to);
  }

  // All events of a cycle with their values; null: the page does not hold them.
  eventsAt(cycle) {
    const index = this.windowAt(cycle);
    if (index < 0) return null;
    if (!this.parsed.has(index)) this.parsed.set(index, this.parseWindow(index));
    return this.parsed.get(index)[cycle - this.windows[index][0]] ?? emptyEvents();
  }

  parseWindow(index) {
    const [from, , first] = this.windows[index];
    const end = index + 1 < this.windows.length ? this.windows[index + 1][2] : this.eventBytes.length;
    const reader = new Reader(this.eventBytes, first), cycles = [];
    let at = 0, now = null;
    while (reader.at < end) {
      const kind = reader.byte();
      if (kind === 0) {
        at += reader.number();
        now = cycles[at] = emptyEvents();
      } else {
        PACKED[kind](now, reader);
      }
    }
    cycles.from = from;
    return cycles;
  }
}

const emptyEvents = () => ({
  reads: [], writes: [], kernels: [], biases: [], tram: null, sums: [], outputs: [], pushes: [], pops: [], inputs: [],
});

const readWord = r => ({
  instance: r.byte(), lanes: r.byte(), word: r.number(), value: r.word(), pixel: r.number(), pass: r.number(),
  operand: r.number(),
});
const readFifo = r => ({fifo: r.byte(), value: r.word(), level: r.number()});

// By the kinds of lib/view/show_record.c.
const PACKED = [
  null,
  (now, r) => now.reads.push(readWord(r)),
  (now, r) => now.writes.push(readWord(r)),
  (now, r) => now.kernels.push({slot: r.number(), pass: r.number(), window: r.number(), weights: r.number()}),
  (now, r) => now.biases.push({slot: r.number(), group: r.byte(), entry: r.number(), value: r.byte() << 24 >> 24}),
  (now, r) => {
    now.tram = {row: r.number(), column: r.number(), pass: r.number(), values: new Int8Array(r.bytes.buffer, r.at, 64)};
    r.at += 64;
  },
  (now, r) => now.sums.push({
    slot: r.number(), pass: r.number(), group: [r.signed(), r.signed(), r.signed(), r.signed()],
  }),
  (now, r) => now.outputs.push({
    slot: r.number(), pixel: r.number(), sum: r.signed(), value: r.signed(), clipped: r.byte() !== 0,
  }),
  (now, r) => now.pushes.push(readFifo(r)),
  (now, r) => now.pops.push(readFifo(r)),
  (now, r) => now.inputs.push(readWord(r)),
];
