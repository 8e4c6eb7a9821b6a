// What an example has reached: figures over several seeds, and whether they come to what they must.

/** From the results of an example's seeds: for each figure its mean, spread and whether that is enough. */
export function summarise(results) {
  const [first] = results;
  return Object.entries(first.figures).map(([name, figure]) => {
    const { reach, better, unit = '', digits } = figure;
    const values = results.map(({ figures }) => Number(figures[name]?.value));
    const mean = values.reduce((a, b) => a + b) / values.length;
    const spread = Math.sqrt(
      values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(1, values.length - 1),
    );
    return {
      name,
      mean,
      spread,
      seeds: values.length,
      reach,
      better,
      unit,
      digits,
      ok: isEnough(mean, reach, better),
    };
  });
}

function isEnough(value, reach, better) {
  // What is no number is never enough.
  if (better === 'higher') return value >= reach;
  if (better === 'lower') return value <= reach;
  if (better === 'equal') return value === reach;
  throw new Error(`better is ${better}, but must be higher, lower or equal`);
}

/** `97.36 ± 0.21 %`, `61 100 840`, `0.0120`. */
export function shown({ mean, spread, seeds, unit, digits }) {
  const places = digits ?? placesOf(mean);
  const text = number(mean, places) + (seeds > 1 ? ` ± ${number(spread, places)}` : '');
  return unit ? `${text} ${unit}` : text;
}

export function shownReach({ reach, better, unit, digits }) {
  const text = number(reach, digits ?? (Number.isInteger(reach) ? 0 : placesOf(reach)));
  return `${{ higher: '≥', lower: '≤', equal: '=' }[better]} ${text}${unit ? ` ${unit}` : ''}`;
}

const placesOf = value => {
  if (Number.isInteger(value)) return 0;
  const size = Math.abs(value);
  return size >= 10 ? 2 : size >= 0.01 ? 4 : 7;
};

const number = (value, places) =>
  Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString('en-US').replaceAll(',', ' ')
    : value.toFixed(places);
