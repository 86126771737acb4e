// Sentences: what happens in a cycle, in plain words with its numbers.
const thousands = number => Math.round(number).toString().replace(/\B(?=(\d{3})+$)/g, ',');
const signed = number => (number < 0 ? '−' : '') + thousands(Math.abs(number));
const hex = (number, digits = 4) => '0x' + (number >>> 0).toString(16).padStart(digits, '0');
const plural = (count, word) => `${thousands(count)} ${word}${count === 1 ? '' : 's'}`;
const percent = (part, whole) => whole ? (100 * part / whole).toFixed(1) + ' %' : '–';
const pixelText = (row, column) => `(${row}, ${column})`.replace(/-/g, '−');

function channelText(layer, pass) {
  const count = layer.inputs, first = pass % layer.passes * count;
  if (layer.flatten) return `values of pass ${pass + 1}`;
  return count === 1 ? `channel ${first}` : `channels ${first} to ${first + count - 1}`;
}

function passText(layer, pass) {
  return layer.passes > 1 ? `, pass ${pass % layer.passes + 1} of ${layer.passes}` : '';
}

function imagePixel(now) {
  return pixelText(now.row - now.layer.padRows, now.column - now.layer.padColumns);
}

function readSentence(run, now) {
  const {layer} = now, at = run.inputPixel(now);
  if (!at)
    return 'this is one of the zeros that a transposed convolution inserts. It takes the time of a read, but nothing is read.';
  const words = run.readsAt(now), same = words.every(word => word.word === words[0].word);
  const operand = layer.operands > 1 ? ` of operand ${at.operand + 1} of ${layer.operands}` : '';
  const count = words.length;
  const where = count === 1 ? `memory ${words[0].instance}` : `each of ${count} memories`;
  const lanes = layer.chw ? `one byte of one word from ${where}` : `one word from ${where}`;
  let text = `${channelText(layer, now.pass)} of input pixel ${pixelText(at.row, at.column)}${operand} are read: ${lanes}`;
  text += same ? `, all at word ${hex(words[0].word)}.` : '.';
  if (layer.inputs === 1) text = text.replace(' are read', ' is read');
  if (layer.poolRows * layer.poolColumns > 1)
    text += ` It is sample ${at.position + 1} of ${layer.poolRows * layer.poolColumns} of the pooling window.`;
  return text;
}

function tramSentence(run, now) {
  const {layer} = now, area = layer.poolRows * layer.poolColumns;
  const made = [];
  if (layer.pooling !== 'none' && area > 1) made.push(`the ${layer.pooling === 'max' ? 'maximum' : 'average'} of ${area} samples`);
  if (layer.operands > 1) made.push(`${layer.operands} operands combined (${layer.eltwise})`);
  const what = made.length ? made.join(', ') : 'the pixel';
  return layer.kernels
    ? `${what} goes into the line buffers: one byte for each of ${layer.inputs} processors.`
    : `${what} goes to the output stage: one byte for each of ${layer.inputs} processors.`;
}

function outputSentence(run, now, events) {
  const {layer} = now, out = run.outputPixel(now), where = out ? pixelText(out.row, out.column) : '';
  if (!layer.kernels)
    return `output pixel ${where}: time slot ${now.slot + 1}: results of a few processors are packed into a word.`;
  const products = run.productsAt(now);
  if (layer.depthwise)
    return `output pixel ${where}: each processor convolves its own channel only; sums are not added. ` +
      (events ? `${plural(events.outputs.length, 'result')} of them ${events.outputs.length === 1 ? 'is' : 'are'} written in this cycle.` : 'Some of their results are written in this cycle.');
  const last = now.pass + layer.tcalc >= layer.passes;
  const channels = layer.parallel > 1
    ? `output channels ${now.slot} to ${Math.min(now.slot + layer.parallel, layer.slots) - 1}`
    : `output channel ${now.slot}`;
  let text = `${channels}, pixel ${where}: ${plural(layer.multipliers, 'processor')} multiply ${plural(layer.taps, 'value')} each by the kernel: ${plural(products, 'multiplication')}.`;
  if (layer.passes > 1)
    text += last ? ' It is the last pass: the sum is complete.' : ' The sum waits for the next pass.';
  if (last && events && events.outputs.length) {
    const output = events.outputs[events.outputs.length - 1];
    text += ` The sum ${signed(output.sum)} becomes ${signed(output.value)}`;
    text += output.clipped ? ' (clipped).' : '.';
  }
  if (events && events.writes.length) {
    const write = events.writes[events.writes.length - 1];
    text += ` A word is complete and is written to memory ${write.instance} at ${hex(write.word)}.`;
  }
  return text;
}

const SENTENCES = {
  'start': () => 'The start bit is set. One cycle passes before the first layer.',
  'read': readSentence,
  'pool-read': readSentence,
  'pad': () => 'this position lies outside of the image. A zero takes the place of what would be read: padding costs two cycles a pixel and pass, here one of them.',
  'tram': tramSentence,
  'fill': (run, now) => `there is no complete ${now.layer.kernelRows}×${now.layer.kernelColumns} window in the line buffers yet. Nothing can be computed; one cycle passes.`,
  'output': outputSentence,
  'row-end': () => 'a row is done. Layers with one output channel and one pass take one cycle more for it.',
  'seek': () => 'the kernel counter walks from word 0 to the first kernel of this layer, one word a cycle. Layers that combine operands before they convolve do so at each pad pixel at the right and at the bottom.',
  'pipeline': () => 'pipelining is on: its stages empty before the next pixel is read. Nothing is read or multiplied.',
  'flatten': () => 'a flattened layer is set up: its pixels become passes.',
  'stall': () => 'the layer waits: the word that it needs has not yet arrived in the FIFO.',
};

// The sentence of a cycle, as plain text.
function sentence(run, cycle) {
  const now = run.at(cycle), name = STATES[now.state];
  const say = SENTENCES[name] ?? (() => `${name}: ${DATA.causes[CAUSE_OF[now.state]]?.name ?? 'no multiplication is done'}.`);
  const text = say(run, now, run.eventsAt(cycle));
  if (!now.layer) return text;
  const {layer} = now;
  const place = name === 'output' ? '' : `, pixel ${imagePixel(now)}`;
  return `Layer ${layer.title}${place}${passText(layer, now.pass)}: ${text}`;
}
