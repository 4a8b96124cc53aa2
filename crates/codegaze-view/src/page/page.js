'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($('data').textContent);
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const percent = (x) => (100 * x).toFixed(x < 0.0995 ? 2 : 1) + ' %';

  // Head and legend.
  $('title').textContent = data.title;
  $('subtitle').textContent = data.subtitle;
  for (const note of data.notes) $('subtitle').after(make('p', '', note));
  $('legend').append('Source: attention above that of ');
  data.quantiles.forEach((q, i) => $('legend').append(make('span', 'l' + (i + 1), Math.round(100 * q) + ' %')));
  $('legend').append(' of the lexemes');

  // Source: one element for each line, one for each piece.
  const piecesOfToken = new Map();
  data.lines.forEach((line, number) => {
    const row = make('span', 'line');
    row.dataset.number = number + 1;
    for (const [text, level, lexeme, token] of line) {
      const piece = make('span', 'piece' + (level ? ' l' + level : ''), text);
      if (lexeme >= 0) piece.dataset.lexeme = lexeme;
      if (token >= 0) {
        piece.dataset.token = token;
        if (!piecesOfToken.has(token)) piecesOfToken.set(token, []);
        piecesOfToken.get(token).push(piece);
      }
      row.append(piece);
    }
    row.append('\n');
    $('source').append(row);
  });
  $('source').addEventListener('mouseover', (event) => {
    const piece = event.target.closest('[data-lexeme]');
    const out = $('lexeme-readout');
    out.replaceChildren();
    if (!piece) return;
    const [share, lift, rank] = data.lexemes[piece.dataset.lexeme];
    out.append(make('b', '', piece.textContent), ` rank ${rank} of ${data.lexemes.length} · ${lift.toFixed(2)}× the average lexeme · ${percent(share)} of its chunk`);
  });

  if (!data.matrix) return;
  const { n, unit, labels, max, sqrt } = data.matrix;
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const raw = bytes(data.matrix.weights);
  const view = new DataView(raw.buffer);
  const weights = new Float32Array(n * n);
  for (let i = 0; i < n * n; i++) weights[i] = view.getFloat32(4 * i, true);
  const lut = bytes(data.matrix.lut);
  const place = (w, top) => (top > 0 ? (sqrt ? Math.sqrt(w / top) : w / top) : 0);

  $('matrix-panel').hidden = false;
  $('direction').hidden = false;
  $('direction').querySelector('legend').textContent = `A chosen ${unit} shades`;
  $('tokens').setAttribute('aria-label', `Every ${unit}`);
  $('note').textContent = 'Rows are queries (they attend), columns keys (attended to). Color by ' + (sqrt ? '√weight' : 'weight') + '; ' + data.matrix.note + '. Click or Enter pins, Escape lets go, arrow keys move.';

  // Cells: one pixel each, scaled up by the browser.
  const paint = (canvas, width, height, valueAt) => {
    canvas.width = width;
    canvas.height = height;
    if (!width || !height) return;
    const context = canvas.getContext('2d');
    const image = context.createImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      const c = 3 * Math.round(255 * Math.min(1, Math.max(0, valueAt(i))));
      image.data.set([lut[c], lut[c + 1], lut[c + 2], 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
  };
  paint($('cells'), n, n, (i) => place(weights[i], max));
  paint($('bar'), 1, 256, (i) => 1 - i / 255);
  for (const t of [0, 0.25, 0.5, 0.75, 1]) $('ticks').append(make('li', '', (max * (sqrt ? t * t : t)).toFixed(max < 0.1 ? 4 : 3)));

  // Labels along both axes, every k-th, so that none overlap.
  const shorten = (label) => (label.length > 18 ? [...label].slice(0, 17).join('') + '…' : label);
  const drawLabels = () => {
    const ratio = window.devicePixelRatio || 1;
    const style = getComputedStyle(document.body);
    const font = '11px ' + style.getPropertyValue('--mono');
    const probe = $('row-labels').getContext('2d');
    probe.font = font;
    const breadth = Math.ceil(Math.max(16, ...labels.map((label) => probe.measureText(shorten(label)).width))) + 4;
    // The grid gets what the labels leave, so they take their place first.
    $('row-labels').style.width = breadth + 'px';
    const side = $('grid').clientWidth;
    const every = n ? Math.max(1, Math.ceil(12 * n / side)) : 1;
    for (const [id, turned] of [['row-labels', false], ['column-labels', true]]) {
      const canvas = $(id);
      const [width, height] = turned ? [side, breadth] : [breadth, side];
      canvas.style.width = width + 'px';
      canvas.style.height = height + 'px';
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      const context = canvas.getContext('2d');
      context.scale(ratio, ratio);
      context.font = font;
      context.textBaseline = 'middle';
      context.textAlign = 'right';
      for (let i = every >> 1; i < n; i += every) {
        const middle = (i + 0.5) * side / n;
        context.save();
        if (turned) {
          context.translate(middle, 2);
          context.rotate(-Math.PI / 2);
        } else {
          context.translate(breadth - 2, middle);
        }
        context.fillStyle = i === (turned ? state.key : state.query) ? style.getPropertyValue('--mark') : style.getPropertyValue('--text');
        context.fillText(shorten(labels[i]), 0, 0.5);
        context.restore();
      }
    }
  };

  // What stands on the axes, as buttons.
  const chips = labels.map((label, i) => {
    const chip = make('button', 'token', label);
    chip.type = 'button';
    chip.dataset.token = i;
    return chip;
  });
  $('tokens').append(...chips);

  const state = { query: -1, key: -1, pinned: false };
  let chosen = [];
  let scheduled = false;

  const strongest = (at, count) => {
    const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => at(b) - at(a)).slice(0, count);
    const list = make('ol');
    for (const i of order) list.append(make('li', '', percent(at(i)).padStart(7) + '  ' + labels[i] + ' (' + i + ')'));
    return list;
  };
  const column = (title, list) => {
    const box = make('div', '', title);
    box.append(list);
    return box;
  };
  const show = () => {
    scheduled = false;
    const { query, key, pinned } = state;
    for (const element of chosen) element.classList.remove('chosen');
    chosen = [];
    const some = query >= 0 && key >= 0;
    document.body.classList.toggle('following', some);
    $('row-mark').style.display = $('column-mark').style.display = some ? 'block' : 'none';
    const out = $('readout');
    out.replaceChildren();
    if (!some) {
      out.append(make('p', '', `Point at a cell, a ${unit} or the source.`));
      drawLabels();
      return;
    }
    const cell = 100 / n;
    Object.assign($('row-mark').style, { top: query * cell + '%', height: cell + '%' });
    Object.assign($('column-mark').style, { left: key * cell + '%', width: cell + '%' });
    const line = make('p');
    line.append('query ', make('b', '', labels[query]), ` (${query}) gives `, make('b', '', percent(weights[query * n + key])), ' of its attention to key ', make('b', '', labels[key]), ` (${key})`, pinned ? ' · pinned' : '');
    const lists = make('div', 'lists');
    lists.append(
      column('this query attends most to', strongest((i) => weights[query * n + i], 5)),
      column('this key is attended most by', strongest((i) => weights[i * n + key], 5)));
    out.append(line, lists);

    const byRow = document.querySelector('input[name=direction]:checked').value === 'row';
    const at = (i) => (byRow ? weights[query * n + i] : weights[i * n + key]);
    let top = 0;
    for (let i = 0; i < n; i++) top = Math.max(top, at(i));
    for (let i = 0; i < n; i++) {
      const w = place(at(i), top).toFixed(3);
      chips[i].style.setProperty('--w', w);
      for (const piece of piecesOfToken.get(i) || []) piece.style.setProperty('--w', w);
    }
    const anchor = byRow ? query : key;
    chosen = [chips[anchor], ...(piecesOfToken.get(anchor) || [])];
    for (const element of chosen) element.classList.add('chosen');
    drawLabels();
  };
  const schedule = () => {
    if (!scheduled) {
      scheduled = true;
      requestAnimationFrame(show);
    }
  };
  const choose = (query, key, force) => {
    if (state.pinned && !force) return;
    if (query === state.query && key === state.key) return;
    state.query = query;
    state.key = key;
    schedule();
  };
  const pin = (query, key) => {
    const same = state.pinned && state.query === query && state.key === key;
    state.pinned = !same;
    state.query = query;
    state.key = key;
    schedule();
  };

  const cellAt = (event) => {
    const box = $('cells').getBoundingClientRect();
    const index = (x, length) => Math.min(n - 1, Math.max(0, Math.floor(x / length * n)));
    return [index(event.clientY - box.top, box.height), index(event.clientX - box.left, box.width)];
  };
  if (n) {
    $('grid').addEventListener('pointermove', (event) => choose(...cellAt(event)));
    $('grid').addEventListener('click', (event) => pin(...cellAt(event)));
  }
  $('grid').addEventListener('pointerleave', () => choose(-1, -1));
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  $('grid').addEventListener('keydown', (event) => {
    const step = steps[event.key];
    if (step && n && state.query < 0) {
      choose(0, 0, true);
      event.preventDefault();
    } else if (step && n) {
      const clamp = (i) => Math.min(n - 1, Math.max(0, i));
      choose(clamp(state.query + step[0]), clamp(state.key + step[1]), true);
      event.preventDefault();
    } else if (event.key === 'Enter' && state.query >= 0) {
      pin(state.query, state.key);
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      state.pinned = false;
      choose(-1, -1);
    }
  });
  for (const panel of [$('tokens'), $('source')]) {
    const token = (event) => {
      const element = event.target.closest('[data-token]');
      return element ? Number(element.dataset.token) : -1;
    };
    panel.addEventListener('mouseover', (event) => choose(token(event), token(event)));
    panel.addEventListener('mouseleave', () => choose(-1, -1));
    panel.addEventListener('focusin', (event) => choose(token(event), token(event)));
    panel.addEventListener('click', (event) => {
      const i = token(event);
      if (i >= 0) pin(i, i);
    });
  }
  $('direction').addEventListener('change', schedule);
  new ResizeObserver(schedule).observe($('grid'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', schedule);
  show();
})();
