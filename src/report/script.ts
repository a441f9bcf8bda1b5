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

  // Values of marks.
  const tip = document.getElementById('tip');
  const number = (text) => {
    const value = Number(text);
    if (text === '' || !Number.isFinite(value) || Number.isInteger(value)) return text;
    return String(Number(value.toPrecision(4)));
  };
  const show = (mark, x, y) => {
    tip.replaceChildren();
    for (const part of mark.getAttribute('aria-label').split('; ')) {
      const line = document.createElement('div');
      const at = part.indexOf(': ');
      if (at > 0) {
        line.append(part.slice(0, at) + ' ');
        const value = document.createElement('b');
        value.textContent = number(part.slice(at + 2));
        line.append(value);
      } else line.textContent = part;
      tip.append(line);
    }
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 4)) + 'px';
    tip.style.top = (y + 14 + box.height > innerHeight ? Math.max(4, y - box.height - 10) : y + 14) + 'px';
  };
  const marksOf = (plot) => all('[role="graphics-symbol"][aria-label]', plot).filter((mark) => mark.tagName !== 'text' && !mark.closest('.faded'));
  let here;
  const leave = () => { here?.classList.remove('here'); here = undefined; tip.hidden = true; };
  for (const plot of all('.plot')) {
    plot.addEventListener('pointermove', (event) => {
      const mark = event.target.closest?.('[role="graphics-symbol"][aria-label]');
      if (mark && mark.tagName !== 'text' && plot.contains(mark)) show(mark, event.clientX, event.clientY);
      else if (!here) tip.hidden = true;
    });
    plot.addEventListener('pointerleave', leave);
    plot.addEventListener('blur', leave);
    plot.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === 'Escape') return leave();
      if (!step) return;
      const marks = marksOf(plot);
      if (marks.length === 0) return;
      event.preventDefault();
      const at = marks.indexOf(here);
      here?.classList.remove('here');
      here = marks[at < 0 ? (step > 0 ? 0 : marks.length - 1) : (at + step + marks.length) % marks.length];
      here.classList.add('here');
      here.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      const box = here.getBoundingClientRect();
      show(here, box.right, box.bottom);
      document.getElementById('spoken').textContent = tip.innerText;
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
    for (const title of all('g.role-title text', plot)) {
      const panel = title.closest('g.role-scope');
      if (panel && others(mentions(title.textContent, names), id)) panel.classList.add('faded');
    }
    // A line says nothing of itself: it has the colour of the points on it.
    for (const group of all('g.role-scope, g.root', plot)) {
      const colours = { on: new Set(), off: new Set() };
      const colourOf = (mark) => [mark.getAttribute('fill'), mark.getAttribute('stroke')].filter((colour) => colour?.startsWith('var'));
      for (const mark of all('[role="graphics-symbol"][aria-label]', group)) {
        const found = mentions(mark.getAttribute('aria-label'), names);
        if (found.size === 0) continue;
        const off = others(found, id);
        if (off) mark.classList.add('faded');
        for (const colour of colourOf(mark)) colours[off ? 'off' : 'on'].add(colour);
      }
      for (const mark of all('.mark-line path, .mark-area path, .mark-rule line', group)) {
        const own = colourOf(mark);
        if (own.length > 0 && own.every((colour) => colours.off.has(colour) && !colours.on.has(colour))) mark.classList.add('faded');
      }
    }
  };
  for (const select of all('.controls select')) select.addEventListener('change', apply);
})();
`;
