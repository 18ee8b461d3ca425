import { errorCode } from "../frames.ts";

const names = new Map<number, string>(
  Object.entries(errorCode).map(([name, code]) => [code, name === "http11Required" ? "HTTP_1_1_REQUIRED" : name.replaceAll(/[A-Z]/g, "_$&").toUpperCase()]),
);

/** The name of a code of RFC 9113, 7: `REFUSED_STREAM`; `code 77` for one without. */
export function codeName(code: number): string {
  return names.get(code) ?? `code ${code}`;
}

/** What a reset with `code` says of a response that was not complete. */
export function resetFault(code: number): string {
  return code === errorCode.noError ? "the stream was closed before the response was complete" : `the stream was reset (${codeName(code)})`;
}
