let line: string | undefined;
let value = "";

/** The Date field with its CRLF, made once per second (RFC 9110, 6.6.1). */
export function dateLine(): string {
  return line ?? renew();
}

/** The value of the Date field, made as often. */
export function dateValue(): string {
  if (line === undefined) renew();
  return value;
}

function renew(): string {
  const now = new Date();
  value = now.toUTCString();
  const made = `Date: ${value}\r\n`;
  line = made;
  setTimeout(forget, 1000 - now.getMilliseconds()).unref();
  return made;
}

function forget(): void {
  line = undefined;
}
