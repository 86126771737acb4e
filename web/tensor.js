// Where pixels lie in memory: the input and output image, and the words around the pointer. Both ways: a pixel shows its
// words, a word shows its pixel and channels.
class Tensors {
  constructor(app) {
    this.app = app;
    this.picked = null;
    this.text = make('p', {'aria-live': 'polite'});
    this.history = make('ul.history');
    this.input = this.makePlane('Input image, as it lies in data memory');
    this.output = this.makePlane('Output image');
    this.words = make('div.words', {role: 'group', 'aria-label': 'Words of data memory'});
    this.wordTitle = make('h3');
    this.findRow = make('input', {inputmode: 'numeric', size: 4, 'aria-label': 'Row'});
    this.findColumn = make('input', {inputmode: 'numeric', size: 4, 'aria-label': 'Column'});
    const form = make('form.bar', {
      onsubmit: event => { event.preventDefault(); this.pickPixel(+this.findRow.value, +this.findColumn.value); },
    }, make('label', {}, 'Input row ', this.findRow), make('label', {}, 'column ', this.findColumn),
    make('button', {type: 'submit'}, 'Show its words'));
    $('tensor').append(this.text, make('div.planes', {}, this.input.node, this.output.node,
      make('div', {style: 'flex:1;min-width:270px'}, this.wordTitle, this.words, this.history)), form);
    this.wide = $('tensor').clientWidth;
    new ResizeObserver(([entry]) => { this.wide = entry.contentRect.width; }).observe($('tensor'));
    this.input.canvas.addEventListener('click', event => this.click(event, this.input, (r, c) => this.pickPixel(r, c)));
    this.output.canvas.addEventListener('click', event => this.click(event, this.output, (r, c) => this.pickOutput(r, c)));
  }

  makePlane(title) {
    const canvas = make('canvas', {role: 'img'}), note = make('p.soft');
    return {node: make('div.plane', {}, make('h3', {}, title), canvas, note), canvas, note};
  }

  click(event, plane, then) {
    const box = plane.canvas.getBoundingClientRect();
    then(Math.floor((event.clientY - box.top) / box.height * plane.rows),
      Math.floor((event.clientX - box.left) / box.width * plane.columns));
  }

  get instance() { return this.app.instance; }

  layerNow() { return this.app.now.layer ?? this.app.run.layers[0]; }

  pickPixel(row, column) {
    const layer = this.layerNow();
    if (!(row >= 0 && row < layer.rows && column >= 0 && column < layer.columns)) {
      this.say(`The input image has rows 0 to ${layer.rows - 1} and columns 0 to ${layer.columns - 1}.`);
      return;
    }
    const instance = layer.instances.includes(this.instance) ? this.instance : layer.instances[0];
    const words = [];
    for (let pass = 0; pass < layer.passes; pass++)
      for (let operand = 0; operand < layer.operands; operand++)
        words.push(this.app.run.inputWord(layer, instance, row, column, pass, operand));
    this.app.instance = instance;
    this.picked = {row, column, word: words[0]};
    const shown = words.slice(0, 6).map(word => hex(word)).join(', ') + (words.length > 6 ? ` … ${hex(words[words.length - 1])}` : '');
    let text = `Input pixel ${pixelText(row, column)} lies in word${words.length > 1 ? 's' : ''} ${shown} of each of ${plural(layer.instances.length, 'memory').replace('memorys', 'memories')}`;
    text += layer.chw
      ? `, in byte ${(row * layer.columns + column) % 4} (CHW: a word holds four pixels of one channel).`
      : `: four channels a word${layer.passes > 1 ? `, one word for each of ${layer.passes} passes` : ''}${layer.operands > 1 ? `, ${layer.operands} operands beside each other` : ''} (HWC).`;
    this.say(text);
    this.app.draw();
  }

