import { ExchangeStateError } from "../../errors.ts";
import { isReasonPhrase } from "../../field-grammar.ts";
import { reasonPhrase } from "../../reason-phrase.ts";

const lines: (string | undefined)[] = Array.from<string | undefined>({ length: 1000 }).fill(undefined);

/** The status line with its CRLF. Throws for a status outside 100-999 and a reason that would break the line. */
export function statusLine(status: number, reason: string | undefined): string {
  const usual = lines[status] ?? learn(status);
  if (reason === undefined || reason === reasonPhrase(status)) return usual;
  if (!isReasonPhrase(reason)) throw new ExchangeStateError("the reason phrase holds an illegal character");
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

function learn(status: number): string {
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw new ExchangeStateError(`${status} is no status`);
  }
  return (lines[status] = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`);
}
