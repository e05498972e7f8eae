/** A time in each of the three forms of RFC 9110, 5.6.7, to the second. */
export function httpDateAt(timeMs: number): string {
  return new Date(timeMs).toUTCString();
}

export function rfc850At(timeMs: number): string {
  const [, day, month, year, clock] = httpDateAt(timeMs).split(' ');
  return `${weekdays[new Date(timeMs).getUTCDay()]}, ${day}-${month}-${year?.slice(2)} ${clock} GMT`;
}

export function asctimeAt(timeMs: number): string {
  const [weekday, day, month, year, clock] = httpDateAt(timeMs).split(' ');
  return `${weekday?.slice(0, 3)} ${month} ${day?.replace(/^0/, ' ')} ${clock} ${year}`;
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