  pickOutput(row, column) {
    const layer = this.layerNow(), {run} = this.app;
    if (!(row >= 0 && row < layer.outputRows && column >= 0 && column < layer.outputColumns)) return;
    const pixel = row * layer.outputColumns + column, places = [];
    for (let slot = 0; slot < layer.slots; slot++) {
      const place = run.outputPlace(layer, slot, pixel), last = places[places.length - 1];
      if (last && last.instance === place.instance && last.word === place.word) last.to = slot;
      else places.push({...place, from: slot, to: slot});
    }
    const shown = places.slice(0, 4).map(p => `channels ${p.from} to ${p.to} in memory ${p.instance} at ${hex(p.word)}`).join('; ');
    this.say(`Output pixel ${pixelText(row, column)}: ${shown}${places.length > 4 ? `; … ${places.length} words in all` : ''}.`);
    this.app.instance = places[0].instance;
    this.picked = {output: true, row, column, word: places[0].word};
    this.app.draw();
  }

  // Which pixel and channels a word of an instance holds, in the layer's input or its output.
  meaning(instance, word) {
    const layer = this.layerNow(), {run} = this.app, found = [];
    if (layer.instances.includes(instance)) {
      const offset = word - layer.readBase[instance >> 2];
      const per = layer.chw ? 1 : layer.pixelStep, pixel = layer.chw ? offset * 4 : Math.floor(offset / per);
      const rest = layer.chw ? 0 : offset % per;
      if (offset >= 0 && pixel < layer.rows * layer.columns && (layer.chw || rest < layer.passes * layer.operands))
        found.push({layer, input: true, row: Math.floor(pixel / layer.columns), column: pixel % layer.columns,
          pass: Math.floor(rest / layer.operands), operand: rest % layer.operands});
    }
    for (let slot = 0; slot < layer.slots; slot++) {
      if (layer.places[3 * slot] !== instance) continue;
      const offset = word - layer.places[3 * slot + 1];
      if (offset < 0 || layer.pixelWords === 0 ? offset !== 0 : offset % layer.pixelWords) continue;
      const pixel = layer.pixelWords ? offset / layer.pixelWords : 0;
      if (pixel >= layer.outputRows * layer.outputColumns) continue;
      const last = found[found.length - 1];
      if (last?.output && last.pixel === pixel) last.to = slot;
      else found.push({layer, output: true, pixel, row: Math.floor(pixel / layer.outputColumns), column: pixel % layer.outputColumns, from: slot, to: slot});
    }
    return found;
  }

  meaningText(instance, word) {
    const texts = this.meaning(instance, word).map(m => {
      if (m.output) return `output pixel ${pixelText(m.row, m.column)}, channels ${m.from} to ${m.to}`;
      const {layer} = m, channels = [];
      for (let lane = 0; lane < 4; lane++)
        if (layer.rank[4 * instance + lane] >= 0) channels.push(m.pass * layer.inputs + layer.rank[4 * instance + lane]);
      if (layer.chw) return `channel ${channels[0]}, input pixels ${pixelText(m.row, m.column)} and the next three`;
      return `input pixel ${pixelText(m.row, m.column)}, channel${channels.length > 1 ? 's' : ''} ${channels.join(', ')}` +
        (layer.operands > 1 ? `, operand ${m.operand + 1}` : '');
    });
    return texts.length ? texts.join('; ') : 'neither input nor output of this layer';
  }

  pickWord(instance, word) {
    this.app.instance = instance;
    const meaning = this.meaning(instance, word), input = meaning.find(m => m.input);
    this.picked = input ? {row: input.row, column: input.column, word} : {word};
    this.say(`Word ${hex(word)} of memory ${instance} (bus address ${hex(this.busAddress(instance, word), 8)}): ${this.meaningText(instance, word)}.`);
    this.tellHistory(instance, word);
    this.app.draw();
  }

  busAddress(instance, word) {
    const {run} = this.app;
    return run.dataBase + (instance >> 2) * run.groupStride + (instance & 3) * run.instanceStride + 4 * word;
  }

  say(text) {
    setText(this.text, text);
    this.history.replaceChildren();
  }

