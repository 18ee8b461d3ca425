let line: string | undefined;

/** The Date field with its CRLF, made once per second (RFC 9110, 6.6.1). */
export function dateLine(): string {
  return line ?? renew();
}

function renew(): string {
  const now = new Date();
  const made = `Date: ${now.toUTCString()}\r\n`;
  line = made;
  setTimeout(forget, 1000 - now.getMilliseconds()).unref();
  return made;
}

function forget(): void {
  line = undefined;
}
