// One processor in numbers: its window, its kernel, their products, and how they end in an output value.
class Numbers {
  constructor(app) {
    this.app = app;
    this.box = $('numbers');
  }

  draw(now, events) {
    const {run, processor} = this.app, {layer} = now;
    const kernel = events?.kernels[events.kernels.length - 1];
    const mark = `${now.cycle}/${run.index}/${processor}`;
    if (this.mark === mark || (this.app.playing && this.app.speed > 20 && !kernel)) return;
    this.mark = mark;
    const parts = [this.head(layer, now)];
    if (kernel && layer.kernels) parts.push(...this.product(run, layer, kernel, events, now));
    else if (events?.tram) parts.push(this.pixel(layer, events.tram));
    else if (events?.reads.length) parts.push(this.read(layer, events.reads));
    else if (!events) parts.push(make('p.soft', {}, 'The page does not hold the values of this cycle; places and counts are exact. Blue strokes under the time line show where values are held.',
      ' ', make('button', {type: 'button', onclick: () => this.app.nextHeld()}, 'Go to the next')));
    else parts.push(make('p.soft', {}, 'No value passes through the processor in this cycle.'));
    if (layer?.kernels && layer.on[processor]) parts.push(...this.lineBuffer(run, now));
    this.box.replaceChildren(...parts);
  }

  head(layer, now) {
    const {processor} = this.app;
    let text = `Processor ${processor} (group ${processor >> 4}, fed by memory ${processor >> 2}, byte lane ${processor & 3})`;
    if (layer?.on[processor] && !layer.flatten) {
      const channel = now.pass % layer.passes * layer.inputs + layer.rank[processor];
      text += ` has input channel ${channel}${layer.passes > 1 ? ` in pass ${now.pass % layer.passes + 1}` : ''}.`;
    } else if (layer && !layer.on[processor]) {
      text += ' is not used by this layer. Click another one above.';
    } else {
      text += '.';
    }
    return make('p.soft', {}, text);
  }

  product(run, layer, kernel, events, now) {
    const p = this.app.processor, window = run.operand[kernel.window], weights = run.operand[kernel.weights];
    const grid = make('div.kernel', {style: `grid-template-columns:repeat(${layer.kernelColumns},minmax(0,1fr))`});
    let sum = 0;
    for (let tap = 0; tap < window.length / 64; tap++) {
      const a = window[64 * tap + p], b = weights[64 * tap + p];
      sum += a * b;
      grid.append(make('div', {}, `${signed(a)} × ${signed(b)}`, make('b', {}, signed(a * b))));
    }
    const place = kernelPlace(run, {...now, slot: kernel.slot - (layer.fanout ? p >> 4 : 0), pass: kernel.pass}, p >> 4);
    const from = place && layer.multiplies[p] ? ` Its ${layer.weightBits}-bit kernel lies in kernel memory at word${place.last > place.first ? 's' : ''} ${hex(place.first, 3)}${place.last > place.first ? ` and ${hex(place.last, 3)}` : ''}, from byte ${place.byte}${layer.weightBits < 8 ? `, bit ${place.bit} of each byte` : ''}.` : '';
    const list = [grid, make('p', {}, `Sum of this processor: ${signed(sum)}.${from}`)];
    const sums = events.sums[events.sums.length - 1], output = events.outputs[events.outputs.length - 1];
    if (sums)
      list.push(make('p', {}, `Sums of the groups so far: ${sums.group.map(signed).join(' + ')} = ${signed(sums.group.reduce((a, b) => a + b, 0))}` +
        (layer.passes > 1 ? ` (passes 1 to ${Math.min(now.pass + layer.tcalc, layer.passes)} of ${layer.passes}).` : '.')));
    if (output) {
      const bias = events.biases.filter(b => b.slot === output.slot).reduce((total, b) => total + b.value, 0);
      const chain = stageChain(layer, output, bias);
      let text = `${signed(chain.sum)} + 128 × ${signed(bias)} = ${signed(output.sum)}`;
      if (chain.shifted !== null) {
        const right = 7 - layer.outputShift;
        text += right > 0 ? `; divided by 2^${right} and rounded: ${signed(chain.shifted)}` : `; times 2^${-right}: ${signed(chain.shifted)}`;
        if (chain.clipped !== chain.shifted) text += `; clipped: ${signed(chain.clipped)}`;
        if (layer.activation !== 'none') text += `; ${layer.activation}: ${signed(output.value)}`;
      }
      list.push(make('p', {}, text + '.'));
    }
    return list;
  }

  // The rows of its line buffer round the pixel of this cycle; the window that is multiplied is marked.
  lineBuffer(run, now) {
    const {layer} = now, padded = layer.imageColumns + 2 * layer.padColumns, wide = Math.min(padded, 14);
    const first = Math.max(0, Math.min(padded - wide, now.column - Math.floor(wide / 2))), last = first + wide - 1;
    const grid = make('div.line', {style: `grid-template-columns:repeat(${wide},minmax(26px,1fr))`, role: 'img', 'aria-label': 'Line buffer'});
    const multiplies = now.state === STATE.output;
    for (const row of lineRows(run, now, this.app.processor, first, last)) {
      for (const cell of row) {
        const pad = !cell.empty && run.isPad(layer, cell.row, cell.column);
        const inside = multiplies && cell.column > now.column - layer.kernelColumns && cell.column <= now.column;
        const fresh = now.state === STATE.tram && cell.row === now.row && cell.column === now.column;
        grid.append(make('div' + (inside ? '.win' : pad || cell.empty ? '.pad' : '') + (fresh ? '.new' : ''), {
          title: cell.empty ? 'nothing was written here yet' : `padded row ${cell.row}, column ${cell.column}`,
        }, cell.empty ? '' : cell.value !== undefined ? signed(cell.value) : '·'));
      }
    }
    const rows = `${layer.kernelRows} row${layer.kernelRows > 1 ? 's' : ''} of ${padded} values`;
    const part = wide < padded ? `, here columns ${first} to ${last} of the padded image` : '';
    return [make('h3', {}, 'Its line buffer'), grid,
      make('p.soft', {}, `${rows}${layer.passes > 1 ? ` for each of ${layer.passes} passes, here pass ${now.pass % layer.passes + 1}` : ''}${part}. Rows take turns: a new one overwrites the oldest from the left. A dot is a value that this page does not hold.`)];
  }

  pixel(layer, tram) {
    const value = tram.values[this.app.processor];
    return make('p', {}, `${signed(value)} goes into its line buffer, at column ${tram.column} of padded row ${tram.row}. ` +
      (layer.kernels ? `The line buffer keeps ${layer.kernelRows} row${layer.kernelRows > 1 ? 's' : ''} of its channel.` : ''));
  }

  read(layer, reads) {
    const p = this.app.processor, read = reads.find(word => word.instance === p >> 2);
    if (!read) return make('p.soft', {}, 'Its memory is not read in this cycle.');
    const lane = layer.chw ? Math.log2(read.lanes) : p & 3;
    return make('p', {}, `Word ${hex(read.word)} of memory ${read.instance} holds ${read.value.toString(16).padStart(8, '0')}; byte ${lane} of it is ${signed(byteOf(read.value, lane))}` +
      (layer.chw ? ' (CHW: the four bytes are four pixels of one channel).' : ' (HWC: the four bytes are four channels of one pixel, for four processors).'));
  }
}
