const minuteMs = 60_000;

/** `report`, but at most once a minute: for what would otherwise fill the log. */
export function onceAMinute<T>(report: (value: T) => void): (value: T) => void {
  let last = -Infinity;
  return (value) => {
    if (performance.now() - last < minuteMs) return;
    last = performance.now();
    report(value);
  };
}
