// What the line buffers, kernel memories and FIFOs hold in a cycle, from the events that the page holds.

// Values that went into the line buffers, by layer, pass and place.
function lineValues(run) {
  if (run.lineKept) return run.lineKept;
  const kept = run.lineKept = new Map();
  for (const [from, to] of run.windows) {
    for (let cycle = from; cycle < to; cycle++) {
      const {tram} = run.eventsAt(cycle);
      if (tram) kept.set(lineKey(run.at(cycle).layer, tram.pass, tram.row, tram.column), {cycle, values: tram.values});
    }
  }
  return kept;
}
const lineKey = (layer, pass, row, column) => `${layer.position}/${pass}/${row}/${column}`;

// One cell of a line buffer: where its pixel lies in the padded image, and its value. The rows take turns: a row's place
// is that of the row which lies a kernel's height above it.
function lineCell(run, now, pass, row, column, processor) {
  const {layer} = now;
  const stored = row < now.row || column < now.column ||
    (column === now.column && (pass < now.pass || now.state === STATE.tram || now.state === STATE.output || now.state === STATE.fill || now.state === STATE['row-end'] || now.state === STATE.pipeline));
  const from = stored ? row : row - layer.kernelRows;
  if (from < 0) return {row: from, column, empty: true};
  const held = lineValues(run).get(lineKey(layer, pass, from, column));
  return {row: from, column, value: held && held.cycle <= now.cycle ? held.values[processor] : undefined};
}

// The rows of a processor's line buffer, oldest first, for columns `first` to `last` of the padded image.
function lineRows(run, now, processor, first, last) {
  const {layer} = now, pass = now.pass % layer.passes, rows = [];
  for (let row = now.row - layer.kernelRows + 1; row <= now.row; row++) {
    const cells = [];
    for (let column = first; column <= last; column++) cells.push(lineCell(run, now, pass, row, column, processor));
    rows.push(cells);
  }
  return rows;
}

// Kernel memory: the 72-bit words in which the processors of a group find the kernel that is applied.
function kernelPlace(run, now, group) {
  const {layer} = now;
  if (!layer?.kernelAt || now.state !== STATE.output) return null;
  if (layer.fanout && now.slot + group >= layer.slots) return null;
  const slot = layer.depthwise ? 0 : layer.fanout ? now.slot + group : now.slot;
  const bit = layer.kernelAt[group][slot * layer.passes + now.pass % layer.passes], byte = bit >> 3;
  return {first: Math.floor(byte / 9), last: Math.floor((byte + layer.taps - 1) / 9), byte: byte % 9, bit: bit & 7};
}

// The words of kernel memory that a layer uses in a group.
function kernelRange(layer, group) {
  if (!layer?.kernelAt) return null;
  const bits = layer.kernelAt[group];
  let first = Infinity, last = 0;
  for (const bit of bits) {
    first = Math.min(first, Math.floor((bit >> 3) / 9));
    last = Math.max(last, Math.floor(((bit >> 3) + layer.taps - 1) / 9));
  }
  return {first, last};
}

// The last thing that happened to each FIFO up to a cycle, where the page holds it.
function fifosAt(run, cycle) {
  const index = run.windowAt(cycle);
  if (index < 0) return null;
  const [from] = run.windows[index];
  run.fifoChanges ??= new Map();
  if (!run.fifoChanges.has(index)) {
    const changes = Array.from({length: FIFOS}, () => []);
    for (let c = from; c < run.windows[index][1]; c++) {
      const events = run.eventsAt(c);
      for (const pop of events.pops) changes[pop.fifo].push({cycle: c, kind: 'pop', ...pop});
      for (const push of events.pushes) changes[push.fifo].push({cycle: c, kind: 'push', ...push});
    }
    run.fifoChanges.set(index, changes);
  }
  return run.fifoChanges.get(index).map(list => {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (list[middle].cycle <= cycle) low = middle + 1; else high = middle;
    }
    return low ? list[low - 1] : null;
  });
}

// Values of one channel of an image, in the order in which they are read or computed, where the page holds them.
function planeValues(run, layer, output, channel) {
  run.planes ??= new Map();
  const key = `${layer.position}/${output}/${channel}`;
  if (run.planes.has(key)) return run.planes.get(key);
  const list = [], processor = layer.rank.indexOf(channel % Math.max(1, layer.inputs)), pass = Math.floor(channel / Math.max(1, layer.inputs));
  for (const [from, to] of run.windows) {
    for (let cycle = from; cycle < to; cycle++) {
      const now = run.at(cycle);
      if (now.layer !== layer) continue;
      const events = run.eventsAt(cycle);
      if (output) {
        for (const o of events.outputs) if (o.slot === channel) list.push({cycle, pixel: o.pixel, value: o.value});
      } else {
        for (const read of events.reads) {
          if (read.instance !== processor >> 2 || read.pass % layer.passes !== pass || read.operand !== 0) continue;
          const lane = layer.chw ? Math.log2(read.lanes) : processor & 3;
          list.push({cycle, pixel: read.pixel, value: byteOf(read.value, lane)});
        }
      }
    }
  }
  run.planes.set(key, list);
  return list;
}