  // What happens to a word over the run, where the page holds it.
  tellHistory(instance, word) {
    const lines = [];
    for (const entry of wordHistory(this.app.run, instance, word).slice(0, 40)) {
      const button = make('button', {type: 'button', onclick: () => this.app.go(entry.cycle)}, `cycle ${thousands(entry.cycle)}`);
      lines.push(make(entry.lost ? 'li.lost' : 'li', {}, entry.text + ' ', button));
    }
    this.history.replaceChildren(...lines);
  }

  draw(now, events) {
    const {run} = this.app, layer = this.layerNow();
    if (this.app.playing && this.app.speed > 600 && now.cycle % 4) return;
    this.drawInput(layer, now);
    this.drawOutput(layer, now);
    this.drawWords(run, layer, now, events);
  }

  size(plane, rows, columns) {
    const widest = Math.min(300, this.wide - 10);
    const cell = Math.max(1, Math.min(18, Math.floor(Math.min(widest / columns, 300 / rows)) || 1));
    const wide = Math.min(widest, Math.max(columns * cell, 12)), tall = Math.min(300, Math.max(rows * cell, 12));
    plane.rows = rows;
    plane.columns = columns;
    if (plane.wide !== wide || plane.tall !== tall) {
      plane.canvas.style.width = (plane.wide = wide) + 'px';
      plane.canvas.style.height = (plane.tall = tall) + 'px';
    }
    const context = sharp(plane.canvas, wide, tall);
    context.scale(wide / columns, tall / rows);
    return context;
  }

