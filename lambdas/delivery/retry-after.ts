/** No receiver can put a delivery off for longer than this. */
const retryAfterMsMax = 86_400_000;

/**
 * How long `Retry-After` asks to wait, in milliseconds, at most 24 hours: seconds, or a date in any of the three forms
 * that a recipient must take. What is neither, or lies in the past, asks for nothing.
 * Source: RFC 9110, 10.2.3 and 5.6.7.
 *
 * @param header as the receiver wrote it
 */
export function retryAfterMs(header: string | undefined, { nowMs }: { readonly nowMs: number }): number {
  // A proxy may join the header of the server and its own: one value that stands there twice is that value, as of
  // Content-Length (RFC 9112, 6.3). Which of two counts, nobody can tell.
  const text = header?.trim().replace(/^(\d+)(?:[ \t]*,[ \t]*\1)+$/, '$1') ?? '';
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : timeOf(text, nowMs) - nowMs;
  return Number.isNaN(waitMs) ? 0 : Math.min(retryAfterMsMax, Math.max(0, waitMs));
}

const clock = String.raw`(?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})`;

/** RFC 9110 wants recipients to be robust: capitals do not matter, and UTC is as good as GMT. */
const zone = '(?:GMT|UTC|[+-]0000)';

const forms = [
  // Fri, 27 Nov 2026 12:52:43 GMT
  String.raw`[a-z]{3}, (?<day>\d{1,2}) (?<month>[a-z]{3}) (?<year>\d{4}) ${clock} ${zone}`,
  // Friday, 27-Nov-26 12:52:43 GMT; some servers write the whole year, or the short day
  String.raw`[a-z]{3,9}, (?<day>\d{1,2})-(?<month>[a-z]{3})-(?<year>\d{4}|\d{2}) ${clock} ${zone}`,
  // Fri Nov 27 12:52:43 2026, with two blanks before a day of one digit
  String.raw`[a-z]{3} (?<month>[a-z]{3}) {1,2}(?<day>\d{1,2}) ${clock} (?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`, 'i'));

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Not `Date.parse`, which takes almost any text and guesses the century. NaN for what is no date. */
function timeOf(text: string, nowMs: number): number {
  const written = forms.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (written === undefined) return NaN;
  const { day = '', month = '', year = '', hour = '', minute = '', second = '' } = written;
  const monthText = String(months.indexOf(month.toLowerCase()) + 1).padStart(2, '0');
  // Of a leap second no Date knows.
  const rest = `-${monthText}-${day.padStart(2, '0')}T${hour}:${minute}:${second === '60' ? '59' : second}Z`;
  const fullYear = year.length === 4 ? Number(year) : fullYearOf(Number(year), nowMs);
  return Date.parse(`${String(fullYear).padStart(4, '0')}${rest}`);
}

/** Two digits mean the latest such year that is at most fifty years ahead. Source: RFC 9110, 5.6.7. */
function fullYearOf(twoDigits: number, nowMs: number): number {
  const lastYear = new Date(nowMs).getUTCFullYear() + 50;
  return lastYear - ((lastYear - twoDigits) % 100);
}
