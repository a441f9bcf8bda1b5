/**
 * The page's script: values under the pointer and by arrow keys, toggles for data set and model, and the
 * switch of light and dark. Without it the page is whole but for these.
 */
export const script = `'use strict';
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Light and dark.
  const theme = document.getElementById('theme');
  const isDark = () => (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  const name = () => { theme.textContent = isDark() ? 'Light' : 'Dark'; };
  theme.addEventListener('click', () => { root.dataset.theme = isDark() ? 'light' : 'dark'; name(); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', name);
  name();

  // Values of marks. What the fields are called stands once, at the group; a matrix has its values in two
  // digits each, rows from above, and the names of rows and columns after what they are of.
  const tip = document.getElementById('tip');
  const number = (text) => {
    const value = Number(text);
    if (text === '' || !Number.isFinite(value) || Number.isInteger(value)) return text;
    return Math.abs(value) < 0.001 ? text : String(Number(value.toPrecision(4)));
  };
  const fieldsOf = (mark) => {
    const names = mark.closest('[data-k]').dataset.k.split('\\t');
    return mark.dataset.v.split('\\t').map((value, at) => [names[at], value]).filter(([, value]) => value !== '');
  };
  const read = (matrix) => {
    const [rowTitle, ...rows] = matrix.dataset.rows.split('\\t');
    const [columnTitle, ...columns] = matrix.dataset.columns.split('\\t');
    return { rowTitle, rows, columnTitle, columns };
  };
  const cellFields = (matrix, row, column) => {
    const { rowTitle, rows, columnTitle, columns } = read(matrix);
    const digits = matrix.dataset.values.substr(2 * (row * columns.length + column), 2);
    const value = digits === '--' ? 'undefined' : ((parseInt(digits, 36) - 100) / 1000).toFixed(3);
    return [[rowTitle, rows[row]], [columnTitle, columns[column]], ['CKA', value]];
  };
  const show = (fields, x, y) => {
    tip.replaceChildren();
    for (const [name, text] of fields) {
      const line = document.createElement('div');
      if (name !== '') line.append(name + ' ');
      const value = document.createElement('b');
      value.textContent = number(text);
      line.append(value);
      tip.append(line);
    }
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 4)) + 'px';
    tip.style.top = (y + 14 + box.height > innerHeight ? Math.max(4, y - box.height - 10) : y + 14) + 'px';
  };

  // What is under the pointer, or chosen by the arrow keys: a mark, or a square of a matrix.
  const svgSpace = 'http://www.w3.org/2000/svg';
  const frame = document.createElementNS(svgSpace, 'rect');
  frame.setAttribute('class', 'here');
  frame.setAttribute('width', '1');
  frame.setAttribute('height', '1');
  let here;
  const leave = () => {
    here?.mark.classList.remove('here');
    frame.remove();
    here = undefined;
    tip.hidden = true;
  };
  const enter = (item) => {
    leave();
    here = item;
    const { mark, row, column } = item;
    if (row === undefined) mark.classList.add('here');
    else {
      frame.setAttribute('x', column);
      frame.setAttribute('y', row - 0.5);
      mark.append(frame);
    }
    const shown = row === undefined ? mark : frame;
    shown.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    const box = shown.getBoundingClientRect();
    show(row === undefined ? fieldsOf(mark) : cellFields(mark, row, column), box.right, box.bottom);
    document.getElementById('spoken').textContent = tip.innerText;
  };
  const underPointer = (plot, { target, clientX, clientY }) => {
    const mark = target.closest?.('[data-v],.matrix');
    if (!mark || !plot.contains(mark) || mark.closest('.faded')) return undefined;
    if (!mark.matches('.matrix')) return fieldsOf(mark);
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(mark.getScreenCTM().inverse());
    const { rows, columns } = read(mark);
    const [row, column] = [Math.floor(y + 0.5), Math.floor(x)];
    return rows[row] !== undefined && columns[column] !== undefined ? cellFields(mark, row, column) : undefined;
  };
  const nextOf = (plot, key) => {
    const marks = all('[data-v],.matrix', plot).filter((mark) => !mark.closest('.faded'));
    if (marks.length === 0) return undefined;
    const step = key === 'ArrowRight' || key === 'ArrowDown' ? 1 : -1;
    if (here?.row !== undefined) {
      const { rows, columns } = read(here.mark);
      const across = key === 'ArrowRight' || key === 'ArrowLeft';
      const [row, column] = across ? [here.row, here.column + step] : [here.row + step, here.column];
      if (rows[row] !== undefined && columns[column] !== undefined) return { mark: here.mark, row, column };
    }
    const at = here ? marks.indexOf(here.mark) : -1;
    const mark = marks[at < 0 ? (step > 0 ? 0 : marks.length - 1) : (at + step + marks.length) % marks.length];
    return mark.matches('.matrix') ? { mark, row: 0, column: 0 } : { mark };
  };
  for (const plot of all('.plot')) {
    plot.addEventListener('pointermove', (event) => {
      const fields = underPointer(plot, event);
      if (fields) show(fields, event.clientX, event.clientY);
      else if (!here) tip.hidden = true;
    });
    plot.addEventListener('pointerleave', leave);
    plot.addEventListener('blur', leave);
    plot.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') return leave();
      if (!event.key.startsWith('Arrow')) return;
      const next = nextOf(plot, event.key);
      if (!next) return;
      event.preventDefault();
      enter(next);
    });
  }
  addEventListener('scroll', () => { if (!here) tip.hidden = true; }, { passive: true });

  // Toggles. What is of another data set or model is hidden; panels and series of a figure fade.
  const axes = JSON.parse(document.getElementById('axes').textContent);
  // Names of an axis that a text mentions; the longest name wins where one is part of another.
  const mentions = (text, names) => {
    let rest = text;
    const found = new Set();
    for (const { label, id } of names) {
      if (!rest.includes(label)) continue;
      found.add(id);
      rest = rest.split(label).join('|');
    }
    return found;
  };
  const chosen = () => Object.fromEntries(all('.controls select').map((select) => [select.name, select.value]));
  const others = (found, id) => id !== '' && found.size > 0 && !found.has(id);
  const apply = () => {
    const choice = chosen();
    for (const axis of Object.keys(axes)) {
      for (const element of all('[data-' + axis + ']')) {
        element.dataset['off' + axis] = choice[axis] !== '' && element.dataset[axis] !== choice[axis] ? 'yes' : '';
      }
    }
    for (const element of all('[data-data],[data-model]')) {
      element.hidden = element.dataset.offdata === 'yes' || element.dataset.offmodel === 'yes';
    }
    for (const plot of all('.plot')) {
      for (const faded of all('.faded', plot)) faded.classList.remove('faded');
      for (const [axis, names] of Object.entries(axes)) {
        if (choice[axis] !== '') fade(plot, names, choice[axis]);
      }
    }
    leave();
    document.getElementById('spoken').textContent = all('figure').filter((figure) => !figure.hidden).length + ' figures shown';
  };
  const fade = (plot, names, id) => {
    for (const panel of all('g.panel', plot)) {
      const own = all('g.title text', panel).filter((title) => title.closest('g.panel') === panel);
      const said = [panel.dataset.p ?? '', ...own.map((title) => title.textContent)];
      if (said.some((text) => others(mentions(text, names), id))) panel.classList.add('faded');
    }
    // A line says nothing of itself: it has the colour of the points on it.
    for (const group of all('g.panel, g.root', plot)) {
      const colours = { on: new Set(), off: new Set() };
      const colourOf = (mark) => ['fill', 'stroke'].map((name) => mark.closest('[' + name + ']')?.getAttribute(name)).filter((colour) => colour?.startsWith('var'));
      for (const mark of all('[data-v]', group)) {
        const found = mentions(mark.dataset.v, names);
        if (found.size === 0) continue;
        const off = others(found, id);
        if (off) mark.classList.add('faded');
        for (const colour of colourOf(mark)) colours[off ? 'off' : 'on'].add(colour);
      }
      for (const mark of all('.lines :not(g)', group)) {
        const own = colourOf(mark);
        if (own.length > 0 && own.every((colour) => colours.off.has(colour) && !colours.on.has(colour))) mark.classList.add('faded');
      }
    }
  };
  for (const select of all('.controls select')) select.addEventListener('change', apply);
})();
`;
