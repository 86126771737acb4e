// Small helpers to build the page.
const $ = id => document.getElementById(id);

// make('div.card', {title: 'x'}, child, ...)
function make(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const node = document.createElement(name || 'div');
  if (classes.length) node.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.filter(child => child !== null && child !== undefined));
  return node;
}

// Changes the document only where something changed: playing stays cheap.
function setText(node, text) {
  if (node.lastText !== text) node.textContent = node.lastText = text;
}
function setStyle(node, name, value) {
  const key = 'style' + name;
  if (node[key] !== value) node.style[name] = node[key] = value;
}
function setClass(node, name, on) {
  const key = 'is' + name;
  if (node[key] !== on) {
    node[key] = on;
    node.classList.toggle(name, on);
  }
}

// A table whose rows become cards on a phone (show.css): each cell says its heading there.
function cardTable(heads, rows) {
  for (const row of rows) [...row.cells].forEach((cell, i) => { if (i > 0) cell.dataset.h = heads[i].title; });
  return make('table.cards', {}, make('thead', {}, make('tr', {}, ...heads.map(head => make(head.tag, {}, head.title)))), make('tbody', {}, ...rows));
}
const heads = (left, right = []) => [...left.map(title => ({tag: 'th', title})), ...right.map(title => ({tag: 'th.r', title}))];

// Colours of the theme, for canvases. Asking for styles costs more than drawing, so they are kept.
const colours = new Map();
function colour(name) {
  if (!colours.has(name)) colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return colours.get(name);
}

// A canvas as sharp as the screen; returns its context, in CSS pixels.
function sharp(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

const layerColour = position => `hsl(${Math.floor((position * 13751 + 21000) / 100) % 360} 45% ${position % 2 ? 48 : 56}%)`;
