/* How far the work is: what the server said last, and on top of that what this phone has done since. Without a browser. */

const GS1 = /^(?:\(01\)|\][A-Za-z]\d?01|01(?=\d{14}.))(\d{14})/;

/* The goods (variant, sku, gtin, title) that a code means among those that were taken along, or none. */
export function find(goods, code) {
  const text = code.trim(), gs1 = GS1.exec(text)?.[1], number = gs1 ?? (/^\d{8,14}$/.test(text) ? text.padStart(14, "0") : null);
  return goods.find(([, sku]) => sku === text) ?? (number ? goods.find(([, , gtin]) => gtin && gtin.padStart(14, "0") === number) : undefined);
}

/* Whether a code also says of which lot a piece is: then only the server knows what it all means. */
export const saysMore = (code) => GS1.test(code.trim()) || /^https?:/.test(code.trim());

/* What the server may not have told yet: unsent, or sent after what is known was asked for. */
export const isNews = (item, tasks) => item.state === "unsent" || (item.state === "done" && item.verdict?.verdict === "done" && item.at >= (tasks?.asked ?? 0));

/* The counts that go on here by now: those that the server told of, those that this phone has begun, without those that it has closed. */
export function counting(tasks, items) {
  const known = new Set(tasks.counts.map(({ id }) => id)), closed = new Set(items.filter((item) => item.entry.kind === "count-close" && isNews(item, tasks)).map(({ entry }) => entry.count));
  const begun = items.filter((item) => item.entry.kind === "count-begin" && isNews(item, tasks) && !known.has(item.entry.count));
  return [...begun.map(({ entry }) => ({ id: entry.count, note: entry.note, created_at: entry.happened_at, lines: [] })), ...tasks.counts].filter(({ id }) => !closed.has(id));
}

/* What was found in a count: [{key, sku, title, total, unsent}], what was found last first. */
export function found(tasks, count, items) {
  const rows = new Map(), goods = tasks?.goods ?? [];
  const row = (variant, code) => {
    const key = variant ?? code;
    if (!rows.has(key)) {
      const [, sku, , title] = goods.find(([id]) => id === variant) ?? [null, code, null, ""];
      rows.set(key, { key, sku, title, total: 0, unsent: 0 });
    }
    return rows.get(key);
  };
  for (const [variant, counted] of tasks?.counts.find(({ id }) => id === count)?.lines ?? []) row(variant).total = counted;
  for (const item of items.filter(({ entry }) => entry.kind === "count" && entry.count === count)) {
    if (!isNews(item, tasks)) continue;
    const { code, quantity, adds } = item.entry, line = row(find(goods, code)?.[0], code);
    if (item.verdict?.told?.title) Object.assign(line, { sku: item.verdict.told.sku, title: item.verdict.told.title });
    line.total = adds ? line.total + quantity : quantity;
    line.unsent += item.state === "unsent";
    rows.delete(line.key);
    rows.set(line.key, line);
  }
  return [...rows.values()].reverse();
}

/* A piece of work as it is by now on this phone: {state, isMine, isGivenUp, lines, unsent}. */
export function picked(tasks, work, items) {
  const lines = work.lines.map((line) => ({ ...line }));
  let { state, is_mine: isMine } = work, isGivenUp = false, unsent = 0;
  for (const item of items.filter(({ entry }) => entry.fulfilment === work.id)) {
    unsent += item.state === "unsent";
    if (!isNews(item, tasks)) continue;
    const { kind, what } = item.entry;
    if (kind === "take") [state, isMine] = [state === "open" ? "picking" : state, true];
    if (kind === "pick") {
      const line = what.code === undefined ? lines.find(({ position }) => position === what.position) : lineOf(tasks, lines, what.code, "picked");
      if (line) line.picked = what.code === undefined ? what.quantity : Math.min(line.picked + 1, line.quantity);
      if (state === "picking" || state === "picked") state = lines.every((each) => each.picked >= each.quantity) ? "picked" : "picking";
    }
    if (kind === "pack") {
      const line = what.code === undefined ? null : lineOf(tasks, lines, what.code, "packed");
      if (line) line.packed = Math.min(line.packed + 1, line.quantity);
      if (what.code === undefined || lines.every((each) => each.packed >= each.quantity)) state = "packed";
    }
    if (kind === "reject") isGivenUp = true;
  }
  return { state, isMine, isGivenUp, lines, unsent };
}

/* The line that a code means; of several the first that wants more. */
export function lineOf(tasks, lines, code, what) {
  const variant = find(tasks?.goods ?? [], code)?.[0];
  const fitting = lines.filter((line) => line.sku === code.trim() || (variant && line.variant === variant));
  return fitting.find((line) => line[what] < line.quantity) ?? fitting[0];
}
