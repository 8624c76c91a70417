/**
 * Calls `send` at a fixed rate for a while. When the driver is late it catches up, so that the
 * number of calls depends on rate and time only.
 */
export function paced(perSecond: number, seconds: number, send: () => void): Promise<void> {
  const total = Math.round(perSecond * seconds);
  const start = performance.now();
  let sent = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - start) / 1000) * perSecond));
      for (; sent < due; sent++) send();
      if (sent < total) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
}
