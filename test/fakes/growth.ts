/** Below it a measurement is noise, and what is done so fast costs nobody anything. */
const floorMs = 0.25;

/**
 * How the work that an input costs grows with its size, as the exponent of a power: 1 is linear, 2 quadratic. CPU time of
 * this thread is compared with that of the same run, for a machine that is busy shares it out, and the least of several is
 * taken, for others only ever add. So there is no bound by a clock, and a slow machine is none that fails.
 *
 * @param work is given the size, makes an input of it, and gives back what is to be measured
 */
export function growthOf(work: (size: number) => () => unknown, size: number): number {
  const measured = [1, 4, 16].map((times) => ({ work: work(size * times), ms: Infinity }));
  let growth = Infinity;
  // What seems to grow too fast is measured again: what others add is not added each time, and what is quadratic stays so.
  for (let round = 0; round < 4 && growth >= growthMax; round += 1) {
    for (const one of measured) one.ms = Math.min(one.ms, costOf(one.work));
    const [one = 0, four = 0, sixteen = 0] = measured.map(({ ms }) => Math.max(floorMs, ms));
    // Whatever disturbs one of the three, disturbs one of these: what is quadratic is so in both.
    growth = Math.min(Math.log(four / one), Math.log(sixteen / four)) / Math.log(4);
  }
  return growth;
}

/** Well above linear with a logarithm, and well below quadratic. */
export const growthMax = 1.5;

/** Milliseconds of CPU, the least of five. */
function costOf(work: () => unknown): number {
  const costs = Array.from({ length: 5 }, () => {
    const before = process.threadCpuUsage();
    settled(work);
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...costs);
}

/** A refusal costs as much as an answer. */
function settled(work: () => unknown): void {
  try {
    work();
  } catch {
    return;
  }
}