  // Values of one channel as shades, as far as they are known in this cycle.
  drawValues(plane, layer, output, channel, rows, columns, context, cycle) {
    const list = planeValues(this.app.run, layer, output, channel), key = `${this.app.run.index}/${layer.position}/${output}/${channel}`;
    if (plane.key !== key || plane.until > cycle || !plane.image) {
      plane.still = document.createElement('canvas');
      plane.still.width = columns;
      plane.still.height = rows;
      plane.image = plane.still.getContext('2d').createImageData(columns, rows);
      plane.key = key;
      plane.next = 0;
    }
    const before = plane.next, data = plane.image.data;
    for (; plane.next < list.length && list[plane.next].cycle <= cycle; plane.next++) {
      const {pixel, value} = list[plane.next], shade = Math.max(0, Math.min(255, value + 128));
      if (pixel < rows * columns) data.set([shade, shade, shade, 255], 4 * pixel);
    }
    plane.until = cycle;
    if (plane.next !== before || plane.next === 0) plane.still.getContext('2d').putImageData(plane.image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(plane.still, 0, 0, columns, rows);
    return plane.next;
  }

  // The channel that a plane shows: that of the chosen processor, or the one that is computed.
  channelOf(layer, now, output) {
    if (output) return now.layer && now.state === STATE.output ? now.slot : Math.min(this.lastSlot ?? 0, layer.slots - 1);
    const rank = layer.rank[this.app.processor];
    return rank < 0 ? 0 : (now.layer ? now.pass % layer.passes : 0) * layer.inputs + rank;
  }

  drawInput(layer, now) {
    const plane = this.input, context = this.size(plane, layer.rows, layer.columns), {run} = this.app;
    const channel = this.channelOf(layer, now, false);
    const known = this.drawValues(plane, layer, false, channel, layer.rows, layer.columns, context, now.cycle);
    const gap = layer.rows <= 40 && layer.columns <= 40 ? .08 : 0;
    const done = now.layer ? (now.row - layer.padRows) * layer.columns + now.column - layer.padColumns : 0;
    context.fillStyle = colour('--mulbg');
    context.globalAlpha = .45;
    if (layer.poolStride === 1 && !layer.transposed) {
      for (let r = 0; r < layer.rows; r++) {
        const until = Math.min(layer.columns, Math.max(0, done - r * layer.columns));
        if (until > 0) context.fillRect(0, r, until, 1);
      }
    }
    context.globalAlpha = 1;
    // The kernel's window, in pixels of the input.
    const scale = layer.transposed ? .5 : layer.poolStride;
    const last = {row: now.row - layer.padRows, column: now.column - layer.padColumns};
    if (now.layer && layer.kernels) {
      context.fillStyle = colour('--trambg');
      context.globalAlpha = .5;
      context.strokeStyle = colour('--tram');
      context.lineWidth = .15;
      const y = (last.row - layer.kernelRows + 1) * scale, x = (last.column - layer.kernelColumns + 1) * scale;
      context.fillRect(x, y, layer.kernelColumns * scale, layer.kernelRows * scale);
      context.globalAlpha = 1;
      context.strokeRect(x, y, layer.kernelColumns * scale, layer.kernelRows * scale);
    }
    const at = now.layer && (now.state === STATE.read || now.state === STATE['pool-read']) ? run.inputPixel(now) : null;
    if (at) {
      context.fillStyle = colour('--read');
      context.fillRect(at.column + gap, at.row + gap, 1 - 2 * gap, 1 - 2 * gap);
    }
    this.grid(context, layer.rows, layer.columns);
    if (this.picked && !this.picked.output && this.picked.row !== undefined) {
      context.strokeStyle = colour('--ink');
      context.lineWidth = .2;
      context.strokeRect(this.picked.column + .1, this.picked.row + .1, .8, .8);
    }
    setText(plane.note, `${plural(layer.channels, 'channel')} of ${layer.rows} × ${layer.columns} pixels, ${layer.chw ? 'CHW' : 'HWC'}` + (at ? `; reading ${pixelText(at.row, at.column)}` : '') + '. Click a pixel.' +
      (known ? ` Shades: values of channel ${channel} as they are read, black −128, white 127.` : ''));
  }

  drawOutput(layer, now) {
    const plane = this.output, context = this.size(plane, layer.outputRows, layer.outputColumns);
    const out = now.layer ? this.app.run.outputPixel(now) : null;
    if (now.layer && now.state === STATE.output) this.lastSlot = now.slot;
    const channel = this.channelOf(layer, now, true);
    const known = this.drawValues(plane, layer, true, channel, layer.outputRows, layer.outputColumns, context, now.cycle);
    context.fillStyle = colour('--outbg');
    context.globalAlpha = .45;
    for (let r = 0; out && r <= out.row && r < layer.outputRows; r++)
      context.fillRect(0, r, r < out.row ? layer.outputColumns : out.column, 1);
    context.globalAlpha = 1;
    if (out && now.state === STATE.output) {
      context.fillStyle = colour('--out');
      context.fillRect(out.column, out.row, 1, 1);
    }
    this.grid(context, layer.outputRows, layer.outputColumns);
    setText(plane.note, `${plural(layer.slots, 'channel')} of ${layer.outputRows} × ${layer.outputColumns} pixels` +
      (out && now.state === STATE.output ? `; computing ${pixelText(out.row, out.column)}` : '') + '. Click a pixel.' +
      (known ? ` Shades: values of channel ${channel} as they are computed.` : ''));
  }

  grid(context, rows, columns) {
    if (rows > 40 || columns > 40) return;
    context.strokeStyle = colour('--line');
    context.lineWidth = .04;
    context.beginPath();
    for (let r = 1; r < rows; r++) { context.moveTo(0, r); context.lineTo(columns, r); }
    for (let c = 1; c < columns; c++) { context.moveTo(c, 0); context.lineTo(c, rows); }
    context.stroke();
  }

  drawWords(run, layer, now, events) {
    const reads = new Map(run.readsAt(now).map(read => [read.instance, read.word]));
    const write = events ? [...events.inputs, ...events.writes].pop() : null;
    if (write && this.app.playing) this.app.instance = write.instance;
    const instance = this.instance ?? layer.instances[0] ?? 0;
    let centre = reads.get(instance) ?? (write?.instance === instance ? write.word : null) ?? this.picked?.word ?? this.lastWord ?? 0;
    if (this.picked && !this.app.playing) centre = this.picked.word;
    this.lastWord = centre;
    const first = Math.max(0, Math.min(run.dataWords - 9, centre - 4));
    setText(this.wordTitle, `Memory ${instance}, words ${hex(first)} to ${hex(first + 8)}`);
    const values = events ? new Map([...events.reads, ...events.writes].filter(e => e.instance === instance).map(e => [e.word, e.value])) : new Map();
    const rows = [];
    for (let word = first; word < first + 9; word++) {
      const value = values.get(word), kind = write?.instance === instance && write.word === word ? 'write' : reads.get(instance) === word ? 'read' : '';
      rows.push({word, kind, pick: this.picked?.word === word, cells: this.cells(layer, instance, word, value)});
    }
    const mark = JSON.stringify([instance, rows]);
    if (mark === this.wordMark) return;
    this.wordMark = mark;
    this.words.replaceChildren(...rows.map(row => make('button' + (row.kind ? '.' + row.kind : '') + (row.pick ? '.pick' : ''), {
      type: 'button', onclick: () => this.pickWord(instance, row.word),
    }, make('span', {}, hex(row.word)), ...row.cells.map(cell => make('span', {}, cell)))));
  }

  // The four bytes of a word: the value where it is known, else what lies there.
  cells(layer, instance, word, value) {
    const found = this.meaning(instance, word), input = found.find(m => m.input), output = found.find(m => m.output);
    return [0, 1, 2, 3].map(lane => {
      const known = value !== undefined ? '=' + signed(byteOf(value, lane)) : '';
      if (input) {
        const pixel = input.row * layer.columns + input.column + (layer.chw ? lane : 0);
        const rank = layer.rank[4 * instance + (layer.chw ? 0 : lane)];
        if (rank < 0 && !layer.chw) return '·';
        const channel = input.pass * layer.inputs + Math.max(0, rank);
        return `c${channel} ${Math.floor(pixel / layer.columns)},${pixel % layer.columns}${known}`;
      }
      if (output) {
        const slot = output.from + lane;
        return slot <= output.to ? `o${slot} ${output.row},${output.column}${known}` : '·' + known;
      }
      return known || '·';
    });
  }
}

// Reads and writes of one word that the page holds, in order, and what got lost.
function wordHistory(run, instance, word) {
  const entries = [];
  let writer = null;
  for (const [from, to] of run.windows) {
    for (let cycle = from; cycle < to; cycle++) {
      const events = run.eventsAt(cycle);
      for (const read of events.reads) {
        if (read.instance !== instance || read.word !== word) continue;
        const {layer} = run.at(cycle);
        if (writer) writer.readers.add(layer.position);
        const last = entries[entries.length - 1];
        if (last?.kind === 'read' && last.layer === layer.position) { last.count++; continue; }
        entries.push({kind: 'read', cycle, layer: layer.position, count: 1});
      }
      for (const write of [...events.inputs, ...events.writes]) {
        if (write.instance !== instance || write.word !== word) continue;
        const {layer} = run.at(cycle), position = layer ? layer.position : -1;
        entries.push({kind: 'write', cycle, layer: position, value: write.value, over: writer});
        writer = {layer: position, readers: new Set(), value: write.value};
      }
    }
  }
  for (const entry of entries) {
    const name = entry.layer < 0 ? 'the FIFO' : `layer ${run.layers[entry.layer].title}`;
    if (entry.kind === 'read') {
      entry.text = `${name} reads it${entry.count > 1 ? ` (${entry.count} times)` : ''},`;
      continue;
    }
    entry.text = `${name} writes ${entry.value.toString(16).padStart(8, '0')}`;
    if (entry.over && entry.over.layer !== entry.layer) {
      const by = entry.over.layer < 0 ? 'the FIFO' : `layer ${run.layers[entry.over.layer].title}`;
      entry.lost = true;
      const readers = [...entry.over.readers].map(position => run.layers[position].title);
      entry.text += ` over ${entry.over.value.toString(16).padStart(8, '0')} of ${by}, ` +
        (readers.length ? `which layer ${readers.join(' and ')} had read,` : 'which nobody had read,');
    } else {
      entry.text += ',';
    }
  }
  return entries;
}
