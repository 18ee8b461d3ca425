/** Dates and times as .NET reads them with the invariant culture (month before day), as far as they occur in URLs. */

const monthNames = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";
const weekday = "(?:(?:mon|tue|wed|thu|fri|sat|sun)(?:[a-z]{3,6})?,? +)?";
const time = "(?<hour>\\d{1,2}):(?<minute>\\d{1,2})(?::(?<second>\\d{1,2})(?:\\.\\d{1,12})?)?(?: *(?<half>[ap]m))?";
const zone = " *(?:z|gmt|[+-]\\d{1,2}(?::?\\d{2})?)?";
const dates = [
  "(?<month>\\d{1,2})[/-](?<day>\\d{1,2})[/-](?<year>\\d{1,4})",
  "(?<year>\\d{4})[/-](?<month>\\d{1,2})[/-](?<day>\\d{1,2})",
  `${weekday}(?<name>${monthNames}),? +(?<day>\\d{1,2}),? +(?<year>\\d{1,4})`,
  `${weekday}(?<day>\\d{1,2})[ -](?<name>${monthNames}),?[ -](?<year>\\d{1,4})`,
  `(?<name>${monthNames}),? +(?<year>\\d{4})`,
];
// Every alternative advances on each character, so that no expression can be made to try many ways.
const forms = [
  ...dates.map((date) => new RegExp(`^${date}(?:[T ] *${time}${zone})?$`, "i")),
  new RegExp(`^${time}${zone}$`, "i"),
];
const longestText = 64;

/** Whether `text` is a date, a time or both, and such a date exists. */
export function isDateTime(text: string): boolean {
  if (text.length > longestText) return false;
  const trimmed = text.trim();
  return forms.some((form) => {
    const groups = form.exec(trimmed)?.groups;
    return groups !== undefined && exists(groups);
  });
}

function exists(groups: Readonly<Record<string, string | undefined>>): boolean {
  const part = (name: string, fallback: number): number => {
    const text = groups[name];
    return text === undefined ? fallback : Number(text);
  };
  const named = groups["name"]?.slice(0, 3).toLowerCase();
  const month = named === undefined ? part("month", 1) : "janfebmaraprmayjunjulaugsepoctnovdec".indexOf(named) / 3 + 1;
  const day = part("day", 1);
  const year = part("year", 2000);
  const hour = part("hour", 0);
  const afternoon = groups["half"] !== undefined;
  if (afternoon ? hour < 1 || hour > 12 : hour > 23) return false;
  if (part("minute", 0) > 59 || part("second", 0) > 59) return false;
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}
